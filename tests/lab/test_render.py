"""Rendered objects against those that the engine made of the same stack."""

from pathlib import Path
from typing import Any

import pytest

from .clusters import Lab
from .fleets import FLEET, StackFile
from .objects import by_place, files, kubectl, render
from .stack import Stack
from .stacks import Stacks

pytestmark = pytest.mark.lab
CLUSTERS = sorted(FLEET["clusters"])


@pytest.fixture
def deployed(lab: Lab, stacks: Stacks, notifying: StackFile) -> Stack:
    """The dev stack with the issuers that an update finds, since a render asks no cluster."""
    [stack] = stacks.deploy({"dev": lab.with_issuers(notifying)})
    return stack


@pytest.fixture
def rendered(deployed: Stack, tmp_path: Path) -> Path:
    return render(deployed, tmp_path / "rendered")


def part(written: Any, live: Any) -> Any:
    """Take what a written value speaks of out of a live one, to which the API server has added defaults."""
    if isinstance(written, dict) and isinstance(live, dict):
        return {key: part(value, live[key]) for key, value in written.items() if key in live}
    if isinstance(written, list) and isinstance(live, list) and len(written) == len(live):
        return [part(*pair) for pair in zip(written, live, strict=True)]
    return live


class TestRender:
    @pytest.mark.parametrize("cluster", CLUSTERS)
    def test_applying_it_would_change_nothing(self, lab: Lab, rendered: Path, cluster: str) -> None:
        """
        What the API server would make of the files is what the engine has made.
        """
        apply = ("apply", "--server-side", "--dry-run=server", "--field-manager=render")

        applied = kubectl(lab, cluster, rendered / cluster, *apply)

        assert applied.keys() == files(rendered / cluster).keys()
        assert applied == kubectl(lab, cluster, rendered / cluster, "get")

    @pytest.mark.parametrize("cluster", CLUSTERS)
    def test_live_objects_have_all_of_it(self, lab: Lab, rendered: Path, cluster: str) -> None:
        """
        Every value stands in the cluster as it is written.
        """
        live = kubectl(lab, cluster, rendered / cluster, "get")

        for place, written in files(rendered / cluster).items():
            assert part(written, live[place]) == written

    @pytest.mark.parametrize("cluster", CLUSTERS)
    def test_nothing_is_missing(self, deployed: Stack, rendered: Path, cluster: str) -> None:
        """
        Whatever the engine has made in a cluster is a file, or a Secret of which the README says what it holds.
        """
        made = by_place(one["inputs"] for one in deployed.resources(cluster) if not one.get("external"))

        missing = made.keys() - files(rendered / cluster).keys()

        assert files(rendered / cluster).keys() <= made.keys()
        readme = (rendered / "README.md").read_text()
        assert [place for place in missing if f"- {cluster}: Secret {'/'.join(place[1:])} with " not in readme] == []
