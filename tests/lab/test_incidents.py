"""From a sample to a message: what breaks in a cluster, and who is told, in three real clusters."""

import copy
import ssl
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import kr8s
import pytest
import yaml
from kr8s.objects import Pod

import prometheus
from alerts import MAINTENANCE, WATCHDOG
from lab.build import command
from lab.cluster import WIRE
from settings import Fleet

from .processes import Server
from .stack import DEV, Stack, eventually, stack_file
from .webhook import Webhook
from .workloads import NAMESPACE, ORACLE, exporter

pytestmark = pytest.mark.lab
HOST = DEV["config"]["promfleet:fleet"]["alertmanager"]["expose"]["host"]
OPERATE = DEV["config"]["promfleet:fleet"]["alertmanager"]["expose"]["nodePort"]
BROKEN = "KubeDeploymentUnavailable"
"""The alert of a Deployment that has no pod left."""
PATIENCE = 150
"""Seconds from a broken workload to its message: scrape, remote write, two evaluations, grouping."""


def routed(fleet: dict[str, Any]) -> dict[str, Any]:
    """The dev stack's fleet, impatient, with webhooks for everyone."""
    fleet = copy.deepcopy(fleet)
    now = datetime.now(UTC)
    window = {"start": f"{now:%Y-%m-%dT%H:%MZ}", "until": f"{now + timedelta(days=1):%Y-%m-%dT%H:%MZ}"}
    fleet["alerts"] = {
        "rules": {BROKEN: {"for": "15s", "team": "shop"}},
        "maintenance": [{"cluster": "us1", "reason": "A test.", **window}],
    }
    fleet["alertmanager"] |= {
        "receivers": {name: {"webhook": {}} for name in ("platform", "shop", "heart")},
        "default": "platform",
        "routes": [{"receiver": "shop", "teams": ["shop"]}],
        "heartbeat": {"receiver": "heart", "every": "1m"},
        "grouping": {"wait": "5s", "interval": "10s", "repeat": "4h"},
    }
    return fleet


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    server = Webhook(str(WIRE[1]))
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def alerting(deployed: Stack, webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The dev stack with receivers that listen, and back again at the end."""
    original = deployed.config
    fleet = routed(DEV["config"]["promfleet:fleet"])
    deployed.config = stack_file(tmp_path_factory.mktemp("alerting") / "Pulumi.alerting.yaml", fleet)
    for name in fleet["alertmanager"]["receivers"]:
        deployed.keep_secret(f"{name}Webhook", webhook.url(name))
    deployed.up()
    yield deployed
    deployed.config = original
    deployed.up()


@pytest.fixture(scope="module")
def operate(alerting: Stack, operate_of) -> Iterator[httpx.Client]:
    with operate_of(alerting) as operate:
        yield operate


@pytest.fixture(scope="module")
def shop(lab, alerting: Stack) -> Iterator[Callable[..., None]]:
    """A workload in eu1 and in us1, to be broken and mended."""
    clusters = ("eu1", "us1")
    made = exporter("shop", ORACLE, "15s")
    made[-1]["spec"]["strategy"] = {"type": "Recreate"}  # the pods before it would live on beside a broken image
    for cluster in clusters:
        lab.apply(cluster, made)

    def break_or_mend(cluster: str, *, works: bool) -> None:
        image = "lab.local/busybox:1" if works else "lab.local/busybox:never"
        lab.kubectl(cluster, "-n", NAMESPACE, "set", "image", "deployment/shop", f"shop={image}")

    yield break_or_mend
    for cluster in clusters:
        lab.kubectl(cluster, "-n", NAMESPACE, "delete", "deployment/shop", "configmap/shop", "--wait=false")


@pytest.fixture(scope="module")
def in_force(alerting: Stack, hub_of, webhook: Webhook, operate: httpx.Client) -> None:
    """The receivers and rules of the stack file have reached every server that reads them."""

    def assert_read() -> None:
        with hub_of(alerting) as hub:
            alike = hub.query('count_values("hash", alertmanager_config_hash)')
        assert [s.value for s in alike] == [3]  # replicas, read by now what the stack file says
        assert webhook.told("firing", alertname=WATCHDOG)
        assert operate.get("/api/v2/alerts", params={"filter": f"alertname={MAINTENANCE}"}).json()

    eventually(assert_read, 240)


@pytest.fixture
def mended(shop, in_force: None, webhook: Webhook, operate: httpx.Client) -> Iterator[None]:
    """End with workloads that run and no alert about them."""
    webhook.received.clear()
    yield
    for cluster in ("eu1", "us1"):
        shop(cluster, works=True)

    def assert_quiet() -> None:
        assert seen(operate) == []

    eventually(assert_quiet, 2 * PATIENCE)


@pytest.fixture
def second_source(lab, alerting: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another Prometheus that reads the hub's samples, evaluates its rules and notifies one Alertmanager."""
    folder = tmp_path_factory.mktemp("second")
    fleet = Fleet.model_validate(yaml.safe_load(alerting.config.read_text())["config"]["promfleet:fleet"])
    for name, text in prometheus.rules(fleet).items():
        (folder / name).write_text(text)
    (folder / "token").write_text(notifier_token(lab))
    rendered = yaml.safe_load(prometheus.hub_config(fleet))["alerting"]
    [notifier] = rendered["alertmanagers"]
    with forwarded(lab, "prometheus-hub-0", 9090) as samples, forwarded(lab, "alertmanager-1", 8443) as door:
        config = {
            "global": {"evaluation_interval": "15s", "external_labels": {"replica": "second"}},
            "rule_files": [str(folder / "*.yml")],
            "remote_read": [
                {
                    "url": f"http://127.0.0.1:{samples}/api/v1/read",
                    "read_recent": True,
                    "filter_external_labels": False,
                }
            ],
            "alerting": {
                **rendered,
                "alertmanagers": [
                    {
                        "scheme": "https",
                        "authorization": {"credentials_file": str(folder / "token")},
                        "tls_config": {**notifier["tls_config"], "ca_file": str(lab.ca)},
                        "static_configs": [{"targets": [f"127.0.0.1:{door}"]}],
                    }
                ],
            },
        }
        server = Server(command("prometheus"), folder / "process", config, [f"--storage.tsdb.path={folder / 'data'}"])
        server.start()
        yield server
        server.stop()


def notifier_token(lab) -> str:
    """The identity with which the hub comes to Alertmanager."""
    return lab.kubectl("hub", "-n", "promfleet", "create", "token", "prometheus-hub").strip()


@contextmanager
def forwarded(lab, pod: str, port: int) -> Generator[int]:
    """Lead a port of this machine's loopback to a port of a pod's."""
    api = kr8s.api(context="hub", kubeconfig=str(lab.kubeconfig))
    with Pod.get(pod, namespace="promfleet", api=api).portforward(remote_port=port, local_port="auto") as local:
        yield local


def seen(operate: httpx.Client, **labels: str) -> list[dict[str, Any]]:
    """The alerts of the broken workloads, as Alertmanager has them."""
    matchers = [f'{name}="{value}"' for name, value in {"alertname": BROKEN, **labels}.items()]
    return operate.get("/api/v2/alerts", params={"filter": matchers}).raise_for_status().json()


def assert_told_once(webhook: Webhook, status: str, cluster: str) -> None:
    told = webhook.told(status, alertname=BROKEN, cluster=cluster)
    assert [notification.path for notification in told] == ["/shop"], told


def wait_for_beats(webhook: Webhook, number: int) -> None:
    """Let time pass as the system itself counts it: every minute the heartbeat comes."""
    before = len(webhook.told("firing", alertname=WATCHDOG))

    def assert_beaten() -> None:
        assert len(webhook.told("firing", alertname=WATCHDOG)) >= before + number

    eventually(assert_beaten, 100 * number)


class TestIncident:
    def test_is_told_once_and_in_maintenance_not_at_all(
        self, shop, mended, webhook: Webhook, operate: httpx.Client, second_source: Server
    ) -> None:
        """
        Two Prometheus raise it and three Alertmanagers hear of it: one message names eu1, and one says that it is over.

        The same trouble in us1, which is in maintenance, is seen and told to nobody.
        """
        for cluster in ("eu1", "us1"):
            shop(cluster, works=False)

        eventually(lambda: assert_told_once(webhook, "firing", "eu1"), PATIENCE)

        def assert_raised_by_both() -> None:
            found = httpx.get(f"{second_source.url}/api/v1/alerts").json()["data"]["alerts"]
            firing = {a["labels"]["cluster"] for a in found if a["labels"]["alertname"] == BROKEN}
            assert firing == {"eu1", "us1"}
            assert second_source.metric("prometheus_notifications_errors_total") == 0
            muted = [alert["status"] for alert in seen(operate, cluster="us1")]
            assert [(status["state"], len(status["inhibitedBy"])) for status in muted] == [("suppressed", 1)]

        eventually(assert_raised_by_both, PATIENCE)
        wait_for_beats(webhook, 2)
        assert_told_once(webhook, "firing", "eu1")

        # Two that see the end at different moments raise it anew for a grouping interval, here a matter of seconds.
        second_source.stop()
        shop("eu1", works=True)
        eventually(lambda: assert_told_once(webhook, "resolved", "eu1"), 2 * PATIENCE)
        assert [n for n in webhook.received if n.about(alertname=BROKEN, cluster="us1")] == []

    def test_that_is_silenced_is_told_when_the_silence_ends(
        self, shop, mended, webhook: Webhook, operate: httpx.Client
    ) -> None:
        """
        Who is on call silences a cluster with a token of their own; nothing is told until they lift it.
        """
        now = datetime.now(UTC)
        silence = {
            "matchers": [{"name": "cluster", "value": "eu1", "isRegex": False, "isEqual": True}],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "on call",
            "comment": "test",
        }
        made = operate.post("/api/v2/silences", json=silence).raise_for_status().json()["silenceID"]
        try:
            shop("eu1", works=False)

            def assert_silenced() -> None:
                assert [alert["status"]["silencedBy"] for alert in seen(operate, cluster="eu1")] == [[made]]

            eventually(assert_silenced, PATIENCE)
            wait_for_beats(webhook, 1)
            assert [n for n in webhook.received if n.about(alertname=BROKEN)] == []
        finally:
            operate.delete(f"/api/v2/silence/{made}").raise_for_status()

        eventually(lambda: assert_told_once(webhook, "firing", "eu1"), PATIENCE)


class TestInhibition:
    def test_stays_within_a_cluster(self, lab, in_force: None, webhook: Webhook, operate: httpx.Client) -> None:
        """
        What is critical in eu1 makes its own consequence there needless, and mutes no warning of us1's.
        """
        webhook.received.clear()
        thing = {"namespace": "inhibition", "deployment": "cart", "team": "platform"}
        consequence = {"alertname": "KubeDeploymentReplicasMismatch", "severity": "warning", **thing}
        ends = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        alerts = [
            {"labels": {"alertname": BROKEN, "severity": "critical", "cluster": "eu1", **thing}, "endsAt": ends},
            {"labels": {**consequence, "cluster": "eu1"}, "endsAt": ends},
            {"labels": {**consequence, "cluster": "hub"}, "endsAt": ends},
        ]
        with (
            forwarded(lab, "alertmanager-0", 8443) as door,
            httpx.Client(
                base_url=f"https://127.0.0.1:{door}",
                headers={"Authorization": f"Bearer {notifier_token(lab)}"},
                verify=ssl.create_default_context(cafile=str(lab.ca)),
            ) as client,
        ):
            client.post("/api/v2/alerts", json=alerts).raise_for_status()

        def assert_told() -> None:
            told = {
                (alert["labels"]["alertname"], alert["labels"]["cluster"])
                for notification in webhook.received
                for alert in notification.alerts
                if alert["labels"].get("namespace") == "inhibition"
            }
            assert told == {(BROKEN, "eu1"), ("KubeDeploymentReplicasMismatch", "hub")}

        eventually(assert_told)


class TestDoors:
    def test_lead_each_identity_to_its_own(self, lab, alerting: Stack) -> None:
        """
        Only the hub may notify, and only the operator may look and silence.
        """
        outputs = alerting.outputs
        tokens = {
            "notifier": notifier_token(lab),
            "operator": outputs["operator"],
            "reader": outputs["reader"],
            "agent": outputs["identities"]["eu1"],
            "pusher": outputs["pusher"],
            "nobody": "",
        }
        asked = {"notify": (8443, "/metrics"), "operate": (8444, "/api/v2/status"), "reload": (8444, "/-/reload")}
        context = ssl.create_default_context(cafile=str(lab.ca))
        passed = set()
        for door, (port, path) in asked.items():
            with forwarded(lab, "alertmanager-2", port) as local, httpx.Client(verify=context) as client:
                for who, token in tokens.items():
                    headers = {"Authorization": f"Bearer {token}"} if token else {}
                    if client.get(f"https://127.0.0.1:{local}{path}", headers=headers).status_code == 200:
                        passed.add((door, who))

        assert passed == {("notify", "notifier"), ("operate", "operator")}


class TestSecrets:
    def test_a_new_one_is_used_without_a_restart(self, lab, alerting: Stack, in_force: None, webhook: Webhook) -> None:
        """
        A receiver's URL is changed in the stack file, and no pod is replaced for it.
        """
        before = lab.kubectl("hub", "-n", "promfleet", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
        alerting.keep_secret("heartWebhook", webhook.url("elsewhere"))

        alerting.up()

        def assert_beats_elsewhere() -> None:
            assert "/elsewhere" in {n.path for n in webhook.told("firing", alertname=WATCHDOG)}

        eventually(assert_beats_elsewhere, 240)
        after = lab.kubectl("hub", "-n", "promfleet", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
        assert after == before
