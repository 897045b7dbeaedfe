"""Who may change the lab, and locks that a killed `pulumi` leaves on its stacks; nobody would ever lift them."""

import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager

import psutil

from .cluster import state
from .environment import backend
from .progress import Progress


@contextmanager
def alone(report: Progress) -> Generator[None]:
    """
    Wait while another process brings the lab up or takes it away, which would be done twice or by halves.

    It is the folder around the lab that is locked: it stays, nothing is left in it, and the kernel lifts the lock with
    its process.
    """
    state().parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(state().parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("lab", "waiting for another `fleet lab` to end")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


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
