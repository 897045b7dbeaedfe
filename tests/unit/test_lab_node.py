import os
import subprocess
import sys

import psutil
import pytest

from lab.cluster import Cluster
from lab.node import LabError, find, node_holder, run, tail, wait
from lab.tools import FOR_TESTS, PACKAGES, missing, packages


@pytest.fixture
def sleeper():
    """Run a process with a command line that nothing else has."""
    command = [sys.executable, "-c", "import time; time.sleep(60)", f"promfleet-test-{os.getpid()}"]
    process = subprocess.Popen(command)
    yield process, command
    process.kill()
    process.wait()


class TestFind:
    def test_a_process_is_found_by_its_exact_command(self, sleeper):
        """
        Who runs just this command is the one that was started.
        """
        process, command = sleeper
        wait(lambda: psutil.Process(process.pid).cmdline() == command, "it did not start", seconds=5)

        found = find(command)

        assert found is not None
        assert process.pid == found.pid

    def test_a_process_with_one_more_argument_is_someone_else_s(self, sleeper):
        """
        A process that only looks alike is never taken for ours, and so never ended.
        """
        _, command = sleeper

        assert find([*command, "x"]) is None
        assert find(command[:-1]) is None

    def test_two_labs_have_two_holders(self, tmp_path):
        """
        The command line names the lab's folder: another lab's node is not ours.
        """
        one, other = Cluster("hub", 1, tmp_path / "a" / "hub"), Cluster("hub", 1, tmp_path / "b" / "hub")

        assert node_holder(one) != node_holder(other)


class TestRun:
    def test_a_failure_names_the_command_and_its_output(self):
        """
        An error says what was run and what it said.
        """
        with pytest.raises(LabError, match=r"`sh -c echo no >&2; exit 3` failed with 3: no"):
            run(["sh", "-c", "echo no >&2; exit 3"])


class TestWait:
    def test_a_timeout_shows_the_end_of_the_log(self, tmp_path):
        """
        The reader sees why without looking for the log.
        """
        log = tmp_path / "etcd.log"
        log.write_text("fine\nno space left\n")

        with pytest.raises(LabError, match=r"etcd is not ready within 0 s; the end of (.|\n)*no space left"):
            wait(lambda: None, "etcd is not ready", log, seconds=0)

    def test_a_log_that_is_not_there_is_not_missed(self, tmp_path):
        """
        No log, no words about it.
        """
        assert tail(tmp_path / "nothing.log") == ""


class TestMissing:
    def test_the_command_that_mends_it_names_each_package_once(self):
        """
        Two tools of one package are one package.
        """
        said = missing(["nsenter", "unshare", "nft"])

        assert said.endswith("run `apt-get install -y nftables util-linux`")

    def test_a_browser_is_for_tests_alone(self):
        """
        `fleet lab up` does not ask for it.
        """
        assert {"chromium", "chromium-driver"} <= set(packages(FOR_TESTS).split())
        assert not FOR_TESTS.keys() & PACKAGES.keys()
