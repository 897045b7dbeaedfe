"""Grafana dashboards as data, one a file, and the JSON that Grafana loads."""

from settings import Fleet
from settings.dashboard_file import DATASOURCE, OWN_UID

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
from .model import Dashboard, queries, resolved
from .render import text

DASHBOARDS: tuple[Dashboard, ...] = tuple(
    module.DASHBOARD
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
"""Every dashboard, from the whole to its parts, then what watches."""

__all__ = ["DASHBOARDS", "DATASOURCE", "Dashboard", "dashboards_of", "files", "queries", "resolved"]


def dashboards_of(fleet: Fleet) -> tuple[Dashboard, ...]:
    """The dashboards that a fleet has something to show on."""
    absent = {
        alertmanager.DASHBOARD.uid: fleet.alertmanager is None,
        probes.DASHBOARD.uid: not fleet.probes,
        thanos.DASHBOARD.uid: fleet.thanos is None,
        thanos_blocks.DASHBOARD.uid: fleet.thanos is None,
        thanos_writes.DASHBOARD.uid: not (fleet.thanos and (fleet.thanos.receive or fleet.thanos.ruler)),
    }
    return tuple(board for board in DASHBOARDS if not absent.get(board.uid, False))


def files(fleet: Fleet) -> dict[str, str]:
    """JSON text of these dashboards, by file name."""
    return {f"{board.uid.removeprefix(OWN_UID)}.json": text(board) for board in dashboards_of(fleet)}
