"""What is scraped, how often, and how much of it is kept."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.alias_generators import to_camel

from .errors import Problem
from .pem import Certificates
from .scrape_config import ScrapeConfig, ScrapeConfigs, above_limits
from .section import Distinct, Section, Table, empty
from .types import Count, DnsName, Duration, LabelName, MetricName, Quantity, Text, in_bytes, refused, seconds

_LOOKBACK = 5 * 60


def _is_soon_enough(interval: Duration) -> Duration:
    if 2 * seconds(interval) > _LOOKBACK:
        # One missed scrape would make every series of the target vanish from queries and alerts.
        raise refused("leaves no room for two scrapes in the 5m that Prometheus looks back", "Write 2m or less.")
    return interval


Interval = Annotated[Duration, AfterValidator(_is_soon_enough)]
"""Time between two scrapes of a target."""


RECEIVED = 32 * 2**20
"""Bytes that a Prometheus takes in one request, decoded; a larger one it refuses for good, and all that is in it."""
_FEWEST = 100
"""Samples that a request must have room for: with less, an agent would hardly keep up."""
_ADDED = 10
"""Labels that come after a scrape was judged: the cluster, and what makes way for it."""
_OF_A_LABEL, _OF_A_SERIES = 16, 4096
"""Bytes around the texts of a label; those of a sample and of its exemplar, which has a limit of its own."""
_SHORTEST_VALUE = 256
FEWEST_LABELS = 30
"""Labels that a series must have room for beside external ones: promfleet's own have fewer."""


class AnnotatedLimits(Section):
    """What one scrape of an annotated pod or service, or of all pushed groups, may bring at most. 0: as the others."""

    samples: Count = 10_000
    """Samples that one target may answer with."""
    body: Quantity = "8Mi"
    """Uncompressed size of one answer."""


