from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.validators import Check, Validator, findings
from settings import Fleet

from .builders import HUB

TOOL = """#!/bin/sh
echo "$@" >>"$STARTS"
! grep --with-filename bad "$2" "${3:-$2}"
"""
"""Refuses files with the word `bad`, and remembers with what it was started."""


def cases(made: Fleet) -> Iterator[Check]:
    yield Check(("hub",), ["check"], {"file.yml": made.namespace})


JUDGE = Validator("tool", "prometheus", cases)


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STARTS", str(tmp_path / "starts"))
    command = tmp_path / "tool"
    command.write_text(TOOL)
    command.chmod(0o700)
    return command


def called(name: str) -> Fleet:
    return Fleet.model_validate({"clusters": {"hub": {"context": "hub"}}, "namespace": name, "hub": HUB})


class TestFindings:
    def test_a_tool_is_started_once_for_what_it_accepts(self, tool: Path) -> None:
        """
        A hundred stack files do not wait for a hundred processes.
        """
        assert findings(JUDGE, tool, [called("good"), called("better")]) == [[], []]
        assert len((tool.parent / "starts").read_text().splitlines()) == 1

    def test_what_it_refuses_is_said_of_the_fleet_whose_it_is(self, tool: Path) -> None:
        """
        The others of which it was asked at once are right.
        """
        good, [problem] = findings(JUDGE, tool, [called("good"), called("bad")])

        assert good == []
        assert problem.path == ("hub",)
        assert problem.rule.endswith("file.yml:bad")
