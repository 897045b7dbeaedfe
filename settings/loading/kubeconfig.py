"""Where the contexts of kubeconfigs lead, found as kubectl finds it; nothing is asked of a cluster."""

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from ..cluster import Cluster
from ..errors import Problem

_PARTS = ("context", "cluster", "user")
_FILES = ("certificate-authority", "client-certificate", "client-key")
"""Values that are paths, from the folder of the kubeconfig."""
_PORTS = {"https": 443, "http": 80}

Parts = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Part of a kubeconfig (contexts, clusters, users) -> name -> what it says."""


class KubeconfigError(Exception):
    """A file that is there and is no kubeconfig."""


class Place(NamedTuple):
    """Where a context leads."""

    files: tuple[Path, ...]
    """The files that have a part of it: the context, its cluster or its user, in the order in which they are read."""
    server: str
    """URL of the API server; empty where no file names it."""
    identity: Hashable
    """What two ways to one API server have in common; None where no file names it."""


class Kubeconfigs:
    """Every kubeconfig that a fleet's clusters need, each read once."""

    def __init__(self) -> None:
        self._read: dict[Path, Parts] = {}

    def place(self, cluster: Cluster) -> Place | None:
        """Where a cluster's context leads; None where no kubeconfig has it. KubeconfigError where one can't be read."""
        files = files_of(cluster.kubeconfig)
        context, holder = self._first(files, "contexts", cluster.context)
        if not holder:
            return None
        server, of_cluster = self._first(files, "clusters", str(context.get("cluster")))
        _, of_user = self._first(files, "users", str(context.get("user")))
        holders = {holder, of_cluster, of_user}
        return Place(tuple(file for file in files if file in holders), str(server.get("server", "")), _identity(server))

    def only(self, context: str, kubeconfig: str | None) -> dict[str, Any] | None:
        """
        A kubeconfig with nothing but a context and what it names, for whoever would parse all of them.

        None where no kubeconfig has the context. KubeconfigError where one can't be read.
        """
        files = files_of(kubeconfig)
        found, holder = self._first(files, "contexts", context)
        if not holder:
            return None
        document: dict[str, Any] = {
            "current-context": context,
            "contexts": [{"name": context, "context": {**found}}],
        }
        for part in ("cluster", "user"):
            name = str(found.get(part))
            said, file = self._first(files, f"{part}s", name)
            entry = {**said, **{key: str(file.parent / said[key]) for key in _FILES if file and key in said}}
            document[f"{part}s"] = [{"name": name, part: entry}] if file else []
        return document

    def contexts(self, cluster: Cluster) -> list[str]:
        """Every context that the kubeconfigs of a cluster have."""
        return sorted({name for file in files_of(cluster.kubeconfig) for name in self._parts(file)["contexts"]})

    def _first(self, files: Sequence[Path], part: str, name: str) -> tuple[Mapping[str, Any], Path | None]:
        """What the first file says that knows the name, as kubectl merges them."""
        found = ((self._parts(file)[part][name], file) for file in files if name in self._parts(file)[part])
        return next(found, ({}, None))

    def _parts(self, file: Path) -> Parts:
        if file not in self._read:
            self._read[file] = _read(file)
        return self._read[file]


def files_of(kubeconfig: str | None) -> tuple[Path, ...]:
    """Where a context is looked for: in a cluster's own kubeconfig, those of `KUBECONFIG`, or kubectl's default."""
    if kubeconfig:
        return (_absolute(kubeconfig),)
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(dict.fromkeys(map(_absolute, named or ["~/.kube/config"])))


def unknown_contexts(clusters: Mapping[str, Cluster], kubeconfigs: Kubeconfigs) -> Iterator[Problem]:
    """Every context that no kubeconfig has."""
    for name, cluster in clusters.items():
        if not kubeconfigs.place(cluster):
            places = ", ".join(map(str, files_of(cluster.kubeconfig)))
            known = ", ".join(kubeconfigs.contexts(cluster)) or "none"
            instead = f"Contexts in {places}: {known}. Write one of them, or set KUBECONFIG."
            yield Problem(("clusters", name, "context"), "is in no kubeconfig", instead, cluster.context)


def shared_servers(clusters: Mapping[str, Cluster], kubeconfigs: Kubeconfigs) -> Iterator[Problem]:
    """Every cluster whose context leads where another one's leads; what no kubeconfig has is left out."""
    seen: dict[Hashable, str] = {}
    for name, cluster in clusters.items():
        place = kubeconfigs.place(cluster)
        if not place or place.identity is None:
            continue
        first = seen.setdefault(place.identity, name)
        if first != name:
            rule = f"leads to {place.server}, the API server of {first} too"
            instead = "Give each cluster a context that leads to it, or remove one of the two."
            yield Problem(("clusters", name, "context"), rule, instead, cluster.context)


def _absolute(path: str) -> Path:
    with suppress(RuntimeError):  # a user without a home, or a link that leads to itself
        return Path(path).expanduser().resolve()
    return Path(path).absolute()


def _read(file: Path) -> Parts:
    """Each part's entries by their names; of a file that is not there, none."""
    try:
        found = file.stat()
        return _parsed(file, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        return {f"{part}s": {} for part in _PARTS}
    except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise KubeconfigError(f"{file} is not a kubeconfig: {error}") from error


@cache
def _parsed(file: Path, modified: int, size: int) -> Parts:  # noqa: ARG001 — a file that was written since is another one
    """What a file says, parsed once however many clusters and stack files ask; a hundred contexts take seconds."""
    document = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}
    return {f"{part}s": _entries(document.get(f"{part}s"), part) for part in _PARTS}


def _entries(listed: Any, part: str) -> Mapping[str, Mapping[str, Any]]:
    return {str(entry["name"]): dict(entry.get(part) or {}) for entry in reversed(listed or [])}


def _identity(cluster: Mapping[str, Any]) -> Hashable:
    """Address and path of the API server, and the proxy and name by which one address leads to several of them."""
    server = cluster.get("server")
    if not isinstance(server, str) or not server:
        return None
    url = urlsplit(server)
    try:
        port = url.port or _PORTS.get(url.scheme)
    except ValueError:
        return server
    host = (url.hostname or "").rstrip(".")
    return (_address(host), port, url.path.rstrip("/"), cluster.get("proxy-url"), cluster.get("tls-server-name"))


def _address(host: str) -> str:
    """A host in the one spelling that all have in common."""
    try:
        return str(ip_address(host))
    except ValueError:
        return "127.0.0.1" if host == "localhost" else host
