"""Parts that a lab has only if somebody asks for them: nobody waits for the build of what runs nothing of theirs."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from .cluster import state
from .node import LabError

PARTS = {
    "java": "a Java program with Micrometer's metrics",
    "operator": "the Prometheus Operator and its admission webhook",
    "upgrade": "an older release of the Prometheus Operator",
    "thanos": "Thanos, memcached, and the object store of the lab's Google Cloud",
}
"""Name -> what it brings. Rows of BINARIES and IMAGES name the part that they belong to."""


class Row(Protocol):
    """What may belong to a part."""

    @property
    def part(self) -> str: ...


T = TypeVar("T", bound=Row)


def chosen(rows: Iterable[T], parts: Iterable[str]) -> list[T]:
    """Keep the rows that every lab has, and those of these parts."""
    return [row for row in rows if row.part in {"", *parts}]


def wanted(asked: Iterable[str]) -> set[str]:
    """Add what is asked for to what this lab has; LabError for a part that there is not."""
    if unknown := set(asked) - set(PARTS):
        raise LabError(f"the lab has no part {', '.join(sorted(unknown))}; its parts: {', '.join(PARTS)}")
    file = state() / "parts"
    return {*asked, *(file.read_text().split() if file.exists() else ())}


def remember(parts: Iterable[str]) -> None:
    """Let this lab keep the parts until it is taken down."""
    (state() / "parts").write_text("\n".join(sorted(parts)))
