"""Locks that a killed `pulumi` leaves on the stacks of the lab; nobody would ever lift them."""

import json
import socket

import psutil

from .environment import backend


def lift_dead() -> list[str]:
    """Remove the locks whose process has ended, and name their stacks; a running update keeps its own."""
    lifted = []
    for file in sorted((backend() / ".pulumi" / "locks").rglob("*.json")):
        lock = json.loads(file.read_text())
        if lock["hostname"] == socket.gethostname() and not _is_engine(lock["pid"]):
            file.unlink()
            lifted.append(file.parent.name)
    return lifted


def _is_engine(pid: int) -> bool:
    try:
        return psutil.Process(pid).name().startswith("pulumi")
    except psutil.NoSuchProcess:
        return False
