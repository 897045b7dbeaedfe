from typing import Any, ClassVar

import pytest
import yaml

import render
from render.scrape.annotated import annotated_pods
from render.scrape.jobs import jobs, self_scrape
from render.scrape.relabel import forced
from settings import Fleet, Scrape
from tests.rendered import scrape_configs

from .relabelling import Labels, relabel, visible

POD, SLICE = "__meta_kubernetes_pod", "__meta_kubernetes_endpointslice"
MOUNTED = "/etc/token"
EXPOSE = {"host": "hub.example", "tls": {"secret": "tls"}}


def fleet(*, insecure: bool = False, **cluster: Any) -> Fleet:
    return Fleet.model_validate(
        {
            "clusters": {
                "hub": {"context": "hub"},
                "eu1": {"context": "eu1", "kubelet": {"insecureSkipVerify": insecure}, **cluster},
            },
            "hub": {"cluster": "hub", "expose": EXPOSE, "storage": "500Gi"},
            "agents": {"eu1": {}},
        }
    )


def configs(**cluster: Any) -> dict[str, dict]:
    described = fleet(**cluster)
    return scrape_configs([self_scrape("prometheus-agent"), *jobs(described, "eu1")], described, "eu1")


def job(name: str, **cluster: Any) -> dict:
    return configs(**cluster)[name]


def pod(annotations: Labels, labels: Labels | None = None) -> Labels:
    """A pod as Prometheus discovers it."""
    return {
        "job": "pods",
        "__address__": "10.0.0.7:8080",
        "__metrics_path__": "/metrics",
        "__scheme__": "http",
        "__scrape_interval__": "1m",
        "__scrape_timeout__": "10s",
        "__meta_kubernetes_namespace": "shop",
        f"{POD}_name": "cart-0",
        f"{POD}_ip": "10.0.0.7",
        f"{POD}_node_name": "node-1",
        f"{POD}_phase": "Running",
        **{f"{POD}_annotation_prometheus_io_{name}": value for name, value in annotations.items()},
        **{f"{POD}_label_{name}": value for name, value in (labels or {}).items()},
    }


def port(name: str, number: str, protocol: str = "TCP") -> Labels:
    """One of a pod's ports, as Prometheus discovers it."""
    found = {"name": name, "number": number, "protocol": protocol}
    meta = {f"{POD}_container_port_{key}": text for key, text in found.items()}
    return {"__address__": f"10.0.0.7:{number}", **meta}


def scraped(annotations: Labels, labels: Labels | None = None) -> Labels:
    """What becomes of an annotated pod; it must not be dropped."""
    found = relabel(pod({"scrape": "true", **annotations}, labels), job("pods")["relabel_configs"])
    assert found is not None
    return found


