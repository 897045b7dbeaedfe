import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import render
from components import AgentPrometheus
from components.k8s.prometheus import RULES
from fleet.check import slow_jobs
from fleet.needless_jobs import dropped_selectors, repeated_jobs
from render.prometheus.watcher import watcher_config
from render.pushgateway import OUR_JOBS
from render.scrape.user_jobs import FOLDER, discovered_resources
from render.tokens import API, API_TOKEN
from settings import Fleet, FleetError
from settings.loading.read import read
from settings.scrape_config import DISCOVERY, bytes_of, seconds_of
from settings.validation.jobs import IN_POD

from .builders import EVERYTHING, HUB, fleet, pod
from .relabelling import Labels, relabel, visible
from .stack_texts import loaded, problems
from .test_agent_prometheus import args

TARGETS = {"static_configs": [{"targets": ["10.0.0.9:2379"]}]}
SECRETS = (
    *("application_credential_secret", "application_secret", "auth_token", "bearer_token", "client_certificate_key"),
    *("client_secret", "consumer_key", "credentials", "key", "key_passphrase", "password", "private_key"),
    *("proxy_connect_header", "secret_key", "service_account_key", "token"),
)
"""
Every field of type Secret in Prometheus 3.15 (discovery) and prometheus/common 0.71 (config).

But `secrets` of a header, which has a test of its own.
"""
AGENTS = {"agents": {name: {"hub": {"stack": "o/p/hub"}} for name in ("eu1", "us1")}}
SECRET = {"secret": {"name": "etcd", "key": "tls.key"}}


def job(name: str = "etcd", **written: Any) -> dict[str, Any]:
    return {"job_name": name, **TARGETS, **written}


def agents(*jobs: Any, **scrape: Any) -> Fleet:
    return fleet(**AGENTS, scrape={**scrape, "jobs": list(jobs)})


def configs(described: Fleet, cluster: str = "eu1") -> dict[str, dict[str, Any]]:
    text = render.agent_config(described, cluster, "https://hub.example", own=True, ca_file=None, token_file="/token")
    return {config["job_name"]: config for config in yaml.load(text, yaml.CSafeLoader)["scrape_configs"]}


def config(**written: Any) -> dict[str, Any]:
    return configs(agents(job(**written)))["etcd"]


def target(written: dict[str, Any], labels: Labels) -> Labels:
    """The labels that a target's series get, `up` among them."""
    made = config(**written)
    found = visible(relabel({"job": "etcd", "__address__": "10.0.0.9:2379", **labels}, made["relabel_configs"]))
    assert found is not None
    return found


def stored(written: dict[str, Any], series: Labels, labels: Labels | None = None) -> Labels | None:
    """A series of a target as it is stored; what both have is the target's, unless labels are honoured."""
    made, ours = config(**written), target(written, labels or {})
    moved = {
        name if made.get("honor_labels") or name not in ours else f"exported_{name}": text
        for name, text in series.items()
    }
    return relabel({**ours, **moved}, made["metric_relabel_configs"])


FORGED = dict.fromkeys(("cluster", "replica", "hub", "tenant_id", "ruler"), "forged")
WAYS: dict[str, dict[str, Any]] = {
    "as the target says": {},
    "with honored labels": {"honor_labels": True},
    "by relabelling of targets": {
        "relabel_configs": [{"target_label": name, "replacement": "forged"} for name in FORGED]
    },
    "by relabelling of metrics": {
        "metric_relabel_configs": [{"target_label": name, "replacement": "forged"} for name in FORGED]
    },
    "without any": {"metric_relabel_configs": [{"regex": "cluster|job", "action": "labeldrop"}], "honor_labels": True},
}


