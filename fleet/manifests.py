"""Turns registered resources into files for `kubectl apply`, and lists those that can't be in a file."""

import re
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from render.operator import ALERT_RELABEL, ALERTMANAGERS, SCRAPE
from render.yaml import written
from stacks.offline import KUBERNETES, Registered, Secret, Unknown

Path = tuple[str | int, ...]
FIRST = {"Namespace": "00-", "ServiceAccount": "01-"}
"""
Prefix of the names of files with these kinds, since `kubectl apply -R` goes in alphabetical order.

Kubernetes deletes a Secret for the token of a ServiceAccount that does not exist yet.
"""
_AMBIGUOUS = re.compile(r"[-+.0-9]|[yYnN]$")
"""Beginning of strings that a parser of YAML 1.1 or 1.2 may take for a number or a boolean."""
_PUBLISHED = "kube-root-ca.crt"
"""ConfigMap that Kubernetes puts into every namespace."""
_NO_FOLDING = 1 << 30
_CERTIFICATES = re.compile(r"(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*)+")
"""Certificates, which are public values in Secrets: the Kubernetes SDK marks every value of a Secret as secret."""
_CONFIGURATION = {SCRAPE, ALERTMANAGERS, ALERT_RELABEL}
"""Keys of the Secret from which the Prometheus Operator takes configuration; its credentials are paths of files."""
_LATER = "known when the stack is deployed"
_HEAD = ("apiVersion", "kind", "metadata")


class Need(NamedTuple):
    """An object that must exist and is not rendered."""

    cluster: str
    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    """Required keys of its data; none where it has no data, or is mounted as a whole."""
    origin: str
    """What creates it, or the origin of its values."""

    def __str__(self) -> str:
        keys = f" with {', '.join(self.keys)}" if self.keys else ""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.cluster}: {self.kind} {place}{keys}: {self.origin}"


class LeftOut(NamedTuple):
    """A field of an object that is unknown, or secret, before the stack is deployed."""

    cluster: str
    kind: str
    namespace: str
    name: str
    path: Path
    whole: bool
    """Whether the object is left out because of it."""

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        state = "is left out, whose" if self.whole else "is written without its"
        return f"{self.cluster}: {self.kind} {place} {state} {_spelt(self.path)}" + " is known later" * self.whole


class Manifests(NamedTuple):
    """A stack as files."""

    files: Mapping[str, dict[str, Any]]
    """`<cluster>/<kind>-<namespace>.<name>.yaml` -> object, in alphabetical order."""
    needs: list[Need]
    left_out: list[LeftOut]
    elsewhere: list[str]
    """Resources that are not in a cluster: Pulumi's type and name."""


def manifests(resources: Iterable[Registered]) -> Manifests:
    """
    Divide registered resources into files, and objects that can't be in a file.

    A Secret with values is listed as required and not written, unless the values are public: certificates, and
    configuration of the Prometheus Operator. An object with an unknown field, other than an annotation, is left out:
    pods wait for a missing object, but would run with half of it.
    """
    ours = [one for one in resources if one.kind.startswith(KUBERNETES)]
    files: dict[str, dict[str, Any]] = {}
    needs, left_out = list[Need](), list[LeftOut]()
    for cluster, item in ((one.provider, _with_public_values(one.inputs)) for one in ours):
        if item["kind"] == "Secret" and any(_gaps(item)):
            needs.append(_secret(cluster, item))
            continue
        gaps = list(_gaps(item))
        whole = any(path[:2] != ("metadata", "annotations") for path in gaps)
        left_out += [LeftOut(cluster, *_identity(item), path, whole) for path in gaps]
        if not whole:
            path = f"{cluster}/{file_name(item)}"
            if path in files:
                raise ValueError(f"two objects would be written to {path}")
            files[path] = {**{key: item[key] for key in _HEAD}, **_known(item)}
    rendered = {(cluster, *_identity(item)[:3]) for cluster, item in ((one.provider, one.inputs) for one in ours)}
    needs += _referred(ours, rendered)
    elsewhere = [f"{one.kind} {one.name}" for one in resources if not one.kind.startswith(KUBERNETES)]
    return Manifests(dict(sorted(files.items())), sorted(needs), sorted(left_out, key=str), sorted(elsewhere))


def file_name(item: Mapping[str, Any]) -> str:
    """Name the file of an object; a namespace has no dot, so that it ends at the first."""
    kind, namespace, name = _identity(item)
    return f"{FIRST.get(kind, '')}{kind.lower()}-{f'{namespace}.' if namespace else ''}{name}.yaml"