class TestAnnotatedPods:
    def test_a_pod_without_annotation_is_left_alone(self) -> None:
        """
        Nothing is scraped that does not ask for it.
        """
        assert relabel(pod({}), job("pods")["relabel_configs"]) is None

    @pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
    def test_a_finished_pod_is_not_a_target(self, phase: str) -> None:
        """
        A completed Job must not look like a target that is down.
        """
        finished = pod({"scrape": "true"}) | {f"{POD}_phase": phase}

        assert relabel(finished, job("pods")["relabel_configs"]) is None

    def test_annotations_lead_to_the_endpoint(self) -> None:
        """
        Port, path and scheme are taken from the annotations.
        """
        found = scraped({"port": "9102", "path": "/cgi-bin/metrics", "scheme": "https"})

        assert tuple(found[name] for name in ("__scheme__", "__address__", "__metrics_path__")) == (
            "https",
            "10.0.0.7:9102",
            "/cgi-bin/metrics",
        )

    def test_a_port_on_an_ipv6_address_is_bracketed(self) -> None:
        """
        fd00::7 and port 9102 are [fd00::7]:9102.
        """
        found = relabel(
            pod({"scrape": "true", "port": "9102"}) | {f"{POD}_ip": "fd00::7", "__address__": "fd00::7"},
            job("pods")["relabel_configs"],
        )

        assert found is not None
        assert "[fd00::7]:9102" == found["__address__"] == found["instance"]

    @pytest.mark.parametrize(
        ("annotations", "interval", "timeout"),
        [
            ({}, "1m", "10s"),
            ({"interval": "1s"}, "1s", "1s"),
            ({"interval": " 15s "}, "15s", "15s"),
            ({"interval": "5m"}, "5m", "10s"),
            ({"interval": "30s", "timeout": "20s"}, "30s", "20s"),
            ({"interval": "0s"}, "1m", "10s"),
            ({"interval": "often"}, "1m", "10s"),
        ],
    )
    def test_interval_and_timeout_fit(self, annotations: Labels, interval: str, timeout: str) -> None:
        """
        A short interval lowers the timeout with it, and what is not a duration changes nothing.
        """
        found = scraped(annotations)

        assert (interval, timeout) == (found["__scrape_interval__"], found["__scrape_timeout__"])

    @pytest.mark.parametrize(
        ("path", "found", "parameters"),
        [
            ("/v1/agent/metrics?format=prometheus", "/v1/agent/metrics", {"format": "prometheus"}),
            (
                "/probe?module=http&target=a:80/x&deep=a=b",
                "/probe",
                {"module": "http", "target": "a:80/x", "deep": "a=b"},
            ),
            ("?format=prometheus", "/metrics", {"format": "prometheus"}),
            ("actuator/prometheus", "/actuator/prometheus", {}),
            ("metrics", "/metrics", {}),
            ("//metrics ", "/metrics", {}),
            ("/", "/", {}),
            ("", "/metrics", {}),
            (" ", "/metrics", {}),
        ],
    )
    def test_a_path_is_read_as_it_is_meant(self, path: str, found: str, parameters: Labels) -> None:
        """
        A query becomes parameters, or Prometheus would encode it, and a slash that is missing is put in front.
        """
        made = scraped({"path": path, "param_token": "x"})

        asked = {name.removeprefix("__param_"): text for name, text in made.items() if name.startswith("__param_")}
        assert (found, {**parameters, "token": "x"}) == (made["__metrics_path__"], asked)

    @pytest.mark.parametrize("scheme", ["https", "HTTPS", " https "])
    def test_a_scheme_is_read_however_it_is_written(self, scheme: str) -> None:
        """
        Prometheus knows small letters only.
        """
        assert scraped({"scheme": scheme})["__scheme__"] == "https"

    @pytest.mark.parametrize("said", ["true", "True", " true "])
    def test_an_annotated_target_is_scraped(self, said: str) -> None:
        """
        Capital letters and blanks mean no other thing.
        """
        assert relabel(pod({"scrape": said}), job("pods")["relabel_configs"]) is not None

    def test_only_the_port_of_that_name_is_scraped(self) -> None:
        """
        Of a pod with several ports the annotation may name one by its name.
        """
        found = [
            relabel(pod({"scrape": "true", "port": "web"}) | ports, job("pods")["relabel_configs"])
            for ports in (port("web", "8080"), port("db", "5432"), port("stats", "8125", "UDP"), {})
        ]

        assert [made and made["__address__"] for made in found] == ["10.0.0.7:8080", None, None, None]

    @pytest.mark.parametrize("said", [{}, {"port": ""}, {"port": " "}])
    def test_http_is_spoken_over_tcp_only(self, said: Labels) -> None:
        """
        Without a port in its annotations each of a pod's ports is scraped but those of UDP and SCTP.
        """
        found = [
            relabel(pod({"scrape": "true", **said}) | ports, job("pods")["relabel_configs"])
            for ports in (
                port("web", "8080"),
                port("stats", "8125", "UDP"),
                port("call", "5060", "SCTP"),
                port("", "9"),
            )
        ]

        assert [made and made["__address__"] for made in found] == ["10.0.0.7:8080", None, None, "10.0.0.7:9"]

    def test_a_number_counts_whatever_is_declared(self) -> None:
        """
        An exporter that declares the port it takes UDP at may name another one for its metrics.
        """
        found = relabel(
            pod({"scrape": "true", "port": "9102"}) | port("in", "9125", "UDP"), job("pods")["relabel_configs"]
        )

        assert found is not None
        assert found["__address__"] == "10.0.0.7:9102"

    @pytest.mark.parametrize(
        ("ports", "phase", "is_target"),
        [
            ({"number": "9090"}, "Running", True),
            ({"number": "9090"}, "Pending", False),
            ({}, "Running", False),
        ],
    )
    def test_sidecars_among_the_init_containers_are_scraped(
        self,
        ports: Labels,
        phase: str,
        is_target: bool,  # noqa: FBT001 — a parameter of the test
    ) -> None:
        """
        Nothing tells them from what ends before the pod runs, but that they have a port.
        """
        container = {f"{POD}_container_init": "true", f"{POD}_phase": phase}
        container |= {f"{POD}_container_port_{name}": text for name, text in ports.items()}

        found = relabel(pod({"scrape": "true"}) | container, job("pods")["relabel_configs"])

        assert is_target == (found is not None)

    @pytest.mark.parametrize(
        "said",
        [
            {"port": "8080,9102"},
            {"port": "8080 9102"},
            {"port": "Web"},
            {"port": "-1.5"},
            {"port": "http://x/y"},
            {"path": "/metrics#all"},
            {"path": "/metrics?match%5B%5D=up"},
            {"path": "/metrics?verbose"},
            {"path": "/a b"},
            {"path": "/metrics?a=1&b=2&c=3&d=4&e=5&f=6"},
            {"scheme": "tcp"},
            {"scheme": "x" * 5000},
        ],
    )
    def test_what_is_not_understood_is_a_target_that_is_down(self, said: Labels) -> None:
        """
        Nothing is asked, least of all another endpoint; and the target that is down says what is not understood.
        """
        [(name, text)] = said.items()
        found = [
            relabel(pod({"scrape": "true", **said}) | port("web", at), job("pods")["relabel_configs"]) for at in "12"
        ]

        for made in found:
            assert made is not None
            assert made["__address__"] == "annotation:unreadable"
            assert made["instance"].startswith(f"shop/cart-0 prometheus.io/{name}: {text[:40]}")
            assert len(made["instance"]) < 120
            assert not [label for label in made if label.startswith("__tmp")]

    def test_labels_can_not_pose_as_another_target(self) -> None:
        """
        Labels of the pod are mapped, but never over those that say where a series comes from.
        """
        liar = dict.fromkeys(("cluster", "replica", "job", "instance", "namespace", "pod", "node"), "forged") | {
            "exported_cluster": "forged",
            "le": "1",
            "pod_template_hash": "5d4f8",
            "app": "cart",
        }

        expected = {
            "app": "cart",
            "cluster": "eu1",
            "exported_cluster": "forged",
            "exported_replica": "forged",
            "instance": "10.0.0.7:8080",
            "job": "pods",
            "namespace": "shop",
            "node": "node-1",
            "pod": "cart-0",
        }
        assert expected == visible(scraped({}, liar))


