"""What holds of this repository, and how that is seen."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The repository."""
SHIPPED = sorted(ROOT.glob("Pulumi.*.yaml"))
"""The stack files that users look at first."""
MIGRATIONS = sorted((ROOT / "tests" / "migrations").glob("*/Pulumi.*.yaml"))
"""Configurations that others use, as stack files; docs/migrating.md lists what they lose."""


def name_of(file: Path) -> str:
    """Path of a stack file in the repository, as tests and their reports name it."""
    return file.relative_to(ROOT).as_posix()
