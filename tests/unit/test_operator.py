import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pulumi
import pytest
import yaml

import render
from render.operator import ALERT_RELABEL, ALERTMANAGERS, SCRAPE
from settings import Fleet, images
from settings.images import release
from settings.operator import HONOURED, RELEASE, definitions
from stacks import deploy
from stacks.operators import refuse_definition, refuse_lacking_operator, stop_predecessor
from tests.rendered import server, server_config
from tests.unit.builders import HUB
from tests.unit.conftest import Engine, secret, validate
from tests.unit.kinds import (
    CLUSTER_ROLE,
    DEPLOYMENT,
    NETWORK_POLICY,
    PERSISTENT_VOLUME_CLAIM,
    SECRET,
    SERVICE,
    STATEFUL_SET,
)
from tests.unit.relabelling import relabel, visible

PROMETHEUS = "kubernetes:monitoring.coreos.com/v1:Prometheus"
AGENT = "kubernetes:monitoring.coreos.com/v1alpha1:PrometheusAgent"
RULE = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
FILES = {"ca_file": "/ca.crt", "token_file": "/token"}
LIMITS = {
    "sample_limit": "sampleLimit",
    "target_limit": "targetLimit",
    "label_limit": "labelLimit",
    "label_name_length_limit": "labelNameLengthLimit",
    "label_value_length_limit": "labelValueLengthLimit",
    "body_size_limit": "bodySizeLimit",
    "keep_dropped_targets": "keepDroppedTargets",
}
"""Field of prometheus.yml -> field of the custom resource."""
SELECTORS = ("serviceMonitor", "podMonitor", "probe", "scrapeConfig")


def operated(operator: dict[str, Any] | None = None, **sections: Any) -> Fleet:
    """A hub, an agent that an operator runs as it runs the hub, and one beside."""
    known = operator or {"install": True}
    clusters = {"hub": {"context": "hub", "operator": known}, "eu1": {"context": "eu1", "operator": known}}
    clusters["us1"] = {"context": "us1"}
    said = {"clusters": clusters, "hub": HUB, "agents": {"eu1": {}, "us1": {}}}
    return Fleet.model_validate(said | sections)


ALERTED = {"alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet"}}
FLEET = operated(**ALERTED)
PLAN = render.wal_plan(6 * 3600, 30_000, 15)


@pytest.fixture(scope="module")
def deployed(kubeconfig):
    """Deployed once; tests only read it."""
    return Engine().deploy(lambda: deploy(FLEET))


def flags(spec: Mapping[str, Any]) -> set[str]:
    return {f"--{one['name']}" + (f"={one['value']}" if "value" in one else "") for one in spec["additionalArgs"]}


class TestAgent:
    spec = render.operated_agent(FLEET, "eu1", PLAN).spec

    def test_scrapes_what_a_plain_one_scrapes(self):
        """
        The jobs are those of prometheus.yml, in the same words.
        """
        plain = yaml.safe_load(render.agent_config(FLEET, "eu1", "https://h.example/w", 0, own=True, **FILES))

        assert yaml.safe_load(render.operated_agent(FLEET, "eu1", PLAN).files[SCRAPE]) == plain["scrape_configs"]

    @pytest.mark.parametrize("own", [True, False])
    def test_writes_as_a_plain_one_writes(self, own):
        """
        Every field of remote_write is there under the name that the custom resource has for it, with its value.
        """
        plain = yaml.safe_load(render.agent_config(FLEET, "eu1", "https://h.example/w", 0, own=own, **FILES))
        [write] = render.operated_remote_write(FLEET, "eu1", "https://h.example/w", own=own, **FILES)

        [expected] = plain["remote_write"]
        assert write.pop("messageVersion") == ("V2.0" if own else "V1.0")
        expected.pop("protobuf_message")
        assert sorted(leaves(write)) == sorted(leaves(expected))

    def test_keeps_what_the_outage_asks_for(self):
        """
        The operator is given each flag that it does not set itself.
        """
        assert set(render.agent_flags(PLAN)) - flags(self.spec) == {
            "--agent",
            "--config.auto-reload",
            "--config.auto-reload-interval=10s",
            "--config.file=/etc/prometheus/config/prometheus.yml",
            "--storage.agent.path=/prometheus",
            "--web.listen-address=127.0.0.1:9090",
        }
        assert self.spec["listenLocal"]

    def test_has_the_label_of_its_cluster_and_no_other(self):
        """
        The operator would add two, and every series would be another one than without it.
        """
        assert self.spec["externalLabels"] == {"cluster": "eu1"}
        assert (self.spec["prometheusExternalLabelName"], self.spec["replicaExternalLabelName"]) == ("", "")


