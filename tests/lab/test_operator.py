"""The Prometheus Operator runs the hub and one agent, another agent is plain, and everybody's monitors are used."""

import base64
import json
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import pytest
import yaml

from components.admission_webhook import APP as WEBHOOK
from fleet.client import PrometheusClient
from lab.binaries import BINARIES
from lab.build import fetch
from lab.connect import NAMESPACE, certificate, tls_secret
from lab.images import OPERATOR_BEFORE, RELOADER_BEFORE
from lab.node import LabError
from lab.operator_crds import Definitions
from settings.operator import GROUP, HONOURED

from .checks import CLUSTERS, FORGOTTEN, JOBS, assert_hub_agrees, assert_nothing_left
from .clusters import Lab
from .fleets import OPERATOR, OPERATOR_STACK
from .stack import Stack, eventually
from .stacks import Stacks
from .workloads import IMPOSTOR, exporter

pytestmark = pytest.mark.lab
TEAM = "shop"
"""A namespace whose owner labels things in a way of its own, and knows nothing of this program."""
KINDS = "servicemonitor,podmonitor,scrapeconfig,probe"
MONITORS = len(KINDS.split(","))
PATH, SECONDS = "/cgi-bin/metrics", 90
RECENT = 40
"""Seconds; two scrapes of the jobs with the longest interval, and the way to the hub."""
EVENTS = ("_total", "_bucket", "_count", "_sum")
"""How names end of what exists only where something has happened, as requests that the API server has broken off."""
OPERATORS_JOB = "prometheus-operator"
"""The job of which only clusters with an operator have targets."""
SERIES = 100
"""Names of series that an agent sends at least."""
CERTIFICATES = "certificates.cert-manager.io"
JUDGED = OPERATOR.changed(
    {"clusters": {"hub": {"operator": {"webhook": {"issuer": "the-lab", "failurePolicy": "Fail"}}}}}
)
"""The operator's fleet with the webhook in front of the hub's rules."""
ELSEWHERE = "somebody-elses-operator"
EXISTING = OPERATOR.changed({"clusters": {"hub": {"operator": None}, "eu1": {"operator": {"install": False}}}})
"""The same with an operator in eu1 that is there."""
SINCE = {"enableServiceLinks": "0.81.0", "terminationGracePeriodSeconds": "0.82.0"}
"""Field of a PrometheusAgent that this program writes -> release of the operator that brought it."""
CLAIM = {"cluster": "eu1", "exported_cluster": "hub"}
"""What is stored of a series of eu1 that says it was of another cluster."""


def _own(kind: str, name: str, spec: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": TEAM, "labels": {"team": TEAM}}
    return {"apiVersion": f"monitoring.coreos.com/{version}", "kind": kind, "metadata": metadata, "spec": spec}


def monitors() -> Iterator[dict[str, Any]]:
    """One of each kind for the same pod, which all honour the labels that it sends."""
    selector = {"matchLabels": {"app": "impostor"}}
    endpoint = {"path": PATH, "interval": "5s", "honorLabels": True}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "impostor", "namespace": TEAM, "labels": {"app": "impostor"}},
        "spec": {"selector": {"app": "impostor"}, "ports": [{"name": "http", "port": 8080}]},
    }
    yield _own("ServiceMonitor", "by-service", {"selector": selector, "endpoints": [{**endpoint, "port": "http"}]})
    port = {**endpoint, "portNumber": 8080}
    yield _own("PodMonitor", "by-pod", {"selector": selector, "podMetricsEndpoints": [port]})
    address = f"impostor.{TEAM}.svc:8080"
    yield _own(
        "ScrapeConfig",
        "by-hand",
        {
            "staticConfigs": [{"targets": [address]}],
            "metricsPath": PATH,
            "scrapeInterval": "5s",
            "honorLabels": True,
            "relabelings": [{"targetLabel": "cluster", "replacement": "us1"}],
        },
        "v1alpha1",
    )
    yield _own(
        "Probe",
        "by-prober",
        {"prober": {"url": address, "path": PATH}, "targets": {"staticConfig": {"static": ["shop.example"]}}},
    )


def rule(name: str, expr: str) -> dict[str, Any]:
    return _own(
        "PrometheusRule", name, {"groups": [{"name": name, "rules": [{"record": "shop:up:sum", "expr": expr}]}]}
    )


@pytest.fixture
def hub(operated: Stack, stacks: Stacks) -> Generator[PrometheusClient]:
    with stacks.open_prometheus(operated) as hub:
        yield hub


