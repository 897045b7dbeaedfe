"""What commands say to programs, with `--json`; names of fields are what a version promises."""

from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from settings.errors import Problem, shown, spelt

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, errors included.")]


class Report(BaseModel):
    """Is camelCase in JSON, and has all fields always."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)

    def print(self) -> None:
        """Write the whole of it to stdout."""
        typer.echo(self.model_dump_json(by_alias=True, indent=2))


class Finding(Report):
    """One broken rule of a stack file."""

    path: str
    """Where in `promfleet:fleet`: `hub.agents[1]`."""
    value: str | None
    """What stands there, as JSON; null where it is a block or may be a secret."""
    rule: str
    """Which rule it breaks; with path and value before it, it is a sentence."""
    instead: str
    """What to write."""

    @classmethod
    def of(cls, problem: Problem) -> "Finding":
        """Tell no more of a problem than its text does."""
        value = shown(problem.path, problem.value) or None
        return cls(path=spelt(problem.path), value=value, rule=problem.rule, instead=problem.instead)


class CheckedFile(Report):
    """One stack file."""

    file: str
    ok: bool
    summary: str | None
    """What the fleet consists of; null where the file is wrong."""
    problems: list[Finding]


class Checked(Report):
    """`fleet check --json`."""

    files: list[CheckedFile]
    error: str | None = None
    """Why there is nothing to check; then there are no files."""


class ClusterStatus(Report):
    """One cluster as the hub sees it; null is what the hub has not heard within five minutes."""

    cluster: str
    healthy: bool
    agent: Literal["up", "down", "silent"]
    series: int | None
    pods: int | None
    targets_down: int | None
    sample_age: float | None
    """Seconds since the newest sample."""


class FleetStatus(Report):
    """`fleet status --json`."""

    clusters: list[ClusterStatus]
    """Those that the hub expects; none where it could not be asked."""
    troubles: list[str]
    """What the clusters say of pods and volumes that are not there yet."""
    error: str | None
    """Why the hub could not be asked."""
