from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from settings import FleetError, from_file
from settings.loading.load import KEY
from settings.loading.read import read
from tests.mutations import FILES, RIGHT, mutated

QUICK = settings(
    max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def report(fleet: Mapping[str, Any]) -> str:
    """What is said of a fleet; nothing if it is right. What no FleetError says is a traceback."""
    try:
        read(fleet, "Pulumi.test.yaml", lambda key: True, FILES)
    except FleetError as error:
        return error.report()
    return ""


class TestMutations:
    @QUICK
    @given(mutated())
    def test_whatever_is_wrong_is_said(self, fleet):
        """
        A file that somebody edited without care is right, or has a report that says where and can be printed.
        """
        said = report(fleet)

        said.encode()
        assert not said or len(said.splitlines()) >= 2

    def test_start_from_files_that_are_right(self):
        """
        So that what is wrong afterwards is the change.
        """
        assert len(RIGHT) > 10
        assert [said for fleet in RIGHT if (said := report(fleet))] == []

    @pytest.mark.parametrize(
        "loop", ["&a {hub: *a, agents: *a}", "&a {clusters: &b {eu1: *b}, alerts: *a}", "&a [*a]", "[" * 5000]
    )
    def test_what_has_no_end(self, tmp_path, loop):
        """
        YAML can write anchors that hold themselves, and more brackets than anybody closes.
        """
        file = tmp_path / "Pulumi.test.yaml"
        file.write_text(f"config: {{{KEY}: {loop}}}\n")

        with pytest.raises(FleetError):
            from_file(file)
