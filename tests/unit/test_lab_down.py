import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import down
from lab.gcp import objectstore


@pytest.fixture
def kubelet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder over which each node mounts its own."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path / "lab"))
    monkeypatch.setattr(down, "KUBELET", tmp_path / "kubelet")
    for folder in ("lab", "kubelet"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "kubelet"


def take_down() -> None:
    down.down(lambda name, step: None)


class TestDown:
    def test_leaves_nothing(self, kubelet: Path, tmp_path: Path) -> None:
        """
        Neither the lab's folder nor the one over which its nodes have mounted theirs.
        """
        take_down()

        assert not kubelet.exists()
        assert not (tmp_path / "lab").exists()

    def test_ends_plugins_of_engines_that_were_killed(self, kubelet: Path, tmp_path: Path) -> None:
        """
        They wait for their engine for ever.
        """
        plugin = tmp_path / "lab" / "path" / "pulumi-resource-kubernetes"
        plugin.parent.mkdir()
        plugin.symlink_to("/bin/sleep")
        process = subprocess.Popen([plugin, "60"])

        take_down()

        assert process.wait(10) == -signal.SIGKILL

    def test_leaves_another_lab_what_its_nodes_mount_over(
        self, kubelet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A folder that is removed takes mounts in other namespaces along.
        """
        monkeypatch.setattr(down, "mounts", lambda pid: set() if pid == os.getpid() else {kubelet})

        take_down()

        assert kubelet.exists()
        assert not (tmp_path / "lab").exists()


class TestObjectStore:
    def test_ends_what_another_checkout_started(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Its proxy runs with the interpreter of whoever started it.
        """
        own = ["-c", "import time; time.sleep(60)", str(tmp_path)]
        monkeypatch.setattr(objectstore, "commands", lambda: [["/of/this/checkout/python", *own]])
        process = subprocess.Popen([sys.executable, *own])

        objectstore.stop()

        assert process.wait(0) == -signal.SIGKILL


class TestMounts:
    def test_are_those_that_a_process_sees(self) -> None:
        """
        Each has /proc; who has ended sees nothing.
        """
        assert Path("/proc") in down.mounts(os.getpid())
        assert down.mounts(2**22 + 1) == set()
