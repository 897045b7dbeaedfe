from typing import cast

import pytest
import yaml
from pulumi import ResourceOptions

from components import BlackboxExporter
from components.blackbox_exporter import BlackboxExporterArgs
from render.blackbox import blackbox_config, probe_jobs
from settings import images
from tests.rendered import scrape_configs, server

from .builders import HUB, containers, fleet
from .conftest import Engine, validate
from .kinds import CONFIG_MAP, DEPLOYMENT, ROLE, ROLE_BINDING, SERVICE
from .relabelling import relabel, visible

SHOP = {"targets": ["https://shop.example/healthz"], "interval": "30s"}
MAIL = {"module": "tcp", "targets": ["smtp.example:587"]}


@pytest.fixture(scope="module")
def prober():
    """The component alone. It is deployed once, so tests only read it."""
    args = cast(
        "BlackboxExporterArgs",
        {
            "namespace": "promfleet",
            "prefix": "promfleet",
            "config": blackbox_config(),
            "scraper": "prometheus-hub",
            "tls_secret": "hub-tls",
            "image": images.BLACKBOX_EXPORTER,
            "auth_proxy_image": images.KUBE_RBAC_PROXY,
            "rollout_timeout": 150,
        },
    )
    return Engine().deploy(lambda: BlackboxExporter("hub", args, ResourceOptions()))


class TestJobs:
    def jobs(self, **probes):
        asking = fleet(hub=HUB, probes=probes)
        return scrape_configs(probe_jobs(server(asking), asking), asking, "hub")

    def test_a_target_is_asked_through_the_prober_and_named_for_itself(self, prober):
        """
        Prometheus goes to the auth proxy, names the target there, and stores it as the instance.
        """
        job = self.jobs(shop=SHOP)["blackbox:shop"]
        [target] = job["static_configs"][0]["targets"]

        labels = relabel({"__address__": target, "job": "blackbox:shop"}, job["relabel_configs"]) or {}

        [port] = prober.one(SERVICE).inputs["spec"]["ports"]
        assert labels["__address__"] == f"blackbox-exporter.promfleet.svc:{port['port']:.0f}"
        assert labels["__param_target"] == target
        assert visible(labels) == {"instance": target, "job": "blackbox", "probe": "shop", "cluster": "hub"}

    def test_no_job_of_people_has_the_name_of_a_probe(self):
        """
        Prometheus refuses two jobs of one name: many have one called blackbox-http, and a probe may be called exporter.
        """
        own = {"job_name": "blackbox-http", "static_configs": [{"targets": ["a:1"]}]}
        asking = fleet(hub=HUB, probes={"http": SHOP, "exporter": SHOP}, scrape={"jobs": [own]})

        names = [job.name for job in probe_jobs(server(asking), asking)]

        assert sorted(names) == ["blackbox-exporter", "blackbox:exporter", "blackbox:http"]

    def test_each_probe_has_its_own_module_and_pace(self):
        """
        What the stack file says of one says nothing of another.
        """
        jobs = self.jobs(shop=SHOP, mail=MAIL)

        said = {name: (j["params"]["module"], j["scrape_interval"]) for name, j in jobs.items() if "params" in j}
        assert said == {"blackbox:shop": (["http"], "30s"), "blackbox:mail": (["tcp"], "1m")}

    def test_modules_that_are_asked_for_exist(self):
        """
        The prober answers 400 for a module that it does not know.
        """
        newer = {f"{name}6": {**probe, "prefer": "ip6"} for name, probe in {"shop": SHOP, "mail": MAIL}.items()}
        jobs = self.jobs(shop=SHOP, mail=MAIL, **newer)

        asked = {job["params"]["module"][0] for job in jobs.values() if "params" in job}
        assert asked == yaml.safe_load(blackbox_config())["modules"].keys()

    def test_without_probes_nothing_is_scraped(self):
        """
        A prober that nobody asked for has no `up` to be down.
        """
        assert self.jobs() == {}
        assert "blackbox-exporter" in self.jobs(mail=MAIL)


class TestAuthProxy:
    def test_prometheus_alone_may_have_something_asked(self, prober):
        """
        An open prober would ask whatever anyone in the cluster wants asked.
        """
        [binding] = prober.all(ROLE_BINDING)
        assert [s["name"] for s in binding.inputs["subjects"]] == ["prometheus-hub"]
        assert prober.one(ROLE, binding.inputs["roleRef"]["name"]).inputs["rules"][0]["verbs"] == ["get"]

    def test_it_listens_on_loopback(self, prober):
        """
        The auth proxy is the only way in, and leads to metrics and probes alone.
        """
        both = containers(prober, DEPLOYMENT)

        assert "--web.listen-address=127.0.0.1:9115" in both["blackbox-exporter"]["args"]
        assert "ports" not in both["blackbox-exporter"]
        assert "--allow-paths=/metrics,/probe" in both["kube-rbac-proxy-probe"]["args"]


class TestConfig:
    def test_is_read_where_it_is_mounted_and_again_when_it_changes(self, prober):
        """
        A changed file needs no restart.
        """
        server = containers(prober, DEPLOYMENT)["blackbox-exporter"]
        [mount] = [m for m in server["volumeMounts"] if m["name"] == "config"]
        [file] = prober.one(CONFIG_MAP, "blackbox-exporter").inputs["data"]

        assert f"--config.file={mount['mountPath']}/{file}" in server["args"]
        assert "--config.enable-auto-reload" in server["args"]
        assert "subPath" not in mount

    def test_kubernetes_knows_every_field(self, prober):
        """
        Every object is what its published schema says.
        """
        validate(prober.objects)
