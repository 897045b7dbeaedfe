"""Rules on people's own integrations: that the files which they read are where Alertmanager runs."""

from collections.abc import Iterator

from ..errors import Problem
from ..receiver_config import OF_STACK
from ..scrape_credentials import REFERENCE
from .partial import PartialFleet
from .paths import not_in_pod, not_on_machine

_ON_MACHINE = "Write /folder/file, of the watcher's machine, or {stackSecret: …}."


def receiver_files_exist(partial: PartialFleet) -> Iterator[Problem]:
    """Files that integrations read are mounted into the pods, or lie on the machine."""
    on_machine = "watcher" in partial.present
    for name, contact in partial.alertmanager.receivers.items() if partial.alertmanager else ():
        if not contact.configs:
            continue
        for path, file in contact.configs.mounted:
            if on_machine and file.kind in ("secret", "configMap"):
                kind = "Secret" if file.kind == "secret" else "ConfigMap"
                rule = f"is a {kind} of a cluster, and Alertmanager is on the watcher's machine"
                instead = "Write {stackSecret: …}, or the path of a file there under a key with _file."
                yield Problem(("alertmanager", "receivers", name, "configs", *path), rule, instead)
        for path, text in contact.configs.literal:
            if problem := not_on_machine(text, _ON_MACHINE) if on_machine else not_in_pod(text, f"Write {REFERENCE}."):
                yield Problem(("alertmanager", "receivers", name, "configs", *path), *problem, "")


def alertmanager_credentials_exist(partial: PartialFleet) -> Iterator[Problem]:
    """What an existing Alertmanager is shown is in Secrets of the cluster, or of the stack for a machine."""
    on_machine = "watcher" in partial.present
    for index, one in enumerate(partial.alerts.alertmanagers if partial.alerts else ()):
        for path, file in one.references:
            place = ("alerts", "alertmanagers", index, *path)
            if on_machine and file.kind != OF_STACK:
                rule = "is in a cluster, and Prometheus is on the watcher's machine"
                yield Problem(place, rule, "Write {stackSecret: …}.")
            elif not on_machine and file.kind == OF_STACK:
                rule = "is a secret of the stack, and Prometheus reads Secrets of its namespace"
                yield Problem(place, rule, f"Write {REFERENCE}.")
