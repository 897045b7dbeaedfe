"""What is rendered of a fleet that has a Prometheus server, read back."""

from collections.abc import Iterable
from typing import Any

import yaml

import render
from render.scrape.job import ScrapeJob
from settings import Fleet, Server


def server(fleet: Fleet) -> Server:
    """The section of the Prometheus server, which the fleet must have."""
    assert fleet.server is not None
    return fleet.server


def server_config(fleet: Fleet) -> dict[str, Any]:
    """The prometheus.yml of the server."""
    return yaml.load(render.server_config(server(fleet), fleet), yaml.CSafeLoader)


def scrape_configs(jobs: Iterable[ScrapeJob], fleet: Fleet, cluster: str) -> dict[str, dict[str, Any]]:
    """Name of a job -> what prometheus.yml says of it in a cluster."""
    return {job.name: job.config(fleet, cluster) for job in jobs}
