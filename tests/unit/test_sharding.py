from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import render
from components.agent_prometheus import APP
from fleet.check import large_agents, unknown_writers
from render.operator import SCRAPE
from render.rules import SHARD
from render.scrape.sharding import kept_by
from settings import Fleet, in_bytes, memory
from settings.agent import MOST_SHARDS, SERIES_OF_SHARD, series_of_shard, shard_name
from stacks import deploy
from stacks.operators import predecessor
from tests.unit.builders import HUB
from tests.unit.conftest import Engine
from tests.unit.kinds import NETWORK_POLICY, PERSISTENT_VOLUME_CLAIM, SECRET, STATEFUL_SET
from tests.unit.relabelling import relabel

AGENT = "kubernetes:monitoring.coreos.com/v1alpha1:PrometheusAgent"
PLAN = render.wal_plan(6 * 3600, 30_000, 15)
OWN_JOB = {
    "job_name": "mine",
    "static_configs": [{"targets": ["10.0.0.9:1"]}],
    "relabel_configs": [{"target_label": "__tmp_hash", "replacement": "0"}],
}


def sharded(shards: int = 2, **cluster: Any) -> Fleet:
    """A hub, and an agent with shards, which has a job of somebody's own too."""
    return Fleet.model_validate(
        {
            "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1", **cluster}},
            "hub": {**HUB, "storage": "10Ti"},
            "agents": {"eu1": {"shards": shards}},
            "scrape": {"jobs": [OWN_JOB]},
        }
    )


def configs(fleet: Fleet, shard: int) -> dict[str, dict[str, Any]]:
    """Name of a job -> its entry in the prometheus.yml of one shard of eu1."""
    text = render.agent_config(fleet, "eu1", "https://h.example", shard, own=True, ca_file=None, token_file="/t")
    return {config["job_name"]: config for config in yaml.load(text, yaml.CSafeLoader)["scrape_configs"]}


def names(engine: Engine, kind: str) -> set[str]:
    return {one.inputs["metadata"]["name"] for one in engine.all(kind)}


TARGETS = st.fixed_dictionaries({"__address__": st.text(min_size=1), "__param_target": st.text()})


class TestKept:
    @given(st.integers(2, MOST_SHARDS), st.lists(TARGETS))
    def test_each_target_is_scraped_by_exactly_one_shard(self, shards: int, targets: list[dict[str, str]]) -> None:
        """
        By the hash that Prometheus computes, whatever the address, and whatever is probed behind it.
        """
        for target in targets:
            kept = [number for number in range(shards) if relabel(target, kept_by(number, shards)) is not None]
            assert len(kept) == 1

    def test_hashes_as_prometheus_does(self) -> None:
        """
        A case of relabel_test.go in Prometheus: baz modulo 1000 is 976.
        """
        rule = {"source_labels": ["c"], "target_label": "d", "action": "hashmod", "modulus": 1000}

        assert relabel({"c": "baz"}, [rule]) == {"c": "baz", "d": "976"}

    def test_probed_endpoints_are_divided_though_their_prober_has_one_address(self) -> None:
        """
        A hundred of them are not all scraped by one shard.
        """
        probed = [{"__address__": "prober:9115", "__param_target": f"https://{n}.example"} for n in range(100)]

        kept = sum(relabel(target, kept_by(0, 2)) is not None for target in probed)

        assert 30 < kept < 70

    def test_what_a_shard_keeps_gets_no_label_of_it(self) -> None:
        """
        A target that another shard takes over has the same series there.
        """
        target = {"__address__": "10.0.0.1:80", "job": "pods"}
        [found] = [kept for number in range(3) if (kept := relabel(target, kept_by(number, 3))) is not None]

        assert {name for name in found if not name.startswith("__")} == {"job"}