class TestLabels:
    @pytest.mark.parametrize("written", WAYS.values(), ids=WAYS)
    def test_the_cluster_is_always_ours(self, written: dict[str, Any]) -> None:
        """
        Whatever a target, discovery or relabelling says, a series is of the cluster that scraped it.
        """
        for series, labels in ((FORGED, {}), ({}, FORGED), (FORGED, FORGED), ({}, {})):
            found = stored(written, {"__name__": "etcd_up", **series}, labels)

            assert found is not None
            assert found["cluster"] == "eu1"
            assert not found.keys() & (FORGED.keys() - {"cluster"})
            assert target(written, labels)["cluster"] == "eu1"

    @pytest.mark.parametrize("honored", [True, False])
    def test_another_cluster_is_kept_beside_it(self, honored: bool) -> None:  # noqa: FBT001 — a parameter of the test
        """
        Federated series tell where they come from.
        """
        found = stored({"honor_labels": honored}, {"__name__": "x", "cluster": "paris", "replica": "b"})

        assert found is not None
        assert (found["exported_cluster"], found["exported_replica"]) == ("paris", "b")

    @pytest.mark.parametrize("posed", ["kubelet", "blackbox", "thanos-query", "prometheus"])
    def test_no_job_poses_as_one_of_ours(self, posed: str) -> None:
        """
        Rules and dashboards select their series by the name of the job.
        """
        forging = {"honor_labels": True, "relabel_configs": [{"target_label": "job", "replacement": posed}]}
        for written, series in (({"honor_labels": True}, {"job": posed}), (forging, {})):
            found = stored(written, {"__name__": "x", **series})

            assert found is not None
            assert (found["job"], found["exported_job"]) == ("etcd", posed)

    def test_another_job_may_be_honored(self) -> None:
        """
        What is federated keeps the names of its jobs.
        """
        found = stored({"honor_labels": True}, {"__name__": "x", "job": "shop"})

        assert found is not None
        assert found["job"] == "shop"

    @pytest.mark.parametrize(
        "name",
        ["kube_pod_info", "container_cpu_usage_seconds_total", "shop:errors:rate5m", "ALERTS", "up", "push_time"],
    )
    def test_what_the_cluster_has_once_is_dropped(self, name: str) -> None:
        """
        A second copy would count every pod twice.
        """
        assert stored({"honor_labels": True}, {"__name__": name}) is None

    @pytest.mark.parametrize("name", ["etcd_server_has_leader", "node_load1", "probe_success", "process_start_time"])
    def test_what_is_theirs_is_kept(self, name: str) -> None:
        """
        Machines and endpoints outside of the cluster have exporters as its nodes do.
        """
        assert stored({}, {"__name__": name}) is not None


class TestConfig:
    def test_is_as_it_was_written(self) -> None:
        """
        Every field that is Prometheus' own arrives unchanged.
        """
        written = {
            "scheme": "https",
            "metrics_path": "/m",
            "params": {"match[]": ["up"]},
            "scrape_interval": "1m30s",
            "follow_redirects": True,
            "sample_limit": 150_000,
        }

        assert written.items() <= config(**written).items()

    def test_is_limited_as_annotated_targets_are(self) -> None:
        """
        What is not said is what anybody's pods may bring, and no redirect is followed.
        """
        made = configs(agents(job(), limits={"annotated": {"samples": 7, "body": "3Mi"}}))["etcd"]

        assert (made["sample_limit"], made["body_size_limit"], made["follow_redirects"]) == (7, "3MiB", False)

    @pytest.mark.parametrize("written", ["PrometheusText0.0.4", "OpenMetricsText1.0.0"])
    def test_reads_targets_that_do_not_say_what_they_send(self, written: str) -> None:
        """
        Prometheus 2 took them for its text format, and Prometheus 3 for down.
        """
        said = {} if written == "PrometheusText0.0.4" else {"fallback_scrape_protocol": written}

        assert config(**said)["fallback_scrape_protocol"] == written

    def test_is_in_the_clusters_that_it_names(self) -> None:
        """
        All have it where none is named.
        """
        described = agents(job(), job("vault", clusters=["us1"]))

        assert {"etcd"} == configs(described, "eu1").keys() & {"etcd", "vault"}
        assert {"etcd", "vault"} <= configs(described, "us1").keys()
        assert "clusters" not in configs(described, "us1")["vault"]

    def test_a_server_scrapes_them_too(self) -> None:
        """
        A hub is the Prometheus of its own cluster.
        """
        described = fleet(hub=HUB, scrape={"jobs": [job()]})
        assert described.server is not None

        text = render.server_config(described.server, described)

        assert "etcd" in [made["job_name"] for made in yaml.load(text, yaml.CSafeLoader)["scrape_configs"]]

    def test_a_watcher_scrapes_them_for_a_cluster(self) -> None:
        """
        Names are told apart in the file, and are people's own in the series.
        """
        described = Fleet.model_validate(
            {
                "clusters": {name: {"context": name} for name in ("eu1", "us1")},
                "watcher": {"clusters": ["eu1", "us1"]},
                "scrape": {"jobs": [job(clusters=["us1"], tls_config={"ca_file": "/etc/ssl/own.crt"})]},
            }
        )
        text = watcher_config(described, dict.fromkeys(("eu1", "us1"), "https://api.example"))

        [made] = [
            made for made in yaml.load(text, yaml.CSafeLoader)["scrape_configs"] if made["job_name"].endswith("/etcd")
        ]
        assert made["job_name"] == "us1/etcd"
        found = relabel({"job": "us1/etcd"}, made["relabel_configs"])
        assert found == {"job": "etcd", "cluster": "us1"}

    def test_every_job_of_ours_is_known(self) -> None:
        """
        None of their names can be taken.
        """
        for described in (Fleet.model_validate(EVERYTHING), fleet(**AGENTS)):
            server = described.server
            text = render.server_config(server, described) if server else ""
            ours = yaml.load(text, yaml.CSafeLoader)["scrape_configs"] if server else configs(described).values()
            for name in (made["job_name"] for made in ours):
                with pytest.raises(FleetError, match="is the name of a job of promfleet"):
                    read({"clusters": {"eu1": {"context": "a"}}, **AGENTS, "scrape": {"jobs": [job(name)]}}, "x", bool)
        assert not re.fullmatch(OUR_JOBS, "etcd")