def text(item: dict[str, Any]) -> str:
    """Write an object as YAML: texts of several lines as they are, those that look like another type in quotes."""
    return written(item, _style, _NO_FOLDING)


def _style(text: str) -> str | None:
    return "|" if "\n" in text else '"' if _AMBIGUOUS.match(text) else None


def _identity(item: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace", ""), metadata["name"]


def _with_public_values(item: Mapping[str, Any]) -> Mapping[str, Any]:
    data = item.get("stringData")
    if not isinstance(data, Mapping) or not all(map(_is_public, data, data.values())):
        return item
    return {**item, "stringData": {key: value.origin for key, value in data.items()}}


def _is_public(key: str, value: Any) -> bool:
    return isinstance(value, Secret) and (key in _CONFIGURATION or bool(_CERTIFICATES.fullmatch(value.origin)))


def _origins(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return each key of a Secret with the origin of its value; none where the keys are unknown."""
    for field, decoded in (("data", lambda text: b64decode(text).decode()), ("stringData", str)):
        values = item.get(field)
        if isinstance(values, Mapping):
            for key, value in values.items():
                yield key, decoded(value.origin) if isinstance(value, Secret) else _LATER


def _secret(cluster: str, item: Mapping[str, Any]) -> Need:
    values = dict(_origins(item))
    origins = [*values.values()] if len(values) == 1 else [f"{key} is {origin}" for key, origin in values.items()]
    return Need(cluster, *_identity(item), tuple(values), ", ".join(origins) or _LATER)


def _gaps(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, Secret | Unknown):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _gaps(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _gaps(item, (*path, index))


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items() if not isinstance(item, Secret | Unknown)}
    return [_known(item) for item in value] if isinstance(value, list) else value


def _spelt(path: Path) -> str:
    return ".".join(map(str, path))


class _Reference(NamedTuple):
    """A reference of an object to another one."""

    kind: str
    name: str
    key: str = ""
    """Key of its data; the whole object where this is empty."""


def _referred(resources: Iterable[Registered], rendered: Collection[tuple[str, str, str, str]]) -> Iterator[Need]:
    """Return objects that the rendered ones refer to, in their own namespaces, and that are not rendered."""
    keys: dict[tuple[str, str, str, str], set[str]] = {}
    issued: dict[tuple[str, str, str, str], str] = {}
    for one in resources:
        _, namespace, name = _identity(one.inputs)
        if one.inputs["kind"] == "Certificate":
            issued[one.provider, "Secret", namespace, one.inputs["spec"]["secretName"]] = name
        references = [("", _Reference("Namespace", namespace))] if namespace else []
        references += [(namespace, found) for found in _references(one.inputs) if isinstance(found.name, str)]
        for place, (kind, referred, key) in references:
            keys.setdefault((one.provider, kind, place, referred), set()).add(key)
    for (cluster, kind, namespace, name), found in keys.items():
        if (cluster, kind, namespace, name) in rendered or name == _PUBLISHED:
            continue
        if "tls.crt" in found:
            found.add("tls.key")  # a Secret of type kubernetes.io/tls has both
        if certificate := issued.get((cluster, kind, namespace, name)):
            origin = f"created by cert-manager for Certificate {certificate}"
        else:
            origin = "as createNamespace: false says" if kind == "Namespace" else "named in the stack file"
        yield Need(cluster, kind, namespace, name, tuple(sorted(found - {""})), origin)


def _references(value: Any) -> Iterator[_Reference]:
    """Return all objects that a pod mounts or reads, and the certificates of an Ingress, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _reference(key, item)
            yield from _references(item)


def _reference(key: str, value: Any) -> Iterator[_Reference]:
    match key, value:
        case "secret", {"secretName": name} | {"name": name}:
            yield from _keys("Secret", name, value)
        case "configMap", {"name": name}:
            yield from _keys("ConfigMap", name, value)
        case "secretKeyRef" | "configMapKeyRef", {"name": name, "key": one}:
            yield _Reference("Secret" if key == "secretKeyRef" else "ConfigMap", name, one)
        case "persistentVolumeClaim", {"claimName": name}:
            yield _Reference("PersistentVolumeClaim", name)
        case "tls", [{"secretName": _}, *_]:
            yield from (_Reference("Secret", one["secretName"], "tls.crt") for one in value)


def _keys(kind: str, name: str, volume: Mapping[str, Any]) -> Iterator[_Reference]:
    items = volume.get("items")
    yield from (_Reference(kind, name, item["key"]) for item in items) if items else [_Reference(kind, name)]
