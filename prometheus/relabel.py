"""Relabelling rules that several jobs share."""

from typing import Any

Rule = dict[str, Any]

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
