"""What `fleet check` warns of in people's own scrape jobs: what promfleet scrapes already, and what it drops."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser

from render.scrape.discovery import is_elsewhere
from render.scrape.untrusted import OF_THE_CLUSTER
from settings import Fleet, Problem

_ANNOTATED = {f"__meta_kubernetes_{role}_annotation_prometheus_io_scrape": f"{role}s" for role in ("pod", "service")}
"""Label of discovery -> the job of promfleet that keeps targets by it."""
_PROXIED = re.compile(r"/api/v1/nodes/.+/proxy/.*")
_KUBELETS = ("/metrics", "/metrics/cadvisor")
_DROPPED = re.compile("|".join(OF_THE_CLUSTER))
_KEEP = "Remove it, and name in scrape.keep what you miss."


def repeated_jobs(fleet: Fleet) -> Iterator[Problem]:
    """Every job that scrapes what promfleet's own jobs scrape in the same clusters, as copied configurations do."""
    for job in fleet.scrape.jobs:
        if any(not is_elsewhere(entry) for entry in job.config.get("kubernetes_sd_configs", ())):
            yield from (
                Problem(("scrape", "jobs", *job.path), rule, instead) for rule, instead in _repeated(job.config)
            )


def dropped_selectors(fleet: Fleet) -> Iterator[Problem]:
    """Every selector of a federation of which nothing is kept: promfleet's own jobs and rules make such series."""
    for job in fleet.scrape.jobs:
        if any(rule.get("target_label") == "__name__" for rule in job.config.get("metric_relabel_configs", ())):
            continue  # another name may be kept
        for index, text in enumerate(job.config.get("params", {}).get("match[]", ())):
            if _is_dropped(text):
                rule = "selects what is dropped: promfleet's own jobs and rules make such series"
                instead = "Remove it, and have an agent or a watcher scrape that cluster."
                yield Problem(("scrape", "jobs", *job.path, "params", "match[]", index), rule, instead, text)


def _repeated(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a job that discovers in its own cluster repeats, and what to do instead."""
    rules = config.get("relabel_configs", ())
    for label, ours in _ANNOTATED.items():
        if any(_keeps(rule, label) for rule in rules):
            yield f"scrapes annotated {ours}, as promfleet's job {ours} does", "Remove it, or take other annotations."
    if any(_keeps(rule, "__meta_kubernetes_service_name", "default;kubernetes;https") for rule in rules):
        yield "scrapes API servers, as promfleet's job apiserver does", _KEEP
    if any(_PROXIED.fullmatch(str(rule.get("replacement"))) for rule in rules):
        rule = "asks kubelets through the API server, for which Prometheus has no right: it would need nodes/proxy"
        yield rule, "Remove it: promfleet's jobs kubelet and cadvisor scrape them."
    elif _asks_kubelets(config):
        yield "scrapes kubelets, as promfleet's jobs kubelet and cadvisor do", _KEEP


def _keeps(rule: Mapping[str, Any], label: str, value: str = "true") -> bool:
    """Whether a rule of relabelling keeps targets with a value of a label, alone or with others."""
    if rule.get("action") != "keep" or label not in rule.get("source_labels", ()):
        return False
    regex = rule.get("regex", "")
    return (value if regex is True else str(regex).strip("^$()")) == value


def _asks_kubelets(config: Mapping[str, Any]) -> bool:
    """Whether nodes are asked at the port and the path of a kubelet, which are those that discovery gives."""
    rules = config.get("relabel_configs", ())
    written = {rule.get("target_label"): rule.get("replacement") for rule in rules}
    path = written.get("__metrics_path__") or config.get("metrics_path", "/metrics")
    roles = [entry.get("role") for entry in config["kubernetes_sd_configs"]]
    return "node" in roles and "__address__" not in written and path in _KUBELETS


def _is_dropped(text: str) -> bool:
    """Whether it is certain that nothing is kept of what a selector asks for."""
    try:
        selector = promql_parser.parse(text)
    except ValueError:
        return False  # it asks for all series
    if not isinstance(selector, promql_parser.VectorSelector):
        return False
    if selector.name:
        return bool(_DROPPED.fullmatch(selector.name))
    return any(
        matcher.name == "__name__" and not str(matcher.op).endswith(("NotEqual", "NotRe")) and ":" in matcher.value
        for matcher in selector.matchers.matchers
    )
