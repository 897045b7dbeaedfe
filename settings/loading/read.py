"""From plain data to a fleet, or to an error with every problem."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from ..errors import FleetError, Problem, RulesError
from ..fleet import Fleet
from ..validation.partial import PartialFleet
from ..validation.rules import broken_rules
from ..validation.secrets import Given, missing
from .alert_files import with_alert_files
from .dashboards import with_dashboards
from .explain import explain
from .include import with_included
from .jobs import with_job_files
from .templates import with_template_files

LEAST = "Write clusters, and hub, standalone, watcher or agents."
"""What to write where nothing of a fleet is written."""


def read(raw: object, source: str, given: Given, folder: Path = Path()) -> Fleet:
    """
    The fleet that a value of `promfleet:fleet` describes; on disk only camelCase is known.

    `folder` is where the files are that it names.
    """
    if not isinstance(raw, Mapping):
        raise FleetError(source, [Problem((), "is not a mapping", LEAST)])
    try:
        merged = with_included(raw, folder)
    except RulesError as error:
        raise FleetError(source, error.problems) from None
    raw = merged.fleet
    for read_files in (with_job_files, with_alert_files, with_dashboards, with_template_files):
        raw = read_files(raw, folder)
    try:
        fleet = Fleet.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        partial, problems = PartialFleet.parsed_leniently(raw), list(explain(error, Fleet))
        # Pydantic asks the rules between sections only once each section is right.
        if any(detail["loc"] for detail in error.errors()):
            problems += broken_rules(partial)
        raise FleetError(source, map(merged.placed, [*problems, *missing(partial, given)])) from None
    if problems := list(missing(fleet.partial, given)):
        raise FleetError(source, map(merged.placed, problems))
    return fleet
