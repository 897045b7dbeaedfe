import subprocess
from pathlib import Path

import pytest

from render.alertmanager import alertmanager_config
from render.blackbox import blackbox_config
from render.prometheus.agent import agent_config
from settings import Fleet

from .promtool import Promtool
from .tools import tool

pytestmark = pytest.mark.render

FLEET = Fleet.model_validate(
    {
        "clusters": {"hub": {"context": "hub"}, "eu1": {"context": "eu1"}},
        "hub": {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "tls"}}},
        "agents": {"eu1": {"destinations": {"a": {"url": "https://a.example/push"}}}},
        "alertmanager": {"receivers": {"sre": {"webhook": {}}}, "default": "sre"},
        "workloads": {"proxy": {"url": "http://proxy.example:3128"}},
    }
)


class TestProxy:
    """The releases that are deployed know the settings by which they use a proxy."""

    def test_of_an_agent(self, promtool: Promtool, tmp_path: Path) -> None:
        """
        Prometheus asks the environment for each receiver.
        """
        text = agent_config(FLEET, "eu1", "https://hub.example", own=True, ca_file=None, token_file="/token")

        assert text.count("proxy_from_environment: true") == 2
        file = tmp_path / "prometheus.yml"
        file.write_text(text, encoding="utf-8")
        promtool.accepts("check", "config", "--agent", "--syntax-only", file)

    def test_of_alertmanager(self, tmp_path: Path) -> None:
        """
        For every receiver without HTTP settings of its own.
        """
        assert FLEET.alertmanager
        file = tmp_path / "alertmanager.yml"
        file.write_text(alertmanager_config(FLEET.alertmanager, proxied=True), encoding="utf-8")

        subprocess.run([tool("amtool"), "check-config", str(file)], check=True, capture_output=True)

    def test_of_blackbox_exporter(self, tmp_path: Path) -> None:
        """
        For probes by HTTP.
        """
        file = tmp_path / "blackbox.yml"
        file.write_text(blackbox_config(proxied=True), encoding="utf-8")

        command = [tool("blackbox_exporter"), f"--config.file={file}", "--config.check"]
        subprocess.run(command, check=True, capture_output=True)
