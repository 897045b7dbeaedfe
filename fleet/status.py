"""`fleet status`: the state of every cluster by its samples, and problems of pods and volumes in the clusters."""

import time
from typing import Annotated, Literal, NamedTuple

import httpx
import typer
from rich.console import Console
from rich.table import Table

from live import SHORTEST

from .client import PrometheusClient, open_prometheus
from .cluster_problems import cluster_problems, places
from .exits import Exit
from .reports import ClusterStatus, FleetStatus, Json
from .stack import ServerStack, StackError, outputs

QUESTIONS = {
    # A shard that is silent, while others of its agent report, is down.
    "up": (
        'min by (cluster) (up{job="prometheus"} or on (cluster, instance)'
        ' (0 * promfleet_agent_shard_expected and on (cluster) up{job="prometheus"}))'
    ),
    "series": "sum by (cluster) (scrape_samples_post_metric_relabeling)",
    "pods": 'sum by (cluster) (kube_pod_info{job="kube-state-metrics"})',
    "down": "sum by (cluster) (up == bool 0)",
    "age": "time() - max by (cluster) (timestamp(up))",
}
POLL = 2
"""Seconds between two polls while clusters are missing."""


class Row(NamedTuple):
    """One cluster by the samples of the server; None where there is none of the last five minutes."""

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
    stack: ServerStack = "hub",
    wait: Annotated[int, typer.Option(help="Seconds to wait until every cluster has reported.")] = 120,
    *,
    json: Json = False,
) -> None:
    """Show every expected cluster, and why pods and volumes are not ready; exit 1 unless all clusters are healthy."""
    rows, failure = list[Row](), None
    try:
        with open_prometheus(outputs(stack), max(SHORTEST, 2 * wait)) as hub:
            rows = settled(hub, time.monotonic() + wait)
    except StackError as error:
        failure = str(error)
    troubles = cluster_problems(places(stack), [row.cluster for row in rows if row.healthy])
    if json:
        FleetStatus(clusters=[row.report for row in rows], troubles=troubles, error=failure).print()
    else:
        if not failure:
            Console().print(table(rows))
        for sentence in troubles:
            typer.echo(sentence)
        if failure:
            typer.echo(f"fleet status: {failure}", err=True)
    if failure:
        raise typer.Exit(Exit.FAILED)
    if not all(row.healthy for row in rows):
        raise typer.Exit(Exit.FINDINGS)


def settled(hub: PrometheusClient, deadline: float) -> list[Row]:
    """Poll until every cluster is healthy or the deadline, on the monotonic clock, has passed."""
    while True:
        late = time.monotonic() > deadline
        try:
            rows = look(hub)
        except httpx.HTTPError as error:
            if late:
                raise StackError(f"the server does not answer: {error}") from error
        else:
            if late or (rows and all(row.healthy for row in rows)):
                return rows
        time.sleep(POLL)


def look(hub: PrometheusClient) -> list[Row]:
    """Query once; an expected cluster has a row even if there was never a sample of it."""
    answers = {
        name: {sample.labels.get("cluster", ""): sample.value for sample in hub.query(promql)}
        for name, promql in QUESTIONS.items()
    }
    expected = sorted({sample.labels["cluster"] for sample in hub.query("promfleet_cluster_expected")})
    return [Row(cluster, **{name: answer.get(cluster) for name, answer in answers.items()}) for cluster in expected]


def table(rows: list[Row]) -> Table:
    """Return the rows as a table for a terminal."""
    laid_out = Table("cluster", "agent", "series", "pods", "targets down", "last sample")
    for row in rows:
        agent = f"[{'green' if row.agent == 'up' else 'red'}]{row.agent}"
        figures = ["-" if value is None else f"{value:.0f}" for value in (row.series, row.pods, row.down)]
        laid_out.add_row(row.cluster, agent, *figures, "-" if row.age is None else f"{row.age:.0f} s ago")
    return laid_out
