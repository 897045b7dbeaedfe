"""Rules between dashboards that several sections name."""

from collections.abc import Iterator

from ..errors import Problem
from .partial import PartialFleet


def dashboards_are_in_one_place(partial: PartialFleet) -> Iterator[Problem]:
    """Grafana loads none of two dashboards with one uid, whichever folders they are in."""
    named = {
        application.dashboard.uid: name
        for name, application in partial.applications.items()
        if application and application.dashboard
    }
    for folder, files in partial.grafana.dashboards.items() if partial.grafana else ():
        for file in files:
            if file.uid in named:
                rule = f"has the uid of the dashboard of applications.{named[file.uid]}"
                instead = "Name it in one place, or write another uid into it."
                yield Problem(("grafana", "dashboards", folder, file.path), rule, instead, file.uid)
