"""Reads a file with a Grafana dashboard."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Problem

_EXPORT = "Export it in Grafana as JSON of the classic model."


def read_dashboard(file: Path) -> Mapping[str, Any] | Problem:
    """
    The JSON model of the dashboard in a file, or what is wrong with it; the problem's path begins with the file's name.

    What Grafana's HTTP API answers, `{"dashboard": …, "meta": …}`, is unpacked.
    """
    place = (file.name,)
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return Problem(place, f"can't be read: {error.strerror}", "Name a file with a dashboard.")
    except UnicodeDecodeError:
        return Problem(place, "can't be read: it is not UTF-8", "Save it as UTF-8.")
    except json.JSONDecodeError as error:
        return Problem((*place, f"line {error.lineno}"), f"is not JSON: {error.msg}", _EXPORT)
    except RecursionError:
        return Problem(place, "is nested too deeply", _EXPORT)
    if isinstance(document, Mapping) and "meta" in document:
        document = document.get("dashboard")
    if not isinstance(document, Mapping):
        return Problem(place, "is not a dashboard", _EXPORT)
    if "apiVersion" in document and "spec" in document:
        return Problem(place, f"is a resource of {document['apiVersion']}", _EXPORT)
    if not isinstance(document.get("title"), str) or not document["title"]:
        return Problem((*place, "title"), "is missing", "Write what Grafana shows in its list of dashboards.")
    return document
