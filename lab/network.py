"""
The wire between the nodes: a bridge in a network namespace of its own, and one end of a cable on the machine.

Nothing is forwarded to or from the outside, and the machine's own packet filter is neither asked nor changed.
All of it goes away with the process that holds the namespace.
"""

import os

import psutil

from .cluster import WIRE, Cluster, state
from .gcp import metadata
from .node import HOLD, LabError, find, hold, inside, run, wait

INTERFACE = "promfleet0"


def wire_holder() -> list[str]:
    """Give the command that holds the bridge's namespace; the last two arguments only name whose it is."""
    return [*HOLD, "sh", "-c", "while :; do sleep 3600; done", "wire", str(state())]


def wire() -> psutil.Process:
    """Lay the wire unless it lies, and give the process in the bridge's namespace."""
    if not find(wire_holder()):
        # The kernel takes a moment to clear away what a holder that has just ended had.
        stayed = f"{INTERFACE} is another lab's; run `fleet lab down` with its PROMFLEET_LAB: it did not go away"
        wait(lambda: not _exists(INTERFACE), stayed, seconds=5)
    process = hold(wire_holder(), state() / "wire.log")
    if not _exists("wire", process):
        run(inside(process, "ip", "link", "add", "wire", "type", "bridge"))
    run(inside(process, "ip", "link", "set", "wire", "up"))
    if not _exists(INTERFACE):
        _cable(process, "machine", INTERFACE, os.getpid())
    run(inside(process, "ip", "link", "set", "machine", "master", "wire", "up"))
    run(["ip", "address", "replace", f"{WIRE[1]}/{WIRE.prefixlen}", "dev", INTERFACE])
    run(["ip", "link", "set", INTERFACE, "up"])
    return process


def plug(cluster: Cluster, node: psutil.Process, bridge: psutil.Process) -> None:
    """Connect a node to the wire unless it is."""
    if not _exists("eth0", node):
        _cable(bridge, cluster.name, "eth0", node.pid)
    run(inside(bridge, "ip", "link", "set", cluster.name, "master", "wire", "up"))
    run(inside(node, "ip", "address", "replace", f"{cluster.node}/{WIRE.prefixlen}", "dev", "eth0"))
    run(inside(node, "ip", "link", "set", "eth0", "up"))
    run(inside(node, "ip", "address", "replace", f"{metadata.ADDRESS}/32", "dev", "lo"))
    # Service addresses are routed before they are translated: without a default route there is no way to them.
    run(inside(node, "ip", "route", "replace", "default", "via", str(WIRE[1])))


def join(end: str, process: psutil.Process, address: str) -> None:
    """Connect the network of a process that is no node to the wire, which must lie; its cable goes with the process."""
    bridge = wire()
    _cable(bridge, end, "eth0", process.pid)
    run(inside(bridge, "ip", "link", "set", end, "master", "wire", "up"))
    run(inside(process, "ip", "address", "replace", f"{address}/{WIRE.prefixlen}", "dev", "eth0"))
    run(inside(process, "ip", "link", "set", "eth0", "up"))


def _cable(bridge: psutil.Process, end: str, other: str, there: int) -> None:
    """
    Lay a cable from the bridge to the network of a process, where its other end is missing.

    An end that is here all the same is of a cable before: one to a node that died, which the kernel takes a moment to
    clear away, or to a network namespace from which `up` was run before this one.
    """
    if _exists(end, bridge):
        run(inside(bridge, "ip", "link", "delete", end))
    run(inside(bridge, "ip", "link", "add", end, "type", "veth", "peer", "name", other, "netns", str(there)))


def _exists(interface: str, where: psutil.Process | None = None) -> bool:
    command = ["ip", "link", "show", interface]
    try:
        run(inside(where, *command) if where else command)
    except LabError:
        return False
    return True
