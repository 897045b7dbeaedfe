"""The command `fleet`; each module of this package adds one command."""

import typer

from . import lab
from .check import check
from .dashboards import dashboards
from .render import render
from .snapshot import snapshot
from .status import status

app = typer.Typer(no_args_is_help=True)
app.command()(check)
app.command()(status)
app.command()(render)
app.command()(snapshot)
app.command()(dashboards)
app.add_typer(lab.app, name="lab")


@app.callback()
def fleet() -> None:
    """Watch over a fleet of clusters."""
