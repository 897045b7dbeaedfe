"""Reads the dashboards that `applications` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..dashboard_file import BESIDE, ReadFile
from ..errors import Problem


def with_dashboards(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with the content of each file that a `dashboard` of its applications names."""
    applications = fleet.get("applications")
    if not isinstance(applications, Mapping):
        return fleet
    return {**fleet, "applications": {name: _with_dashboard(one, folder) for name, one in applications.items()}}


def _with_dashboard(application: object, folder: Path) -> object:
    if not isinstance(application, Mapping) or not isinstance(path := application.get("dashboard"), str):
        return application
    return {**application, "dashboard": ReadFile(path, _content(path, folder))}


def _content(path: str, folder: Path) -> str | Problem:
    if Path(path).is_absolute():
        return Problem((), "is no path beside the stack file", BESIDE, path)
    try:
        return (folder / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Problem((), "is a file that does not exist", BESIDE, path)
    except UnicodeDecodeError:
        return Problem((), "can't be read: it is not UTF-8", "Save it as UTF-8.", path)
    except OSError as error:
        return Problem((), f"can't be read: {error.strerror}", BESIDE, path)
    except ValueError:  # characters that no path has
        return Problem((), "is no path beside the stack file", BESIDE)
