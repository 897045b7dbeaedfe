"""Reads the files that `alertmanager.templates` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Problem
from .files import read_files

_BESIDE = "Write the path of a file beside the stack file: templates/slack.tmpl, or templates/*.tmpl for several."


def with_template_files(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with what is in the files that its `alertmanager.templates` names."""
    section = fleet.get("alertmanager")
    patterns = section.get("templates") if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(patterns, list):
        return fleet
    read = [read_files(one, folder, _text, _BESIDE) if isinstance(one, str) else one for one in patterns]
    return {**fleet, "alertmanager": {**section, "templates": read}}


def _text(file: Path) -> str | Problem:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        return Problem((), f"can't be read: {error.strerror}", "Name a file.")
    except UnicodeDecodeError:
        return Problem((), "can't be read: it is not UTF-8", "Save it as UTF-8.")
