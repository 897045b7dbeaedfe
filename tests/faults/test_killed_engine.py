"""An engine that is killed in the middle of what it does, and one plain command afterwards."""

from typing import Any

import pytest

from lab.kubectl import get
from tests.lab.clusters import Lab
from tests.lab.fleets import DEV, FLEET
from tests.lab.stack import eventually
from tests.lab.stacks import Stacks

pytestmark = pytest.mark.faults
OBJECTS = 110
"""That the engine makes or takes away for the dev stack, at least."""


def volumes(lab: Lab) -> dict[tuple[str, str], Any]:
    """Cluster and name of every claim of ours -> its UID."""
    return {
        (cluster, item["metadata"]["name"]): item["metadata"]["uid"]
        for cluster in FLEET["clusters"]
        for item in get("persistentvolumeclaims", "-A", context=cluster, kubeconfig=lab.kubeconfig)["items"]
        if item["metadata"]["labels"].get("app.kubernetes.io/part-of") == "promfleet"
    }


def assert_nothing_goes(lab: Lab) -> None:
    """No namespace is being deleted, which a refresh would take for one that is there."""
    for cluster in FLEET["clusters"]:
        found = get("namespaces", context=cluster, kubeconfig=lab.kubeconfig)["items"]
        assert [item["metadata"]["name"] for item in found if item["status"]["phase"] != "Active"] == []


class TestUp:
    @pytest.mark.parametrize("share", [0.03, 0.4, 0.7, 0.95])
    def test_that_was_killed_is_healed_by_another(self, lab: Lab, stacks: Stacks, share: float) -> None:
        """
        Nothing that was made is made again, and the state knows all of it: a preview has no changes, destroy all.
        """
        stacks.deploy({})
        stack = stacks.write("dev", DEV)

        stack.kill("up", after=int(share * OBJECTS))
        made = volumes(lab)
        stacks.deploy({"dev": DEV})

        assert made.items() <= volumes(lab).items()
        assert "unchanged" in stack.pulumi("preview", "--expect-no-changes")
        stacks.deploy({})
        assert lab.left() == {}


class TestChange:
    @pytest.mark.parametrize("after", [1, 4])
    def test_that_was_killed_is_healed_by_another(self, lab: Lab, stacks: Stacks, after: int) -> None:
        """
        Bound volumes stay what they are.
        """
        stacks.deploy({"dev": DEV})
        made = volumes(lab)
        assert made
        stack = stacks.write("dev", DEV.changed({"scrape": {"interval": "20s"}, "hub": {"retention": "5d"}}))

        stack.kill("up", after=after)
        stack.up()

        assert "unchanged" in stack.pulumi("preview", "--expect-no-changes")
        assert volumes(lab) == made


class TestDestroy:
    @pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
    def test_that_was_killed_is_ended_by_another(self, lab: Lab, stacks: Stacks, share: float) -> None:
        """
        Nothing of ours is left.
        """
        stacks.deploy({"dev": DEV})
        stack = stacks.write("dev", DEV)

        stack.kill("destroy", after=int(share * OBJECTS))
        stack.destroy()

        assert lab.left() == {}

    @pytest.mark.parametrize("share", [0.05, 0.5])
    def test_that_was_killed_can_be_taken_back(self, lab: Lab, stacks: Stacks, share: float) -> None:
        """
        What was being deleted is in the state and in no cluster, unless the state is refreshed.
        """
        stacks.deploy({"dev": DEV})
        stack = stacks.write("dev", DEV)
        stack.kill("destroy", after=int(share * OBJECTS))

        eventually(lambda: assert_nothing_goes(lab), 120)
        stack.pulumi("up", "--yes", "--skip-preview", "--refresh")

        assert "unchanged" in stack.pulumi("preview", "--refresh", "--expect-no-changes")
        stacks.deploy({"dev": DEV})
