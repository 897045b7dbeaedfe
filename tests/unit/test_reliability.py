"""The table of docs/reliability.md, and the targets that make it."""

import re
from pathlib import Path

from tests.faults.table import BEGIN, END, PAGE, Row, rows, updated

ROOT = Path(__file__).parents[2]
EMPTY = f"# Words\n\n{BEGIN}\n{END}\n\nMore words.\n"


def row(fault: str, expected: str = "100") -> Row:
    return Row(fault, expected, "99", "2.0 s", "none", "by itself", "2026-11-26, `test_x.py`")


class TestTable:
    def test_what_is_written_is_read(self):
        """
        A page has the rows that it was given, between the words that it had.
        """
        page = updated(EMPTY, [row("a"), row("b")])

        assert rows(page) == [row("a"), row("b")]
        assert page.startswith("# Words\n")
        assert page.endswith("More words.\n")

    def test_a_fault_is_measured_anew_and_the_others_stay(self):
        """
        Who runs one file of faults changes its rows alone, where they stand.
        """
        page = updated(EMPTY, [row("a"), row("b")])

        assert rows(updated(page, [row("a", "200"), row("c")])) == [row("a", "200"), row("b"), row("c")]

    def test_the_page_has_figures_of_files_that_measure(self):
        """
        No cost is told of a fault that nobody tries any more.
        """
        measuring = {f.name for f in (ROOT / "tests" / "faults").glob("test_*.py") if "record(" in f.read_text()}
        told = {re.findall(r"`(\w+\.py)`", row.measured)[0] for row in rows(PAGE.read_text())}

        assert told
        assert told == measuring


class TestMakefile:
    def test_help_lists_every_target(self):
        """
        Each target says what it is for.
        """
        makefile = (ROOT / "Makefile").read_text()
        targets = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)[0].split()

        assert set(re.findall(r"^([a-z-]+):.*## \w", makefile, re.M)) == set(targets)
