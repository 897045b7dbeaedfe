from types import SimpleNamespace
from typing import Any

import pytest

from lab import network
from lab.cluster import Cluster
from lab.network import INTERFACE
from lab.node import LabError, wait

MACHINE, BRIDGE, NODE = 0, 11, 12


class Links:
    """The interfaces of some network namespaces, as `ip link` changes them: an end goes with the other one."""

    def __init__(self):
        self.there = {MACHINE: {}, BRIDGE: {}, NODE: {}}
        """Process -> name of an interface -> the process that its other end is with, and the other end's name."""

    def run(self, command):
        where = int(command[2]) if command[0] == "nsenter" else MACHINE
        match command[command.index("ip") + 1 :]:
            case ["link", "show", name]:
                if name not in self.there[where]:
                    raise LabError(f"Device {name} does not exist.")
            case ["link", "add", name, "type", "veth", "peer", "name", other, "netns", process]:
                self.add(where, name, int(process), other)
            case ["link", "add", name, "type", "bridge"]:
                self.there[where][name] = None
            case ["link", "delete", name]:
                process, other = self.there[where].pop(name)
                self.there.get(process, {}).pop(other, None)
            case ["link", "set", name, *_] | ["address", "replace", _, "dev", name]:
                assert name == "lo" or name in self.there[where]

    def add(self, where, name, process, other):
        if name in self.there[where] or other in self.there.get(process, {}):
            raise LabError("RTNETLINK answers: File exists")
        self.there[where][name] = (process, other)
        self.there.setdefault(process, {})[other] = (where, name)


def process(pid) -> Any:
    return SimpleNamespace(pid=pid)


@pytest.fixture
def links(monkeypatch, tmp_path):
    """The network of a lab whose bridge is held, and where the machine is this process."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path))
    links = Links()
    holder = process(BRIDGE)
    monkeypatch.setattr(network, "run", links.run)
    monkeypatch.setattr(network, "find", lambda command: holder)
    monkeypatch.setattr(network, "hold", lambda command, log: holder)
    monkeypatch.setattr(network.os, "getpid", lambda: MACHINE)
    return links


class TestWire:
    def test_is_laid_once(self, links):
        """
        Whoever brings up what runs lays nothing anew.
        """
        network.wire()
        laid = {process: dict(there) for process, there in links.there.items()}

        network.wire()

        assert links.there == laid
        assert laid[MACHINE] == {INTERFACE: (BRIDGE, "machine")}

    def test_heals_a_cable_that_leads_elsewhere(self, links):
        """
        An `up` from another network namespace has left one end here, which the kernel would not give a second time.
        """
        links.add(BRIDGE, "machine", 99, INTERFACE)

        network.wire()

        assert links.there[MACHINE] == {INTERFACE: (BRIDGE, "machine")}

    def test_waits_for_what_an_ended_lab_has_left(self, links, monkeypatch):
        """
        The kernel clears a namespace away after its last process.
        """
        holder, looks = network.find([]), iter([1, 2])
        monkeypatch.setattr(network, "find", lambda command: None)
        links.there[MACHINE][INTERFACE] = (99, "machine")

        def run(command):
            if command[-2:] == ["show", INTERFACE] and next(looks, None) is None:
                links.there[MACHINE].pop(INTERFACE, None)
            return links.run(command)

        monkeypatch.setattr(network, "run", run)

        assert network.wire() is holder
        assert links.there[MACHINE] == {INTERFACE: (BRIDGE, "machine")}

    def test_leaves_another_lab_alone(self, links, monkeypatch):
        """
        Its interface stays, and the message says what to do.
        """
        monkeypatch.setattr(network, "find", lambda command: None)
        monkeypatch.setattr(network, "wait", lambda probe, failure, seconds: wait(probe, failure, seconds=0))
        links.there[MACHINE][INTERFACE] = (99, "machine")

        with pytest.raises(LabError, match="run `fleet lab down` with its PROMFLEET_LAB"):
            network.wire()


class TestPlug:
    def test_heals_what_a_dead_node_has_left(self, links, tmp_path):
        """
        The kernel takes a moment to clear its end away.
        """
        links.add(BRIDGE, "eu1", 99, "eth0")
        bridge = network.wire()

        network.plug(Cluster("eu1", 2, tmp_path), process(NODE), bridge)

        assert links.there[NODE] == {"eth0": (BRIDGE, "eu1")}
