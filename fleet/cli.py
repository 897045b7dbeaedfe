"""The command `fleet`; each module of this package adds one command."""

import typer

from .check import check

app = typer.Typer(no_args_is_help=True)
app.command()(check)


@app.callback()
def fleet() -> None:
    """Watch over a fleet of clusters."""


if __name__ == "__main__":
    app()
