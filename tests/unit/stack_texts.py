"""Small stack files with a gap (%s) for a mistake, and what is said about them."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

import pytest

from settings import Fleet, FleetError, from_file

HUB = "clusters: {hub: {context: a}}\nhub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}%s}\n"
"""A hub alone."""
EXPOSED = "clusters: {hub: {context: a}}\nhub: {cluster: hub, expose: {%s}}\n"
"""A hub whose way to the outside is the gap."""
CLUSTER = "clusters: {eu1: {context: a%s}}\nagents: {eu1: {hub: {stack: o/p/hub}}}\n"
"""A cluster whose facts are the gap."""
AGENT = "clusters: {eu1: {context: a}}\nagents: {eu1: {%s}}\n"
"""An agent alone."""
REMOTE_AGENT = AGENT % "hub: {stack: o/p/hub}%s"
"""An agent alone that has somewhere to write."""
BOTH = HUB.replace("{hub: {context: a}}", "{hub: {context: a}, eu1: {context: b}}") + "agents: {eu1: {%s}}\n"
"""A hub and its agent; two gaps."""


def loaded(folder: Path, fleet: str, secrets: Iterable[str] = ()) -> Fleet:
    """The fleet of a stack file with this text under promfleet:fleet, and with these secrets beside it."""
    file = folder / "Pulumi.test.yaml"
    keys = "".join(f"  promfleet:{key}: {{secure: v1:abc}}\n" for key in secrets)
    file.write_text(f"config:\n{keys}  promfleet:fleet:\n" + indent(fleet, "    "), encoding="utf-8")
    return from_file(file)


def problems(folder: Path, fleet: str, secrets: Iterable[str] = ()) -> list[str]:
    """Everything that is wrong with that text, a line each."""
    with pytest.raises(FleetError) as caught:
        loaded(folder, fleet, secrets)
    return [str(problem) for problem in caught.value.problems]