def operators(engine: Engine) -> list[Any]:
    """The operators that were made."""
    return [r for r in engine.all(DEPLOYMENT) if r.inputs["metadata"]["name"] == "prometheus-operator"]


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [repr(value)]


class TestItself:
    def test_is_scraped_where_it_is_installed(self):
        """
        Its pods are found by their labels; one that was there before has a chart for that.
        """
        name = "prometheus-operator"
        fleets = (FLEET, operated({"select": {}}))
        installed, existing = (yaml.safe_load(render.operated_agent(f, "eu1", PLAN).files[SCRAPE]) for f in fleets)
        [config] = [one for one in installed if one["job_name"] == name]
        [discovery] = config["kubernetes_sd_configs"]
        found = {
            "job": name,
            "__address__": "10.0.0.9:8080",
            "__meta_kubernetes_pod_name": "prometheus-operator-7d",
            "__meta_kubernetes_pod_phase": "Running",
            "__meta_kubernetes_pod_container_port_name": "metrics",
        }

        assert discovery["namespaces"] == {"names": ["promfleet"]}
        assert visible(relabel(found, config["relabel_configs"])) == {
            "job": name,
            "instance": name,
            "pod": "prometheus-operator-7d",
            "cluster": "eu1",
        }
        for metric in ("managed_resources", "ready", "syncs", "reconcile_errors_total"):
            assert relabel({"__name__": f"prometheus_operator_{metric}"}, config["metric_relabel_configs"])
        assert not [one for one in existing if one["job_name"] == name]


class TestServer:
    made = render.operated_server(server(FLEET), FLEET)
    plain = server_config(FLEET)

    def test_scrapes_and_notifies_as_a_plain_one(self):
        """
        What the custom resource takes as it stands in prometheus.yml is equal.
        """
        files = {name: yaml.safe_load(text) for name, text in self.made.files.items()}

        assert files == {
            SCRAPE: self.plain["scrape_configs"],
            ALERTMANAGERS: self.plain["alerting"]["alertmanagers"],
            ALERT_RELABEL: self.plain["alerting"]["alert_relabel_configs"],
        }

    def test_keeps_as_much_and_as_long(self):
        """
        Retention by time and by size, late samples and exemplars are those of prometheus.yml.
        """
        tsdb = self.plain["storage"]["tsdb"]

        spec = self.made.spec
        assert (spec["retention"], spec["retentionSize"]) == (tsdb["retention"]["time"], tsdb["retention"]["size"])
        assert spec["tsdb"] == {"outOfOrderTimeWindow": tsdb["out_of_order_time_window"]}
        assert spec["exemplars"] == {"maxSize": self.plain["storage"]["exemplars"]["max_exemplars"]}

    def test_evaluates_the_same_rules(self):
        """
        Each rule file is a PrometheusRule.
        """
        files = render.server_rules(FLEET)

        assert {f"{name}.yml": dict(spec) for name, spec in self.made.rules.items()} == {
            name: yaml.safe_load(text) for name, text in files.items()
        }

    def test_no_monitor_has_more_than_the_limits(self):
        """
        Every limit is there twice: for whoever says none, and for whoever says a higher one.
        """
        for setting, field in LIMITS.items():
            limit = self.plain["global"][setting]
            assert self.made.spec[field] == self.made.spec[f"enforced{field[0].upper()}{field[1:]}"] == limit

    def test_a_limit_of_nothing_is_none(self):
        """
        The operator takes 0 for a limit that nobody has set.
        """
        fleet = operated(scrape={"limits": {"samples": 0}})

        spec = render.operated_server(server(fleet), fleet).spec
        assert {"sampleLimit", "enforcedSampleLimit"} & spec.keys() == set()

    def test_takes_remote_write_from_as_many_as_a_plain_one(self):
        """
        The receiver is on for a hub with agents, with connections for each.
        """
        spec = self.made.spec
        assert spec["enableRemoteWriteReceiver"]
        assert f"--web.max-connections={spec['web']['maxConnections']}" in render.server_flags(FLEET)

    def test_a_standalone_server_takes_no_remote_write(self):
        """
        Its Prometheus is one of its own name, and its receiver is off.
        """
        expose = {"host": "p.example", "tls": {"secret": "tls"}}
        clusters = {"hub": {"context": "hub", "operator": {}}}
        alone = Fleet.model_validate({"clusters": clusters, "standalone": {"cluster": "hub", "expose": expose}})

        made = render.operated_server(server(alone), alone)
        assert not made.spec["enableRemoteWriteReceiver"]
        assert yaml.safe_load(made.files[SCRAPE]) == server_config(alone)["scrape_configs"]
        assert made.files.keys() == {SCRAPE}

    def test_the_reloader_expands_nothing_in_it(self):
        """
        It would take `$(NAME)` for a variable of its environment, and fail where there is none.
        """
        assert [name for name, text in self.made.files.items() if re.search(r"\$\(\w", text)] == []
        assert "$(" not in repr(self.made.spec)


