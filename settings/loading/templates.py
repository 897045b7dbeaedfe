"""Reads the files that `alertmanager.templates` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Problem
from ..template_files import TemplateFiles

_BESIDE = "Write the path of a file beside the stack file: templates/slack.tmpl, or templates/*.tmpl for several."


def with_template_files(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with what is in the files that its `alertmanager.templates` names."""
    section = fleet.get("alertmanager")
    patterns = section.get("templates") if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(patterns, list):
        return fleet
    read = [_read(pattern, folder) if isinstance(pattern, str) else pattern for pattern in patterns]
    return {**fleet, "alertmanager": {**section, "templates": read}}


def _read(pattern: str, folder: Path) -> TemplateFiles:
    try:
        found = sorted(folder.glob(pattern))
    except (NotImplementedError, OSError, ValueError):  # an absolute path, or characters that no path has
        return TemplateFiles({pattern: Problem((), "is no path beside the stack file", _BESIDE)})
    if not found:
        return TemplateFiles({pattern: Problem((), "matches no file", _BESIDE, pattern)})
    return TemplateFiles({file.relative_to(folder).as_posix(): _text(file) for file in found})


def _text(file: Path) -> str | Problem:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        return Problem((), f"can't be read: {error.strerror}", "Name a file.")
    except UnicodeDecodeError:
        return Problem((), "can't be read: it is not UTF-8", "Save it as UTF-8.")
