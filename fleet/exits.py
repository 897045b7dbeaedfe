"""Exit codes of commands, other than 0 for success."""

from enum import IntEnum


class Exit(IntEnum):
    """The same in every command; `docs/commands.md` has the table."""

    FINDINGS = 1
    """Problems were found."""
    USAGE = 2
    """The command line, or a file or stack that it names, is wrong; Typer's own code for it."""
    FAILED = 3
    """Something that is required can't be reached, or is not installed."""
