"""What a user reads when a cluster is away, a kubeconfig is wrong or an image does not start."""

import copy
import time

import pytest
import yaml

from .stack import DEV, stack_file

pytestmark = pytest.mark.lab
FLEET = DEV["config"]["promfleet:fleet"]
LIMIT = 180
"""Seconds after which an update must have failed."""


@pytest.fixture
def broken(deployed, tmp_path):
    """Update to a fleet that can't be had; return pulumi's words. Afterwards the dev stack is whole again."""
    original = deployed.config

    def update(edit):
        fleet = copy.deepcopy(FLEET)
        edit(fleet)
        deployed.config = stack_file(tmp_path / "Pulumi.broken.yaml", fleet)
        began = time.monotonic()
        said = deployed.up(fails=True)
        assert time.monotonic() - began < LIMIT
        return said

    yield update
    deployed.config = original
    deployed.up()
    deployed.pulumi("preview", "--expect-no-changes")


def unreachable(lab, path, cluster):
    """Write a kubeconfig that leads to an address of the lab's network where nobody is."""
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for one in config["clusters"]:
        one["cluster"]["server"] = f"https://{lab.node_address(cluster).rpartition('.')[0]}.250:6443"
    path.write_text(yaml.safe_dump(config))
    return path


class TestKilledUpdate:
    @pytest.mark.parametrize("cluster", FLEET["clusters"])
    def test_could_create_everything_again(self, lab, deployed, cluster):
        """
        What an update that was killed has left, which no state knows, does not stand in the next one's way.
        """
        lab.create_again(cluster, deployed)


class TestUnreachableCluster:
    def test_is_named_and_the_others_stay(self, lab, deployed, broken, tmp_path):
        """
        The message names the cluster, and nothing of the other clusters leaves the state.
        """
        before = {cluster: deployed.objects(cluster) for cluster in FLEET["clusters"]}
        away = unreachable(lab, tmp_path / "away.kubeconfig", "us1")

        def edit(fleet):
            fleet["clusters"]["us1"]["kubeconfig"] = str(away)
            fleet["scrape"]["interval"] = "20s"

        said = broken(edit)

        assert "us1" in said
        assert "unreachable" in said
        assert {cluster: deployed.objects(cluster) for cluster in FLEET["clusters"]} == before


class TestWrongKubeconfig:
    def test_a_context_that_does_not_exist_is_refused_before_anything(self, broken):
        """
        The message names the place in the stack file, the contexts that exist and what to do.
        """
        said = broken(lambda fleet: fleet["clusters"]["us1"].update(context="us9"))

        assert 'clusters.us1.context: "us9" is in no kubeconfig' in said
        assert "eu1, hub, us1" in said
        assert "Traceback" not in said

    def test_a_file_that_is_no_kubeconfig_is_named(self, broken, tmp_path):
        """
        The message names the file.
        """
        wrong = tmp_path / "kubeconfig"
        wrong.write_text("- this\n- is a list\n")

        said = broken(lambda fleet: fleet["clusters"]["us1"].update(kubeconfig=str(wrong)))

        assert f"clusters.us1: {wrong} is not a kubeconfig" in said
        assert "Traceback" not in said


class TestImageThatDoesNotStart:
    @pytest.mark.parametrize("component", ["kubeStateMetrics", "prometheus"])
    def test_is_named_with_its_cluster(self, broken, component):
        """
        The update ends after the rollout's time-out with the reason that Kubernetes gives; the next one mends it.
        """
        image = "lab.local/never-built:1"

        def edit(fleet):
            fleet["rolloutTimeout"] = "45s"
            fleet["images"] = {component: image}

        said = broken(edit)

        assert image in said
        assert "ImagePull" in said
        assert any(f"{cluster}-statefulset" in said for cluster in FLEET["clusters"])
