"""Configurations of others as stack files, and the page that says how to come from theirs."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from typer.testing import CliRunner

from fleet.cli import app
from settings.loading.schema import stack_file_schema
from tests import MIGRATIONS, ROOT, name_of
from tests.unit.conftest import validate
from tests.unit.shipped import deploy_shipped

PAGE = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
FOLDERS = sorted({file.parent for file in MIGRATIONS})


class TestStackFiles:
    @pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
    def test_pass_the_check(self, folder, monkeypatch):
        """
        Nothing in any of them is refused, nor are those of one folder refused together.

        Without promtool and amtool in the path it warns of what they would judge, and of nothing else.
        """
        monkeypatch.setenv("PATH", str(folder))
        files = [str(file) for file in MIGRATIONS if file.parent == folder]

        result = CliRunner().invoke(app, ["check", "--json", *files])

        reports = json.loads(result.stdout)["files"]
        assert [report["problems"] for report in reports] == [[] for _ in files]
        assert {warning["path"] for report in reports for warning in report["warnings"]} <= {
            "alerts.ruleTests",
            "promfleet:fleet",
        }
        assert result.exit_code == 0

    @pytest.mark.parametrize("file", MIGRATIONS, ids=name_of)
    def test_make_what_kubernetes_expects(self, file, tmp_path):
        """
        The program registers each object once, and the oldest and the newest supported release take all of them.
        """
        [engine] = deploy_shipped(tmp_path, [file]).values()

        assert len(set(engine.registered)) == len(engine.registered)
        validate(engine.objects)

    @pytest.mark.parametrize("file", MIGRATIONS, ids=name_of)
    def test_say_what_they_replace(self, file):
        """
        In two lines at the top, below the name of the schema.
        """
        lines = file.read_text(encoding="utf-8").splitlines()

        assert re.fullmatch(r"# Replaces .+", lines[1])
        assert re.fullmatch(r"# .+\.", lines[2])
        assert not lines[3].startswith("#")

    def test_are_those_of_the_page(self):
        """
        The page says of each what it loses.
        """
        assert len(FOLDERS) >= 9
        assert sorted(re.findall(r"^\| \[([a-z0-9-]+)\]\(\.\./tests/migrations/\1\) \|", PAGE, re.M)) == [
            folder.name for folder in FOLDERS
        ]


Schema = dict[str, Any]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (yes|in part|no) \|$", PAGE, re.M)
"""Number, what people have, what they write here, and whether it can be said."""


def keys(cell: str) -> list[str]:
    """The keys of a stack file that a cell of the table names, such as `clusters.<name>.operator`."""
    return re.findall(r"`([a-z][\w.<>-]*)`", cell)


def steps_into(schema: Schema, root: Schema) -> Iterator[Schema]:
    """Each schema that a value may have to satisfy."""
    if "$ref" in schema:
        yield from steps_into(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from steps_into(choice, root)
    if "items" in schema:
        yield from steps_into(schema["items"], root)
    yield schema


@cache
def of_stack_files() -> Schema:
    """What editors check stack files with."""
    return stack_file_schema()


def knows(path: str) -> bool:
    """Whether the JSON Schema of stack files has this key; `<name>` is any name, and lists are passed through."""
    root = of_stack_files()
    found: list[Schema] = [root["$defs"]["Fleet"]]
    for key in path.split("."):
        below = [step for schema in found for step in steps_into(schema, root)]
        if key.startswith("<"):
            tables = [(*one.get("patternProperties", {}).values(), one.get("additionalProperties")) for one in below]
            found = [schema for table in tables for schema in table if isinstance(schema, dict)]
            found += [value for one in below for value in one.get("properties", {}).values()]
        else:
            found = [one["properties"][key] for one in below if key in one.get("properties", {})]
    return bool(found)


class TestTable:
    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
    def test_names_keys_that_exist(self, row):
        """
        Whoever writes what the table says writes a key that the program knows.
        """
        _, _, here, answer = row

        assert [key for key in keys(here) if not knows(key)] == []
        assert keys(here) or answer == "no" or "`fleet " in here

    def test_has_every_setting_once(self):
        """
        The 45 settings that the configurations use are numbered in one table.
        """
        assert [int(number) for number, *_ in ROWS] == list(range(1, 46))

    def test_is_summed_up(self):
        """
        The sentence above it has its numbers.
        """
        answers = [answer for *_, answer in ROWS]
        [said] = re.findall(r"(\d+) of the 45 settings can be written, (\d+) in part, and (\d+) can't", PAGE)

        assert [int(number) for number in said] == [answers.count(answer) for answer in ("yes", "in part", "no")]

    @pytest.mark.parametrize("key", ["clusters.<name>.operators", "hub.remoteWrite", "grafana.signIn.saml", "a"])
    def test_would_find_a_wrong_key(self, key):
        """
        Of a section, of a name in it, and below what other programs define.
        """
        assert not knows(key)
