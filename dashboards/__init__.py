"""Grafana dashboards as data, one a file, and the JSON that Grafana loads."""

from settings import Fleet

from . import (
    agents,
    alertmanager,
    apiserver,
    cardinality,
    cluster,
    coredns,
    fleet,
    hub,
    jvm,
    namespace,
    node,
    pod,
    probes,
    workload,
)
from .model import Board, queries, resolved
from .render import DATASOURCE, text

BOARDS: tuple[Board, ...] = tuple(
    module.BOARD
    for module in (
        fleet,
        cluster,
        namespace,
        workload,
        pod,
        node,
        apiserver,
        coredns,
        agents,
        hub,
        alertmanager,
        cardinality,
        jvm,
        probes,
    )
)
"""Every board, from the whole to its parts, then what watches."""

__all__ = ["BOARDS", "DATASOURCE", "Board", "files", "queries", "resolved"]


def files(fleet: Fleet) -> dict[str, str]:
    """JSON text of the boards that a fleet has something to show on, by file name."""
    absent = {alertmanager.BOARD.uid: fleet.alertmanager is None, probes.BOARD.uid: not fleet.probes}
    shown = [board for board in BOARDS if not absent.get(board.uid, False)]
    return {f"{board.uid.removeprefix('promfleet-')}.json": text(board) for board in shown}
