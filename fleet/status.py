"""`fleet status`: what the hub knows of every cluster, and what the clusters say of what is not there yet."""

import time
from typing import Annotated, Literal, NamedTuple

import httpx
import typer
from rich.console import Console
from rich.table import Table

from .client import Hub, open_hub
from .exits import Exit
from .inside import places, sentences
from .reports import ClusterStatus, FleetStatus, Json
from .stack import StackError, outputs

QUESTIONS = {
    "up": 'min by (cluster) (up{job="prometheus"})',
    "series": "sum by (cluster) (scrape_samples_post_metric_relabeling)",
    "pods": 'sum by (cluster) (kube_pod_info{job="kube-state-metrics"})',
    "down": "sum by (cluster) (up == bool 0)",
    "age": "time() - max by (cluster) (timestamp(up))",
}
POLL = 2
"""Seconds between two looks at a fleet that is still arriving."""


class Row(NamedTuple):
    """One cluster as the hub sees it; None is what the hub has not heard within five minutes."""

    cluster: str
    up: float | None
    series: float | None
    pods: float | None
    down: float | None
    """Targets that can't be scraped."""
    age: float | None
    """Seconds since the newest sample."""

    @property
    def healthy(self) -> bool:
        return self.up == 1 and bool(self.pods) and not self.down

    @property
    def agent(self) -> Literal["up", "down", "silent"]:
        return "silent" if self.up is None else "up" if self.up else "down"

    @property
    def report(self) -> ClusterStatus:
        series, pods, down = (None if value is None else int(value) for value in (self.series, self.pods, self.down))
        return ClusterStatus(
            cluster=self.cluster,
            healthy=self.healthy,
            agent=self.agent,
            series=series,
            pods=pods,
            targets_down=down,
            sample_age=self.age,
        )


def status(
    stack: Annotated[str, typer.Option(help="The stack that holds the hub.")] = "hub",
    wait: Annotated[int, typer.Option(help="Seconds to wait until every cluster has reported.")] = 120,
    *,
    json: Json = False,
) -> None:
    """Show every expected cluster, and each pod and volume that is not there yet; exit 1 while one has not reported."""
    rows, complaint = list[Row](), None
    try:
        with open_hub(outputs(stack)) as hub:
            rows = settled(hub, time.monotonic() + wait)
    except StackError as error:
        complaint = str(error)
    troubles = sentences(places(stack), [row.cluster for row in rows if row.healthy])
    if json:
        FleetStatus(clusters=[row.report for row in rows], troubles=troubles, error=complaint).print()
    else:
        if not complaint:
            Console().print(table(rows))
        for sentence in troubles:
            typer.echo(sentence)
        if complaint:
            typer.echo(f"fleet status: {complaint}", err=True)
    if complaint:
        raise typer.Exit(Exit.FAILED)
    if not all(row.healthy for row in rows):
        raise typer.Exit(Exit.FINDINGS)


def settled(hub: Hub, deadline: float) -> list[Row]:
    """Look until every cluster is healthy or the deadline, on the monotonic clock, has passed."""
    while True:
        late = time.monotonic() > deadline
        try:
            rows = look(hub)
        except httpx.HTTPError as error:
            if late:
                raise StackError(f"the hub does not answer: {error}") from error
        else:
            if late or (rows and all(row.healthy for row in rows)):
                return rows
        time.sleep(POLL)


def look(hub: Hub) -> list[Row]:
    """Ask once; a cluster that is expected has a row even if nothing of it ever came."""
    answers = {
        name: {sample.labels.get("cluster", ""): sample.value for sample in hub.query(promql)}
        for name, promql in QUESTIONS.items()
    }
    expected = sorted({sample.labels["cluster"] for sample in hub.query("promfleet_cluster_expected")})
    return [Row(cluster, **{name: answer.get(cluster) for name, answer in answers.items()}) for cluster in expected]


def table(rows: list[Row]) -> Table:
    """Lay the rows out for a terminal."""
    made = Table("cluster", "agent", "series", "pods", "targets down", "last sample")
    for row in rows:
        agent = f"[{'green' if row.agent == 'up' else 'red'}]{row.agent}"
        figures = ["-" if value is None else f"{value:.0f}" for value in (row.series, row.pods, row.down)]
        made.add_row(row.cluster, agent, *figures, "-" if row.age is None else f"{row.age:.0f} s ago")
    return made