@pytest.fixture
def defined(stacks: Stacks, operator_parts: None) -> None:
    """The operator's fleet, in whatever state the test before left it."""
    if not stacks.stand(OPERATOR_STACK):
        stacks.deploy({OPERATOR_STACK: OPERATOR})


@pytest.fixture
def hub_of_any_state(stacks: Stacks, defined: None) -> Generator[PrometheusClient]:
    """The hub without a wait: targets that a test before has taken away are down there for minutes."""
    with stacks.open_prometheus(stacks.stacks[OPERATOR_STACK]) as hub:
        yield hub


@pytest.fixture
def shop(lab: Lab, defined: None) -> Iterator[None]:
    """A team's program and monitors in the cluster whose agent the operator runs, without an annotation."""
    *parts, deployment = exporter("impostor", IMPOSTOR, "5s", namespace=TEAM)
    del deployment["spec"]["template"]["metadata"]["annotations"]
    lab.apply("eu1", [*parts, deployment, *monitors()])
    yield
    lab.kubectl("eu1", "-n", TEAM, "delete", KINDS, "--all")
    lab.kubectl("eu1", "delete", "namespace", TEAM)


def conditions(lab: Lab, cluster: str, kind: str, name: str) -> dict[str, str]:
    found = json.loads(lab.kubectl(cluster, "-n", "promfleet", "get", kind, name, "-o", "json"))
    return {one["type"]: one["status"] for one in found["status"]["conditions"]}


def labels_by_name(hub: PrometheusClient, cluster: str) -> dict[tuple[str, str], set[str]]:
    """Give the labels of every metric of a cluster, by its job and name, but not of events: each may have others."""
    labels = dict[tuple[str, str], set[str]]()
    for sample in hub.query(f'{{cluster="{cluster}", job!=""}}'):
        if not sample.labels["__name__"].endswith(EVENTS):
            labels.setdefault((sample.labels["job"], sample.labels["__name__"]), set()).update(sample.labels)
    return labels


