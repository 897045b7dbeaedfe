"""`make bench`: what the program costs, each figure beside the one that it is to be compared with."""

import math
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab.environment import environment
from tests import SHIPPED

from . import history, series, stack_files
from .kubeconfig import write_kubeconfig
from .measure import Command, Cost, medians, run
from .rules import shares

ROUNDS = 5
ROOT = Path(__file__).parents[2]
IMPORTS = "import pulumi, pulumi_kubernetes as k; k.core.v1.Service, k.apps.v1.StatefulSet, k.rbac.v1.Role"
CLUSTERS = (1, 3, 16, 64)
STACK_FILES = 100
AGENTS = 10
"""That write through a proxy."""
EMPTY = "name: empty\nruntime: {name: python}\n"

app = typer.Typer(help="Figures without verdicts; all but those that need other people's files, if none is named.")


@app.callback(invoke_without_command=True)
def everything(context: typer.Context) -> None:
    """Take every figure."""
    if not context.invoked_subcommand:
        show_rules()
        show_program()
        show_render()
        show_check()
        show_proxies()
        show_series()
        show_history()
        show_preview()
        show_watcher()


@app.command("rules")
def show_rules() -> None:
    """What each group of rules takes of the time between two evaluations on the lab's hub, over ten minutes."""
    table = Table("group", "rules", "of the interval", title="rules on the lab's hub, over ten minutes")
    for group in shares():
        table.add_row(group.name, str(group.rules), f"{group.share:.3%}")
    Console().print(table)


@app.command("program")
def show_program() -> None:
    """The Python program alone, under mocks, beside the imports that it can't do without."""
    with tempfile.TemporaryDirectory() as folder:
        show(f"the Python program under mocks, medians of {ROUNDS}", program(Path(folder)))


def program(folder: Path) -> dict[str, Cost]:
    """Measure it for fleets of several sizes, each with a kubeconfig of as many contexts."""
    return medians([imports(), *(program_of(clusters, folder) for clusters in CLUSTERS)], ROUNDS)


def program_of(clusters: int, folder: Path) -> Command:
    """The program of a fleet, in a process of its own; its kubeconfig is in the folder."""
    (home := folder / str(clusters)).mkdir()
    contexts = [cluster["context"] for cluster in stack_files.dev(clusters)["clusters"].values()]
    known = {**warm(), "KUBECONFIG": str(write_kubeconfig(home, contexts))}
    return Command(f"{clusters} clusters", [sys.executable, "-m", "tests.bench.program", str(clusters)], known)


def imports() -> Command:
    """The imports of Pulumi's SDKs, without which neither the program nor a render starts."""
    return Command("import pulumi, pulumi_kubernetes", [sys.executable, "-c", IMPORTS], warm())


@app.command("render")
def show_render() -> None:
    """`fleet render` of each example, beside the imports that it can't do without."""
    with tempfile.TemporaryDirectory() as folder:
        show(f"fleet render, medians of {ROUNDS}", render(Path(folder)))


def render(folder: Path) -> dict[str, Cost]:
    """Measure it, with a folder of its own for each example."""
    stacks = [file.name.split(".")[1] for file in SHIPPED]
    fleet = [sys.executable, "-m", "fleet", "render"]
    commands = [Command(stack, [*fleet, str(folder / stack), "--stack", stack], warm()) for stack in stacks]
    return medians([imports(), *commands], ROUNDS)


@app.command("check")
def show_check() -> None:
    """`fleet check` of a hundred stack files, beside a single one."""
    with tempfile.TemporaryDirectory() as folder:
        show(f"fleet check, medians of {ROUNDS}", check(Path(folder)))


def check(folder: Path) -> dict[str, Cost]:
    """Measure it with a kubeconfig that has all their clusters."""
    commands = []
    for files in (1, STACK_FILES):
        (home := folder / str(files)).mkdir()
        contexts = stack_files.write(home, files)
        known = {**warm(), "KUBECONFIG": str(write_kubeconfig(home, contexts))}
        written = map(str, sorted(home.glob("Pulumi.*.yaml")))
        commands.append(Command(f"{files} stack files", [sys.executable, "-m", "fleet", "check", *written], known))
    return medians(commands, ROUNDS)


@app.command("proxies")
def show_proxies(
    agents: Annotated[int, typer.Option(help="How many clusters write.")] = AGENTS,
) -> None:
    """Envoy in front of remote write, beside kube-rbac-proxy; on loopback, without the lab."""
    from . import write_proxies  # noqa: PLC0415 — holds more memory than the programs: see Cost.memory

    with tempfile.TemporaryDirectory() as folder:
        found = write_proxies.compare(Path(folder), agents)
    each = f"{found.samples} in {found.size:.1f} kB a request"
    whole = f"{write_proxies.SAMPLES:,} samples/s of {agents} agents"
    title = f"remote write: {whole}, {each}, medians of {write_proxies.ROUNDS}"
    figures = ("cpu s per million samples", "peak MiB", "median ms", "99% ms")
    table = Table("proxy", "samples/s", *(text for figure in figures for text in (figure, "ratio")), title=title)
    first = found.figures[write_proxies.KUBE_RBAC_PROXY]
    for name, of in found.figures.items():
        table.add_row(name, f"{of.rate:,.0f}", *beside(of[:-1], first[:-1]))
    Console().print(table)


