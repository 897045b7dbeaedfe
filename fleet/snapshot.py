"""`fleet snapshot`: the dashboard Fleet as a picture, from live data."""

import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from .client import open_prometheus
from .exits import Exit
from .stack import ServerStack, StackError, outputs

_HOUR = 3600


def snapshot(
    stack: ServerStack = "hub",
    output: Annotated[Path, typer.Option(help="The file to write: .png, .svg or .pdf.")] = Path("fleet.png"),
    hours: Annotated[int, typer.Option(min=1, max=24, help="How far back the lines go.")] = 6,
) -> None:
    """Draw the dashboard Fleet, with every cluster, as one page."""
    # Both take a second to import, which only this command needs.
    from .overview import ask  # noqa: PLC0415

    try:
        from .picture import draw  # noqa: PLC0415
    except ModuleNotFoundError as error:
        # matplotlib is an optional dependency.
        typer.echo("fleet snapshot: draws with matplotlib. Install it: .venv/bin/pip install matplotlib", err=True)
        raise typer.Exit(Exit.FAILED) from error

    try:
        with open_prometheus(outputs(stack)) as hub:
            overview = ask(hub, time.time(), hours * _HOUR)
    except StackError as error:
        typer.echo(f"fleet snapshot: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    except httpx.HTTPError as error:
        typer.echo(f"fleet snapshot: the hub does not answer: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    draw(overview).savefig(output)
    typer.echo(f"{output}: {len(overview.rows)} clusters")
