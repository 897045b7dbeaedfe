"""Exit codes of commands, other than 0 for success."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum

import typer

from settings import FleetError


class Exit(IntEnum):
    """The same in every command; `docs/commands.md` has the table."""

    FINDINGS = 1
    """Problems were found."""
    USAGE = 2
    """The command line, or a file or stack that it names, is wrong; Typer's own code for it."""
    FAILED = 3
    """Something that is required can't be reached, or is not installed."""


@contextmanager
def problems_reported() -> Generator[None]:
    """Decorate a command that reads a stack file: print the problems of the file, and exit with 1 if it has any."""
    try:
        yield
    except FleetError as error:
        typer.echo(error.report(), err=True)
        raise typer.Exit(Exit.FINDINGS) from None