def warm() -> dict[str, str]:
    """The environment in which Python keeps byte code, as everywhere but on some build machines."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@app.command("series")
def show_series(
    expositions: Annotated[
        Path | None, typer.Option(help="Folder with <job>.txt, instead of the targets of the lab's hub.")
    ] = None,
    kube_prometheus: Annotated[Path | None, typer.Option(help="manifests/ of kube-prometheus.")] = None,
    k8s_monitoring: Annotated[
        Path | None, typer.Option(help="default-allow-lists/ of k8s-monitoring's feature-cluster-metrics.")
    ] = None,
) -> None:
    """How many series of each target this program keeps, and how many others keep of the same."""
    with tempfile.TemporaryDirectory() as folder:
        found = series.count(expositions or series.fetch(Path(folder)), kube_prometheus, k8s_monitoring)
    others = [kept for job, kept in found.items() if job != "apiserver"]
    found |= {"all but apiserver": series.total(others), "all": series.total(found.values())}
    table = Table("job", "exposed", "ours", "kube-prometheus", "ratio", "k8s-monitoring", "ratio", title="series")
    for job, kept in found.items():
        theirs = [text for side in kept[2:] for text in compared(kept.ours, side)]
        table.add_row(job, str(kept.exposed), str(kept.ours), *theirs)
    Console().print(table)


def compared(ours: int, theirs: int | None) -> list[str]:
    """Write what another side keeps, and the ratio of ours to it."""
    return ["", ""] if theirs is None else [str(theirs), f"{ours / theirs:.3f}"]


@app.command("history")
def show_history() -> None:
    """How long questions about a month take, and what memory, beside one Prometheus with the same blocks."""
    with tempfile.TemporaryDirectory() as folder:
        found = history.compare(Path(folder))
    title = f"a month of history, medians of {found.rounds}"
    table = Table("", "", "first ms", "ratio", "ms", "ratio", "mean cpu ms", "ratio", title=title)
    for question, sides in found.latencies.items():
        for name, latency in sides.items():
            table.add_row(question, name, *beside(latency, sides[history.PROMETHEUS]))
    Console().print(table)
    table = Table("", "ready MiB", "ratio", "peak MiB", "ratio", "anonymous MiB", "ratio", title="memory for it")
    for name, memory in found.memory.items():
        table.add_row(name, *beside(memory, found.memory[history.PROMETHEUS]))
    Console().print(table)


@app.command("watcher")
def show_watcher() -> None:
    """A watcher beside a hub and two agents, all of which scrape the lab's clusters; quarter of an hour."""
    from . import watcher  # noqa: PLC0415 — as above

    found = watcher.compare()
    first = found.servers["hub and agents"]
    table = Table("", "series", "memory MiB", "ratio", "cores", "ratio", "network kB/s", "ratio", title="two clusters")
    for name, of in found.servers.items():
        table.add_row(name, f"{of.series:.0f}", *beside(of[1:], first[1:]))
    Console().print(table)
    table = Table("cluster", "", "mean scrape ms", "ratio", title="scrapes")
    for cluster, sides in found.scrapes.items():
        for name, mean in sides.items():
            table.add_row(cluster, name, *beside([mean], [sides["agent"]]))
    Console().print(table)


@app.command("preview")
def show_preview() -> None:
    """`pulumi preview` of the dev stack in the lab's clusters, beside an empty program."""
    with tempfile.TemporaryDirectory() as folder:
        show(f"pulumi preview, medians of {ROUNDS}", preview(Path(folder)))


def preview(folder: Path) -> dict[str, Cost]:
    """Measure `pulumi preview` of an empty program and of the dev stack in the lab's clusters."""
    (folder / "Pulumi.yaml").write_text(EMPTY)
    (folder / "__main__.py").write_text("")
    lab = os.environ | environment()
    quiet = ["--non-interactive", "--suppress-outputs"]
    commands = []
    for name, where, stack in (("empty program", folder, "empty"), ("dev", ROOT, "dev")):
        at = ["pulumi", "--cwd", str(where)]
        commands.append(Command(name, [*at, "preview", "--stack", stack, *quiet], lab))
        run(Command("select", [*at, "stack", "select", "--create", stack], lab))
    return medians(commands, ROUNDS)


def show(title: str, costs: dict[str, Cost]) -> None:
    """Print each figure and its ratio to the first row's."""
    first = next(iter(costs.values()))
    table = Table("", "wall s", "ratio", "cpu s", "ratio", "largest process MiB", "ratio", title=title)
    for name, cost in costs.items():
        table.add_row(name, *beside(cost, first))
    Console().print(table)


def beside(figures: Iterable[float], first: Iterable[float]) -> list[str]:
    """Write each figure and its ratio to the first row's; nothing for one that there is not."""
    return [
        "" if math.isnan(figure) else f"{figure:.2f}"
        for own, other in zip(figures, first, strict=True)
        for figure in (own, own / other)
    ]


if __name__ == "__main__":
    app()
