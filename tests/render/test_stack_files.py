from pathlib import Path

import pytest

import prometheus
from prometheus.wal import wal_plan
from settings import from_file, seconds

from .promtool import Promtool

pytestmark = pytest.mark.render

ROOT = Path(__file__).parents[2]
STACKS = sorted(ROOT.glob("Pulumi.*.yaml"))
MOUNTED = "/etc/token"


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
class TestStackFile:
    def test_its_hub_starts(self, stack: Path, promtool: Promtool, tmp_path: Path) -> None:
        """
        Prometheus takes the hub's configuration and every rule file of it.
        """
        fleet = from_file(stack)
        if fleet.hub is None:
            assert fleet.agents
            return
        config = tmp_path / "prometheus.yml"
        config.write_text(prometheus.hub_config(fleet))
        files = [tmp_path / name for name in prometheus.rules(fleet)]
        for file in files:
            file.write_text(prometheus.rules(fleet)[file.name])

        promtool.accepts("check", "config", "--syntax-only", "--lint=all", "--lint-fatal", config)
        promtool.accepts("check", "rules", "--lint=all", "--lint-fatal", *files)

    @pytest.mark.parametrize("own", [True, False], ids=["hub", "foreign receiver"])
    def test_its_agents_start(self, stack: Path, own: bool, promtool: Promtool, tmp_path: Path) -> None:  # noqa: FBT001
        """
        Prometheus in agent mode takes each agent's configuration, for a hub and for any other receiver.
        """
        fleet = from_file(stack)
        config = tmp_path / "prometheus.yml"
        for cluster in fleet.agents:
            config.write_text(
                prometheus.agent_config(
                    fleet, cluster, "https://hub.example/api/v1/write", own=own, ca_file=None, token_file=MOUNTED
                )
            )

            promtool.accepts("check", "config", "--agent", "--syntax-only", "--lint=all", "--lint-fatal", config)

    def test_its_logs_fit(self, stack: Path) -> None:
        """
        No agent of an example asks for a volume that nobody would give it.
        """
        fleet = from_file(stack)
        for cluster, agent in fleet.agents.items():
            plan = wal_plan(seconds(agent.outage), fleet.clusters[cluster].series, seconds(fleet.scrape.interval))
            assert int(plan.volume.removesuffix("Gi")) <= 20


def test_there_are_stack_files() -> None:
    """
    The tests above have something to test.
    """
    assert STACKS