class TestLabels:
    @pytest.mark.parametrize(
        ("chosen", "mapped"),
        [
            (None, {"app": "cart", "team": "shop", "exported_replica": "1"}),
            (["team", "owner"], {"team": "shop"}),
            (["team", "replica"], {"team": "shop", "exported_replica": "1"}),
            ([], {}),
        ],
    )
    def test_of_pods_are_those_that_are_wanted(self, chosen: list[str] | None, mapped: Labels) -> None:
        """
        All of them, or the ones that the stack file names; a name that is longer than a label's may be is none.
        """
        rules = annotated_pods(Scrape.model_validate({"podLabels": chosen})).relabel
        labels = {"app": "cart", "team": "shop", "replica": "1", "l" * 200: "x"}

        found = visible(relabel(pod({"scrape": "true"}, labels), rules)) or {}

        ours = ("job", "instance", "namespace", "pod", "node")
        assert mapped == {name: text for name, text in found.items() if name not in ours}


class TestAnnotatedServices:
    SERVICE = "__meta_kubernetes_service"

    def service(self, name: str, namespace: str, **said: str) -> Labels:
        annotations = {"scrape": "true", "port": "9102", **said}
        return {
            "__address__": "10.0.0.7:8080",
            f"{SLICE}_port": "8080",
            "__meta_kubernetes_namespace": namespace,
            f"{self.SERVICE}_name": name,
            f"{self.SERVICE}_label_job": "forged",
            **{f"{self.SERVICE}_annotation_prometheus_io_{key}": text for key, text in annotations.items()},
        }

    def test_the_annotated_port_is_scraped(self) -> None:
        """
        Every endpoint of an annotated service is a target, at the port that the annotation names.
        """
        found = visible(relabel(self.service("cart", "shop"), job("services")["relabel_configs"]))

        expected = {
            "cluster": "eu1",
            "instance": "10.0.0.7:9102",
            "job": "services",
            "namespace": "shop",
            "service": "cart",
        }
        assert expected == found

    @pytest.mark.parametrize(
        ("address", "scraped"),
        [
            ("10.0.0.7", "10.0.0.7:9102"),
            ("10.0.0.7:80", "10.0.0.7:9102"),
            ("fd00::5", "[fd00::5]:9102"),
            ("[fd00::5]:80", "[fd00::5]:9102"),
            ("db.example:80", "db.example:9102"),
        ],
    )
    def test_a_port_follows_every_kind_of_address(self, address: str, scraped: str) -> None:
        """
        An endpoint of a service without ports has a bare address.
        """
        found = relabel(self.service("cart", "shop") | {"__address__": address}, job("services")["relabel_configs"])

        assert found is not None
        assert found["__address__"] == scraped

    @pytest.mark.parametrize(
        ("said", "ports"),
        [
            ({"port": ""}, [True, False, True, False]),
            ({"port": "web"}, [True, False, False, False]),
            ({"port": "admin"}, [False, False, False, True]),
        ],
    )
    def test_only_what_the_service_has_is_scraped(self, said: Labels, ports: list[bool]) -> None:
        """
        Discovery adds the ports that its pods have besides; one of them counts only if it is named.
        """
        bare = self.service("cart", "shop", **said)
        made = [
            {**bare, f"{SLICE}_port_name": "web", f"{SLICE}_port_protocol": "TCP", **port("in-pod", "8080")},
            {**bare, f"{SLICE}_port_name": "stats", f"{SLICE}_port_protocol": "UDP"},
            {**bare, f"{SLICE}_port": "", "__address__": "fd00::5"},
            {**bare, f"{SLICE}_port": "", **port("admin", "9000")},
        ]

        found = [relabel(target, job("services")["relabel_configs"]) for target in made]

        assert ports == [target is not None for target in found]

    @pytest.mark.parametrize(("name", "label"), [("kube-dns", "kube-dns"), ("rke2-coredns-rke2-coredns", "kube-dns")])
    def test_cluster_dns_is_scraped_once(self, name: str, label: str) -> None:
        """
        Annotated by kubeadm and by charts, it has a job of its own.
        """
        found = self.service(name, "kube-system") | {f"{self.SERVICE}_label_k8s_app": label}

        assert relabel(found, job("services")["relabel_configs"]) is None


