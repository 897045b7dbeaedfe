"""What keeps a fleet from being destroyed, and what is left when it is."""

import pytest

from .clusters import Lab
from .fleets import AGENTS_STACK, FLEET, HUB_STACK, WITH_THANOS, StackFile
from .stacks import StackFiles, Stacks

pytestmark = pytest.mark.lab


@pytest.fixture
def standing(stacks: Stacks, whole: StackFiles) -> Stacks:
    """Both stacks with Thanos, as the test before left them."""
    if not stacks.stand(HUB_STACK, AGENTS_STACK):
        stacks.deploy(whole)
    return stacks


@pytest.mark.long
class TestProtection:
    def test_a_bucket_is_kept_until_its_protection_is_lifted(self, standing: Stacks) -> None:
        """
        Who takes Thanos out of the stack file is told so before anything is taken away.
        """
        without = {section: value for section, value in WITH_THANOS.items() if section != "thanos"}
        without |= {"clusters": {"hub": FLEET["clusters"]["hub"]}, "hub": {**WITH_THANOS["hub"], "replicas": 1}}

        said = standing.write(HUB_STACK, StackFile(without)).pulumi("up", "--yes", fails=True)

        assert "gcp:storage/bucket:Bucket" in said
        assert "cannot be deleted" in said
        assert "protect" in said
        assert "deleted (" not in said


class TestDestroy:
    def test_leaves_nothing_in_any_cluster(self, lab: Lab, standing: Stacks) -> None:
        """
        Neither namespaced nor cluster-wide objects stay, and what was there before does, also if the engine is killed.
        """
        standing.stacks[AGENTS_STACK].kill("destroy", after=20)
        standing.deploy({})

        assert lab.left() == {}
        for cluster in FLEET["clusters"]:
            lab.kubectl(cluster, "-n", "promfleet", "get", "configmap", "hub-ca")
