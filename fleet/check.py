"""`fleet check`: validates stack files, without Pulumi and without a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import promql_parser
import typer

from render.grafana_queries import board_queries
from render.scrape.missing import missing_metrics
from settings import Fleet, FleetError, Problem, from_file, memory
from settings.agent import MOST_SHARDS, SERIES_OF_SHARD, series_of_shard
from settings.dashboard_file import DashboardFile
from settings.errors import Path as Place
from settings.errors import nearest
from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs, shared_servers
from settings.loading.load import PROJECT
from settings.matchers import named_alerts
from settings.rules import OUR_ALERTS
from settings.scrape import LOOKBACK
from settings.scrape_config import seconds_of
from settings.workloads import fields_of

from .exits import Exit
from .needless_jobs import dropped_selectors, repeated_jobs
from .reports import Checked, CheckedFile, Finding, Json
from .units import counted
from .validators import AMTOOL, PROMTOOL, findings, unjudged

STACK_FILES = "Pulumi.*.yaml"
_NOTHING = f"no {STACK_FILES} in this folder"


def check(
    files: Annotated[list[Path] | None, typer.Argument(help=f"Stack files; {STACK_FILES} by default.")] = None,
    *,
    json: Json = False,
) -> None:
    """Check stack files, and name every problem. Exit 1 if there is any."""
    chosen = files or sorted(Path().glob(STACK_FILES))
    read = {file: _read(file) for file in chosen}
    refused = validated({file: found for file, found in read.items() if isinstance(found, Fleet)})
    checked = [_checked(file, read, refused) for file in chosen]
    if json:
        reports = [report for report, _ in checked]
        Checked(files=reports, error=None if chosen else _NOTHING).print()
    elif not chosen:
        typer.echo(_NOTHING, err=True)
    else:
        for report, error in checked:
            typer.echo(error.report() if error else f"{report.file}: ok: {report.summary}", err=bool(error))
            for warning in report.warnings:
                typer.echo(f"  warning: {warning.text()}", err=True)
    if not chosen:
        raise typer.Exit(Exit.USAGE)
    if not all(report.ok for report, _ in checked):
        raise typer.Exit(Exit.FINDINGS)


def _read(file: Path) -> Fleet | FleetError:
    """The fleet of a file, or the error with its problems."""
    try:
        return from_file(file)
    except FleetError as error:
        return error


def validated(fleets: Mapping[Path, Fleet]) -> Mapping[Path, Sequence[Problem]]:
    """Problems that promtool and amtool find in rendered files, if they are on the path in the deployed releases."""
    problems: dict[Path, list[Problem]] = {file: [] for file in fleets}
    for validator in (PROMTOOL, AMTOOL):
        commands = {file: command for file, fleet in fleets.items() if (command := validator.on_path(fleet))}
        for command in set(commands.values()):
            found = findings(validator, command, [fleets[file] for file in commands])
            for file, of_file in zip(commands, found, strict=True):
                problems[file] += of_file
    return problems


def _checked(
    file: Path, read: Mapping[Path, Fleet | FleetError], refused: Mapping[Path, Sequence[Problem]]
) -> tuple[CheckedFile, FleetError | None]:
    found = read[file]
    if isinstance(found, Fleet):
        missing = [*missing_in_rules(found)]
        problems = [
            *_shared_servers(found),
            *refused[file],
            *unknown_writers(found, file, read),
            *(problem for problem, certain in missing if certain),
        ]
        warnings = [
            *(problem for problem, certain in missing if not certain),
            *missing_in_dashboards(found),
            *(() if problems else unjudged(found)),
            *untested_rules(found),
            *large_agents(found),
            *large_queues(found),
            *slow_jobs(found),
            *repeated_jobs(found),
            *dropped_selectors(found),
            *unknown_alerts(found),
        ]
        error = FleetError(file.name, problems) if problems else None
    else:
        error, warnings = found, []
    return CheckedFile(
        file=str(file),
        ok=not error,
        summary=summary(found) if isinstance(found, Fleet) and not error else None,
        problems=[Finding.of(problem) for problem in error.problems] if error else [],
        warnings=[Finding.of(problem) for problem in warnings],
    ), error


def unknown_writers(fleet: Fleet, file: Path, others: Mapping[Path, Fleet | FleetError]) -> Iterator[Problem]:
    """Every agent or watcher whose hub is in another of these files, and does not know it in its `hub.agents`."""
    for writer in fleet.partial.outside_writers:
        named = writer.receiver.stack
        _, project, stack = named.split("/") if named else ("", "", "")
        other = file.with_name(f"Pulumi.{stack}.yaml")
        there = others.get(other) if project == PROJECT else None
        # Problems of the other file are reported for the other file.
        if isinstance(there, Fleet) and (not there.hub or writer.name not in there.hub.agents):
            rule = "has no hub" if not there.hub else f"has a hub without {writer.name} in hub.agents"
            instead = f"Add {writer.name} to hub.agents in {other.name}, or write the stack of another hub."
            yield Problem((*writer.path, "stack"), rule, instead, named)
        elif isinstance(there, Fleet) and there.hub and (agent := fleet.agents.get(writer.name)):
            known = there.hub.agents[writer.name].shards
            if known != agent.shards:
                instead = f"Write hub: {{agents: {{{writer.name}: {{shards: {agent.shards}}}}}}} in {other.name}."
                yield Problem(("agents", writer.name, "shards"), f"is {known} at its hub", instead, agent.shards)


def missing_in_rules(fleet: Fleet) -> Iterator[tuple[Problem, bool]]:
    """Every metric that rules of people read and that is not stored, and whether that is certain."""
    for file in fleet.alerts.rule_files:
        for path, rule in file.rules:
            for one in missing_metrics(fleet, promql_parser.parse(rule["expr"])):
                place = ("alerts", "ruleFiles", *path, "expr")
                yield Problem(place, f"asks for {one.metric}, which {one.rule}", one.instead), one.certain


def missing_in_dashboards(fleet: Fleet) -> Iterator[Problem]:
    """Every metric that dashboards of people ask this program's datasource for and that is not stored."""
    folders = fleet.grafana.dashboards if fleet.grafana else {}
    named: list[tuple[Place, DashboardFile]] = [
        (("grafana", "dashboards", title, file.path), file) for title, files in folders.items() for file in files
    ]
    named += [
        (("applications", name, "dashboard"), application.dashboard)
        for name, application in fleet.applications.items()
        if application.dashboard
    ]
    sources = fleet.grafana.datasources.sources if fleet.grafana else ()
    for place, file in named:
        found = {}
        for query in board_queries(file.resolved(sources)):
            try:
                found |= {one.metric: one for one in missing_metrics(fleet, promql_parser.parse(query))}
            except ValueError:
                continue  # Grafana puts something else in the place of a variable
        for one in found.values():
            yield Problem(place, f"asks for {one.metric}, which {one.rule}", one.instead)