class TestKubernetes:
    def test_an_api_server_is_known_by_the_name_that_pods_use(self) -> None:
        """
        Its certificate may lack its own address; the name in it is verified still.
        """
        tls = job("apiserver")["tls_config"]

        assert tls["server_name"] == "kubernetes"
        assert "insecure_skip_verify" not in tls

    @pytest.mark.parametrize(("number", "is_target"), [("9153", True), ("53", False), ("10054", False), ("", False)])
    def test_coredns_is_found_whatever_its_service_is_called(
        self,
        number: str,
        is_target: bool,  # noqa: FBT001 — a parameter of the test
    ) -> None:
        """
        Charts name the Service after their release; of the pods only the port for metrics is asked.
        """
        [discovery] = job("coredns")["kubernetes_sd_configs"]

        found = relabel(pod({}) | port("", number), job("coredns")["relabel_configs"])

        assert discovery["selectors"] == [{"role": "pod", "label": "k8s-app in (coredns,kube-dns)"}]
        assert is_target == (found is not None)
        assert not is_target or visible(found) == {"cluster": "eu1", "job": "pods", "node": "node-1", "pod": "cart-0"}


class TestOwnExporters:
    def test_state_of_objects_keeps_their_own_namespace_and_pod(self) -> None:
        """
        A target label `namespace` or `pod` would push aside what kube-state-metrics tells about.
        """
        target = {
            "__address__": "10.0.0.9:8080",
            "__meta_kubernetes_namespace": "promfleet",
            f"{POD}_name": "kube-state-metrics-1",
            "__meta_kubernetes_endpointslice_port_name": "metrics",
        }

        found = visible(relabel(target, job("kube-state-metrics")["relabel_configs"]))

        assert found == {"cluster": "eu1", "instance": "kube-state-metrics"}

    def test_a_target_with_metrics_of_its_own_is_separate(self) -> None:
        """
        kube-state-metrics counts its own failures at another port; both targets of the job have an instance.
        """
        ports = {f"{SLICE}_port_name": "telemetry"}

        found = visible(
            relabel({"__address__": "10.0.0.9:8081", **ports}, job("kube-state-metrics")["relabel_configs"])
        )

        assert found == {"cluster": "eu1", "instance": "kube-state-metrics-telemetry"}

    def test_a_node_is_known_by_its_name(self) -> None:
        """
        Series of a node survive a change of its address.
        """
        target = {
            "__address__": "192.0.2.7:9100",
            "__meta_kubernetes_endpointslice_endpoint_node_name": "node-1",
            "__meta_kubernetes_endpointslice_port_name": "metrics",
        }

        found = visible(relabel(target, job("node-exporter")["relabel_configs"]))

        assert found == {"cluster": "eu1", "instance": "node-1", "node": "node-1"}


