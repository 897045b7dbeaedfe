"""A scrape job as data, and the one step that makes it a part of prometheus.yml."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from settings import Fleet
from settings.scrape import Builtin

from .allowlist import metric_rules
from .relabel import MOVED, Rule, constant, external


@dataclass(frozen=True, kw_only=True)
class ScrapeJob:
    """What is scraped and how it is found; whose cluster it is in and what is kept of the answer follows at the end."""

    name: str
    path: str = "/metrics"
    discovery: Sequence[Mapping[str, Any]] = ()
    """Entries of `kubernetes_sd_configs`."""
    targets: Sequence[Mapping[str, Any]] = ()
    """Entries of `static_configs`."""
    relabel: Sequence[Rule] = ()
    metric_relabel: Sequence[Rule] = ()
    """After the allowlist of the job."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the job as Prometheus names them: its scheme, credentials, TLS, limits, interval."""

    def config(self, fleet: Fleet, cluster: str) -> dict[str, Any]:
        """
        Return the entry of `scrape_configs` whose series have the label `cluster`, and the external ones.

        No job honours labels: a series that brings its own `cluster` is stored with it as `exported_cluster`. A
        redirect is not followed, since it would lead to what only Prometheus itself reaches.
        """
        found = {"kubernetes_sd_configs": [*self.discovery], "static_configs": [*self.targets]}
        return {
            "job_name": self.name,
            **({} if self.path == "/metrics" else {"metrics_path": self.path}),
            **self.options,
            **_paced(fleet.scrape.builtin.get(self.name)),
            **{key: entries for key, entries in found.items() if entries},
            "relabel_configs": [*self.relabel, *external(fleet.labels_of(cluster)), constant("cluster", cluster)],
            "metric_relabel_configs": [*metric_rules(self.name, fleet.scrape), *self.metric_relabel, *MOVED],
            "follow_redirects": False,
        }


def _paced(builtin: Builtin | None) -> dict[str, str]:
    """Interval and timeout of a job that differs from the others; Prometheus lowers a timeout to a shorter interval."""
    pace = {"scrape_interval": builtin.interval, "scrape_timeout": builtin.timeout} if builtin else {}
    return {field: length for field, length in pace.items() if length}


def scrape_configs(jobs: Iterable[ScrapeJob], fleet: Fleet, cluster: str) -> list[dict[str, Any]]:
    """Return the section of prometheus.yml for all jobs of one cluster."""
    return [job.config(fleet, cluster) for job in jobs]
