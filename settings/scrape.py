"""What is scraped, how often, and how much of it is kept."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from .errors import Problem
from .section import Distinct, Section
from .types import Count, Duration, MetricName, Quantity, refused, seconds

_LOOKBACK = 5 * 60


def _is_soon_enough(interval: Duration) -> Duration:
    if 2 * seconds(interval) > _LOOKBACK:
        # One missed scrape would make every series of the target vanish from queries and alerts.
        raise refused("leaves no room for two scrapes in the 5m that Prometheus looks back", "Write 2m or less.")
    return interval


Interval = Annotated[Duration, AfterValidator(_is_soon_enough)]
"""Time between two scrapes of a target."""


class Limits(Section):
    """What one scrape may bring at most; a scrape over a limit is refused whole and an alert says so. 0: no limit."""

    samples: Count = 200_000
    """Samples that one target may answer with."""
    targets: Count = 5_000
    """Targets that one job may have."""
    labels: Count = 100
    """Labels that one sample may carry."""
    body: Quantity = "128Mi"
    """Uncompressed size of one answer."""


class Scrape(Section):
    """What is scraped in every cluster of this stack, how often and how much of it is kept."""

    interval: Interval = "1m"
    """Time between two scrapes of a target."""
    timeout: Duration = "10s"
    """Time after which a scrape has failed."""
    metrics: Literal["essential", "full"] = "essential"
    """`essential` keeps what rules and dashboards use; `full` keeps everything."""
    keep: Distinct[MetricName] = ()
    """Further metrics to keep beside the essential ones."""
    limits: Limits = Limits()

    def problems(self) -> Iterator[Problem]:
        """Prometheus refuses to start with a timeout above the interval."""
        if seconds(self.timeout) > seconds(self.interval):
            instead = f"Write {self.interval} or less."
            yield Problem(("timeout",), f"is longer than the interval, {self.interval}", instead, self.timeout)