class TestExistingExporters:
    SLICE = "__meta_kubernetes_endpointslice"
    EXPORTERS: ClassVar = {
        "kubeStateMetrics": {
            "existing": {"namespace": "monitoring", "service": "kps-kube-state-metrics", "port": "http"}
        },
        "nodeExporter": {"existing": {"namespace": "monitoring", "service": "kps-prometheus-node-exporter"}},
        "windowsExporter": {"existing": {"namespace": "monitoring", "service": "kps-prometheus-windows-exporter"}},
    }

    def test_are_found_by_their_service(self) -> None:
        """
        Somebody else's objects bear none of our labels.
        """
        made = job("kube-state-metrics", **self.EXPORTERS)

        [discovered] = made["kubernetes_sd_configs"]
        assert discovered["namespaces"] == {"names": ["monitoring"]}
        assert discovered["selectors"] == [
            {"role": "endpointslice", "label": "kubernetes.io/service-name=kps-kube-state-metrics"},
            {"role": "service", "field": "metadata.name=kps-kube-state-metrics"},
        ]

    @pytest.mark.parametrize("name", ["kube-state-metrics", "node-exporter"])
    @pytest.mark.parametrize("port", ["http", "telemetry"])
    def test_are_scraped_under_the_labels_of_ours(self, name: str, port: str) -> None:
        """
        Rules and dashboards can't tell them apart; where a port is named, the others are left alone.
        """
        target = {
            "__address__": "10.0.0.9:8080",
            "__meta_kubernetes_namespace": "monitoring",
            f"{POD}_name": "kps-0",
            f"{self.SLICE}_endpoint_node_name": "node-1",
        }

        ours = relabel(target | {f"{self.SLICE}_port_name": "metrics"}, job(name)["relabel_configs"])
        theirs = relabel(target | {f"{self.SLICE}_port_name": port}, job(name, **self.EXPORTERS)["relabel_configs"])

        is_asked = (name, port) != ("kube-state-metrics", "telemetry")
        assert visible(theirs) == (visible(ours) if is_asked else None)

    def test_of_windows_have_the_labels_of_node_exporter(self) -> None:
        """
        Whoever joins by node joins both.
        """
        target = {f"{self.SLICE}_endpoint_node_name": "node-1", f"{POD}_host_ip": "10.0.0.9"}

        linux, windows = (job(name, **self.EXPORTERS) for name in ("node-exporter", "windows-exporter"))

        found = visible(relabel(target, windows["relabel_configs"]))
        assert found == visible(relabel(target, linux["relabel_configs"]))
        assert found == {"node": "node-1", "instance": "node-1", "host_ip": "10.0.0.9", "cluster": "eu1"}

    def test_of_windows_are_there_on_request_only(self) -> None:
        """
        Most clusters have no Windows nodes, and this program deploys nothing on them.
        """
        assert "windows-exporter" not in configs()

    def test_are_not_scraped_twice(self) -> None:
        """
        Charts annotate their Services as they come.
        """
        rules = job("services", **self.EXPORTERS)["relabel_configs"]
        services = TestAnnotatedServices()

        assert relabel(services.service("kps-kube-state-metrics", "monitoring"), rules) is None
        assert relabel(services.service("kps-prometheus-node-exporter", "monitoring"), rules) is None
        assert relabel(services.service("kps-prometheus-windows-exporter", "monitoring"), rules) is None
        assert relabel(services.service("kps-kube-state-metrics", "shop"), rules) is not None
        assert rules[1:] == job("services")["relabel_configs"]


