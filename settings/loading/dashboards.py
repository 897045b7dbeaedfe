"""Reads the dashboards that `applications` and `grafana.dashboards` name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..dashboard_file import BESIDE, ReadFile
from ..errors import Problem
from .document import read_text
from .files import read_files

_SEVERAL = "Write the path of a file beside the stack file: dashboards/shop.json, or dashboards/*.json for several."


def with_dashboards(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with the content of each file with a dashboard that it names."""
    read: dict[str, Any] = {}
    if isinstance(applications := fleet.get("applications"), Mapping):
        read["applications"] = {name: _with_dashboard(one, folder) for name, one in applications.items()}
    grafana = fleet.get("grafana")
    if isinstance(grafana, Mapping) and isinstance(folders := grafana.get("dashboards"), Mapping):
        written = {title: _folder(files, folder) for title, files in folders.items()}
        read["grafana"] = {**grafana, "dashboards": written}
    return {**fleet, **read}


def _folder(files: object, folder: Path) -> object:
    if not isinstance(files, list):
        return files
    return [read_files(one, folder, read_text, _SEVERAL) if isinstance(one, str) else one for one in files]


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
