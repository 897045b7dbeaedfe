"""A machine outside of all clusters that watches them: its rights in each, and its jobs against an agent's."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.cluster_access import ClusterAccessArgs, rules
from render.prometheus.watcher import WatcherReceiver, watcher_config
from render.rules import server_rules
from settings import Fleet
from stacks import deploy
from tests.unit.builders import fleet
from tests.unit.conftest import AUTHORITY, TOKEN, Engine, plain, validate, write_kubeconfig
from tests.unit.kinds import CLUSTER_ROLE, NETWORK_POLICY, SECRET
from tests.unit.relabelling import Labels, relabel, visible

SERVERS = {"eu1": "https://eu1.example:6443", "us1": "https://rancher.example/k8s/clusters/c-1"}
CLUSTERS = {name: {"context": name} for name in SERVERS}
POD, SLICE, NODE = (f"__meta_kubernetes_{kind}" for kind in ("pod", "endpointslice", "node"))
DISCOVERED: dict[str, Labels] = {
    "kubelet": {"__address__": "10.0.0.1:10250", f"{NODE}_name": "node-1"},
    "cadvisor": {"__address__": "10.0.0.1:10250", f"{NODE}_name": "node-1"},
    "coredns": {
        "__address__": "10.1.0.2:9153",
        "__meta_kubernetes_namespace": "kube-system",
        f"{POD}_name": "coredns-0",
        f"{POD}_node_name": "node-1",
        f"{POD}_container_port_number": "9153",
    },
    "kube-state-metrics": {
        "__address__": "10.1.0.3:8080",
        "__meta_kubernetes_namespace": "promfleet",
        f"{POD}_name": "kube-state-metrics-0",
        f"{SLICE}_port_name": "metrics",
    },
    "node-exporter": {
        "__address__": "10.0.0.1:9100",
        "__meta_kubernetes_namespace": "promfleet-node-exporter",
        f"{POD}_name": "node-exporter-x",
        f"{POD}_host_ip": "10.0.0.1",
        f"{SLICE}_port_name": "metrics",
        f"{SLICE}_endpoint_node_name": "node-1",
    },
    "pods": {
        "__address__": "10.1.0.9:8080",
        "__meta_kubernetes_namespace": "shop",
        f"{POD}_name": "cart-0",
        f"{POD}_node_name": "node-1",
        f"{POD}_phase": "Running",
        f"{POD}_label_app": "cart",
        f"{POD}_annotation_prometheus_io_scrape": "true",
    },
    "services": {
        "__address__": "10.1.0.9:8080",
        "__meta_kubernetes_namespace": "shop",
        "__meta_kubernetes_service_name": "cart",
        "__meta_kubernetes_service_annotation_prometheus_io_scrape": "true",
        f"{POD}_name": "cart-0",
        f"{POD}_node_name": "node-1",
        f"{SLICE}_port": "8080",
    },
}
"""Job -> one of its targets, as Prometheus discovers it."""


def watched(route: str = "direct", *, watcher: Mapping[str, Any] | None = None, **sections: Any) -> Fleet:
    section = {"clusters": {name: {"route": route} for name in CLUSTERS}, "storage": "200Gi", **(watcher or {})}
    return fleet(clusters=CLUSTERS, watcher=section, **sections)


def config(described: Fleet, receiver: WatcherReceiver | None = None) -> dict[str, Any]:
    return yaml.safe_load(watcher_config(described, SERVERS, receiver))


def jobs(described: Fleet) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in config(described)["scrape_configs"]}


def target(job: Mapping[str, Any], discovered: Labels) -> Labels | None:
    """What becomes of a discovered target."""
    start = {
        "job": job["job_name"],
        "__scheme__": job.get("scheme", "http"),
        "__metrics_path__": job.get("metrics_path", "/metrics"),
    }
    return relabel(start | discovered, job["relabel_configs"])


def asked(job: Mapping[str, Any], discovered: Labels) -> str | None:
    """The URL that is scraped."""
    found = target(job, discovered)
    return None if found is None else f"{found['__scheme__']}://{found['__address__']}{found['__metrics_path__']}"


def agents_jobs() -> dict[str, dict[str, Any]]:
    """The jobs of an agent in the same cluster."""
    from render.prometheus.agent import agent_config  # noqa: PLC0415

    described = fleet(
        clusters=CLUSTERS,
        agents={name: {"hub": {"url": "https://elsewhere.example/write"}} for name in CLUSTERS},
    )
    text = agent_config(described, "us1", "https://elsewhere.example/write", own=False, ca_file=None, token_file="/t")
    return {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}


class TestLabels:
    @pytest.mark.parametrize("route", ["direct", "apiserver"])
    @pytest.mark.parametrize("name", DISCOVERED)
    def test_of_a_target_are_those_that_an_agent_gives(self, route: str, name: str) -> None:
        """
        Rules and dashboards work with either: `instance` too is the target's address, whoever passes the request on.
        """
        [ours] = [visible(target(jobs(watched(route))[f"us1/{name}"], DISCOVERED[name]))]
        theirs = visible(target(agents_jobs()[name], DISCOVERED[name]))

        assert ours is not None
        assert theirs is not None
        address = DISCOVERED[name]["__address__"]
        assert {"instance": address, **ours} == {"instance": address, **theirs}

    @pytest.mark.parametrize("route", ["direct", "apiserver"])
    def test_of_metrics_are_dropped_and_moved_as_by_an_agent(self, route: str) -> None:
        """
        The allowlist, the reserved labels and the limits are the same rows.
        """
        ours = jobs(watched(route))

        for name, job in agents_jobs().items():
            if name != "prometheus":
                assert job["metric_relabel_configs"] == ours[f"us1/{name}"]["metric_relabel_configs"]


class TestDirect:
    def test_targets_are_asked_at_their_addresses(self) -> None:
        """
        Kubelets with the cluster's token, pods without any.
        """
        found = jobs(watched())

        assert asked(found["eu1/kubelet"], DISCOVERED["kubelet"]) == "https://10.0.0.1:10250/metrics"
        assert asked(found["eu1/pods"], DISCOVERED["pods"]) == "http://10.1.0.9:8080/metrics"
        assert found["eu1/kubelet"]["authorization"]["credentials_file"] == "clusters/eu1/token"
        assert "authorization" not in found["eu1/pods"]

    def test_each_cluster_is_discovered_with_its_own_token(self) -> None:
        """
        A cluster's API server sees no other cluster's token, and is verified by its own authority.
        """
        for name, job in jobs(watched()).items():
            for discovery in job.get("kubernetes_sd_configs", []):
                cluster = name.partition("/")[0]
                assert discovery["api_server"] == SERVERS[cluster]
                assert discovery["authorization"]["credentials_file"] == f"clusters/{cluster}/token"
                assert discovery["tls_config"] == {"ca_file": f"clusters/{cluster}/ca.crt"}


class TestThroughApiServer:
    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("kubelet", "/api/v1/nodes/node-1/proxy/metrics"),
            ("cadvisor", "/api/v1/nodes/node-1/proxy/metrics/cadvisor"),
            ("coredns", "/api/v1/namespaces/kube-system/pods/coredns-0:9153/proxy/metrics"),
            ("kube-state-metrics", "/api/v1/namespaces/promfleet/pods/kube-state-metrics-0:8080/proxy/metrics"),
            ("node-exporter", "/api/v1/namespaces/promfleet-node-exporter/pods/node-exporter-x:9100/proxy/metrics"),
            ("pods", "/api/v1/namespaces/shop/pods/cart-0:8080/proxy/metrics"),
            ("services", "/api/v1/namespaces/shop/pods/cart-0:8080/proxy/metrics"),
        ],
    )
    def test_each_pod_and_node_has_a_path_of_its_own(self, name: str, path: str) -> None:
        """
        Also where the API server is behind the path of another system.
        """
        found = asked(jobs(watched("apiserver"))[f"us1/{name}"], DISCOVERED[name])

        assert found == f"{SERVERS['us1']}{path}"

    def test_an_api_server_is_one_target(self) -> None:
        """
        It is known by one URL, whichever of several answers there.
        """
        job = jobs(watched("apiserver"))["us1/apiserver"]

        assert job["static_configs"] == [{"targets": ["rancher.example"]}]
        assert job["metrics_path"] == "/k8s/clusters/c-1/metrics"

    @pytest.mark.parametrize(
        ("annotations", "end"),
        [
            ({"port": "9102"}, "cart-0:9102/proxy/metrics"),
            ({"scheme": "https", "port": "8443"}, "https:cart-0:8443/proxy/metrics"),
            ({"path": "/actuator/prometheus"}, "cart-0:8080/proxy/actuator/prometheus"),
        ],
    )
    def test_annotations_lead_to_the_pods_endpoint(self, annotations: Labels, end: str) -> None:
        """
        Port, scheme and path of the pod are those that the API server is asked to reach.
        """
        said = {f"{POD}_annotation_prometheus_io_{key}": value for key, value in annotations.items()}

        found = asked(jobs(watched("apiserver"))["eu1/pods"], DISCOVERED["pods"] | said)

        assert found == f"{SERVERS['eu1']}/api/v1/namespaces/shop/pods/{end}"

    @pytest.mark.parametrize(
        "path",
        ["/../../../../secrets", "/..", "/metrics/../..", "/./../x", "../../../secrets", "/a/../../../../../nodes/x"],
    )
    def test_no_annotation_leads_out_of_the_pod(self, path: str) -> None:
        """
        The token of the watcher would read there what its rights allow.
        """
        said = {f"{POD}_annotation_prometheus_io_path": path}

        found = asked(jobs(watched("apiserver"))["eu1/pods"], DISCOVERED["pods"] | said)

        assert found is not None
        assert ".." not in found
        assert found.startswith(f"{SERVERS['eu1']}/api/v1/namespaces/shop/pods/cart-0:8080/proxy/")

    @pytest.mark.parametrize("port", ["8080,9102", "x/../../y", "1?a=b"])
    def test_an_unreadable_annotation_asks_nobody_else(self, port: str) -> None:
        """
        The target is down, and its instance says why.
        """
        said = {f"{POD}_annotation_prometheus_io_port": port}

        found = target(jobs(watched("apiserver"))["eu1/pods"], DISCOVERED["pods"] | said)

        assert found is not None
        assert found["__metrics_path__"].endswith("/pods/cart-0:unreadable/proxy/metrics")
        assert found["instance"].startswith("shop/cart-0 prometheus.io/port: ")

    def test_a_pod_without_a_port_is_asked_at_the_port_of_http(self) -> None:
        """
        As in its cluster, also where its address is an IPv6 one.
        """
        job = jobs(watched("apiserver"))["eu1/pods"]

        for address in ("10.1.0.9", "[fd00::7]"):
            found = target(job, DISCOVERED["pods"] | {"__address__": address})

            assert found is not None
            assert found["__metrics_path__"].endswith("/pods/cart-0:80/proxy/metrics")

    def test_what_is_behind_no_pod_is_not_asked(self) -> None:
        """
        An endpoint by hand has no path through the API server, which would answer in its place.
        """
        without = {name: text for name, text in DISCOVERED["services"].items() if not name.startswith(POD)}

        assert target(jobs(watched("apiserver"))["eu1/services"], without) is None

    def test_without_nodes_no_kubelet_is_asked(self) -> None:
        """
        Neither job is there, nor an alert that waits for it.
        """
        described = watched(watcher={"clusters": {name: {"route": "apiserver", "nodes": False} for name in CLUSTERS}})

        assert not {"us1/kubelet", "us1/cadvisor"} & jobs(described).keys()
        assert "KubeletDown" not in "".join(server_rules(described).values())


class TestMachine:
    def test_its_own_series_have_its_name(self) -> None:
        """
        Prometheus, Alertmanager and blackbox_exporter belong to no cluster.
        """
        described = watched(
            alertmanager={"receivers": {"nobody-yet": {}}, "default": "nobody-yet"},
            probes={"shop": {"targets": ["https://shop.example"]}},
        )
        found = jobs(described)

        own = [name for name in found if "/" not in name]
        assert own == ["prometheus", "alertmanager", "blackbox-exporter", "blackbox:shop"]
        for name in own:
            made = relabel({"__address__": "x"}, found[name]["relabel_configs"])
            assert made is not None
            assert made["cluster"] == "watcher"

    def test_every_cluster_is_known_to_be_scraped(self) -> None:
        """
        What Prometheus says of a cluster's jobs has that cluster's name, and nothing else of it is counted twice.
        """
        rules_of = jobs(watched())["eu1/prometheus"]["metric_relabel_configs"]

        assert relabel({"__name__": "up_time"}, rules_of) is None
        assert relabel({"__name__": "targets", "scrape_job": "us1/kubelet"}, rules_of) is None
        found = relabel({"__name__": "targets", "scrape_job": "eu1/kubelet"}, rules_of)
        assert found == {"__name__": "targets", "scrape_job": "kubelet"}

    def test_scrapes_itself_where_people_reach_it(self) -> None:
        """
        Over TLS, by the certificate that is on the machine, and with a password of its own.
        """
        expose = {"host": "watcher.example", "port": 9443, "users": ["anna"]}

        found = jobs(watched(watcher={"expose": expose}))["prometheus"]

        assert found["static_configs"][0]["targets"] == ["127.0.0.1:9443"]
        assert found["basic_auth"] == {"username": "prometheus", "password_file": "web.password"}
        assert found["tls_config"]["server_name"] == "watcher.example"

    def test_listed_targets_belong_to_their_cluster(self) -> None:
        """
        A node-exporter outside of Kubernetes is one of the job node-exporter.
        """
        machines = {"databases": {"cluster": "eu1", "targets": ["10.0.0.7:9100"], "labels": {"rack": "7"}}}

        job = jobs(watched(watcher={"machines": machines}))["eu1/machines/databases"]

        made = relabel({"__address__": "10.0.0.7:9100", "rack": "7"}, job["relabel_configs"])
        assert visible(made) == {"job": "node-exporter", "cluster": "eu1", "rack": "7"}

    def test_its_own_node_exporter_has_alerts(self) -> None:
        """
        Where one is listed for the machine itself; without one no alert waits for it.
        """
        machines = {"itself": {"cluster": "watcher", "targets": ["127.0.0.1:9100"]}}
        apart = 'label_replace(vector(1), "cluster", "watcher"'

        for described, excepted in ((watched(), True), (watched(watcher={"machines": machines}), False)):
            assert (apart in server_rules(described)["disks.yml"]) == excepted

    def test_writes_to_a_hub_what_it_stores(self) -> None:
        """
        Each series with the cluster that it is of.
        """
        [write] = config(watched(), WatcherReceiver("https://hub.example/api/v1/write", own=True, has_authority=True))[
            "remote_write"
        ]

        assert write["url"] == "https://hub.example/api/v1/write"
        assert write["authorization"]["credentials_file"] == "receiver/token"
        assert "cluster" not in str(write["write_relabel_configs"])


def allowed(found: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Every verb, with what it may be used on."""
    return {
        (verb, thing)
        for rule in found
        for verb in rule["verbs"]
        for thing in rule.get("resources", rule.get("non_resource_urls", []))
    }


