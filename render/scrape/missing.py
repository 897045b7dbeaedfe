"""Metrics that people's rules and dashboards query, and that no job keeps and no rule records."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from settings import Fleet
from settings.exporters import LABELS_OF
from settings.promql import selectors
from settings.rules import OUR_RECORDS, name_of

from .allowlist import ESSENTIAL, UNREAD
from .untrusted import OF_CLUSTERS, OF_MACHINES

_LIKELY = re.compile("(aggregator|apiserver|container|coredns|kube|kubelet|machine|node)_.+")
"""Metrics that hardly anything but this program's own jobs brings."""
_OF_WINDOWS = re.compile("windows_.+")
_OF_RULES = re.compile("promfleet_.*|ALERTS.*")
"""What the rules of this program, and Prometheus itself, record of the fleet and of alerts."""


class Missing(NamedTuple):
    """A metric that a query reads and that is not stored."""

    metric: str
    rule: str
    instead: str
    certain: bool
    """Whether nothing else can bring it: no job of somebody's own, no other stack, nobody's PrometheusRule."""


def missing_metrics(fleet: Fleet, tree: Any) -> Iterator[Missing]:
    """Every metric that an expression reads, and that no job of this stack keeps and no rule of it records."""
    seen = set()
    for selector in selectors(tree):
        name = selector.name or ""
        equal = {one.name: one.value for one in selector.matchers.matchers if str(one.op).endswith(".Equal")}
        if name not in seen and (found := _problem(fleet, name, equal)):
            seen.add(name)
            yield found


def _problem(fleet: Fleet, name: str, equal: Mapping[str, str]) -> Missing | None:
    return (
        _not_told(fleet, name)
        or _dropped(fleet, name, equal)
        or _not_kept(fleet, name, equal)
        or _not_written_so(name, equal)
    )


def _not_told(fleet: Fleet, name: str) -> Missing | None:
    """Labels of objects, which kube-state-metrics exposes only where the stack file says so."""
    kind = LABELS_OF.get(name)
    exporters = [cluster.kube_state_metrics for cluster in fleet.clusters.values()]
    if not kind or _has_other_stacks(fleet) or any(one.existing or one.labels.get(kind) for one in exporters):
        return None
    instead = f"Write clusters.<name>.kubeStateMetrics: {{labels: {{{kind}: […]}}}}."
    return Missing(name, "is exposed by no kube-state-metrics", instead, certain=False)


def _dropped(fleet: Fleet, name: str, equal: Mapping[str, str]) -> Missing | None:
    for job, builtin in fleet.scrape.builtin.items():
        is_read = re.fullmatch("|".join(ESSENTIAL.get(job, ())), name)
        is_dropped = any(re.fullmatch(pattern, name) for pattern in builtin.drop)
        if is_dropped and not is_read and equal.get("job", job) == job:
            rule = f"is dropped of the job {job}"
            return Missing(name, rule, f"Change scrape.builtin.{job}.drop.", certain=False)
    return None


def _not_kept(fleet: Fleet, name: str, equal: Mapping[str, str]) -> Missing | None:
    if ":" in name:
        if name in OUR_RECORDS or name in _recorded(fleet):
            return None
        instead = "Add the rule that records it to alerts.ruleFiles, or correct the name."
        return Missing(name, "is recorded by no rule of this stack", instead, not _has_rules_of_others(fleet))
    if fleet.scrape.metrics == "full" or name in fleet.scrape.kept or _OF_RULES.fullmatch(name):
        return None
    instead = f"Add {name} to scrape.keep."
    if not any(re.fullmatch("|".join(forms), name) for forms in ESSENTIAL.values()):
        forms = OF_CLUSTERS if fleet.scrape.jobs else (*OF_CLUSTERS, *OF_MACHINES)
        if re.fullmatch("|".join(forms), name):
            return Missing(name, "is not kept by scrape.metrics: essential", instead, not _has_other_stacks(fleet))
        if _LIKELY.fullmatch(name) or (_OF_WINDOWS.fullmatch(name) and _scrapes_windows(fleet)):
            return Missing(name, "is not kept by promfleet's own jobs", instead, certain=False)
        return None
    for metric, label, values in (one for unread in UNREAD.values() for one in unread):
        if name == metric and label in equal and re.fullmatch(values, equal[label]):
            rule = f'is not kept with {label}="{equal[label]}"'
            return Missing(name, rule, instead, not _has_other_stacks(fleet))
    return None


def _not_written_so(name: str, equal: Mapping[str, str]) -> Missing | None:
    """Bounds of histograms and quantiles, which Prometheus 3 stores as floating-point numbers."""
    for label in ("le", "quantile"):
        bound = equal.get(label, "")
        if re.fullmatch("[0-9]+", bound) and (label == "quantile" or name.endswith("_bucket")):
            rule = f'is not stored with {label}="{bound}" by Prometheus 3'
            return Missing(name, rule, f'Write {label}="{_as_stored(int(bound))}".', certain=False)
    return None


def _as_stored(number: int) -> str:
    """A whole number as OpenMetrics has it: 1.0, 1.5e+06."""
    digits = str(number)
    if number < 10**6:
        return f"{digits}.0"
    return f"{digits[0]}.{digits[1:].rstrip('0')}".rstrip(".") + f"e+{len(digits) - 1:02}"


def _recorded(fleet: Fleet) -> set[str]:
    return {name_of(rule) for file in fleet.alerts.rule_files for _, rule in file.rules if "record" in rule}


def _scrapes_windows(fleet: Fleet) -> bool:
    return any(cluster.windows_exporter for cluster in fleet.clusters.values())


def _has_other_stacks(fleet: Fleet) -> bool:
    """Whether samples come from stacks whose section `scrape` is not known here."""
    return bool(fleet.hub and fleet.hub.agents.keys() - fleet.clusters.keys())


def _has_rules_of_others(fleet: Fleet) -> bool:
    server = fleet.server
    return _has_other_stacks(fleet) or bool(server and fleet.clusters[server.cluster].operator)
