"""Relabelling rules that several jobs share."""

from typing import Any

from settings.reserved import OF_BLOCKS

Rule = dict[str, Any]

_TMP = "__tmp_own"

POD, NODE, SERVICE, SLICE = (f"__meta_kubernetes_{kind}" for kind in ("pod", "node", "service", "endpointslice"))


def copied(source: str, target: str) -> Rule:
    """The value of one label under another name."""
    return {"source_labels": [source], "target_label": target}


def constant(target: str, value: str) -> Rule:
    """The same value for all."""
    return {"target_label": target, "replacement": value}


def keep(sources: list[str], regex: str) -> Rule:
    """Only what matches; the values of several labels are joined by semicolons."""
    return {"source_labels": sources, "regex": regex, "action": "keep"}


def drop(sources: list[str], regex: str) -> Rule:
    """All but what matches."""
    return {"source_labels": sources, "regex": regex, "action": "drop"}


MOVED: list[Rule] = [
    {"regex": f"({'|'.join(OF_BLOCKS)})", "replacement": "exported_$1", "action": "labelmap"},
    {"regex": "|".join(OF_BLOCKS), "action": "labeldrop"},
]
"""Labels that Thanos would put its own values over, out of its way."""


def force_cluster_label(cluster: str) -> list[Rule]:
    """
    Force the cluster's own name on every series; another one moves to `exported_cluster`.

    RE2 can't say "anything but", so that the own name is marked first.
    """
    return [
        {"source_labels": ["cluster"], "regex": cluster, "target_label": _TMP, "replacement": "true"},
        {"source_labels": [_TMP, "cluster"], "regex": ";(.+)", "target_label": "exported_cluster"},
        {"target_label": "cluster", "replacement": cluster},
        {"regex": _TMP, "action": "labeldrop"},
    ]