class TestMonitors:
    @pytest.mark.parametrize("made", [TestAgent.spec, TestServer.made.spec], ids=["agent", "server"])
    def test_are_everybodys_and_trusted_no_further_than_annotations(self, made):
        """
        All are found; none honours the target's labels, reads files of the pod or brings our own families.
        """
        for kind in SELECTORS:
            assert (made[f"{kind}Selector"], made[f"{kind}NamespaceSelector"]) == ({}, {})
        assert made["overrideHonorLabels"]
        assert made["maximumStartupDurationSeconds"] == 3600
        assert made["arbitraryFSAccessThroughSMs"] == {"deny": True}
        [only] = made["scrapeClasses"]
        assert (only["default"], only["fallbackScrapeProtocol"]) == (True, "PrometheusText0.0.4")
        assert only["relabelings"] == [{"targetLabel": "cluster", "replacement": made["externalLabels"]["cluster"]}]
        owned = only["metricRelabelings"][0]
        assert owned["action"] == "drop"
        for family in ("kube_pod_info", "node_cpu_seconds_total", "up", "cluster:up:sum"):
            assert re.fullmatch(owned["regex"], family)
        assert not re.fullmatch(owned["regex"], "probe_success")

    def test_are_chosen_by_labels_and_namespaces(self):
        """
        Our own rules are among those that are chosen, whatever is written.
        """
        fleet = operated({"select": {"labels": {"team": "shop"}, "namespaces": ["shop"]}})

        made = render.operated_server(server(fleet), fleet)
        names = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["promfleet", "shop"]}
        for kind in (*SELECTORS, "rule"):
            assert made.spec[f"{kind}Selector"] == {"matchLabels": {"team": "shop"}}
            assert made.spec[f"{kind}NamespaceSelector"] == {"matchExpressions": [names]}
        assert made.labels == {"team": "shop"}


