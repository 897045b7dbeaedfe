"""Locks: a killed update must not keep the next one out, a running one must; the lab is changed by one at a time."""

import json
import shutil
import socket
import subprocess
import threading

import pytest

from lab.environment import backend
from lab.locks import alone, lift_dead


@pytest.fixture
def lock(monkeypatch, tmp_path):
    """Write a lock as the engine does, and return its file."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path / "lab"))

    def write(pid, hostname=None):
        file = backend() / ".pulumi/locks/organization/promfleet/dev/1f0c.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"pid": pid, "hostname": hostname or socket.gethostname(), "username": "root"}))
        return file

    return write


@pytest.fixture
def engine_process(tmp_path):
    """A process with the engine's name."""
    program = shutil.copy("/bin/sleep", tmp_path / "pulumi")
    process = subprocess.Popen([program, "60"])
    yield process
    process.kill()
    process.wait()


def ended():
    """Give the number of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_killed_updates_lock_is_lifted(lock):
    """
    The stack is named, and its lock is gone.
    """
    file = lock(ended())

    assert lift_dead() == ["dev"]
    assert not file.exists()


def test_a_running_updates_lock_stays(lock, engine_process):
    """
    Two updates of one stack at once would each undo the other.
    """
    file = lock(engine_process.pid)

    assert lift_dead() == []
    assert file.exists()


def test_a_lock_of_another_machine_stays(lock):
    """
    Whether a process of another machine lives can't be known here.
    """
    file = lock(ended(), "elsewhere")

    assert lift_dead() == []
    assert file.exists()


def test_without_a_state_there_is_nothing_to_lift(monkeypatch, tmp_path):
    """
    The very first `fleet lab up` has no folder of locks.
    """
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path))

    assert lift_dead() == []


class TestAlone:
    def test_the_lab_is_changed_by_one_at_a_time(self, monkeypatch, tmp_path):
        """
        Two `up` at once would lay each cable twice; the second waits, says so, and finds what the first has made.
        """
        monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path / "state" / "lab"))
        said, entered, told = [], threading.Event(), threading.Event()

        def report(name, step):
            said.append(f"{name}: {step}")
            told.set()

        def enter():
            with alone(report):
                entered.set()

        with alone(report):
            second = threading.Thread(target=enter)
            second.start()
            assert told.wait(10)
            assert not entered.is_set()
        second.join(10)

        assert entered.is_set()
        assert said == ["lab: waiting for another `fleet lab` to end"]
        assert list((tmp_path / "state").iterdir()) == []
