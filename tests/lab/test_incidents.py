"""From a sample to a message: what breaks in a cluster, and who is told, in three real clusters."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

import render
from alerts import MAINTENANCE, WATCHDOG
from lab.build import command
from render.tokens import AUDIENCE
from settings import Fleet
from tests.exposition import total
from tests.rendered import server_config

from .clusters import Lab
from .fleets import FLEET, HUB_AUDIENCE, UNAVAILABLE
from .processes import Server
from .stack import Stack, eventually
from .stacks import Stacks, alertmanager_alerts
from .webhook import Webhook
from .workloads import NAMESPACE, ORACLE, exporter

pytestmark = pytest.mark.lab
PATIENCE = 150
"""Seconds from a broken workload to its message: scrape, remote write, two evaluations, grouping."""
REPLICAS = 3
"""Alertmanagers."""
SHOP = "shop"
"""A workload of every cluster: eu1's is told of, us1's is in maintenance, the hub's is silenced."""


@pytest.fixture
def shop(lab: Lab) -> Iterator[None]:
    made = exporter(SHOP, ORACLE, "15s")
    made[-1]["spec"]["strategy"] = {"type": "Recreate"}  # the pods before it would live on beside a broken image
    for cluster in FLEET["clusters"]:
        lab.apply(cluster, made)
    yield
    for cluster in FLEET["clusters"]:
        lab.kubectl(cluster, "-n", NAMESPACE, "delete", f"deployment/{SHOP}", f"configmap/{SHOP}", "--wait=false")


@pytest.fixture
def in_force(deployed: Stack, stacks: Stacks, webhook: Webhook, operate: httpx.Client) -> None:
    """The receivers and rules of the stack file have reached every server that reads them."""

    def assert_read() -> None:
        with stacks.open_prometheus(deployed) as hub:
            alike = hub.query('count_values("hash", alertmanager_config_hash)')
        assert [s.value for s in alike] == [REPLICAS]  # all have read by now what the stack file says
        assert webhook.told("firing", alertname=WATCHDOG)
        assert alertmanager_alerts(operate, f"alertname={MAINTENANCE}")

    eventually(assert_read, 240)


@pytest.fixture
def second_source(
    lab: Lab, fleet: Fleet, deployed: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Another Prometheus that reads the hub's samples, evaluates its rules and notifies one Alertmanager."""
    folder = tmp_path_factory.mktemp("second")
    for name, text in render.rules(fleet).items():
        (folder / name).write_text(text)
    (folder / "token").write_text(notifier_token(lab))
    rendered = server_config(fleet)["alerting"]
    [notifier] = rendered["alertmanagers"]
    with lab.forwarded("prometheus-hub-0", 9090) as samples, lab.forwarded("alertmanager-1", 8443) as port:
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
                        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
                    }
                ],
            },
        }
        server = Server(command("prometheus"), folder / "process", config, [f"--storage.tsdb.path={folder / 'data'}"])
        server.start()
        yield server
        server.stop()


def notifier_token(lab: Lab) -> str:
    """The token with which the hub comes to Alertmanager, and to no one else."""
    return lab.token("prometheus-hub", audience=AUDIENCE)


def shop_works(lab: Lab, *, works: bool) -> None:
    """Break or mend the workload in every cluster."""
    image = "lab.local/busybox:1" if works else "lab.local/busybox:never"
    for cluster in FLEET["clusters"]:
        lab.kubectl(cluster, "-n", NAMESPACE, "set", "image", f"deployment/{SHOP}", f"{SHOP}={image}")


def seen(operate: httpx.Client, **labels: str) -> list[dict[str, Any]]:
    """The alerts of the broken workloads, as Alertmanager has them."""
    matchers = [f'{name}="{value}"' for name, value in {"alertname": UNAVAILABLE, **labels}.items()]
    return alertmanager_alerts(operate, *matchers)


def muted(lab: Lab) -> dict[tuple[int, str], float]:
    """Number of an Alertmanager and why it told nobody -> of how many alerts."""
    found = {}
    for number in range(REPLICAS):
        with lab.forwarded(f"alertmanager-{number}", 9093) as port:
            said = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        for why in ("inhibition", "silence"):
            found[number, why] = total(said, f'alertmanager_notifications_suppressed_total{{reason="{why}"}}')
    return found


def assert_told_once(webhook: Webhook, status: str, cluster: str) -> None:
    told = webhook.told(status, alertname=UNAVAILABLE, cluster=cluster, deployment=SHOP)
    assert [notification.path for notification in told] == ["/shop"], told