class TestDeployed:
    def test_everything_is_what_the_definitions_allow(self, deployed):
        """
        No custom resource has a field that its definition does not know, or another version.
        """
        assert {r.typ for r in deployed.resources} >= {PROMETHEUS, AGENT, RULE}
        validate(deployed.objects)

    def test_no_cluster_has_two(self, deployed):
        """
        Where an operator runs Prometheus, this program makes no StatefulSet of it.
        """
        sets = {(r.provider.split("::")[3], r.inputs["metadata"]["name"]) for r in deployed.all(STATEFUL_SET)}

        assert {one for one in sets if one[1].startswith("prometheus")} == {("us1", "prometheus-agent")}

    @pytest.mark.parametrize(("kind", "claim"), [(PROMETHEUS, "data-prometheus-hub-0"), (AGENT, "prometheus-agent")])
    def test_samples_are_where_a_plain_one_has_them(self, deployed, kind, claim):
        """
        The volume is mounted at the path where the operator would mount its own.
        """
        spec = deployed.one(kind).inputs["spec"]

        [data] = [volume for volume in spec["volumes"] if volume["name"] == "data"]
        assert data["persistentVolumeClaim"] == {"claimName": claim}
        assert "storage" not in spec
        assert {"name": "data", "mountPath": "/prometheus"} in spec["containers"][0]["volumeMounts"]
        assert claim in {r.inputs["metadata"]["name"] for r in deployed.all(PERSISTENT_VOLUME_CLAIM)}

    def test_the_operator_decides_image_and_command_line(self, deployed):
        """
        A merged container would replace them.
        """
        for kind in (PROMETHEUS, AGENT):
            prometheus, reloader, *_ = deployed.one(kind).inputs["spec"]["containers"]
            assert (prometheus["name"], reloader["name"]) == ("prometheus", "config-reloader")
            assert {"image", "args", "env"} & prometheus.keys() == set()

    def test_every_change_is_loaded_when_it_arrives(self, deployed):
        """
        The reloader watches the folder too; the operator's arguments, which name the file, follow the command.
        """
        for kind in (PROMETHEUS, AGENT):
            _, reloader, *_ = deployed.one(kind).inputs["spec"]["containers"]
            assert reloader["command"] == ["/bin/prometheus-config-reloader", "--watched-dir=/etc/prometheus/config"]
            assert "args" not in reloader

    def test_every_container_is_restricted_and_bounded(self, deployed):
        """
        Those of the operator are merged with what we say of them.
        """
        for kind in (PROMETHEUS, AGENT):
            spec = deployed.one(kind).inputs["spec"]
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in (*spec["containers"], *spec["initContainers"]):
                assert container["securityContext"]["runAsNonRoot"]
                assert container["resources"]["limits"].keys() == {"memory"}

    def test_pods_are_found_by_services_and_policies(self, deployed):
        """
        The operator chooses the labels of its pods, of which one is the name of its resource.
        """
        pods = {"app.kubernetes.io/instance": "prometheus-hub"}

        assert deployed.one(SERVICE, "prometheus-hub").inputs["spec"]["selector"] == pods
        policy = deployed.one(NETWORK_POLICY, "prometheus-hub").inputs["spec"]
        assert policy["podSelector"] == {"matchLabels": pods}
        assert deployed.one(PROMETHEUS).inputs["metadata"]["name"] == "prometheus-hub"

    def test_files_are_in_a_secret(self, deployed):
        """
        The custom resource names each key of it.
        """
        files = secret(deployed.one(SECRET, "prometheus-hub-files").inputs["stringData"])

        spec = deployed.one(PROMETHEUS).inputs["spec"]
        references = ("additionalScrapeConfigs", "additionalAlertManagerConfigs", "additionalAlertRelabelConfigs")
        assert {spec[name]["key"] for name in references} == files.keys()
        assert {spec[name]["name"] for name in references} == {"prometheus-hub-files"}

    def test_have_every_limit_that_a_quota_can_want(self, engine, kubeconfig):
        """
        A namespace with a quota admits no container that leaves one out, the operator's included.
        """
        engine.deploy(lambda: deploy(operated(limits={"cpu": 2, "ephemeralStorage": "1Gi"})))

        for kind in (PROMETHEUS, AGENT):
            spec = engine.one(kind).inputs["spec"]
            for container in (*spec["containers"], *spec["initContainers"]):
                assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}


