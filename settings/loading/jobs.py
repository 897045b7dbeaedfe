"""Reads the files that `scrape.jobs` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import FleetError, Problem
from ..scrape_config import JobFiles
from .document import read_yaml

_BESIDE = "Write the path of a file beside the stack file: jobs/etcd.yaml, or jobs/*.yaml for several."


def with_job_files(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with what is in the files of a folder that its `scrape.jobs` names."""
    scrape = fleet.get("scrape")
    jobs = scrape.get("jobs") if isinstance(scrape, Mapping) else None
    if not isinstance(scrape, Mapping) or not isinstance(jobs, list):
        return fleet
    read = [_read(entry, folder) if isinstance(entry, str) else entry for entry in jobs]
    return {**fleet, "scrape": {**scrape, "jobs": read}}


def _read(pattern: str, folder: Path) -> JobFiles:
    try:
        found = sorted(folder.glob(pattern))
    except (NotImplementedError, OSError, ValueError):  # an absolute path, or characters that no path has
        return JobFiles({pattern: Problem((), "is no path beside the stack file", _BESIDE)})
    if not found:
        return JobFiles({pattern: Problem((), "matches no file", _BESIDE, pattern)})
    return JobFiles({file.relative_to(folder).as_posix(): _document(file) for file in found})


def _document(file: Path) -> object:
    try:
        return read_yaml(file)
    except FleetError as error:
        [problem] = error.problems
        place = (file.name, *problem.path)
        return Problem(place, problem.rule, "Correct it." if not problem.path else problem.instead)
