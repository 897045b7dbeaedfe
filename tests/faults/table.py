"""The table of `docs/reliability.md`: what each fault cost when it was last tried."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- measured by `make faults` -->", "<!-- end of what was measured -->"
HEADINGS = (
    "what happens",
    "samples expected",
    "samples present",
    "longest gap",
    "alerts that fired",
    "how it healed",
    "measured",
)


class Row(NamedTuple):
    """One fault; the first field is its name."""

    fault: str
    expected: str
    present: str
    longest_gap: str
    alerts: str
    healed: str
    measured: str
    """When, and by which test."""


def rows(page: str) -> list[Row]:
    """Read the rows that a page has."""
    table = page.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in table[2:]]


def updated(page: str, measured: Iterable[Row]) -> str:
    """Give a page whose table has these rows: one for a fault that it has is replaced, a new one comes last."""
    known = {row.fault: row for row in rows(page)}
    known |= {row.fault: row for row in measured}
    lines = [HEADINGS, ["---"] * len(HEADINGS), *known.values()]
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n" + "".join(map(_line, lines)) + f"{END}{after}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
