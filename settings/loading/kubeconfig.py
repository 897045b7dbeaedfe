"""The API servers of kubeconfig contexts, resolved as kubectl resolves them, without a request to a cluster."""

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
from ..types import PORT_OF

_PARTS = ("context", "cluster", "user")
_FILES = ("certificate-authority", "client-certificate", "client-key")
"""Values that are paths, from the folder of the kubeconfig."""

Parts = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Part of a kubeconfig (contexts, clusters, users) -> name -> its fields."""


class KubeconfigError(Exception):
    """A file that exists and is not a kubeconfig."""


class Place(NamedTuple):
    """The API server of a context."""

    files: tuple[Path, ...]
    """Files with its context, cluster or user entry, in the order in which they are read."""
    server: str
    """URL of the API server; empty where no file names it."""
    identity: Hashable
    """Equal for two contexts of one API server; None where no file names it."""


class Kubeconfigs:
    """Every kubeconfig that a fleet's clusters need, each read once."""

    def __init__(self) -> None:
        self._read: dict[Path, Parts] = {}

    def place(self, cluster: Cluster) -> Place | None:
        """The API server of a cluster's context; None where no kubeconfig has it. Raises KubeconfigError."""
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
        A kubeconfig with one context, its cluster and its user, for clients that would parse the whole file.

        None where no kubeconfig has the context. Raises KubeconfigError where one can't be read.
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
            fields, file = self._first(files, f"{part}s", name)
            entry = {**fields, **{key: str(file.parent / fields[key]) for key in _FILES if file and key in fields}}
            document[f"{part}s"] = [{"name": name, part: entry}] if file else []
        return document

    def contexts(self, cluster: Cluster) -> list[str]:
        """Every context that the kubeconfigs of a cluster have."""
        return sorted({name for file in files_of(cluster.kubeconfig) for name in self._parts(file)["contexts"]})

    def _first(self, files: Sequence[Path], part: str, name: str) -> tuple[Mapping[str, Any], Path | None]:
        """The entry of the first file that has the name, as kubectl merges them, and that file."""
        found = ((self._parts(file)[part][name], file) for file in files if name in self._parts(file)[part])
        return next(found, ({}, None))

    def _parts(self, file: Path) -> Parts:
        if file not in self._read:
            self._read[file] = _read(file)
        return self._read[file]


def files_of(kubeconfig: str | None) -> tuple[Path, ...]:
    """Files to look for a context in: a cluster's own kubeconfig, those of `KUBECONFIG`, or kubectl's default."""
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
    """Every cluster with the API server of another one; contexts that no kubeconfig has are left out."""
    seen: dict[Hashable, str] = {}
    for name, cluster in clusters.items():
        place = kubeconfigs.place(cluster)
        if not place or place.identity is None:
            continue
        first = seen.setdefault(place.identity, name)
        if first != name:
            rule = f"is of the API server {place.server}, which is that of {first} too"
            instead = "Give each cluster a context of its own API server, or remove one of the two."
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
def _parsed(file: Path, modified: int, size: int) -> Parts:  # noqa: ARG001 — part of the key of the cache
    """The entries of a file, parsed once: a kubeconfig of a hundred contexts takes seconds."""
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
        port = url.port or PORT_OF.get(url.scheme)
    except ValueError:
        return server
    host = (url.hostname or "").rstrip(".")
    return (_address(host), port, url.path.rstrip("/"), cluster.get("proxy-url"), cluster.get("tls-server-name"))


def _address(host: str) -> str:
    """A host in one normal form."""
    try:
        return str(ip_address(host))
    except ValueError:
        return "127.0.0.1" if host == "localhost" else host
