"""`fleet dashboards`: the dashboards as files, for an existing Grafana."""

from pathlib import Path
from typing import Annotated

import typer

from settings import from_file

from .exits import problems_reported


@problems_reported()
def dashboards(
    file: Annotated[Path, typer.Argument(help="The stack file of the hub.")],
    output: Annotated[Path, typer.Option(help="The folder to write to; it is made if it is missing.")] = Path(
        "grafana"
    ),
) -> None:
    """Write each dashboard of a fleet as JSON; they expect a datasource with the uid `hub`."""
    # Grafana's SDK takes half a second to import, which only this command needs.
    from dashboards import files  # noqa: PLC0415

    written = files(from_file(file))
    output.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (output / name).write_text(text)
    typer.echo(f"{output}: {len(written)} dashboards")
