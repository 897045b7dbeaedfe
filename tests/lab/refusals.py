"""Edits of the dev stack's file that a preview refuses, and what it says of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .fleets import AGENTS, AGENTS_ONLY, StackFile
from .workloads import NAMESPACE


class Refusal(NamedTuple):
    """What is edited, and what is said."""

    edit: Callable[[StackFile], StackFile]
    """Takes the file as it is deployed."""
    said: tuple[str, ...]
    """All of it is in what the preview prints."""
    stack: str = "dev"
    """Whose file it is."""


def renamed(file: StackFile) -> StackFile:
    """Call a cluster by another name: its objects would be taken for new ones, and deleted as old ones."""
    fleet = dict(file.fleet)
    fleet["clusters"] = {("us9" if name == "us1" else name): said for name, said in fleet["clusters"].items()}
    fleet["agents"] = {"eu1": {}, "us9": {}}
    fleet["alerts"] = {key: said for key, said in fleet["alerts"].items() if key != "maintenance"}
    return file._replace(fleet=fleet)


def swapped(file: StackFile) -> StackFile:
    """Give two clusters each other's context: each would be taken for the other, but for one object's labels."""
    return file.changed({"clusters": {"eu1": {"context": "us1"}, "us1": {"context": "eu1"}}})


def taken(_file: StackFile) -> StackFile:
    """Write two of its clusters into another stack."""
    agents = {name: {"hub": {"url": "https://hub.example/api/v1/write"}} for name in AGENTS}
    return StackFile({**AGENTS_ONLY, "agents": agents}, {f"{name}Token": "made-up" for name in AGENTS})


def in_foreign_namespace(file: StackFile) -> StackFile:
    """Choose a namespace that somebody else has made."""
    return file.changed({"namespace": NAMESPACE, "createNamespace": True})


REFUSALS: Mapping[str, Refusal] = {
    "a cluster is renamed": Refusal(
        renamed, ("clusters.us9: this cluster is named us1 in this stack's state. Write us1 again",)
    ),
    "two clusters are swapped": Refusal(swapped, (": its context leads to another cluster than at the last update",)),
    "clusters of another stack": Refusal(taken, ("belongs to stack organization/promfleet/dev, as us1",), "other"),
    "a namespace of somebody else": Refusal(
        in_foreign_namespace,
        (f'clusters.us1: namespace "{NAMESPACE}" exists, and this program did not create it', "createNamespace: false"),
    ),
}
"""By what they are about."""