class TestOperated:
    def test_the_operator_runs_what_the_stack_file_describes(self, lab: Lab, operated: Stack) -> None:
        """
        A Prometheus in the hub's cluster and a PrometheusAgent in eu1, both reconciled; us1 has a plain StatefulSet.
        """
        reconciled = {"Available": "True", "Reconciled": "True"}

        assert conditions(lab, "hub", "prometheus", "prometheus-hub") == reconciled
        assert conditions(lab, "eu1", "prometheusagent", "prometheus-agent") == reconciled
        assert "prometheus-agent" in lab.kubectl("us1", "-n", "promfleet", "get", "statefulset", "-o", "name")

    def test_the_hub_counts_every_clusters_pods(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        What the hub says of each cluster and namespace is what that cluster's API server says.
        """
        eventually(lambda: assert_hub_agrees(lab, hub), FORGOTTEN)

    def test_both_kinds_of_agents_send_the_same_series(self, hub: PrometheusClient) -> None:
        """
        Every job of every cluster is up, and has the same names and labels, whoever runs the agent.
        """

        def assert_alike() -> None:
            up = {(s.labels["cluster"], s.labels["job"]): s.value for s in hub.query("min by (cluster, job) (up)")}
            assert {(c, job) for c in CLUSTERS for job in JOBS} <= up.keys()
            assert [target for target, value in up.items() if value != 1] == []
            labels = {cluster: labels_by_name(hub, cluster) for cluster in ("eu1", "us1")}
            assert len(labels["us1"]) > SERIES
            assert {key for key in labels["eu1"].keys() ^ labels["us1"].keys() if key[0] != OPERATORS_JOB} == set()
            both = labels["eu1"].keys() & labels["us1"].keys()
            assert [name for name in both if labels["eu1"][name] != labels["us1"][name]] == []

        eventually(assert_alike, SECONDS)

    def test_is_at_rest(self, operated: Stack) -> None:
        """
        A preview after `pulumi up` shows no changes, though the operator writes status and defaults.
        """
        assert "unchanged" in operated.pulumi("preview", "--expect-no-changes")


class TestRules:
    def test_one_that_does_not_parse_stays_out_and_says_so(self, lab: Lab, hub: PrometheusClient) -> None:
        """
        The others are evaluated, and an event names the reason.
        """
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}}
        lab.apply("hub", [namespace, rule("good", "sum(up)"), rule("broken", "sum(up")])

        def assert_evaluated() -> None:
            assert [s.value for s in hub.query("shop:up:sum")] != []
            events = lab.kubectl("hub", "-n", TEAM, "get", "events", "-o", "jsonpath={.items[*].message}")
            assert "broken" in events
            assert "good" not in events

        try:
            eventually(assert_evaluated, 2 * SECONDS)
            groups = hub.get("/api/v1/rules").json()["data"]["groups"]
            assert {"good", "fleet"} <= {group["name"] for group in groups}
            assert "broken" not in {group["name"] for group in groups}
        finally:
            lab.kubectl("hub", "-n", TEAM, "delete", "prometheusrule", "--all")
            lab.kubectl("hub", "delete", "namespace", TEAM, "--wait=false")


@pytest.fixture
def judged(lab: Lab, stacks: Stacks, operator_parts: None) -> Iterator[Stack]:
    """The operator's fleet with its webhook; the lab does what cert-manager would do, and under its name."""
    lab.apply("hub", [certificates()])
    lab.kubectl("hub", "wait", "--for=condition=Established", f"crd/{CERTIFICATES}", "--timeout=60s")
    signed = tls_secret(certificate(WEBHOOK, [f"{WEBHOOK}.{NAMESPACE}.svc"]))
    lab.apply("hub", [{**signed, "metadata": {"name": f"{WEBHOOK}-tls", "namespace": NAMESPACE}}])
    [stack] = stacks.deploy({OPERATOR_STACK: JUDGED})
    authority = base64.b64encode(lab.ca.read_bytes()).decode()
    injected = [{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": authority}]
    patch = ("--type=json", "--field-manager=cert-manager-cainjector", "--patch", json.dumps(injected))
    lab.kubectl("hub", "patch", "validatingwebhookconfiguration", f"{NAMESPACE}-{WEBHOOK}", *patch)
    yield stack
    stacks.deploy({OPERATOR_STACK: OPERATOR})
    lab.kubectl("hub", "delete", "crd", CERTIFICATES)
    lab.kubectl("hub", "-n", NAMESPACE, "delete", "secret", f"{WEBHOOK}-tls")
    lab.kubectl("hub", "delete", "namespace", TEAM, "--wait=false", "--ignore-not-found")


def certificates() -> dict[str, Any]:
    """The kind Certificate, with any fields."""
    group, _, version = "cert-manager.io/v1".partition("/")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]
    names = {"kind": "Certificate", "plural": "certificates"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CERTIFICATES},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": versions},
    }


class TestWebhook:
    @pytest.mark.long
    def test_refuses_what_the_operator_would_leave_out(self, lab: Lab, judged: Stack) -> None:
        """
        Whoever applies a rule that does not parse is told; others are stored, and the next preview shows no changes.
        """

        def told(name: str, expr: str) -> str:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}}
            try:
                lab.apply("hub", [namespace, rule(name, expr)])
            except LabError as error:
                return str(error)
            return ""

        def assert_refused() -> None:
            said = told("broken", "sum(up")
            assert 'group "broken", rule 1, "shop:up:sum": could not parse expression: 1:7' in said

        eventually(assert_refused, SECONDS)
        assert told("good", "sum(up)") == ""
        assert "good" in lab.kubectl("hub", "-n", TEAM, "get", "prometheusrules", "-o", "name")
        assert "unchanged" in judged.pulumi("preview", "--expect-no-changes")


class TestMonitors:
    def test_of_everybody_are_used_and_none_poses_as_another_cluster(
        self, lab: Lab, hub: PrometheusClient, shop: None
    ) -> None:
        """
        Each has the cluster that it is in and keeps what it claimed, whatever labels it honours or sets itself.
        """

        def assert_scraped() -> None:
            lab.update_mounts("eu1")
            found = hub.query("impostor_claims")
            told = {s.labels["job"]: {name: s.labels.get(name) for name in CLAIM} for s in found}
            assert told == {
                "impostor": CLAIM,
                f"{TEAM}/by-pod": CLAIM,
                f"scrapeConfig/{TEAM}/by-hand": {**CLAIM, "exported_cluster": "us1"},
                f"probe/{TEAM}/by-prober": CLAIM,
            }
            assert {s.labels["namespace"] for s in found if "namespace" in s.labels} == {TEAM}

        eventually(assert_scraped, 2 * SECONDS)

    @pytest.mark.long
    def test_that_are_deleted_are_scraped_no_longer(
        self, lab: Lab, hub_of_any_state: PrometheusClient, shop: None
    ) -> None:
        """
        Operator, kubelet and reloader act one after another. Prometheus marks no series of a job that is gone.
        """
        hub = hub_of_any_state

        def assert_scraped() -> None:
            lab.update_mounts("eu1")
            assert len(hub.query(f"time() - timestamp(impostor_claims) < {RECENT}")) == MONITORS

        def assert_forgotten() -> None:
            lab.update_mounts("eu1")
            assert hub.query(f"time() - timestamp(impostor_claims) < {RECENT}") == []
            assert hub.query(f'time() - timestamp(up{{cluster="eu1",job="prometheus"}}) < {RECENT}')

        eventually(assert_scraped, 2 * SECONDS)
        lab.kubectl("eu1", "-n", TEAM, "delete", KINDS, "--all")
        eventually(assert_forgotten, 2 * SECONDS)


