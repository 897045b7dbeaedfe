import pytest
import yaml

import prometheus
from prometheus.agent import pinned
from prometheus.jobs import alone, jobs
from settings import Fleet

from .relabelling import Labels, relabel, visible

POD = "__meta_kubernetes_pod"
MOUNTED = "/etc/token"
EXPOSE = {"host": "hub.example", "tls": {"secret": "tls"}}


def fleet(*, insecure: bool = False) -> Fleet:
    return Fleet.model_validate(
        {
            "clusters": {
                "hub": {"context": "hub"},
                "eu1": {"context": "eu1", "kubelet": {"insecureSkipVerify": insecure}},
            },
            "hub": {"cluster": "hub", "expose": EXPOSE, "storage": "500Gi"},
            "agents": {"eu1": {}},
        }
    )


def job(name: str) -> dict:
    return next(job for job in jobs(fleet(), "eu1", alone("prometheus-agent")) if job["job_name"] == name)


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

    def test_labels_can_not_pose_as_another_target(self) -> None:
        """
        Labels of the pod are mapped, but never over those that say where a series comes from.
        """
        liar = dict.fromkeys(("cluster", "job", "instance", "namespace", "pod", "node"), "forged") | {
            "exported_cluster": "forged",
            "le": "1",
            "pod_template_hash": "5d4f8",
            "app": "cart",
        }

        expected = {
            "app": "cart",
            "cluster": "eu1",
            "instance": "10.0.0.7:8080",
            "job": "pods",
            "namespace": "shop",
            "node": "node-1",
            "pod": "cart-0",
        }
        assert expected == visible(scraped({}, liar))


class TestAnnotatedServices:
    SERVICE = "__meta_kubernetes_service"

    def service(self, name: str, namespace: str) -> Labels:
        return {
            "__address__": "10.0.0.7:8080",
            "__meta_kubernetes_namespace": namespace,
            f"{self.SERVICE}_name": name,
            f"{self.SERVICE}_annotation_prometheus_io_scrape": "true",
            f"{self.SERVICE}_annotation_prometheus_io_port": "9102",
            f"{self.SERVICE}_label_job": "forged",
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

    def test_cluster_dns_is_scraped_once(self) -> None:
        """
        Annotated by kubeadm, it has a job of its own.
        """
        assert relabel(self.service("kube-dns", "kube-system"), job("services")["relabel_configs"]) is None


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


class TestEveryJob:
    @pytest.mark.parametrize("made", jobs(fleet(), "eu1", alone("prometheus-agent")), ids=lambda made: made["job_name"])
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
            for made in jobs(fleet(insecure=True), "eu1", alone("prometheus-agent"))
            if made.get("tls_config", {}).get("insecure_skip_verify")
        }

        assert {"kubelet", "cadvisor"} == unverified
        assert "insecure" not in prometheus.agent_config(
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
        assert shipped == relabel(series, pinned("eu1"))

    def test_the_pin_is_in_the_configuration(self) -> None:
        """
        What an agent ships passes the pin.
        """
        text = prometheus.agent_config(
            fleet(), "eu1", "https://hub.example", own=True, ca_file=None, token_file=MOUNTED
        )

        rules = yaml.safe_load(text)["remote_write"][0]["write_relabel_configs"]
        assert pinned("eu1") == rules[: len(pinned("eu1"))]