def untested_rules(fleet: Fleet) -> Iterator[Problem]:
    """Tests of people's rules that nothing can run here."""
    if fleet.alerts.rule_tests and not PROMTOOL.on_path(fleet):
        image = fleet.images.prometheus
        yield Problem(("alerts", "ruleTests"), "were not run", f"Put promtool of {image} into the path.")


def large_agents(fleet: Fleet) -> Iterator[Problem]:
    """Every agent that is planned for more series than one Prometheus should have, and how many shards it needs."""
    for cluster, agent in fleet.agents.items():
        series = fleet.clusters[cluster].series
        wanted = min(MOST_SHARDS, -(-series // SERIES_OF_SHARD))
        if agent.shards < wanted:
            planned = memory.agent_memory(series_of_shard(series, agent.shards), len(agent.destinations))
            rule = (
                f"has {counted(agent.shards, 'shard')} for {series} series: each requests {planned.request} of memory, "
                f"and may use {planned.limit}"
            )
            yield Problem(("agents", cluster), rule, f"Write shards: {wanted}, for {SERIES_OF_SHARD} series each.")


def large_queues(fleet: Fleet) -> Iterator[Problem]:
    """Every destination whose shards may hold more samples than the memory of its agent is planned for."""
    for cluster, agent in fleet.agents.items():
        if fields_of("prometheus", (fleet.workloads, fleet.clusters[cluster].workloads)).get("resources"):
            continue  # planned by whoever wrote it
        for name, destination in agent.destinations.items():
            queue = {**memory.QUEUE, **destination.config.get("queue_config", {})}
            each = queue["capacity"] + queue["max_samples_per_send"]
            if (held := queue["max_shards"] * each) > memory.QUEUED:
                place = ("agents", cluster, "destinations", name, "queue_config")
                rule = f"lets shards hold {held} samples, and the agent's memory is planned for {memory.QUEUED}"
                most = max(1, memory.QUEUED // each)
                instead = f"Write max_shards: {most}, or resources of prometheus in workloads.components."
                yield Problem(place, rule, instead)


def slow_jobs(fleet: Fleet) -> Iterator[Problem]:
    """Every job of people whose series are found for a part of the time only."""
    for job in fleet.scrape.jobs:
        interval = str(job.config.get("scrape_interval", ""))
        if seconds_of(interval) >= LOOKBACK:
            rule = "is not below the 5m that Prometheus looks back: between two scrapes, no query finds its series"
            instead = "Write 2m or less, or ask with last_over_time."
            yield Problem(("scrape", "jobs", *job.path, "scrape_interval"), rule, instead, interval)


def unknown_alerts(fleet: Fleet) -> Iterator[Problem]:
    """Every alert that a route or an inhibition names, and that neither this program nor a rule file of people has."""
    server = fleet.server
    if not fleet.alertmanager or (server and fleet.clusters[server.cluster].operator):
        return  # PrometheusRules may have any
    known = OUR_ALERTS | {
        rule["alert"] for file in fleet.alerts.rule_files for _, rule in file.rules if "alert" in rule
    }
    for path, matchers in fleet.alertmanager.every_matchers:
        for index, text in enumerate(matchers):
            for name in sorted({*named_alerts(text)} - known):
                instead = nearest(name, known, "Remove it, unless somebody else sends such alerts.", cutoff=0.9)
                rule = f"asks for {name}, which is no alert of promfleet or of alerts.ruleFiles"
                yield Problem(("alertmanager", *path, index), rule, instead)


def _shared_servers(fleet: Fleet) -> list[Problem]:
    """Problems of clusters with one API server, as far as this machine has kubeconfigs."""
    try:
        return list(shared_servers(fleet.clusters, Kubeconfigs()))
    except KubeconfigError:
        return []


def summary(fleet: Fleet) -> str:
    """The parts of a fleet with their number, in one line."""
    parts = {
        "cluster": len(fleet.clusters),
        "hub": int(fleet.hub is not None),
        "standalone server": int(fleet.standalone is not None),
        "watcher": int(fleet.watcher is not None),
        "agent": len(fleet.agents),
        "receiver": len(fleet.alertmanager.receivers) if fleet.alertmanager else 0,
        "probe": len(fleet.probes),
        "rule file": len(fleet.alerts.rule_files),
        "application": len(fleet.applications),
    }
    return ", ".join(counted(number, noun) for noun, number in parts.items() if number)