class TestConfigurations:
    def test_every_job_is_divided_after_all_that_its_own_rules_do(self) -> None:
        """
        People's own jobs too; only Prometheus itself is scraped by each shard.
        """
        made = configs(sharded(3), 2)

        assert made["prometheus"]["relabel_configs"][-1].get("action") != "keep"
        for name in made.keys() - {"prometheus"}:
            assert made[name]["relabel_configs"][-2:] == kept_by(2, 3), name

    def test_a_job_of_ones_own_that_writes_the_same_label_is_divided_all_the_same(self) -> None:
        """
        The last word on a target is ours.
        """
        fleet = sharded(2)

        kept = [
            relabel({"__address__": "10.0.0.9:1"}, configs(fleet, number)["mine"]["relabel_configs"])
            for number in range(2)
        ]

        assert sum(one is not None for one in kept) == 1

    def test_shards_differ_in_nothing_else_but_what_they_are_called(self) -> None:
        """
        Each is an instance of its own; the first keeps the name that the agent had alone.
        """
        first, second = (configs(sharded(2), number) for number in range(2))

        called = [
            one["prometheus"]["static_configs"][0]["labels"]["instance"] for one in (configs(sharded(1), 0), first)
        ]
        assert called == ["prometheus-agent", "prometheus-agent"]
        assert second["prometheus"]["static_configs"][0]["labels"] == {"instance": "prometheus-agent-shard-1"}
        for name in first.keys() - {"prometheus"}:
            assert first[name]["relabel_configs"][:-1] == second[name]["relabel_configs"][:-1]

    def test_an_agent_without_shards_hashes_nothing(self) -> None:
        """
        Its configuration is what it was.
        """
        assert "hashmod" not in str(configs(sharded(1), 0))

    def test_a_hub_has_connections_for_every_shard(self) -> None:
        """
        Those of agents of other stacks too.
        """
        said = {
            "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1"}},
            "hub": {**HUB, "agents": {f"o{n}": {"shards": 16} for n in range(4)}},
            "agents": {"eu1": {"shards": 10}},
        }

        flags = render.server_flags(Fleet.model_validate(said))

        assert f"--web.max-connections={(4 * 16 + 10) * 10 + 112}" in flags

    def test_rules_know_the_shards_of_every_agent_that_has_several(self) -> None:
        """
        Of agents of this stack and of others; one without shards is known by its cluster.
        """
        said = {
            "clusters": {name: {"context": name} for name in ("hub", "eu1", "us1")},
            "hub": {**HUB, "agents": {"asia1": {"shards": 2}}},
            "agents": {"eu1": {"shards": 3}, "us1": {}},
        }

        inventory = yaml.safe_load(render.rules(Fleet.model_validate(said))["inventory.yml"])["groups"][0]["rules"]

        recorded = [rule["labels"] for rule in inventory if rule.get("record") == SHARD]
        assert recorded == [
            {"cluster": cluster, "instance": shard_name(number)}
            for cluster, shards in {"asia1": 2, "eu1": 3}.items()
            for number in range(shards)
        ]


