"""`fleet lab`: real clusters on this machine."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from lab import tools
from lab.cluster import NAMES
from lab.connect import connect as connect_clusters
from lab.down import down as take_down
from lab.environment import exports
from lab.node import LabError
from lab.parts import PARTS
from lab.progress import Progress, plainly
from lab.status import Health
from lab.status import status as look
from lab.toolchains import BuildError
from lab.up import up as bring_up

from .exits import Exit

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Real Kubernetes clusters on this machine, without Docker (Linux, root).",
)
console = Console()
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAMES…]", help=f"By default {' '.join(NAMES)}.")]
Parts = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="PART",
        help=f"Have until `down` also: {'; '.join(f'{name} ({what})' for name, what in PARTS.items())}.",
    ),
]


@app.command()
def up(names: Names = None, parts: Parts = None) -> None:
    """Build missing binaries and images, start the clusters and connect them; run it again to repair them."""
    with _told(), _progress() as report:
        # A line that is updated in place may count the seconds.
        bring_up(names or NAMES, parts or (), report, every=1 if console.is_terminal else 30)
    console.print('the lab is up; `eval "$(fleet lab env)"` leads there')


@app.command()
def down() -> None:
    """Remove every process, mount, interface and file of the lab; binaries and images stay in the cache."""
    with _told():
        tools.check()
        with _progress() as report:
            take_down(report)


@app.command()
def status() -> None:
    """Show the clusters; exit 1 unless all are healthy."""
    with _told():
        clusters = look()
    if not clusters:
        console.print("there is no lab; `fleet lab up` makes one")
        raise typer.Exit(Exit.FINDINGS)
    table = Table("cluster", "node", "pods", "server", "memory")
    for health in clusters:
        pods, memory = f"{health.running}/{health.pods}", f"{health.memory >> 20} MiB"
        table.add_row(health.cluster.name, _node(health), pods, health.cluster.server, memory)
    console.print(table)
    if not all(health.is_healthy for health in clusters):
        raise typer.Exit(Exit.FINDINGS)


@app.command()
def env() -> None:
    """Print environment variables for a shell: `eval "$(fleet lab env)"`."""
    typer.echo(exports())


@app.command()
def connect(names: Names = None) -> None:
    """Lay the route to the hub, the first name, in contexts of your kubeconfig; puts back what was deleted."""
    with _told():
        connect_clusters(names or NAMES)


def _node(health: Health) -> str:
    if health.dead:
        return f"dead: {', '.join(health.dead)}"
    return "Ready" if health.is_ready else "not Ready"


@contextmanager
def _told() -> Generator[None]:
    """Print errors of the lab without a traceback."""
    try:
        yield
    except (LabError, BuildError) as error:
        typer.echo(f"fleet lab: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from None


@contextmanager
def _progress() -> Generator[Progress]:
    """Show where each cluster is: a table in place at a terminal, else a line when one is done."""
    steps: dict[str, str] = {}
    if not console.is_terminal:
        yield plainly
        return
    with Live(console=console, refresh_per_second=8) as live:

        def report(name: str, step: str) -> None:
            steps[name] = step
            table = Table.grid(padding=(0, 2))
            for row in steps.items():
                table.add_row(*row)
            live.update(table)

        yield report
