"""Whatever `fleet check` accepts, the tools of Prometheus and Alertmanager accept too."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from fleet.validators import AMTOOL, PROMTOOL, Validator, findings
from settings import Fleet, FleetError
from settings.errors import Problem
from settings.loading.read import read
from tests.mutations import FILES, RIGHT, mutated, places

from .tools import tool

pytestmark = pytest.mark.render

SHORT = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def accepted(fleet: dict[str, Any]) -> Fleet | None:
    try:
        return read(fleet, "Pulumi.test.yaml", lambda key: True, FILES)
    except FleetError:
        return None


def refused(judge: Validator, fleets: list[Fleet]) -> list[Problem]:
    """What a tool refuses; of what is in its own words it judges the inside, and nobody else does."""
    found = [problem for of_one in findings(judge, tool(judge.tool), fleets) for problem in of_one]
    return [problem for problem in found if not VERBATIM.intersection(problem.path)]


VERBATIM = frozenset({"configs", "destinations", "inhibitRules", "jobs", "timeIntervals"})
"""Keys below which a stack file is in the words of Prometheus or Alertmanager."""


@pytest.mark.parametrize("judge", [PROMTOOL, AMTOOL], ids=lambda judge: judge.tool)
@SHORT
@given(written=mutated())
def test_what_is_accepted_is_rendered_to_right_files(judge: Validator, written: dict[str, Any]) -> None:
    """
    A stack file that somebody edited without care is refused, or rendered to files that the tool accepts.
    """
    fleet = accepted(written)
    assume(fleet)

    assert fleet
    assert refused(judge, [fleet]) == []


def with_doubles() -> Iterator[dict[str, Any]]:
    """Every right fleet, as often as it has lists, with the first item of one of them twice."""
    for fleet in RIGHT:
        for index, (node, key) in enumerate(places(fleet)):
            if isinstance(node, list) and key == 0:
                doubled = deepcopy(fleet)
                again, _ = list(places(doubled))[index]
                again.append(deepcopy(node[key]))
                yield doubled


def test_a_repeated_block_is_refused_or_rendered_to_valid_files() -> None:
    """
    Nothing of a list that may stand there twice becomes two rules, routes or targets that are one.
    """
    fleets = list(with_doubles())
    known = [made for fleet in fleets if (made := accepted(fleet))]

    assert len(fleets) >= 20
    assert [problem for judge in (PROMTOOL, AMTOOL) for problem in refused(judge, known)] == []