class TestOperator:
    def test_is_installed_where_it_is_asked_for(self, engine, kubeconfig):
        """
        One that is there is used as it is.
        """
        engine.deploy(lambda: deploy(operated({"install": False})))

        assert (engine.all(DEFINITION), operators(engine)) == ([], [])
        assert len(engine.all(AGENT)) == 1

    def test_is_of_the_release_of_its_definitions(self, deployed):
        """
        Another one would lack fields, or drop them without a word.
        """
        assert {one["metadata"]["annotations"]["operator.prometheus.io/version"] for one in definitions()} == {RELEASE}
        assert release(images.CONFIG_RELOADER) == release(images.PROMETHEUS_OPERATOR) == RELEASE
        assert {one["spec"]["names"]["plural"] for one in definitions()} == {*HONOURED}
        assert {r.provider.split("::")[3] for r in operators(deployed)} == {"hub", "eu1"}

    def test_is_reached_by_prometheus_of_its_cluster_alone(self, deployed):
        """
        All other ingress to pods of this program is denied.
        """
        found = [r for r in deployed.all(NETWORK_POLICY) if r.inputs["metadata"]["name"] == "prometheus-operator"]

        assert {r.provider.split("::")[3]: r.inputs["spec"]["ingress"] for r in found} == {
            cluster: [
                {
                    "from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": app}}}],
                    "ports": [{"port": 8080, "protocol": "TCP"}],
                }
            ]
            for cluster, app in {"hub": "prometheus-hub", "eu1": "prometheus-agent"}.items()
        }

    def test_reads_no_secrets_of_others(self, deployed):
        """
        Upstream's role lets it read and write all of them.
        """
        roles = [r for r in deployed.all(CLUSTER_ROLE) if "operator" in r.inputs["metadata"]["name"]]

        assert len(roles) == 2
        for role in roles:
            assert {"secrets", "configmaps"} & {
                kind for rule in role.inputs["rules"] for kind in rule["resources"]
            } == set()

    def test_runs_prometheus_in_its_own_namespace_only(self, deployed):
        """
        Whoever may create a Prometheus elsewhere gets no pod from it.
        """
        [container] = operators(deployed)[0].inputs["spec"]["template"]["spec"]["containers"]

        assert "--prometheus-instance-namespaces=promfleet" in container["args"]
        assert f"--prometheus-config-reloader={images.CONFIG_RELOADER}" in container["args"]


