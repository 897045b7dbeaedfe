"""Files with dashboards, as people export them from Grafana or write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from settings.errors import Problem
from settings.loading.dashboard_file import read_dashboard

BOARD = {"title": "Shop", "panels": []}
EXPORT = "Export it in Grafana as JSON of the classic model."


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "shop.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize("document", [BOARD, {"dashboard": BOARD, "meta": {"slug": "shop"}}], ids=["file", "api"])
def test_the_model_is_read(document: dict[str, Any], tmp_path: Path) -> None:
    """
    From an export, and from an answer of Grafana's HTTP API.
    """
    assert read_dashboard(written(tmp_path, json.dumps(document))) == BOARD


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """
    Editors on Windows write one.
    """
    assert read_dashboard(written(tmp_path, b"\xef\xbb\xbf" + json.dumps(BOARD).encode())) == BOARD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"title": "Shop"\n"panels": []}', f"shop.json.line 2: is not JSON: Expecting ',' delimiter. {EXPORT}"),
        ("[]", f"shop.json: is not a dashboard. {EXPORT}"),
        ('{"meta": {}}', f"shop.json: is not a dashboard. {EXPORT}"),
        ("[" * 100_000, f"shop.json: is nested too deeply. {EXPORT}"),
        (b"\xff", "shop.json: can't be read: it is not UTF-8. Save it as UTF-8."),
        ("{}", "shop.json.title: is missing. Write what Grafana shows in its list of dashboards."),
        (
            '{"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": {}}',
            f"shop.json: is a resource of dashboard.grafana.app/v2beta1. {EXPORT}",
        ),
    ],
    ids=["comma", "list", "empty-answer", "deep", "bytes", "untitled", "resource"],
)
def test_what_is_no_dashboard_is_said(text: str | bytes, message: str, tmp_path: Path) -> None:
    """
    With the file, and where it is in it.
    """
    found = read_dashboard(written(tmp_path, text))

    assert isinstance(found, Problem)
    assert str(found) == message


def test_a_folder_is_no_dashboard(tmp_path: Path) -> None:
    """
    A glob may match one.
    """
    (tmp_path / "old.json").mkdir()

    assert str(read_dashboard(tmp_path / "old.json")) == (
        "old.json: can't be read: Is a directory. Name a file with a dashboard."
    )
