"""What the Prometheus Operator's admission webhook says of PrometheusRules, run with the arguments that it gets."""

import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from components.admission_webhook import flags
from lab import pki
from lab.build import command
from settings.operator import definitions
from tests.lab.processes import free_port

from .alertmanager import PATIENCE, until

pytestmark = pytest.mark.render
HOST = "admission-webhook.promfleet.svc"
PATH = "/admission-prometheusrules/validate"


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The webhook as an API server sees it, which knows its name and the authority of its certificate."""
    folder = tmp_path_factory.mktemp("webhook")
    authority = pki.authority("own")
    pki.issue(authority, HOST, hosts=[HOST]).write(folder, "tls")
    authority.write(folder, "ca")
    port, log = free_port(), folder / "log"
    with log.open("w") as written:
        process = subprocess.Popen(
            [str(command("admission-webhook")), *flags(str(folder), f"127.0.0.1:{port}")], stderr=written
        )
    trust = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    client = httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trust, headers={"Host": HOST})
    client.event_hooks = {"request": [lambda request: request.extensions.update(sni_hostname=HOST)]}
    try:
        until("the webhook starts", lambda: process.poll() is not None or answers(client))
        assert process.poll() is None, log.read_text()
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(PATIENCE)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def judged(client: httpx.Client, expr: str, resource: str = "prometheusrules") -> dict[str, Any]:
    """What it says of a rule with this expression."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"groups": [{"name": "shop", "rules": [{"record": "shop:up:sum", "expr": expr}]}]},
    }
    request = {
        "uid": "one-of-many",
        "kind": {"group": "monitoring.coreos.com", "version": "v1", "kind": "PrometheusRule"},
        "resource": {"group": "monitoring.coreos.com", "version": "v1", "resource": resource},
        "namespace": "shop",
        "operation": "CREATE",
        "object": rule,
    }
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    found = client.post(PATH, json=review).raise_for_status().json()
    assert found["response"]["uid"] == request["uid"]
    return found["response"]


class TestRules:
    def test_that_parse_are_admitted(self, webhook: httpx.Client) -> None:
        """
        Without a remark.
        """
        assert judged(webhook, "sum(up)")["allowed"]

    def test_that_do_not_are_refused_with_the_reason(self, webhook: httpx.Client) -> None:
        """
        Whoever applies one reads where it is wrong.
        """
        said = judged(webhook, "sum(up")

        assert not said["allowed"]
        assert said["status"]["message"] == "Rules are not valid"
        [cause] = said["status"]["details"]["causes"]
        assert "unclosed left parenthesis" in cause["message"]
        assert 'group "shop"' in cause["message"]

    def test_are_what_it_is_asked_about(self, webhook: httpx.Client) -> None:
        """
        The kind is the one of the definitions that this program installs; of others it knows nothing here.
        """
        plurals = {one["spec"]["names"]["plural"] for one in definitions()}

        assert "prometheusrules" in plurals
        assert not judged(webhook, "sum(up)", "servicemonitors")["allowed"]
