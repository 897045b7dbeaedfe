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


def dashboards_query_datasources(partial: PartialFleet) -> Iterator[Problem]:
    """Whatever a dashboard queries is the server, or one of the further datasources."""
    if not partial.grafana:
        return
    sources = partial.grafana.datasources.sources
    for folder, files in partial.grafana.dashboards.items():
        for file in files:
            for problem in file.problems(sources):
                yield problem.under(("grafana", "dashboards", folder, file.path))
    for name, application in partial.applications.items():
        if application and application.dashboard:
            for problem in application.dashboard.problems(sources):
                yield problem.under(("applications", name, "dashboard"))
