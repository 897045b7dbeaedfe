"""`fleet dashboards`: the files for a Grafana of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from settings import FleetError, from_file

from .exits import Exit


def dashboards(
    file: Annotated[Path, typer.Argument(help="The stack file of the hub.")],
    output: Annotated[Path, typer.Option(help="The folder to write to; it is made if it is missing.")] = Path(
        "grafana"
    ),
) -> None:
    """Write each dashboard of a fleet as JSON; the datasource that they ask has the uid `hub`."""
    # Grafana's model takes half a second to import, which no other command is to wait for.
    from dashboards import files  # noqa: PLC0415

    try:
        written = files(from_file(file))
    except FleetError as error:
        typer.echo(error.report(), err=True)
        raise typer.Exit(Exit.FINDINGS) from None
    output.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (output / name).write_text(text)
    typer.echo(f"{output}: {len(written)} dashboards")
