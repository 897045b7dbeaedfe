"""Prometheus itself reads the configuration of every shard of an agent."""

from pathlib import Path

import pytest

import render
from settings import Fleet
from tests.unit.builders import HUB

from .promtool import Promtool

pytestmark = pytest.mark.render
FLEET = Fleet.model_validate(
    {
        "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1"}},
        "hub": HUB,
        "agents": {"eu1": {"shards": 2}},
        "scrape": {"jobs": [{"job_name": "mine", "static_configs": [{"targets": ["10.0.0.9:1"]}]}]},
    }
)


@pytest.mark.parametrize("shard", [0, 1])
def test_prometheus_takes_the_configuration_of_a_shard(shard: int, promtool: Promtool, tmp_path: Path) -> None:
    """
    With the hash at the end of every job.
    """
    file = tmp_path / "prometheus.yml"
    file.write_text(
        render.agent_config(FLEET, "eu1", "https://hub.example", shard, own=True, ca_file=None, token_file="/token")
    )

    promtool.accepts("check", "config", "--syntax-only", "--agent", file)
