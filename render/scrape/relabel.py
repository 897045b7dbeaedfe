"""Relabelling rules that several jobs share."""

import re
from collections.abc import Mapping
from typing import Any

from settings.reserved import OF_BLOCKS

Rule = dict[str, Any]

_TMP = "__tmp_own"
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What RE2 does not take for itself."""

NAMESPACE = "__meta_kubernetes_namespace"
POD, NODE, SERVICE, SLICE = (f"__meta_kubernetes_{kind}" for kind in ("pod", "node", "service", "endpointslice"))


def discovered(label: str) -> str:
    """Return the name of a Kubernetes label as discovery spells it, after `<kind>_label_` or `<kind>_labelpresent_`."""
    return re.sub("[^a-zA-Z0-9_]", "_", label)


def copied(source: str, target: str) -> Rule:
    """Copy the value of one label to another one."""
    return {"source_labels": [source], "target_label": target}


def constant(target: str, value: str) -> Rule:
    """Set a label to the same value on every target or series."""
    return {"target_label": target, "replacement": value}


def keep(sources: list[str], regex: str) -> Rule:
    """Keep only what matches; the values of several labels are joined by semicolons."""
    return {"source_labels": sources, "regex": regex, "action": "keep"}


def drop(sources: list[str], regex: str) -> Rule:
    """Drop what matches; labels as of `keep`."""
    return {"source_labels": sources, "regex": regex, "action": "drop"}


ENDED = drop([f"{POD}_phase"], "Succeeded|Failed")
"""Pods that have ended, which discovery keeps for as long as they exist."""
MOVED: list[Rule] = [
    {"regex": f"({'|'.join(OF_BLOCKS)})", "replacement": "exported_$1", "action": "labelmap"},
    {"regex": "|".join(OF_BLOCKS), "action": "labeldrop"},
]
"""Labels that Thanos would put its own values over, out of its way."""


def external(labels: Mapping[str, str]) -> list[Rule]:
    """Give a target labels that it has not got from here yet; what it has under their names moves to `exported_…`."""
    return [
        rule
        for name, value in labels.items()
        for rule in (
            {"source_labels": [name], "regex": "(.+)", "target_label": f"exported_{name}"},
            constant(name, value),
        )
    ]


def forced(name: str, value: str) -> list[Rule]:
    """
    Force a label on every series; another value of it moves to `exported_…`.

    RE2 can't say "anything but", so that the own value is marked first.
    """
    return [
        {
            "source_labels": [name],
            "regex": _SPECIAL.sub(r"\\\g<0>", value),
            "target_label": _TMP,
            "replacement": "true",
        },
        {"source_labels": [_TMP, name], "regex": ";(.+)", "target_label": f"exported_{name}"},
        constant(name, value),
        {"regex": _TMP, "action": "labeldrop"},
    ]