class TestIntervals:
    @pytest.mark.parametrize(("interval", "warned"), [("1d", True), ("5m", True), ("4m", False), ("30s", False)])
    def test_check_warns_where_series_vanish_between_two_scrapes(self, interval: str, *, warned: bool) -> None:
        """
        Prometheus looks back five minutes, so that `up` and all others are gone then.
        """
        found = slow_jobs(agents(job(), job("bills", scrape_interval=interval)))

        assert [str(problem) for problem in found] == [
            f'scrape.jobs[1].scrape_interval: "{interval}" is not below the 5m that Prometheus looks back: between two '
            "scrapes, no query finds its series. Write 2m or less, or ask with last_over_time."
        ] * warned


def discovering(role: str, *rules: dict[str, Any], **written: Any) -> dict[str, Any]:
    return {"job_name": "a", "kubernetes_sd_configs": [{"role": role}], "relabel_configs": list(rules), **written}


def keep(*labels: str, regex: Any = "true") -> dict[str, Any]:
    return {"action": "keep", "source_labels": [f"__meta_kubernetes_{label}" for label in labels], "regex": regex}


def federating(*selectors: str) -> dict[str, Any]:
    return {"params": {"match[]": list(selectors)}}


SCRAPED = "pod_annotation_prometheus_io_scrape"
PROXY = {"target_label": "__metrics_path__", "replacement": "/api/v1/nodes/${1}/proxy/metrics"}


class TestRepeated:
    """
    What people copy of a prometheus.yml, and promfleet does already.
    """

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            (discovering("pod", keep(SCRAPED, regex=True)), "annotated pods, as promfleet's job pods does"),
            (
                discovering("endpoints", keep("service_annotation_prometheus_io_scrape")),
                "promfleet's job services does",
            ),
            (discovering("node", PROXY), "Prometheus has no right: it would need nodes/proxy"),
            (discovering("node"), "scrapes kubelets, as promfleet's jobs kubelet and cadvisor do"),
            (discovering("node", metrics_path="/metrics/cadvisor"), "jobs kubelet and cadvisor do"),
            (
                discovering("endpoints", keep("namespace", "service_name", "p", regex="default;kubernetes;https")),
                "scrapes API servers, as promfleet's job apiserver does",
            ),
        ],
    )
    def test_is_warned_of(self, written: dict[str, Any], said: str) -> None:
        """
        It would be stored twice, or fail for want of a right.
        """
        [found] = repeated_jobs(agents(job(), written))

        assert said in str(found)
        assert str(found).startswith("scrape.jobs[1]: ")

    @pytest.mark.parametrize(
        "written",
        [
            discovering("pod", keep("pod_label_app")),
            discovering("pod", keep(SCRAPED, "pod_label_app", regex="true;shop")),
            discovering("pod", keep(SCRAPED, regex="slow")),
            discovering("pod", {**keep(SCRAPED), "action": "drop"}),
            discovering("node", {"target_label": "__address__", "replacement": "a:9100"}),
            discovering("node", metrics_path="/metrics/probes"),
            {**discovering("node"), "kubernetes_sd_configs": [{"role": "node", "api_server": "https://a.example"}]},
        ],
    )
    def test_is_nothing_else(self, written: dict[str, Any]) -> None:
        """
        Other targets, fewer of them, other paths, another cluster.
        """
        assert [*repeated_jobs(agents(written))] == []