class TestIncident:
    def test_notifies_once_and_in_maintenance_or_silence_not_at_all(
        self, lab: Lab, shop: None, in_force: None, webhook: Webhook, operate: httpx.Client, second_source: Server
    ) -> None:
        """
        Two Prometheus raise it and three Alertmanagers hear of it: one message names eu1, and one says that it is over.

        The same trouble in us1, which is in maintenance, is told to nobody; that of the hub's cluster, which somebody
        on call silenced with a token of their own, when they lift the silence.
        """
        webhook.received.clear()
        muted_before = muted(lab)
        now = datetime.now(UTC)
        about = {"cluster": "hub", "deployment": SHOP}
        silence = {
            "matchers": [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in about.items()],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "on call",
            "comment": "test",
        }
        made = operate.post("/api/v2/silences", json=silence).raise_for_status().json()["silenceID"]
        shop_works(lab, works=False)
        try:
            eventually(lambda: assert_told_once(webhook, "firing", "eu1"), PATIENCE)

            def assert_raised_by_both() -> None:
                found = httpx.get(f"{second_source.url}/api/v1/alerts").json()["data"]["alerts"]
                firing = {a["labels"]["cluster"] for a in found if a["labels"]["alertname"] == UNAVAILABLE}
                assert firing == set(FLEET["clusters"])
                assert second_source.metric("prometheus_notifications_errors_total") == 0
                statuses = [alert["status"] for alert in seen(operate, cluster="us1")]
                assert [(status["state"], len(status["inhibitedBy"])) for status in statuses] == [("suppressed", 1)]
                assert [alert["status"]["silencedBy"] for alert in seen(operate, cluster="hub")] == [[made]]

            eventually(assert_raised_by_both, PATIENCE)

            def assert_muted_by_all() -> None:
                assert [key for key, count in muted(lab).items() if count <= muted_before[key]] == []

            eventually(assert_muted_by_all, PATIENCE)
            assert [n for n in webhook.received if n.about(alertname=UNAVAILABLE, cluster="hub")] == []

            operate.delete(f"/api/v2/silence/{made}").raise_for_status()
            eventually(lambda: assert_told_once(webhook, "firing", "hub"), PATIENCE)
            assert_told_once(webhook, "firing", "eu1")
        finally:
            operate.delete(f"/api/v2/silence/{made}")
            # Two that see the end at different moments raise it anew for a grouping interval, a matter of seconds here.
            second_source.stop()
            shop_works(lab, works=True)

        eventually(lambda: assert_told_once(webhook, "resolved", "eu1"), 2 * PATIENCE)
        assert [n for n in webhook.received if n.about(alertname=UNAVAILABLE, cluster="us1")] == []


class TestInhibition:
    def test_stays_within_a_cluster(self, lab: Lab, in_force: None, webhook: Webhook) -> None:
        """
        What is critical in eu1 makes its own consequence there needless, and mutes no warning of us1's.
        """
        thing = {"namespace": "inhibition", "deployment": "cart", "team": "platform", "job": "kube-state-metrics"}
        consequence = {"alertname": "KubeDeploymentReplicasMismatch", "severity": "warning", **thing}
        ends = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        alerts = [
            {"labels": {"alertname": UNAVAILABLE, "severity": "critical", "cluster": "eu1", **thing}, "endsAt": ends},
            {"labels": {**consequence, "cluster": "eu1"}, "endsAt": ends},
            {"labels": {**consequence, "cluster": "hub"}, "endsAt": ends},
        ]
        for number in range(REPLICAS):  # as a Prometheus does: one that is told alone waits for the others to notify
            with (
                lab.forwarded(f"alertmanager-{number}", 8443) as port,
                httpx.Client(
                    base_url=f"https://127.0.0.1:{port}",
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
            assert told == {(UNAVAILABLE, "eu1"), ("KubeDeploymentReplicasMismatch", "hub")}

        eventually(assert_told)


class TestAccess:
    def test_each_identity_has_its_own(self, lab: Lab, deployed: Stack) -> None:
        """
        Only the hub may notify, with the token made for that; readers may look, and only the operator may silence.
        """
        outputs = deployed.outputs
        tokens = {
            "notifier": notifier_token(lab),
            "hub at kubelets": lab.token("prometheus-hub"),
            "operator": lab.token("alertmanager-operator"),
            "reader": lab.token("reader"),
            "agent": lab.token("prometheus-agent", cluster="eu1", audience=HUB_AUDIENCE),
            "pusher": outputs["pusherToken"],
            "cleaner": outputs["cleanerToken"],
            "nobody": "",
        }
        asked = {
            "notify": (8443, "/metrics"),
            "operate": (8444, "/api/v2/status"),
            "alerts where one silences": (8444, "/api/v2/alerts"),
            "reload": (8444, "/-/reload"),
            "read": (8445, "/api/v2/alerts"),
        }
        context = ssl.create_default_context(cafile=str(lab.ca))
        passed = set()
        for proxy, (port, path) in asked.items():
            with lab.forwarded("alertmanager-2", port) as local, httpx.Client(verify=context) as client:
                for who, token in tokens.items():
                    headers = {"Authorization": f"Bearer {token}"} if token else {}
                    if client.get(f"https://127.0.0.1:{local}{path}", headers=headers).status_code == 200:
                        passed.add((proxy, who))

        assert passed == {("notify", "notifier"), ("operate", "operator"), ("read", "operator"), ("read", "reader")}
