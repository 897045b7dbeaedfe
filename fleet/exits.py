"""How commands end, but for 0: all is well."""

from enum import IntEnum


class Exit(IntEnum):
    """The same in every command; `docs/commands.md` has the table."""

    FINDINGS = 1
    """What was looked at is not as it should be."""
    USAGE = 2
    """The command line, or what it names, is wrong; Typer's own code for it."""
    FAILED = 3
    """Something that is needed can't be reached, or is not installed."""
