"""Faults are tried on the fleets of `tests/lab`; what they cost is written into the documentation."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.lab.samples import Samples

from .table import PAGE, Row, updated

Record = Callable[..., None]


@pytest.fixture(scope="session")
def measured_rows() -> Iterator[list[Row]]:
    """What this run has measured; it is in the page at the end."""
    rows: list[Row] = []
    yield rows
    if rows:
        PAGE.write_text(updated(PAGE.read_text(), rows))


@pytest.fixture
def record(request: pytest.FixtureRequest, measured_rows: list[Row]) -> Record:
    """Keep what a fault cost: its name, its samples, the alerts that fired and how it healed."""

    def keep(fault: str, samples: Samples, *, alerts: str, healed: str) -> None:
        figures = (f"{samples.expected:,}", f"{samples.present:,}", f"{samples.longest_gap:.1f} s")
        measured = f"{datetime.now(UTC):%Y-%m-%d}, `{request.path.name}`"
        measured_rows.append(Row(fault, *figures, alerts, healed, measured))

    return keep
