"""
The wire between the nodes: a bridge in a network namespace of its own, and a veth pair from it to the machine.

Nothing is forwarded to or from the outside, and the machine's own packet filter is neither asked nor changed.
All of it goes away with the process that holds the namespace.
"""

import os

import psutil

from .cluster import WIRE, Cluster, state
from .gcp import metadata
from .node import HOLD, LabError, find, hold, in_network, run, wait

INTERFACE = "promfleet0"


def wire_holder() -> list[str]:
    """Give the command that holds the bridge's namespace; the last two arguments only name whose it is."""
    return [*HOLD, "sh", "-c", "while :; do sleep 3600; done", "wire", str(state())]


def wire() -> psutil.Process:
    """Make the bridge unless it is there, and give the process in its namespace."""
    if not find(wire_holder()):
        # The kernel takes a moment to clear away what a holder that has just ended had.
        stayed = f"{INTERFACE} is another lab's; run `fleet lab down` with its PROMFLEET_LAB: it did not go away"
        wait(lambda: not _exists(INTERFACE), stayed, seconds=5)
    process = hold(wire_holder(), state() / "wire.log")
    if not _exists("wire", process):
        run(in_network(process, "ip", "link", "add", "wire", "type", "bridge"))
    run(in_network(process, "ip", "link", "set", "wire", "up"))
    if not _exists(INTERFACE):
        _veth_pair(process, "machine", INTERFACE, os.getpid())
    run(in_network(process, "ip", "link", "set", "machine", "master", "wire", "up"))
    run(["ip", "address", "replace", f"{WIRE[1]}/{WIRE.prefixlen}", "dev", INTERFACE])
    run(["ip", "link", "set", INTERFACE, "up"])
    return process


def plug(cluster: Cluster, node: psutil.Process, bridge: psutil.Process) -> None:
    """Connect a node to the bridge unless it is connected."""
    if not _exists("eth0", node):
        _veth_pair(bridge, cluster.name, "eth0", node.pid)
    run(in_network(bridge, "ip", "link", "set", cluster.name, "master", "wire", "up"))
    run(in_network(node, "ip", "address", "replace", f"{cluster.node}/{WIRE.prefixlen}", "dev", "eth0"))
    run(in_network(node, "ip", "link", "set", "eth0", "up"))
    run(in_network(node, "ip", "address", "replace", f"{metadata.ADDRESS}/32", "dev", "lo"))
    # Service addresses are routed before they are translated: without a default route there is no way to them.
    run(in_network(node, "ip", "route", "replace", "default", "via", str(WIRE[1])))


def join(end: str, process: psutil.Process, address: str) -> None:
    """Connect the network of a process that is no node to the bridge; the veth pair goes away with the process."""
    bridge = wire()
    _veth_pair(bridge, end, "eth0", process.pid)
    run(in_network(bridge, "ip", "link", "set", end, "master", "wire", "up"))
    run(in_network(process, "ip", "address", "replace", f"{address}/{WIRE.prefixlen}", "dev", "eth0"))
    run(in_network(process, "ip", "link", "set", "eth0", "up"))


def _veth_pair(bridge: psutil.Process, end: str, other: str, there: int) -> None:
    """
    Make a veth pair from the bridge to the network of a process that has no end of one yet.

    An end that the bridge has all the same is of an earlier pair: one to a node that died, which the kernel takes a
    moment to clear away, or to a network namespace from which `up` was run before this one.
    """
    if _exists(end, bridge):
        run(in_network(bridge, "ip", "link", "delete", end))
    run(in_network(bridge, "ip", "link", "add", end, "type", "veth", "peer", "name", other, "netns", str(there)))


def _exists(interface: str, where: psutil.Process | None = None) -> bool:
    command = ["ip", "link", "show", interface]
    try:
        run(in_network(where, *command) if where else command)
    except LabError:
        return False
    return True
