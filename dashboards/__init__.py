"""Grafana dashboards as data, one a file, and the JSON that Grafana loads."""

from settings import Fleet

from . import render
from .fleet import FLEET
from .model import Board, queries, resolved
from .render import DATASOURCE

BOARDS: tuple[Board, ...] = (FLEET,)
"""Every board, in the order of the documentation."""

__all__ = ["BOARDS", "DATASOURCE", "Board", "files", "queries", "resolved"]


def files(fleet: Fleet) -> dict[str, str]:  # noqa: ARG001 — boards of what it lacks are left out soon
    """JSON text of every board of a fleet, by file name."""
    return {f"{board.uid.removeprefix('promfleet-')}.json": render.text(board) for board in BOARDS}