class TestFederation:
    @pytest.mark.parametrize("selector", ['{__name__=~"job:.*"}', 'up{job="a"}', "kube_pod_info", "shop:orders:sum"])
    def test_of_what_is_dropped_is_warned_of(self, selector: str) -> None:
        """
        Nothing of it would be stored, and nobody would say so.
        """
        [found] = dropped_selectors(agents(job(**federating("orders_total", selector))))

        assert (found.path, found.value) == (("scrape", "jobs", 0, "params", "match[]", 1), selector)

    def test_of_what_is_kept_is_not(self) -> None:
        """
        All series of a job, machines of others, and what gets another name.
        """
        kept = federating('{job=~".+"}', "node_load1", '{__name__!~"job:.*"}', "{}")
        renamed = {**federating("up"), "metric_relabel_configs": [{"target_label": "__name__"}]}

        assert [*dropped_selectors(agents(job(**kept), job("b", **renamed)))] == []


class TestCredentials:
    def test_are_files_of_a_mounted_secret(self) -> None:
        """
        With or without _file, in the job and in its discovery.
        """
        made = config(
            tls_config={"ca_file": {"configMap": {"name": "ca", "key": "ca.crt"}}, "key": SECRET},
            http_headers={"X-Token": {"secrets": [SECRET], "files": [SECRET]}},
            http_sd_configs=[{"url": "https://a.example", "basic_auth": {"username": "a", "password": SECRET}}],
        )

        path = f"{FOLDER}/secret/etcd/tls.key"
        assert made["tls_config"] == {"ca_file": f"{FOLDER}/configMap/ca/ca.crt", "key_file": path}
        assert made["http_headers"] == {"X-Token": {"files": [path, path]}}
        assert made["http_sd_configs"][0]["basic_auth"] == {"username": "a", "password_file": path}

    def test_may_be_those_of_the_pod(self) -> None:
        """
        Its ServiceAccount is mounted as Kubernetes' documentation has it, and the image has public authorities.
        """
        assert (API_TOKEN, f"{API}/ca.crt") == IN_POD
        written = {"bearer_token_file": API_TOKEN, "tls_config": {"ca_file": "/etc/ssl/certs/ca-certificates.crt"}}

        assert written.items() <= config(**written).items()

    @settings(max_examples=300, derandomize=True, deadline=None, database=None)
    @given(
        st.sampled_from(SECRETS),
        st.lists(st.sampled_from(["tls_config", "oauth2", "basic_auth", "authorization", "x", *DISCOVERY]), max_size=5),
        st.sampled_from(["swordfish", ["swordfish"], {"swordfish": 1}, ["swordfish", SECRET]]),
        st.booleans(),
    )
    def test_never_pass_in_plain_text(self, key: str, nesting: list[str], value: Any, listed: bool) -> None:  # noqa: FBT001
        """
        However deep a field stands that Prometheus keeps secret, it is refused, and not repeated.
        """
        node: Any = {key: value}
        for outer in nesting:
            node = {outer: [node] if listed else node}
        with pytest.raises(FleetError) as caught:
            read({"clusters": {"eu1": {"context": "a"}}, **AGENTS, "scrape": {"jobs": [{**job(), **node}]}}, "x", bool)

        assert any(key in str(problem) for problem in caught.value.problems)
        if not isinstance(value, dict):
            assert "swordfish" not in caught.value.report()

    def test_are_mounted_key_by_key(self, engine) -> None:
        """
        Neither another key of the Secret nor a Secret of another cluster's job is in the pod.
        """
        described = agents(
            job(tls_config={"key": SECRET}),
            job("vault", clusters=["us1"], bearer_token={"secret": {"name": "vault", "key": "token"}}),
        )
        files = render.mounted_files(described, "eu1")

        found = pod(engine.deploy(lambda: AgentPrometheus("eu1", args(job_files=files))))

        [volume] = [volume for volume in found["volumes"] if volume["name"] == "jobs"]
        items = [{"key": "tls.key", "path": "secret/etcd/tls.key"}]
        assert volume["projected"] == {"defaultMode": 0o440, "sources": [{"secret": {"name": "etcd", "items": items}}]}
        [mount] = [mount for mount in found["containers"][0]["volumeMounts"] if mount["name"] == "jobs"]
        assert mount == {"name": "jobs", "mountPath": FOLDER, "readOnly": True}

    def test_nothing_is_mounted_for_nobody(self, engine) -> None:
        """
        A pod without such jobs is as it was.
        """
        assert "jobs" not in [
            one["name"] for one in pod(engine.deploy(lambda: AgentPrometheus("a", args())))["volumes"]
        ]


