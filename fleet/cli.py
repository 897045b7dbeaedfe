"""The command `fleet`; a module of this package with a function, or an `app`, of its own name is a subcommand."""

import atexit
import gc
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from . import __version__

COMMANDS = {
    "check": "check",
    "status": "status",
    "open": "browse",
    "token": "token",
    "explain": "explain",
    "issuer": "issuer",
    "render": "render",
    "snapshot": "snapshot",
    "dashboards": "dashboards",
    "watcher": "watcher",
    "node-exporter": "node_exporter",
    "lab": "lab",
}
"""Subcommand -> its module, in the order of the help."""


class Commands(TyperGroup):
    """Imports a subcommand when it is used, so that none waits for imports of another one."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 — the base class asks for it
        return [*COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name]}", __package__)
        alone = typer.Typer(add_completion=False)
        if not hasattr(module, "app"):
            alone.command()(getattr(module, COMMANDS[cmd_name]))
        command = get_command(getattr(module, "app", alone))
        command.name = cmd_name
        return command


app = typer.Typer(cls=Commands, no_args_is_help=True)

# At the exit Python looks for cycles in all that is left, which takes a tenth of `fleet check` and a fifth of a render.
atexit.register(gc.freeze)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"fleet {__version__}")
        raise typer.Exit


@app.callback()
def fleet(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """
    Check, render, and look into a fleet of clusters.

    Exit codes: 0 success; 1 problems were found; 2 the command line, or a file or stack that it names, is wrong; 3
    something can't be reached or can't run.
    """