DISCOVERY = {(verb, kind) for verb in ("list", "watch") for kind in ("nodes", "pods", "services", "endpointslices")}
METRICS = {("get", "/metrics"), ("get", "/metrics/slis")}


class TestAccess:
    @pytest.mark.parametrize(
        ("route", "nodes", "beside"),
        [
            ("direct", True, {("get", "nodes/metrics")}),
            ("apiserver", True, {("get", "pods/proxy"), ("get", "nodes/proxy")}),
            ("apiserver", False, {("get", "pods/proxy")}),
        ],
    )
    def test_rights_are_those_of_the_route(
        self,
        route: str,
        nodes: bool,  # noqa: FBT001 — a parameter of the test
        beside: set[tuple[str, str]],
    ) -> None:
        """
        Discovery, the API server's metrics, and what the route needs.
        """
        args: ClusterAccessArgs = {
            "namespace": "promfleet",
            "prefix": "promfleet",
            "through_api_server": route == "apiserver",
            "nodes": nodes,
            "rotation": 0,
        }

        assert allowed(rules(args)) == DISCOVERY | METRICS | beside

    def test_nothing_runs_in_the_clusters_but_exporters(self, kubeconfig: None) -> None:
        """
        kube-state-metrics admits whoever comes, since the watcher is no pod of its cluster.
        """
        engine = Engine().deploy(lambda: deploy(watched("apiserver")))

        workloads = {item["metadata"]["name"] for item in engine.objects if "template" in item.get("spec", {})}
        assert workloads == {"kube-state-metrics", "node-exporter"}
        validate(engine.objects)
        for policy in engine.all(NETWORK_POLICY):
            if policy.inputs["metadata"]["name"] == "kube-state-metrics":
                assert "from" not in policy.inputs["spec"]["ingress"][0]

    @pytest.mark.parametrize(("rotation", "tokens"), [(0, [0]), (1, [0, 1]), (3, [2, 3])])
    def test_two_tokens_are_valid_during_a_rotation(self, kubeconfig: None, rotation: int, tokens: list[int]) -> None:
        """
        So that the machine has the old one until it is given the new one.
        """
        clusters = {"eu1": {"rotation": rotation}, "us1": {}}
        engine = Engine().deploy(lambda: deploy(watched(watcher={"clusters": clusters})))

        found = {secret.inputs["metadata"]["name"] for secret in engine.all(SECRET) if secret.name.startswith("eu1-")}
        assert found == {f"prometheus-watcher-token-{number}" for number in tokens}

    def test_the_machine_gets_urls_authorities_and_tokens(self, kubeconfig: None) -> None:
        """
        As one output, which is a secret.
        """
        exported: dict[str, Any] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulumi, "export", exported.__setitem__)
            Engine().deploy(lambda: deploy(watched()))

            @pulumi.runtime.test
            def look() -> pulumi.Output[None]:
                return pulumi.Output.all(exported["watcher"], exported["watcher"].is_secret()).apply(seen.extend)

            seen: list[Any] = []
            look()

        [found, is_secret] = seen
        assert is_secret
        access = {"apiServer": SERVERS["eu1"], "ca": AUTHORITY, "token": TOKEN}
        assert plain(found)["clusters"]["eu1"] == access

    @pytest.mark.parametrize(
        ("config_map", "said"),
        [("", []), ("acme-authorities", ["authority of the hub's certificate is in the ConfigMap acme-authorities"])],
    )
    def test_an_authority_in_a_config_map_reaches_no_machine(
        self, kubeconfig: None, monkeypatch: pytest.MonkeyPatch, config_map: str, said: list[str]
    ) -> None:
        """
        Whoever writes to a hub whose authority is distributed in clusters is told who verifies it instead.
        """
        warnings: list[str] = []
        monkeypatch.setattr(pulumi, "warn", lambda text, *_: warnings.append(text))
        engine = Engine()
        known = {"writeUrl": "https://hub.example/api/v1/write", "ca": "", "caConfigMap": config_map, "protocol": "2.0"}
        engine.stacks["organization/promfleet/hub"] = {"hub": known, "writerTokens": {"watcher": TOKEN}}

        engine.deploy(lambda: deploy(watched(watcher={"hub": {"stack": "organization/promfleet/hub"}})))

        assert len(warnings) == len(said)
        assert all(text in warning for text, warning in zip(said, warnings, strict=True))

    def test_a_hub_that_expects_a_token_of_a_cluster_gets_none(self, kubeconfig: None) -> None:
        """
        The update fails: a machine with an empty token would lose every sample.
        """
        engine = Engine()
        known = {"writeUrl": "https://hub.example/api/v1/write", "ca": "", "caConfigMap": "", "protocol": "2.0"}
        audiences = {"watcher": "https://hub.example"}
        engine.stacks["organization/promfleet/hub"] = {"hub": {**known, "audiences": audiences}, "writerTokens": {}}

        with pytest.raises(pulumi.RunError, match=r"has no token of this writer.* token: true if it has an issuer"):
            engine.deploy(lambda: deploy(watched(watcher={"hub": {"stack": "organization/promfleet/hub"}})))

    def test_roles_are_of_the_watcher(self, kubeconfig: None) -> None:
        """
        By a name that no other part of the program has.
        """
        engine = Engine().deploy(lambda: deploy(watched()))

        names = [role.inputs["metadata"]["name"] for role in engine.all(CLUSTER_ROLE)]
        assert names.count("promfleet-prometheus-watcher-scrape") == 2

    @pytest.mark.parametrize("server", ["https://127.0.0.1:6443", "https://localhost:6443", "http://eu1.example"])
    def test_an_api_server_of_this_machine_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str
    ) -> None:
        """
        The kubeconfig of kind leads to a port of whoever runs it; the machine of the watcher is another one.
        """
        file = tmp_path / "config"
        write_kubeconfig(file, *CLUSTERS)
        file.write_text(file.read_text().replace("https://eu1.example:6443", server))
        monkeypatch.setenv("KUBECONFIG", str(file))

        with pytest.raises(pulumi.RunError, match=r"watcher\.clusters\.eu1: .*Write apiServer: "):
            Engine().deploy(lambda: deploy(watched()))