class TestDestroy:
    def test_leaves_definitions_and_everybody_elses_objects(self, lab: Lab, shop: None, stacks: Stacks) -> None:
        """
        Nothing of ours stays but the definitions, with which all monitors of the cluster would go.
        """
        stacks.deploy({})

        eventually(lambda: assert_nothing_left(lab))
        assert "servicemonitors.monitoring.coreos.com" in lab.kubectl("eu1", "get", "crd", "-o", "name")
        kept = lab.kubectl("eu1", "-n", TEAM, "get", KINDS, "-o", "name")
        assert len(kept.split()) == MONITORS


def definitions_before() -> Iterator[dict[str, Any]]:
    """The definitions of release 0.84.0, with which a chart of somebody else began."""
    [before] = [binary for binary in BINARIES if "operator-before" in binary.commands]
    folder = fetch(before.module, before.version) / "example" / "prometheus-operator-crd"
    for plural in HONOURED:
        yield yaml.load((folder / f"monitoring.coreos.com_{plural}.yaml").read_text(), Definitions)  # noqa: S506 — safe


def of_release_0_80(definitions: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Take away from a PrometheusAgent what came later."""
    for definition in definitions:
        definition["metadata"]["annotations"]["operator.prometheus.io/version"] = "0.80.1"
        if definition["spec"]["names"]["kind"] == "PrometheusAgent":
            [version] = definition["spec"]["versions"]
            for field in SINCE:
                del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][field]
        yield definition


def somebody_elses() -> Iterator[dict[str, Any]]:
    """An operator of release 0.84.0 that watches all namespaces, and may do everything."""
    named = {"name": ELSEWHERE, "namespace": ELSEWHERE}
    labels = {"app": ELSEWHERE}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ELSEWHERE}}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": ELSEWHERE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", **named}],
    }
    container = {
        "name": "operator",
        "image": OPERATOR_BEFORE,
        "args": [f"--prometheus-config-reloader={RELOADER_BEFORE}", "--kubelet-endpoints=false"],
    }
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": named,
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"serviceAccountName": ELSEWHERE, "containers": [container]},
            },
        },
    }


@pytest.fixture
def bare(lab: Lab, stacks: Stacks, upgrade_parts: None) -> Iterator[None]:
    """Nothing of ours in any cluster, and no definitions in eu1, before and after."""
    definitions = [f"crd/{plural}.{GROUP}" for plural in HONOURED]

    def clear() -> None:
        stacks.deploy({})
        lab.kubectl("eu1", "delete", "--ignore-not-found", *definitions)

    clear()
    yield
    clear()
    lab.kubectl("eu1", "delete", "clusterrolebinding", ELSEWHERE, "--ignore-not-found")
    lab.kubectl("eu1", "delete", "namespace", ELSEWHERE, "--wait=false", "--ignore-not-found")


class TestExisting:
    @pytest.mark.long
    def test_an_older_operator_is_used_if_it_knows_every_field(self, lab: Lab, bare: None, stacks: Stacks) -> None:
        """
        Otherwise a preview names the fields and the release; and nothing is installed over somebody else's operator.
        """
        lab.apply("eu1", of_release_0_80(definitions_before()))
        lacking = stacks.write(OPERATOR_STACK, EXISTING).pulumi("preview", fails=True)
        taken = stacks.write(OPERATOR_STACK, OPERATOR).pulumi("preview", fails=True)
        fields = ", ".join(f"spec.{field}" for field in SINCE)
        assert (
            f"clusters.eu1.operator: the operator of this cluster, of release 0.80.1, does not know {fields} of "
            "prometheusagents. Upgrade it to 0.85.0 or later."
        ) in lacking
        assert "clusters.eu1.operator.install: this cluster has" in taken
        assert "of release 0.80.1, and this program did not install it. Write operator: {}" in taken

        lab.apply("eu1", [*definitions_before(), *somebody_elses()])
        stacks.deploy({OPERATOR_STACK: EXISTING})

        assert conditions(lab, "eu1", "prometheusagent", "prometheus-agent") == {
            "Available": "True",
            "Reconciled": "True",
        }
