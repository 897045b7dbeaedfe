from typing import Any

import pytest
import yaml

import render
from render.prometheus.flags import FLUSH_DEADLINE
from settings import Fleet
from tests.rendered import server_config

MOUNTED = "/etc/token"


def fleet(agents: int = 1, **hub: object) -> Fleet:
    names = [f"agent{number}" for number in range(agents)]
    return Fleet.model_validate(
        {
            "clusters": {"hub": {"context": "hub", "labels": {"region": "eu"}}, "eu1": {"context": "eu1"}},
            "hub": {
                "cluster": "hub",
                "storage": "1Ti",
                "expose": {"host": "hub.example", "tls": {"secret": "tls"}},
                "agents": names,
                **hub,
            },
            "agents": {"eu1": {"outage": "6h"}},
        }
    )


def remote_write(*, own: bool = True, ca_file: str | None = None) -> dict[str, Any]:
    text = render.agent_config(
        fleet(), "eu1", "https://hub.example/api/v1/write", own=own, ca_file=ca_file, token_file=MOUNTED
    )
    return yaml.safe_load(text)["remote_write"][0]


def connections(flags: list[str]) -> int:
    name = "--web.max-connections="
    return next(int(flag.removeprefix(name)) for flag in flags if flag.startswith(name))


class TestHubConfig:
    def test_blocks_leave_room_on_the_volume(self) -> None:
        """
        Blocks may take 80 % of the volume; the WAL and a compaction need the rest.
        """
        retention = server_config(fleet(storage="1000Gi"))["storage"]["tsdb"]["retention"]

        assert retention == {"time": "42d", "size": "819200MiB"}

    def test_samples_of_the_longest_outage_are_taken(self) -> None:
        """
        Without a window a hub refuses what is an hour older than its newest sample, and the agent loses it.
        """
        window = server_config(fleet())["storage"]["tsdb"]["out_of_order_time_window"]

        assert int(window.removesuffix("h")) * 3600 >= render.wal_plan(48 * 3600, 30_000, 60).kept


class TestAgentConfig:
    def test_a_promfleet_hub_is_written_in_version_2(self) -> None:
        """
        Version 2 halves the hub's work; a metadata message of version 1 would only warn.
        """
        found = remote_write(own=True)

        assert found["protobuf_message"] == "io.prometheus.write.v2.Request"
        assert found["metadata_config"] == {"send": False}

    def test_a_foreign_receiver_is_written_in_version_1(self) -> None:
        """
        Others may not know version 2, and would refuse it for good.
        """
        assert remote_write(own=False)["protobuf_message"] == "prometheus.WriteRequest"

    def test_the_token_is_read_from_its_file(self) -> None:
        """
        The file is read at every request, so that a renewed token needs no reload, and no text holds it.
        """
        assert remote_write()["authorization"] == {"type": "Bearer", "credentials_file": MOUNTED}

    def test_a_private_authority_is_trusted_where_given(self) -> None:
        """
        Verification is never off.
        """
        assert remote_write(ca_file="/etc/ca")["tls_config"] == {"ca_file": "/etc/ca"}
        assert "tls_config" not in remote_write(ca_file=None)

    def test_only_a_final_refusal_is_final(self) -> None:
        """
        A hub that asks for patience gets it, and no sample is given up for its age.
        """
        queue = remote_write()["queue_config"]

        assert queue["retry_on_http_429"]
        assert "sample_age_limit" not in queue


class TestFlags:
    @pytest.mark.parametrize(("agents", "least"), [(1, 512), (200, 2010)])
    def test_every_agent_finds_a_connection(self, agents: int, least: int) -> None:
        """
        Ten connections of each agent fit beside those of the readers.
        """
        assert connections(render.server_flags(fleet(agents))) >= least

    def test_the_admin_api_is_disabled(self) -> None:
        """
        Prometheus listens to its own pod only, without reload and without deletion over HTTP.
        """
        plan = render.wal_plan(6 * 3600, 30_000, 60)
        for flags in (render.server_flags(fleet()), render.agent_flags(plan)):
            assert "--web.listen-address=127.0.0.1:9090" in flags
            assert not {"--web.enable-lifecycle", "--web.enable-admin-api"} & set(flags)

    def test_an_agent_is_not_killed_while_it_delivers(self) -> None:
        """
        The pod's grace period is longer than the deadline for the last samples.
        """
        assert render.AGENT_GRACE >= FLUSH_DEADLINE + 15


class TestRules:
    def test_inventory_names_every_cluster_of_the_hub(self) -> None:
        """
        The hub's own cluster, its agents and those of other stacks are expected, with what is known of them.
        """
        groups = yaml.safe_load(render.rules(fleet())["inventory.yml"])["groups"]

        expected = [{"cluster": "agent0"}, {"cluster": "eu1"}, {"cluster": "hub", "region": "eu"}]
        assert expected == [rule["labels"] for rule in groups[0]["rules"] if rule.get("record") == render.EXPECTED]
