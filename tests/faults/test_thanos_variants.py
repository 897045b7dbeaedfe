"""Rulers that keep nothing, a bucket that is divided among Stores, and agents that all write with tokens of the hub."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab import fleets
from tests.lab.clusters import Lab
from tests.lab.fleets import REPLICAS
from tests.lab.stack import Stack, eventually
from tests.lab.stacks import Stacks
from tests.lab.test_thanos_tenants import WRITE, tenant

pytestmark = pytest.mark.faults


@pytest.fixture
def varied(stacks: Stacks, endpoint: Mapping[str, Any]) -> Stack:
    changes = {
        "query": {"endpoints": [endpoint]},
        "ruler": {"results": "receive", "replicas": REPLICAS},
        "store": {"shards": 2, "splitAt": "30d"},
    }
    return stacks.deploy(fleets.two_stacks(changes))[0]


class TestVariant:
    def test_shows_no_changes_afterwards(self, varied: Stack) -> None:
        """
        It is at rest after one `pulumi up`.
        """
        assert "unchanged" in varied.pulumi("preview", "--expect-no-changes")

    def test_every_store_is_scraped(self, varied: Stack, stacks: Stacks) -> None:
        """
        Two shards of the younger blocks, and two of the older ones.
        """

        def assert_up() -> None:
            with stacks.open_prometheus(varied) as query:
                assert [s.value for s in query.query('sum(up{job="thanos-store"})')] == [4]

        eventually(assert_up, 240)

    def test_stateless_rulers_write_to_receive(self, varied: Stack, stacks: Stacks) -> None:
        """
        What two Rulers recorded is one series, under a tenant of their own.
        """

        def assert_written() -> None:
            with stacks.open_prometheus(varied) as query:
                found = query.query('promfleet_thanos_replicas_expected{tenant_id!=""}')
            assert [(s.labels["tenant_id"], s.value) for s in found] == [
                ("system:serviceaccount:promfleet:thanos-ruler", REPLICAS)
            ]

        eventually(assert_written, 180)

    def test_no_writer_can_drop_its_tenant(self, lab: Lab, varied: Stack, stacks: Stacks) -> None:
        """
        kube-rbac-proxy lets the header be taken away; who has none is refused with an error that is tried again.
        """
        token = varied.outputs["writerTokens"]["eu1"]

        assert lab.write(WRITE, token, "nameless_metric", Connection="THANOS-TENANT") == 500
        assert lab.write(WRITE, token, "named_metric") == 200

        with stacks.open_prometheus(varied) as query:

            def assert_stored() -> None:
                assert {s.labels["tenant_id"] for s in query.query("named_metric")} == {tenant("eu1")}

            eventually(assert_stored, 60)
            assert query.query("nameless_metric") == []
            assert query.query('count({tenant_id="default-tenant"})') == []
