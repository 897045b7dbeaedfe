import json
from dataclasses import replace
from pathlib import Path

import pytest

from lab import build
from lab.binaries import BINARIES, Binary

UPSTREAM = {
    "Go": "1.25.0",
    "Replace": [
        {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
        {"Old": {"Path": "a.example/b", "Version": "v1.0.0"}, "New": {"Path": "c.example/b", "Version": "v1.0.1"}},
    ],
}


@pytest.fixture
def go_mod(monkeypatch):
    """Give the lines of the throw-away module for a binary, without asking Go."""
    monkeypatch.setattr(build, "_go", lambda *_: json.dumps(UPSTREAM))

    def lines(staging, beside=""):
        binary = Binary(
            module="k8s.io/kubernetes", version="v1.36.3", commands={"kube": ""}, staging=staging, beside=beside
        )
        return build._go_mod(binary, Path("/go.mod")).splitlines()

    return lines


class TestGoMod:
    def test_replacements_are_kept(self, go_mod):
        """
        A fork that upstream builds with is built with here, for the version it names.
        """
        assert "replace a.example/b v1.0.0 => c.example/b v1.0.1" in go_mod("")

    def test_folders_become_published_versions(self, go_mod):
        """
        What upstream replaces by its own folders is taken under the version that is published.
        """
        assert "replace k8s.io/api => k8s.io/api v0.36.3" in go_mod("v0.36.3")

    def test_folders_without_a_version_are_left_out(self, go_mod):
        """
        A folder of upstream's repository can't be replaced by nothing.
        """
        assert not [line for line in go_mod("") if "k8s.io/api" in line]

    def test_the_module_is_required_in_its_version(self, go_mod):
        """
        The version that is listed is the version that is built.
        """
        assert go_mod("")[:3] == ["module build", "go 1.25.0", "require k8s.io/kubernetes v1.36.3"]

    def test_a_neighbour_is_required_too(self, go_mod):
        """
        Then Go selects for both the newest library that either asks for.
        """
        prometheus = next(binary for binary in BINARIES if binary.name == "prometheus")

        assert f"require {prometheus.module} {prometheus.version}" in go_mod("", beside="prometheus")


class TestRecipe:
    def test_a_neighbours_version_is_part_of_it(self, monkeypatch):
        """
        Libraries come with it.
        """
        neighbour = Binary(module="a.example/b", version="v1.0.0", commands={"b": ""})
        binary = Binary(module="c.example/d", version="v1.0.0", commands={"d": ""}, beside="b")
        recipes = set()
        for version in ("v1.0.0", "v1.1.0"):
            monkeypatch.setattr(build, "BINARIES", (replace(neighbour, version=version), binary))
            recipes.add(build._recipe(binary))

        assert len(recipes) == 2

    def test_every_neighbour_is_built_before(self):
        """
        Otherwise there is nothing yet to share.
        """
        names = [binary.name for binary in BINARIES]
        for binary in BINARIES:
            assert binary.beside in ["", *names[: names.index(binary.name)]]
