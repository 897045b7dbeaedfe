import json
from pathlib import Path

import pytest

from lab import build
from lab.binaries import Binary

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

    def lines(staging):
        binary = Binary(module="k8s.io/kubernetes", version="v1.36.3", commands={"kube": ""}, staging=staging)
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
