"""Reads the files that `scrape.jobs` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .document import read_yaml
from .files import read_files

_BESIDE = "Write the path of a file beside the stack file: jobs/etcd.yaml, or jobs/*.yaml for several."


def with_job_files(fleet: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return a fleet as it was written, with what is in the files of a folder that its `scrape.jobs` names."""
    scrape = fleet.get("scrape")
    jobs = scrape.get("jobs") if isinstance(scrape, Mapping) else None
    if not isinstance(scrape, Mapping) or not isinstance(jobs, list):
        return fleet
    read = [read_files(entry, folder, read_yaml, _BESIDE) if isinstance(entry, str) else entry for entry in jobs]
    return {**fleet, "scrape": {**scrape, "jobs": read}}
