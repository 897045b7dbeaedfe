"""What a user reads when a cluster is away or an image does not start."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.clusters import Lab
from tests.lab.fleets import FLEET, StackFile
from tests.lab.stack import Stack
from tests.lab.stacks import Stacks

pytestmark = pytest.mark.faults
LIMIT = 300
"""Seconds after which an update must have failed."""
Update = Callable[[dict[str, Any]], str]


@pytest.fixture
def update(deployed: Stack, stacks: Stacks, notifying: StackFile) -> Iterator[Update]:
    """Update to a fleet that can't be had; return pulumi's words. Afterwards the fleet is whole again."""

    def fail(changes: dict[str, Any]) -> str:
        began = time.monotonic()
        said = stacks.write("dev", notifying.changed(changes)).up(fails=True)
        assert time.monotonic() - began < LIMIT
        return said

    yield fail
    [whole] = stacks.deploy({"dev": notifying})
    whole.pulumi("preview", "--expect-no-changes")


def unreachable(lab: Lab, path: Path, cluster: str) -> Path:
    """Write a kubeconfig that leads to an address of the lab's network where nobody is."""
    config = yaml.safe_load(lab.kubeconfig.read_text())
    for one in config["clusters"]:
        one["cluster"]["server"] = f"https://{lab.node_address(cluster).rpartition('.')[0]}.250:6443"
    path.write_text(yaml.safe_dump(config))
    return path


class TestUnreachableCluster:
    def test_is_named_and_the_others_stay(self, lab: Lab, deployed: Stack, update: Update, tmp_path: Path) -> None:
        """
        The message names the cluster, and nothing of the other clusters leaves the state.
        """
        before = {cluster: deployed.objects(cluster) for cluster in FLEET["clusters"]}
        away = {"kubeconfig": str(unreachable(lab, tmp_path / "away.kubeconfig", "us1")), "issuer": lab.issuer("us1")}

        said = update({"clusters": {"us1": away}, "scrape": {"interval": "20s"}})

        assert "us1" in said
        assert "unreachable" in said
        assert {cluster: deployed.objects(cluster) for cluster in FLEET["clusters"]} == before

    def test_whose_issuer_is_not_known_ends_it_before_anything_changes(
        self, lab: Lab, deployed: Stack, update: Update, tmp_path: Path
    ) -> None:
        """
        The message says what to write where the others are not to wait for it.
        """
        away = unreachable(lab, tmp_path / "away.kubeconfig", "us1")

        said = update({"clusters": {"us1": {"kubeconfig": str(away)}}})

        assert "clusters.us1: its API server did not say who signs the tokens of its pods: All connection" in said
        assert "Run this again when it does, or write clusters.us1.issuer" in said


class TestImageThatDoesNotStart:
    def test_is_named_with_its_cluster(self, lab: Lab, update: Update) -> None:
        """
        The update ends after the rollout's time-out with the reason that Kubernetes gives; the next one mends it.

        What has no state runs on meanwhile, with its former image.
        """
        images = {"kubeStateMetrics": "lab.local/never-built:1", "prometheus": "lab.local/never-built:2"}

        said = update({"rolloutTimeout": "45s", "images": images})

        for image in images.values():
            assert image in said
        assert "ImagePull" in said
        for cluster in FLEET["clusters"]:
            assert f"{cluster}-deployment" in said
            assert lab.ready_pods(cluster, "kube-state-metrics")