class TestDeployed:
    @pytest.fixture(scope="class")
    @staticmethod
    def two(kubeconfig: object) -> Engine:
        """Two shards, of what the lab's clusters have."""
        return Engine().deploy(lambda: deploy(sharded(2, series=2_000_000)))

    def test_each_shard_has_its_own_workload_and_volume(self, two: Engine) -> None:
        """
        The first has the names of an agent without shards, and so its volume and what is on it.
        """
        shards = {"prometheus-agent", "prometheus-agent-shard-1"}

        assert names(two, STATEFUL_SET) >= shards
        assert names(two, PERSISTENT_VOLUME_CLAIM) >= shards
        for one in two.all(STATEFUL_SET):
            if (name := one.inputs["metadata"]["name"]) in shards:
                spec = one.inputs["spec"]
                volumes = spec["template"]["spec"]["volumes"]
                [data] = [volume for volume in volumes if volume["name"] == "data"]
                [config] = [volume for volume in volumes if volume["name"] == "config"]
                assert data["persistentVolumeClaim"]["claimName"] == name
                assert config["configMap"]["name"] == name
                assert spec["serviceName"] == name
                assert spec["selector"]["matchLabels"]["app.kubernetes.io/instance"] == name

    def test_shards_write_with_the_one_token_of_their_cluster(self, two: Engine) -> None:
        """
        A hub knows a cluster, and not how many pods write for it.
        """
        assert [name for name in names(two, SECRET) if name.startswith("prometheus-agent")] == [
            "prometheus-agent-token"
        ]

    def test_every_shard_reaches_the_exporters(self, two: Engine) -> None:
        """
        Which of them asks is decided by a hash of the address.
        """
        [policy] = [
            one
            for one in two.all(NETWORK_POLICY)
            if one.inputs["metadata"]["name"] == "kube-state-metrics" and "eu1" in one.name
        ]
        asking = [
            peer["podSelector"]["matchLabels"]["app.kubernetes.io/instance"]
            for peer in policy.inputs["spec"]["ingress"][0]["from"]
        ]

        assert asking == ["prometheus-agent", "prometheus-agent-shard-1"]

    def test_no_number_of_shards_asks_a_volume_to_shrink(self, kubeconfig: object) -> None:
        """
        1, 3, and back: the API server would refuse a smaller claim, and with it the whole update.
        """
        sizes: dict[str, set[str]] = {}
        for shards in (1, 3):
            engine = Engine().deploy(lambda shards=shards: deploy(sharded(shards, series=4_000_000)))
            for one in engine.all(PERSISTENT_VOLUME_CLAIM):
                if (name := one.inputs["metadata"]["name"]).startswith(APP):
                    sizes.setdefault(name, set()).add(one.inputs["spec"]["resources"]["requests"]["storage"])

        assert [len(found) for found in sizes.values()] == [1] * 3
        first, second = (in_bytes(next(iter(sizes[shard_name(number)]))) for number in range(2))
        assert first > second

    def test_memory_is_that_of_a_part_of_the_series(self, two: Engine) -> None:
        """
        With half more, for targets are not alike.
        """
        [one] = [found for found in two.all(STATEFUL_SET) if found.inputs["metadata"]["name"] == shard_name(1)]
        [container] = one.inputs["spec"]["template"]["spec"]["containers"]

        assert container["resources"]["limits"]["memory"] == memory.agent_memory(1_500_000).limit

    def test_with_an_operator_monitors_are_divided_too(self, kubeconfig: object) -> None:
        """
        Each shard is a resource of its own, whose scrape class keeps its part of the targets of everybody's monitors.
        """
        fleet = sharded(2, operator={"install": True})
        engine = Engine().deploy(lambda: deploy(fleet))
        made: dict[str, Mapping[str, Any]] = {one.inputs["metadata"]["name"]: one.inputs for one in engine.all(AGENT)}

        assert made.keys() == {"prometheus-agent", "prometheus-agent-shard-1"}
        for number, (name, one) in enumerate(sorted(made.items())):
            [given] = one["spec"]["scrapeClasses"]
            *_, hashed, kept = given["relabelings"]
            assert (hashed["action"], hashed["modulus"], kept["regex"]) == ("hashmod", 2, str(number))
            [data] = [volume for volume in one["spec"]["volumes"] if volume["name"] == "data"]
            assert data["persistentVolumeClaim"]["claimName"] == name
            files = render.operated_agent(fleet, "eu1", PLAN, number).files[SCRAPE]
            assert {one["job_name"]: one for one in yaml.load(files, yaml.CSafeLoader)} == configs(fleet, number)

    def test_a_shard_follows_what_ran_under_its_name_without_an_operator(self) -> None:
        """
        Both use one volume: the other is stopped first, for every shard.
        """
        found = [predecessor(STATEFUL_SET, shard_name(number)) for number in (0, 1, 12)]

        assert found == [found[0]] * 3
        assert found[0] is not None


class TestPlanned:
    @given(st.integers(1000, 50_000_000), st.integers(1, MOST_SHARDS))
    def test_the_largest_target_fits_in_any_shard(self, series: int, shards: int) -> None:
        """
        kube-state-metrics has three tenths of the series, all in one shard: no more than four times what is planned.
        """
        most = 0.3 * series + 0.7 * series / shards

        assert most <= 4 * (series_of_shard(series, shards) + 1)

    def test_check_proposes_shards_for_a_large_cluster(self) -> None:
        """
        With what one Prometheus would need; a cluster of less, or with enough shards, is not mentioned.
        """
        [problem] = large_agents(sharded(1, series=2_500_000))

        assert str(problem) == (
            "agents.eu1: has 1 shard for 2500000 series: each requests 7452Mi of memory, and may use 19915Mi. "
            "Write shards: 3, for 1000000 series each."
        )
        assert [*large_agents(sharded(3, series=2_500_000))] == []
        assert [*large_agents(sharded(1, series=SERIES_OF_SHARD))] == []

    def test_check_compares_the_shards_of_an_agent_with_what_its_hub_expects(self, tmp_path: Any) -> None:
        """
        A hub that does not know of a shard does not miss it.
        """
        there = Fleet.model_validate(
            {"clusters": {"hub": {"context": "hub"}}, "hub": {**HUB, "agents": {"eu1": {"shards": 2}}}}
        )
        written = {"hub": {"stack": "o/promfleet/hub"}, "shards": 3}
        here = Fleet.model_validate({"clusters": {"eu1": {"context": "eu1"}}, "agents": {"eu1": written}})

        [problem] = unknown_writers(here, tmp_path / "Pulumi.eu1.yaml", {tmp_path / "Pulumi.hub.yaml": there})

        assert str(problem) == (
            "agents.eu1.shards: 3 is 2 at its hub. Write hub: {agents: {eu1: {shards: 3}}} in Pulumi.hub.yaml."
        )
