from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.validators import Check, Validator, findings, unjudged
from settings import Fleet

from .builders import HUB

TOOL = """#!/bin/sh
echo "$@" >>"$STARTS"
! grep --with-filename bad "$2" "${3:-$2}"
"""
"""Refuses files with the word `bad`, and remembers with what it was started."""


def cases(made: Fleet) -> Iterator[Check]:
    yield Check(("hub",), ["check"], {"file.yml": made.namespace})


JUDGE = Validator("tool", "prometheus", cases, cases)


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

    def test_nothing_is_said_of_the_file_that_is_gone(self, tool: Path) -> None:
        """
        Neither the path of a temporary file, nor what promtool and amtool say around every error.
        """
        tool.write_text(
            "#!/bin/sh\n"
            "echo \"Checking '$2'  FAILED: parsing YAML file $2: no such role\"\n"
            'echo "amtool: error: failed to validate 1 file(s)" >&2\n'
            "exit 1\n"
        )

        [[problem]] = findings(JUDGE, tool, [called("good")])

        assert problem.rule == "is rendered to a file that tool refuses: no such role"


class TestUnjudged:
    def test_what_nothing_here_can_judge_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Who has neither tool is told which parts of the stack file may still be refused; of other files nothing is said.
        """
        monkeypatch.setenv("PATH", str(tmp_path))
        jobs = [{"job_name": name, "static_configs": [{"targets": ["a:1"]}]} for name in ("a", "b")]
        receivers = {"sre": {"configs": {"webhook_configs": [{"url": {"secret": {"name": "s", "key": "k"}}}]}}}
        own = Fleet.model_validate(
            {
                "clusters": {"hub": {"context": "hub"}},
                "hub": HUB,
                "scrape": {"jobs": jobs},
                "alertmanager": {
                    "receivers": receivers,
                    "default": "sre",
                    "routes": [{"severities": ["info"], "wait": "1m"}],
                },
            }
        )

        promtool, amtool = unjudged(own)

        assert str(promtool) == (
            "promfleet:fleet: has parts that only promtool can judge: scrape.jobs. "
            f"Put promtool of {own.images.prometheus} into the path."
        )
        assert amtool.rule == "has parts that only amtool can judge: alertmanager.receivers"
        assert [*unjudged(called("plain"))] == []
