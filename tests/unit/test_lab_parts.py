from pathlib import Path

import pytest

from lab.binaries import BINARIES
from lab.images import AUTHORITY, IMAGES
from lab.links import needed
from lab.node import LabError
from lab.parts import PARTS, chosen, remember, wanted
from settings import from_file
from stacks import deploy
from tests.unit.conftest import Engine
from tests.unit.shipped import known

ROOT = Path(__file__).parents[2]
NOT_BUILT = ("busybox", AUTHORITY)


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """A lab of nothing but its folder."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def dev(kubeconfig):
    """The dev stack, deployed once; tests only read it."""
    return Engine().deploy(lambda: deploy(known(from_file(ROOT / "Pulumi.dev.yaml"))))


def images(value):
    """Every image within what was deployed."""
    if isinstance(value, dict):
        own = {value["image"]} if isinstance(value.get("image"), str) else set()
        return own.union(*map(images, value.values()))
    return set().union(*map(images, value)) if isinstance(value, list) else set()


class TestRows:
    @pytest.mark.parametrize("rows", [BINARIES, IMAGES], ids=["binaries", "images"])
    def test_a_row_belongs_to_a_part_that_there_is(self, rows):
        """
        Nobody could ask for any other.
        """
        assert {row.part for row in rows} <= {"", *PARTS}

    @pytest.mark.parametrize("part", ["", *PARTS])
    def test_the_parts_of_an_image_are_built_before_it(self, part):
        """
        An image is of the same part as its programs, or its programs are every lab's.
        """
        commands = {command for binary in chosen(BINARIES, [part]) for command in binary.commands}
        inside = {command for image in chosen(IMAGES, [part]) for command in image.files.values()}

        assert inside.difference(NOT_BUILT) <= commands

    def test_every_lab_has_the_images_of_the_dev_stack_and_its_own(self, dev):
        """
        So `make up` builds what it deploys, and nothing else.
        """
        deployed = set().union(*(images(resource.inputs) for resource in dev.resources))

        assert {image.reference for image in chosen(IMAGES, []) if not image.reference.startswith("lab.local/")} == (
            deployed
        )


class TestNeeded:
    def test_thanos_is_built_for_who_asks_for_it(self):
        """
        With its object store.
        """
        names = [binary.name for binary in needed(["thanos"]) if binary not in needed()]

        assert names == ["thanos", "fake-gcs-server"]

    def test_the_operator_is_too(self):
        """
        Beside the reloader of the same module, which every lab has for Alertmanager.
        """
        added = [binary.name for binary in needed(["operator"]) if binary not in needed()]

        assert added == ["operator", "admission-webhook"]


class TestWanted:
    def test_a_new_lab_has_what_is_asked_for(self, lab):
        """
        Which is nothing, unless it is said.
        """
        assert (wanted([]), wanted(["thanos"])) == (set(), {"thanos"})

    def test_a_lab_keeps_its_parts(self, lab):
        """
        `fleet lab up` mends them too when it is run without naming them again.
        """
        remember(["thanos"])

        assert wanted([]) == {"thanos"}

    def test_a_part_that_there_is_not(self, lab):
        """
        The message names those that there are.
        """
        with pytest.raises(LabError, match="the lab has no part tanos; its parts: java, operator, upgrade, thanos"):
            wanted(["tanos"])
