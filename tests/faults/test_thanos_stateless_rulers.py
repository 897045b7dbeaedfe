"""Rulers that keep nothing: what they record goes to Receive."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab import fleets
from tests.lab.fleets import REPLICAS
from tests.lab.stack import Stack, eventually
from tests.lab.stacks import Stacks

pytestmark = pytest.mark.faults


@pytest.fixture
def stateless(stacks: Stacks, endpoint: Mapping[str, Any]) -> Stack:
    changes = {"query": {"endpoints": [endpoint]}, "ruler": {"results": "receive", "replicas": REPLICAS}}
    return stacks.deploy(fleets.two_stacks(changes))[0]


class TestStatelessRulers:
    def test_show_no_changes_afterwards(self, stateless: Stack) -> None:
        """
        They are at rest after one `pulumi up`.
        """
        assert "unchanged" in stateless.pulumi("preview", "--expect-no-changes")

    def test_write_to_receive(self, stateless: Stack, stacks: Stacks) -> None:
        """
        What two Rulers recorded is one series, under a tenant of their own.
        """

        def assert_written() -> None:
            with stacks.open_hub(stateless) as query:
                found = query.query('promfleet_thanos_replicas_expected{tenant_id!=""}')
            assert [(s.labels["tenant_id"], s.value) for s in found] == [
                ("system:serviceaccount:promfleet:thanos-ruler", REPLICAS)
            ]

        eventually(assert_written, 180)
