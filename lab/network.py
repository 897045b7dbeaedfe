"""
The wire between the nodes: a bridge in a network namespace of its own, and one end of a cable on the machine.

Nothing is forwarded to or from the outside, and the machine's own packet filter is neither asked nor changed.
All of it goes away with the process that holds the namespace.
"""

import os

import psutil

from . import metadata
from .cluster import WIRE, Cluster, state
from .node import HOLD, LabError, find, hold, inside, run

INTERFACE = "promfleet0"


def wire_holder() -> list[str]:
    """Give the command that holds the bridge's namespace; the last two arguments only name whose it is."""
    return [*HOLD, "sh", "-c", "while :; do sleep 3600; done", "wire", str(state())]


def wire() -> psutil.Process:
    """Lay the wire unless it lies, and give the process in the bridge's namespace."""
    if not find(wire_holder()) and _exists(INTERFACE):
        raise LabError(
            f"the interface {INTERFACE} belongs to another lab; run its `fleet lab down` (with its PROMFLEET_LAB) first"
        )
    process = hold(wire_holder(), state() / "wire.log")
    if not _exists("wire", process):
        run(inside(process, "ip", "link", "add", "wire", "type", "bridge"))
    run(inside(process, "ip", "link", "set", "wire", "up"))
    if not _exists(INTERFACE):
        run(
            inside(
                process,
                "ip",
                "link",
                "add",
                "machine",
                "type",
                "veth",
                "peer",
                "name",
                INTERFACE,
                "netns",
                str(os.getpid()),
            )
        )
    run(inside(process, "ip", "link", "set", "machine", "master", "wire", "up"))
    run(["ip", "address", "replace", f"{WIRE[1]}/{WIRE.prefixlen}", "dev", INTERFACE])
    run(["ip", "link", "set", INTERFACE, "up"])
    return process


def plug(cluster: Cluster, node: psutil.Process, bridge: psutil.Process) -> None:
    """Connect a node to the wire unless it is."""
    if not _exists("eth0", node):
        if _exists(cluster.name, bridge):  # the kernel takes a moment to clear away a dead node's end
            run(inside(bridge, "ip", "link", "delete", cluster.name))
        ends = (cluster.name, "type", "veth", "peer", "name", "eth0", "netns", str(node.pid))
        run(inside(bridge, "ip", "link", "add", *ends))
    run(inside(bridge, "ip", "link", "set", cluster.name, "master", "wire", "up"))
    run(inside(node, "ip", "address", "replace", f"{cluster.node}/{WIRE.prefixlen}", "dev", "eth0"))
    run(inside(node, "ip", "link", "set", "eth0", "up"))
    run(inside(node, "ip", "address", "replace", f"{metadata.ADDRESS}/32", "dev", "lo"))
    # Service addresses are routed before they are translated: without a default route there is no way to them.
    run(inside(node, "ip", "route", "replace", "default", "via", str(WIRE[1])))


def _exists(interface: str, where: psutil.Process | None = None) -> bool:
    command = ["ip", "link", "show", interface]
    try:
        run(inside(where, *command) if where else command)
    except LabError:
        return False
    return True