class TestRights:
    @pytest.mark.parametrize(
        ("entry", "resources"),
        [
            ({"role": "pod", "attach_metadata": {"node": True}}, []),
            ({"role": "endpointslice"}, []),
            ({"role": "endpoints"}, [("", "endpoints")]),
            ({"role": "ingress"}, [("networking.k8s.io", "ingresses")]),
            ({"role": "pod", "attach_metadata": {"namespace": True}}, [("", "namespaces")]),
            ({"role": "ingress", "api_server": "https://other.example"}, []),
        ],
    )
    def test_are_those_that_discovery_needs(self, entry: dict[str, Any], resources: list[tuple[str, str]]) -> None:
        """
        What is discovered in the own cluster may be listed, and nothing else.
        """
        described = agents(job("web", clusters=["eu1"], kubernetes_sd_configs=[entry]))

        assert discovered_resources(described, "eu1") == resources
        assert discovered_resources(described, "us1") == []

    def test_are_in_the_role(self, engine) -> None:
        """
        Beside those that every Prometheus has.
        """
        made = engine.deploy(lambda: AgentPrometheus("a", args(discovered=[("networking.k8s.io", "ingresses")])))

        [role] = [r for r in made.resources if r.typ.endswith(":ClusterRole")]
        added = {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["list", "watch"]}
        assert role.inputs["rules"][-1] == added
        assert len(role.inputs["rules"]) == len(RULES) + 1


class TestFiles:
    @pytest.mark.parametrize(
        "text",
        ["- job_name: b\n  {}\n- job_name: a\n  {}\n", "scrape_configs:\n- job_name: b\n  {}\n- job_name: a\n  {}\n"],
    )
    def test_of_both_shapes_are_read(self, tmp_path: Path, text: str) -> None:
        """
        A list of jobs, and what a prometheus.yml or one of its scrape_config_files has.
        """
        (tmp_path / "jobs").mkdir()
        found = "static_configs: [{targets: [a:1]}]"
        (tmp_path / "jobs/one.yaml").write_text(text.replace("{}", found))
        (tmp_path / "jobs/two.yaml").write_text(f"- {{job_name: c, clusters: [eu1], {found}}}\n")

        made = loaded(tmp_path, _FLEET.format("jobs/*.yaml"))

        assert [one.name for one in made.scrape.jobs] == ["b", "a", "c"]
        assert made.scrape.jobs[2].clusters == ("eu1",)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "- {job_name: a, bearer_token: swordfish, static_configs: [{targets: [a:1]}]}\n",
                "scrape.jobs[0].jobs.yaml[0].bearer_token: is a credential in plain text. "
                "Replace it where it is used, and write {secret: {name: …, key: …}}.",
            ),
            (
                "global: {}\nscrape_configs: [{job_name: a, static_configs: [{targets: [a:1]}]}]\n",
                "scrape.jobs[0].jobs.yaml.global: is not read: of a file only scrape_configs is. Remove it: intervals "
                "and limits of all jobs are scrape.interval, scrape.timeout and scrape.limits.",
            ),
            (
                "job_name: a\nscrape_configs: [{job_name: a, static_configs: [{targets: [a:1]}]}]\n",
                "scrape.jobs[0].jobs.yaml.job_name: is not read: of a file only scrape_configs is. Remove it.",
            ),
            (
                "7\n",
                "scrape.jobs[0].jobs.yaml: has no list of jobs. "
                "Write a list of jobs, or a mapping with scrape_configs.",
            ),
            (
                "- {job_name: a\n- swordfish\n",
                "scrape.jobs[0].jobs.yaml.line 3: expected ',' or '}', but got '<stream end>'. Correct the YAML.",
            ),
            (
                "- {job_name: a, job_name: a}\n",
                'scrape.jobs[0].jobs.yaml.line 1: the key "job_name" is a duplicate of the one in line 1. '
                "Remove or rename one of the two.",
            ),
        ],
    )
    def test_with_mistakes_are_named(self, tmp_path: Path, text: str, said: str) -> None:
        """
        The file and the place in it.
        """
        (tmp_path / "jobs.yaml").write_text(text)

        assert problems(tmp_path, _FLEET.format("jobs.yaml")) == [said]


_FLEET = "clusters: {{eu1: {{context: a}}}}\nagents: {{eu1: {{hub: {{stack: o/p/hub}}}}}}\nscrape: {{jobs: [{}]}}\n"


class TestUnits:
    @pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("0", 0)])
    def test_durations_are_prometheus_own(self, text: str, seconds: float) -> None:
        """
        Several units make one duration.
        """
        assert seconds_of(text) == pytest.approx(seconds)

    @pytest.mark.parametrize(
        ("text", "size"), [("1KB", 1024), ("10MiB", 10 * 2**20), ("512B", 512), ("1.5G", 1.5 * 2**30)]
    )
    def test_sizes_are_powers_of_1024(self, text: str, size: float) -> None:
        """
        However they are written.
        """
        assert bytes_of(text) == size
