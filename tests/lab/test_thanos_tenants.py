"""Receive: whose samples it takes, and under which name."""

import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from fleet.client import PrometheusClient
from lab.build import command

from .clusters import Lab
from .fleets import RECEIVE
from .stack import Stack, eventually

pytestmark = pytest.mark.lab
WRITE = httpx.URL(f"https://{RECEIVE['host']}:{RECEIVE['nodePort']}/api/v1/receive")


def tenant(cluster: str) -> str:
    """Name who comes through the auth proxy with a cluster's token."""
    return f"system:serviceaccount:promfleet:writer-{cluster}"


class TestTenants:
    def test_are_whose_token_it_was(self, query: PrometheusClient) -> None:
        """
        Each agent's samples carry its identity, the hub's own none.
        """

        def assert_tenants() -> None:
            found = query.query('count by (cluster, tenant_id) (up{job="kubelet"})')
            assert {(s.labels["cluster"], s.labels.get("tenant_id", "")) for s in found} == {
                ("hub", ""),
                ("eu1", tenant("eu1")),
                ("us1", tenant("us1")),
            }

        eventually(assert_tenants, 180)

    def test_can_not_be_chosen(self, lab: Lab, thanos: Stack, query: PrometheusClient, tmp_path: Path) -> None:
        """
        Who names another tenant in the header still writes as themselves.
        """
        config = tmp_path / "http.yml"
        token = thanos.outputs["writerTokens"]["eu1"]
        config.write_text(
            yaml.safe_dump({"authorization": {"credentials": token}, "tls_config": {"ca_file": str(lab.ca)}})
        )
        pushing = [command("promtool"), "push", "metrics", f"--http.config.file={config}", "--label=cluster=eu1"]
        pushing += [f"--header=THANOS-TENANT={tenant('us1')}", "--remote-write.path=/api/v1/receive"]
        where = f"https://{lab.node_address('hub')}:{RECEIVE['nodePort']}"

        subprocess.run([*pushing, where], input=b"forged_metric 1\n", check=True)

        def assert_own() -> None:
            assert {s.labels["tenant_id"] for s in query.query("forged_metric")} == {tenant("eu1")}

        eventually(assert_own, 60)

    def test_can_not_be_dropped(self, lab: Lab, thanos: Stack, query: PrometheusClient) -> None:
        """
        Who has the header taken away on the way writes as themselves: Envoy adds it after that.
        """
        token = thanos.outputs["writerTokens"]["eu1"]

        assert lab.write(WRITE, token, "dropped_metric", Connection="THANOS-TENANT") == 200

        def assert_stored() -> None:
            assert {s.labels["tenant_id"] for s in query.query("dropped_metric")} == {tenant("eu1")}

        eventually(assert_stored, 60)
        assert query.query('count({tenant_id="default-tenant"})') == []
