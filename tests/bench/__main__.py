"""`make bench`: what the program costs, each figure beside the one that it is to be compared with."""

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.environment import environment

from . import history
from .measure import Command, Cost, medians, run
from .rules import shares

ROUNDS = 5
ROOT = Path(__file__).parents[2]
IMPORTS = "import pulumi, pulumi_kubernetes as k; k.core.v1.Service, k.apps.v1.StatefulSet, k.rbac.v1.Role"
EMPTY = "name: empty\nruntime: {name: python}\n"


def program() -> dict[str, Cost]:
    """Measure the Python program alone, under mocks, beside the imports that it can't do without."""
    python = [sys.executable]
    return medians(
        [
            Command("import pulumi, pulumi_kubernetes", [*python, "-c", IMPORTS], os.environ),
            *(
                Command(f"{n} clusters", [*python, "-m", "tests.bench.program", str(n)], os.environ)
                for n in (1, 3, 4, 16)
            ),
        ],
        ROUNDS,
    )


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
    """Write each figure and its ratio to the first row's."""
    return [text for own, other in zip(figures, first, strict=True) for text in (f"{own:.2f}", f"{own / other:.2f}")]


def show_rules() -> None:
    """Print what each group of rules takes of the time between two evaluations, and all of them together."""
    table = Table("group", "rules", "of the interval", title="rules on the lab's hub, over ten minutes")
    for group in shares():
        table.add_row(group.name, str(group.rules), f"{group.share:.3%}")
    Console().print(table)


def show_history(folder: Path) -> None:
    """Print how long questions about a month take, and what memory, beside one Prometheus with the same blocks."""
    found = history.compare(folder)
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


if __name__ == "__main__":
    show_rules()
    show(f"the Python program under mocks, medians of {ROUNDS}", program())
    with tempfile.TemporaryDirectory() as folder:
        show_history(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        show(f"pulumi preview, medians of {ROUNDS}", preview(Path(folder)))