class TestNodes:
    NODE = "__meta_kubernetes_node"

    @pytest.mark.parametrize("name", ["kubelet", "cadvisor"])
    @pytest.mark.parametrize(
        ("labels", "scraped"),
        [
            ({}, True),
            ({"type": "gpu", "eks_amazonaws_com_compute_type": "ec2"}, True),
            ({"type": "virtual-kubelet"}, False),
            ({"eks_amazonaws_com_compute_type": "fargate"}, False),
        ],
    )
    def test_behind_which_no_machine_is_are_left_alone(self, name: str, labels: Labels, *, scraped: bool) -> None:
        """
        The kubelets of virtual nodes answer nobody, and would be down for ever.
        """
        node = {"__address__": "10.0.0.1:10250", f"{self.NODE}_name": "node-1"}
        node |= {f"{self.NODE}_label_{label}": value for label, value in labels.items()}

        assert (relabel(node, job(name)["relabel_configs"]) is not None) == scraped


class TestEveryJob:
    @pytest.mark.parametrize("made", configs().values(), ids=lambda made: made["job_name"])
    def test_target_carries_its_cluster(self, made: dict) -> None:
        """
        The last rule of every job names the cluster, and no job lets a series overrule it.
        """
        assert made["relabel_configs"][-1] == {"target_label": "cluster", "replacement": "eu1"}
        assert "honor_labels" not in made

    def test_certificates_are_verified_unless_the_cluster_says_otherwise(self) -> None:
        """
        Only the kubelets' certificates may go unverified, and only where it is written.
        """
        unverified = {
            made["job_name"]
            for made in configs(insecure=True).values()
            if made.get("tls_config", {}).get("insecure_skip_verify")
        }

        assert {"kubelet", "cadvisor"} == unverified
        assert "insecure" not in render.agent_config(
            fleet(), "eu1", "https://hub.example", own=True, ca_file=None, token_file=MOUNTED
        )


class TestPinned:
    @pytest.mark.parametrize(
        ("series", "shipped"),
        [
            ({"__name__": "up", "cluster": "eu1"}, {"__name__": "up", "cluster": "eu1"}),
            ({"__name__": "up"}, {"__name__": "up", "cluster": "eu1"}),
            (
                {"__name__": "up", "cluster": "us1"},
                {"__name__": "up", "cluster": "eu1", "exported_cluster": "us1"},
            ),
            (
                {"__name__": "up", "cluster": "eu1", "exported_cluster": "us1"},
                {"__name__": "up", "cluster": "eu1", "exported_cluster": "us1"},
            ),
        ],
    )
    def test_nothing_leaves_under_another_name(self, series: Labels, shipped: Labels) -> None:
        """
        A foreign cluster moves to exported_cluster; the own one stays, and no helper label is left.
        """
        assert shipped == relabel(series, forced("cluster", "eu1"))

    def test_the_pin_is_in_the_configuration(self) -> None:
        """
        What an agent ships passes the pin.
        """
        text = render.agent_config(fleet(), "eu1", "https://hub.example", own=True, ca_file=None, token_file=MOUNTED)

        rules = yaml.safe_load(text)["remote_write"][0]["write_relabel_configs"]
        assert forced("cluster", "eu1") == rules[: len(forced("cluster", "eu1"))]
