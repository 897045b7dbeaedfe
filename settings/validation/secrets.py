"""Secrets that the program reads from the stack: keys of the configuration other than `promfleet:fleet`."""

from collections.abc import Callable, Iterator, Mapping

from pydantic.alias_generators import to_camel, to_pascal

from ..alertmanager import Contact
from ..errors import Path, Problem
from ..grafana import Grafana
from ..receiver_config import OF_STACK
from .partial import PartialFleet

Given = Callable[[str], bool | None]
"""Tells of a key without its namespace whether it is encrypted; None where there is no such key."""


def secret_key(owner: str, use: str) -> str:
    """The key of a secret: `devopsVictorOps` for the receiver devops and its integration victor_ops."""
    return f"{owner}{to_pascal(use)}"


def needed(partial: PartialFleet) -> Mapping[str, Path]:
    """Every secret that the fleet needs of its stack: key -> path in the stack file that requires it."""
    return dict(_needed(partial))


def _needed(partial: PartialFleet) -> Iterator[tuple[str, Path]]:
    for writer in partial.outside_writers:
        if writer.receiver.is_foreign:
            yield secret_key(writer.name, "token"), (*writer.path, "url")
    if partial.watcher:
        for index, user in enumerate(partial.watcher.expose.users if partial.watcher.expose else ()):
            yield secret_key(user, "password_hash"), ("watcher", "expose", "users", index)
    for receiver, contact in partial.alertmanager.receivers.items() if partial.alertmanager else ():
        for key, path in _of_receiver(receiver, contact):
            yield key, ("alertmanager", "receivers", receiver, *path)
    yield from _of_existing(partial)
    if partial.grafana:
        yield from _of_grafana(partial.grafana)


def _of_grafana(grafana: Grafana) -> Iterator[tuple[str, Path]]:
    if not grafana.secret:
        yield secret_key("grafana", "admin"), ("grafana",)
    for path, file in grafana.mounted:
        if file.kind == OF_STACK:
            yield file.name, ("grafana", *path)


def _of_existing(partial: PartialFleet) -> Iterator[tuple[str, Path]]:
    for index, one in enumerate(partial.alerts.alertmanagers if partial.alerts and partial.watcher else ()):
        for path, file in one.references:
            if file.kind == OF_STACK:
                yield file.name, ("alerts", "alertmanagers", index, *path)


def _of_receiver(receiver: str, contact: Contact) -> Iterator[tuple[str, Path]]:
    for integration, settings in contact.integrations.items():
        if not settings.secret:
            yield secret_key(receiver, integration), (to_camel(integration),)
    for path, file in contact.configs.mounted if contact.configs else ():
        if file.kind == OF_STACK:
            yield file.name, ("configs", *path)


def missing(partial: PartialFleet, given: Given) -> Iterator[Problem]:
    """The secrets that the stack lacks, and those that are in plain text."""
    for key, path in needed(partial).items():
        command = f"`pulumi config set --secret promfleet:{key}`"
        encrypted = given(key)
        if encrypted is None:
            yield Problem(path, f"needs the secret promfleet:{key}", f"Run {command}.")
        elif not encrypted:
            instead = f"Replace it where it is used, and run {command}."
            yield Problem(path, f"has its secret promfleet:{key} in plain text in the stack file", instead)