class Limits(Section):
    """What one scrape may bring at most; a scrape over a limit is refused whole and an alert says so. 0: no limit."""

    samples: Count = 200_000
    """Samples that one target may answer with."""
    targets: Count = 5_000
    """Targets that one job may have."""
    labels: Annotated[int, Field(ge=FEWEST_LABELS, le=1000)] = 60
    """Labels that one sample may carry."""
    label_name: Annotated[int, Field(ge=64, le=1024)] = 128
    """Bytes of a label's name."""
    label_value: Annotated[int, Field(ge=_SHORTEST_VALUE, le=65536)] = 1024
    """Bytes of a label's value."""
    body: Quantity = "128Mi"
    """Uncompressed size of one answer."""
    annotated: AnnotatedLimits = AnnotatedLimits()
    """What is narrower for those whom anybody can deploy."""

    @property
    def largest_series(self) -> int:
        """Bytes of a sample with all the labels that it may carry, as remote write sends it."""
        return _OF_A_SERIES + (self.labels + _ADDED) * (self.label_name + self.label_value + _OF_A_LABEL)

    @property
    def of_jobs(self) -> dict[str, int]:
        """What no job may exceed, by its key; sizes in bytes."""
        return {
            "samples": self.samples,
            "targets": self.targets,
            "labels": self.labels,
            "labelName": self.label_name,
            "labelValue": self.label_value,
            "body": in_bytes(self.body),
        }

    def problems(self) -> Iterator[Problem]:
        """A few of the largest series must fit into a request, or one workload could cost all others their samples."""
        if _FEWEST * self.largest_series <= RECEIVED:
            return
        rule = f"lets {_FEWEST} samples with {self.labels} such labels be more than the 32Mi that a hub takes at once"
        longest = (RECEIVED // _FEWEST - _OF_A_SERIES) // (self.labels + _ADDED) - self.label_name - _OF_A_LABEL
        instead = f"Write {longest} or less, or fewer labels." if longest >= _SHORTEST_VALUE else "Write fewer labels."
        yield Problem(("labelValue",), rule, instead, self.label_value)


class TargetTls(Section):
    """By what annotated targets with `scheme: https` are verified: by the public authorities, if nothing is said."""

    ca: Certificates | None = None
    """PEM certificates that sign for them, instead of the public authorities."""
    ca_config_map: DnsName | None = None
    """ConfigMap (key `ca.crt`) with them in the namespace of each cluster's Prometheus instead."""
    server_name: DnsName | None = None
    """Name that is in all of their certificates; their addresses, if left out."""
    insecure_skip_verify: bool = False
    """Accept any certificate; others can then answer in a target's place."""

    def problems(self) -> Iterator[Problem]:
        """One source of trust, or none."""
        if self.ca is not None and self.ca_config_map:
            yield Problem((), "has both ca and caConfigMap", "Keep one: targets are verified by one bundle.")
        if self.insecure_skip_verify:
            for name in ("ca", "ca_config_map", "server_name"):
                if getattr(self, name) is not None:
                    instead = "Remove it, or remove insecureSkipVerify."
                    yield Problem((to_camel(name),), "has no effect with insecureSkipVerify", instead)


def _is_a_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise refused(
            f"is not a regular expression: {error}", "Write names of metrics, or go_.+ for a family."
        ) from None
    return pattern


MetricPattern = Annotated[
    str,
    Text(
        r"(?!.*\(\?)[a-zA-Z0-9_:.*+?|()]*[a-zA-Z0-9_:]{2}[a-zA-Z0-9_:.*+?|()]*",
        "is not a pattern of metric names",
        "Write the name of a metric, or a regular expression of names: container_blkio_.+.",
    ),
    AfterValidator(_is_a_pattern),
]
"""A regular expression that matches whole names of metrics, and names a part of them."""
ANNOTATED = ("pods", "services")
_ALWAYS_WHOLE = "prometheus"
BuiltinName = Literal[
    "apiserver",
    "cadvisor",
    "coredns",
    "kube-controller-manager",
    "kube-etcd",
    "kube-proxy",
    "kube-scheduler",
    "kube-state-metrics",
    "kubelet",
    "node-exporter",
    "pods",
    "prometheus",
    "prometheus-operator",
    "services",
    "windows-exporter",
]


class Builtin(Section):
    """Settings of one of this program's jobs, wherever the job is."""

    interval: Interval | None = None
    """Time between two scrapes of a target, instead of `scrape.interval`."""
    timeout: Duration | None = None
    """Time after which a scrape has failed, instead of `scrape.timeout`; at most the interval."""
    keep: Distinct[MetricName] = ()
    """Names of metrics to keep of this job, with all their series, beside the essential ones and `scrape.keep`."""
    drop: Distinct[MetricPattern] = ()
    """Metrics that are not stored; those that promfleet's own rules and dashboards read of such a job always are."""


class Scrape(Section):
    """What is scraped in every cluster of this stack, how often and how much of it is kept."""

    interval: Interval = "1m"
    """Time between two scrapes of a target."""
    timeout: Duration = "10s"
    """Time after which a scrape has failed."""
    metrics: Literal["essential", "full"] = "essential"
    """`essential` keeps what promfleet's rules, dashboards and runbooks read; `full` keeps everything."""
    keep: Distinct[MetricName] = ()
    """Names of metrics to keep, with all their series, beside the essential ones."""
    pod_labels: Distinct[LabelName] | None = None
    """Labels of annotated pods and services that their series get too; all that they have, if left out."""
    builtin: Table[BuiltinName, Builtin] = Field(default_factory=empty)
    """Jobs of this program that differ, by the value of their label `job`; `pods` and `services` are the annotated."""
    limits: Limits = Limits()
    tls: TargetTls = TargetTls()
    jobs: Annotated[Sequence[ScrapeConfig], ScrapeConfigs()] = ()
    """Jobs of your own: entries of Prometheus' `scrape_configs` with `clusters` beside, or files that have some."""

    def problems(self) -> Iterator[Problem]:
        """Prometheus refuses to start with a timeout above the interval; no job has more than all may have."""
        if seconds(self.timeout) > seconds(self.interval):
            instead = f"Write {self.interval} or less."
            yield Problem(("timeout",), f"is longer than the interval, {self.interval}", instead, self.timeout)
        for name, builtin in self.builtin.items():
            for problem in self._of_builtin(name, builtin):
                yield problem.under(("builtin", name))
        for problem in above_limits(self.jobs, self.limits.of_jobs, seconds(self.interval), self.interval):
            yield problem.under(("jobs",))

    def _of_builtin(self, name: str, builtin: Builtin) -> Iterator[Problem]:
        interval = builtin.interval or self.interval
        if builtin.timeout and seconds(builtin.timeout) > seconds(interval):
            rule = f"is longer than the interval, {interval}"
            yield Problem(("timeout",), rule, f"Write {interval} or less.", builtin.timeout)
        if builtin.keep and (name in (*ANNOTATED, _ALWAYS_WHOLE) or self.metrics == "full"):
            why = "with metrics: full" if self.metrics == "full" else "of a job of which all is kept"
            yield Problem(("keep",), f"has no effect {why}", "Remove it.")
        if builtin.drop and name == _ALWAYS_WHOLE:
            yield Problem(("drop",), "is not offered: rules read what Prometheus says of itself", "Remove it.")
        elif builtin.drop and name not in ANNOTATED and self.metrics == "essential":
            instead = "Remove it: nothing is kept but what rules and dashboards read, and what scrape.keep names."
            yield Problem(("drop",), "has no effect with metrics: essential", instead)

    def kept_of(self, job: str) -> frozenset[str]:
        """Names of metrics to keep of one of this program's jobs beside the essential ones."""
        return frozenset({*self.keep, *self.builtin.get(job, Builtin()).keep})

    @property
    def kept(self) -> frozenset[str]:
        """Names of metrics to keep of any job."""
        return frozenset({*self.keep, *(name for builtin in self.builtin.values() for name in builtin.keep)})

    def timeout_of(self, job: str) -> Duration:
        """Time after which a scrape of one of this program's jobs has failed."""
        builtin = self.builtin.get(job, Builtin())
        return builtin.timeout or min(self.timeout, builtin.interval or self.timeout, key=seconds)