class Api:
    """The API server of a cluster with some objects by their path, each of which is gone at the third look."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []

    @asynccontextmanager
    async def call_api(self, method: str, *, version: str, url: str, **_: object) -> AsyncGenerator[httpx.Response]:
        path = f"{version}/{url}"
        self.asked.append((method, path))
        found = self.there.get(path) if self.asked.count(("GET", path)) < 3 else None
        request = httpx.Request(method, "https://api.example")
        yield httpx.Response(404 if found is None else 200, json=found, request=request)

    def run(self, hook: Callable[..., Any], *known: str, kind: str = "", **inputs: Any) -> None:
        """Let a hook look at an object that is about to be made."""
        args = pulumi.ResourceHookArgs("", "", "", kind, new_inputs=inputs)
        asyncio.run(hook(*known, FLEET.clusters["hub"], args))


@pytest.fixture
def api(monkeypatch):
    found = Api()

    async def api(**_: object) -> Api:
        return found

    async def at_once(_: float) -> None:
        pass

    monkeypatch.setattr("kr8s.asyncio.api", api)
    monkeypatch.setattr("stacks.operators.asyncio.sleep", at_once)
    return found


OWNER = "promfleet.io/owner"


class TestDefinitions:
    path = "apiextensions.k8s.io/v1/customresourcedefinitions/probes.monitoring.coreos.com"

    def look(self, api: Api, annotations: dict[str, str] | None) -> None:
        if annotations is not None:
            api.there[self.path] = {"metadata": {"annotations": annotations}}
        api.run(refuse_definition, "hub", OWNER, metadata={"name": "probes.monitoring.coreos.com"})

    def test_of_another_operator_are_left_alone(self, api):
        """
        The message names its release and what to write.
        """
        with pytest.raises(pulumi.RunError, match=r"0\.93\.1.*Write operator: \{\} to use the operator"):
            self.look(api, {"operator.prometheus.io/version": "0.93.1"})

    @pytest.mark.parametrize("there", [None, {OWNER: "o/p/gone/hub"}], ids=["none", "ours"])
    def test_of_nobody_else_are_ours(self, api, there):
        """
        A destroyed stack leaves them, and the next one takes them over.
        """
        self.look(api, there)

        assert api.asked == [("GET", self.path)]


class TestExisting:
    path = "apiextensions.k8s.io/v1/customresourcedefinitions/prometheusagents.monitoring.coreos.com"

    @pytest.fixture
    def known(self):
        """The definition of a PrometheusAgent, which a test may change."""
        [found] = [one for one in definitions() if one["spec"]["names"]["kind"] == "PrometheusAgent"]
        return found

    @pytest.fixture
    def agent(self, deployed):
        return deployed.one(AGENT).inputs["spec"]

    def test_one_that_knows_everything_is_used(self, api, known, agent):
        """
        Every field that this program writes is in the definition of the release that it is made for.
        """
        api.there = {self.path: known}

        api.run(refuse_lacking_operator, "eu1", kind=AGENT, spec=agent)

        assert api.asked == [("GET", self.path)]

    def test_what_an_older_one_does_not_know_is_named(self, api, known, agent):
        """
        The API server would drop such fields, however deep they are, and nobody would hear of it.
        """
        [version] = known["spec"]["versions"]
        fields = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
        del fields["serviceDiscoveryRole"], fields["remoteWrite"]["items"]["properties"]["messageVersion"]
        known["metadata"]["annotations"] = {"operator.prometheus.io/version": "0.70.0"}
        api.there = {self.path: known}

        lacking = (
            r"of release 0\.70\.0, does not know spec\.remoteWrite\[\]\.messageVersion, spec\.serviceDiscoveryRole of"
        )
        with pytest.raises(pulumi.RunError, match=lacking):
            api.run(refuse_lacking_operator, "eu1", kind=AGENT, spec=agent)

    def test_none_is_an_error(self, api, agent):
        """
        The message says how to get one.
        """
        with pytest.raises(pulumi.RunError, match=r"clusters\.eu1\.operator: .* Write operator: \{install: true\}"):
            api.run(refuse_lacking_operator, "eu1", kind=AGENT, spec=agent)


class TestSuccession:
    @pytest.mark.parametrize(
        ("kind", "name", "before"),
        [
            (PROMETHEUS, "prometheus-hub", "apps/v1/statefulsets/prometheus-hub"),
            (AGENT, "prometheus-agent", "apps/v1/statefulsets/prometheus-agent"),
            (STATEFUL_SET, "prometheus-hub", "monitoring.coreos.com/v1/prometheuses/prometheus-hub"),
            (STATEFUL_SET, "prometheus-standalone", "monitoring.coreos.com/v1/prometheuses/prometheus-standalone"),
            (STATEFUL_SET, "prometheus-agent", "monitoring.coreos.com/v1alpha1/prometheusagents/prometheus-agent"),
        ],
    )
    def test_waits_until_the_one_before_has_ended(self, api, kind, name, before):
        """
        It is deleted first, and looked for until it is gone: both use one volume.
        """
        api.there = {before: {"metadata": {"annotations": {OWNER: "o/p/s/hub"}}}}

        self.create(api, kind, name)

        assert api.asked == [("GET", before), ("DELETE", before), ("GET", before), ("GET", before)]

    @pytest.mark.parametrize("annotations", [{OWNER: "o/p/other/hub"}, {}], ids=["anothers", "nobodys"])
    def test_leaves_alone_what_is_not_its_own(self, api, annotations):
        """
        Another stack's would not be replaced by this one.
        """
        api.there = {"apps/v1/statefulsets/prometheus-hub": {"metadata": {"annotations": annotations}}}

        self.create(api, PROMETHEUS, "prometheus-hub")

        assert {method for method, _ in api.asked} == {"GET"}

    def test_asks_nothing_for_other_workloads(self, api):
        """
        Only Prometheus is ever run by an operator.
        """
        self.create(api, STATEFUL_SET, "alertmanager")

        assert api.asked == []

    @staticmethod
    def create(api: Api, kind: str, name: str) -> None:
        metadata = {"name": name, "namespace": "promfleet"}
        api.run(stop_predecessor, "o/p/s/hub", OWNER, kind=kind, metadata=metadata)
