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
    thanos,
    thanos_blocks,
    thanos_writes,
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
        thanos,
        thanos_blocks,
        thanos_writes,
        cardinality,
        jvm,
        probes,
    )
)
"""Every board, from the whole to its parts, then what watches."""

__all__ = ["BOARDS", "DATASOURCE", "Board", "files", "queries", "resolved", "shown"]


def shown(fleet: Fleet) -> tuple[Board, ...]:
    """The boards that a fleet has something to show on."""
    absent = {
        alertmanager.BOARD.uid: fleet.alertmanager is None,
        probes.BOARD.uid: not fleet.probes,
        thanos.BOARD.uid: fleet.thanos is None,
        thanos_blocks.BOARD.uid: fleet.thanos is None,
        thanos_writes.BOARD.uid: not (fleet.thanos and (fleet.thanos.receive or fleet.thanos.ruler)),
    }
    return tuple(board for board in BOARDS if not absent.get(board.uid, False))


def files(fleet: Fleet) -> dict[str, str]:
    """JSON text of these boards, by file name."""
    return {f"{board.uid.removeprefix('promfleet-')}.json": text(board) for board in shown(fleet)}
