"""Output of commands with `--json`; names of fields are part of the interface of a version."""

from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from settings import Problem
from settings.errors import shown, spelt

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, errors included.")]


class Report(BaseModel):
    """A report in camelCase JSON, always with all fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)

    def print(self) -> None:
        """Write it to stdout."""
        typer.echo(self.model_dump_json(by_alias=True, indent=2))


class Finding(Report):
    """One broken rule of a stack file."""

    path: str
    """Path in `promfleet:fleet`: `hub.agents[1]`."""
    value: str | None
    """The value there, as JSON; null where it is a block or may be a secret."""
    rule: str
    """The rule that it breaks; with path and value before it, it is a sentence."""
    instead: str
    """What to write."""

    def text(self) -> str:
        """The finding as one line."""
        return f"{self.path}: {' '.join(filter(None, [self.value, self.rule]))}. {self.instead}".rstrip()

    @classmethod
    def of(cls, problem: Problem) -> "Finding":
        """The finding of a problem, without values that its text leaves out too."""
        value = shown(problem.path, problem.value) or None
        return cls(path=spelt(problem.path), value=value, rule=problem.rule, instead=problem.instead)


class CheckedFile(Report):
    """One stack file."""

    file: str
    ok: bool
    summary: str | None
    """The parts of the fleet; null where the file is wrong."""
    problems: list[Finding]
    warnings: list[Finding]
    """What is probably not meant; it does not make the file wrong."""


class Checked(Report):
    """`fleet check --json`."""

    files: list[CheckedFile]
    error: str | None = None
    """Why there is nothing to check; then there are no files."""


class ClusterStatus(Report):
    """One cluster by the samples of the server; null where there is none of the last five minutes."""

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
    """Clusters that the server expects samples of; none where it could not be queried."""
    troubles: list[str]
    """Reasons why pods and volumes are not ready."""
    error: str | None
    """Why the server could not be queried."""
