"""What a program registers as files for `kubectl apply`, and what of it can't stand in a file."""

import re
from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from stacks.offline import KUBERNETES, Registered, Secret, Unknown

Path = tuple[str | int, ...]
FIRST = {"Namespace": "00-", "ServiceAccount": "01-"}
"""
Begins the names of files with these kinds, since `kubectl apply -R` goes by the alphabet.

Kubernetes deletes a Secret for the token of an account that is not there yet.
"""
_AMBIGUOUS = re.compile(r"[-+.0-9]|[yYnN]$")
"""Begins texts that one of the readers of YAML takes for a number or a truth value."""
_PUBLISHED = "kube-root-ca.crt"
"""ConfigMap that Kubernetes puts into every namespace."""
_NO_FOLDING = 1 << 30
_CERTIFICATES = re.compile(r"(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*)+")
"""The one thing in Secrets that is for all to read: Kubernetes' SDK calls every value of a Secret secret."""
_LATER = "known when the stack is deployed"
_HEAD = ("apiVersion", "kind", "metadata")


class Need(NamedTuple):
    """An object that has to exist beside those that are rendered."""

    cluster: str
    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    """Of its data; none where it has no data, or is mounted as a whole."""
    origin: str
    """Who makes it, or where its values come from."""

    def __str__(self) -> str:
        keys = f" with {', '.join(self.keys)}" if self.keys else ""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.cluster}: {self.kind} {place}{keys}: {self.origin}"


class LeftOut(NamedTuple):
    """A part of an object that nobody knows, or may tell, before the stack is deployed."""

    cluster: str
    kind: str
    namespace: str
    name: str
    path: Path
    whole: bool
    """Whether the object is left out because of it."""

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        what = "is left out, whose" if self.whole else "is written without its"
        return f"{self.cluster}: {self.kind} {place} {what} {_spelt(self.path)}" + " is known later" * self.whole


class Manifests(NamedTuple):
    """A stack as files."""

    files: Mapping[str, Mapping[str, Any]]
    """`<cluster>/<kind>-<namespace>.<name>.yaml` -> object, in the order of the alphabet."""
    needs: list[Need]
    left_out: list[LeftOut]
    elsewhere: list[str]
    """What no cluster holds: Pulumi's type and name."""


def manifests(resources: Iterable[Registered]) -> Manifests:
    """
    Sort what was registered into what a file can hold and what it can't.

    A Secret with values is needed and not written, unless they are certificates. An object of which anything but an
    annotation is unknown is left out: pods wait for what they mount, and would run with half of it.
    """
    ours = [one for one in resources if one.kind.startswith(KUBERNETES)]
    files: dict[str, dict[str, Any]] = {}
    needs, left_out = list[Need](), list[LeftOut]()
    for cluster, item in ((one.provider, _with_certificates(one.inputs)) for one in ours):
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
    made = {(cluster, *_identity(item)[:3]) for cluster, item in ((one.provider, one.inputs) for one in ours)}
    needs += _referred(ours, made)
    elsewhere = [f"{one.kind} {one.name}" for one in resources if not one.kind.startswith(KUBERNETES)]
    return Manifests(dict(sorted(files.items())), sorted(needs), sorted(left_out, key=str), sorted(elsewhere))


def file_name(item: Mapping[str, Any]) -> str:
    """Name the file of an object; a namespace has no full stop in it, and so ends at the first."""
    kind, namespace, name = _identity(item)
    return f"{FIRST.get(kind, '')}{kind.lower()}-{f'{namespace}.' if namespace else ''}{name}.yaml"


def text(item: Mapping[str, Any]) -> str:
    """Write an object as YAML, texts of several lines as they are."""
    return yaml.dump(item, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_NO_FOLDING)


_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's writes ten times as fast


class _Dumper(_SafeDumper):
    """Leaves texts readable, and unmistakable for readers of YAML 1.1 and 1.2."""


def _represented(dumper: Any, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else '"' if _AMBIGUOUS.match(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


_Dumper.add_representer(str, _represented)


def _identity(item: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = item["metadata"]
    return item["kind"], metadata.get("namespace", ""), metadata["name"]


def _with_certificates(item: Mapping[str, Any]) -> Mapping[str, Any]:
    data = item.get("stringData")
    if not isinstance(data, Mapping) or not all(_is_public(value) for value in data.values()):
        return item
    return {**item, "stringData": {key: value.origin for key, value in data.items()}}


def _is_public(value: Any) -> bool:
    return isinstance(value, Secret) and bool(_CERTIFICATES.fullmatch(value.origin))


def _origins(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each key of a Secret, and where its value comes from; no key where not even these are known."""
    for field, decoded in (("data", lambda text: b64decode(text).decode()), ("stringData", str)):
        values = item.get(field)
        if isinstance(values, Mapping):
            for key, value in values.items():
                yield key, decoded(value.origin) if isinstance(value, Secret) else _LATER


def _secret(cluster: str, item: Mapping[str, Any]) -> Need:
    values = dict(_origins(item))
    said = [*values.values()] if len(values) == 1 else [f"{key} is {origin}" for key, origin in values.items()]
    return Need(cluster, *_identity(item), tuple(values), ", ".join(said) or _LATER)


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
    """What an object says of another one."""

    kind: str
    name: str
    key: str = ""
    """Of its data; all of it where this is empty."""


def _referred(resources: Iterable[Registered], made: Collection[tuple[str, str, str, str]]) -> Iterator[Need]:
    """Find what the objects refer to in their own namespaces, the namespaces among it, and nobody of them makes."""
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
        if (cluster, kind, namespace, name) in made or name == _PUBLISHED:
            continue
        if "tls.crt" in found:
            found.add("tls.key")  # a Secret of type kubernetes.io/tls has both
        if certificate := issued.get((cluster, kind, namespace, name)):
            origin = f"made by cert-manager for Certificate {certificate}"
        else:
            origin = "as createNamespace: false says" if kind == "Namespace" else "named in the stack file"
        yield Need(cluster, kind, namespace, name, tuple(sorted(found - {""})), origin)


def _references(value: Any) -> Iterator[_Reference]:
    """Find whatever a pod mounts or reads, and the certificates of an Ingress, however deep it stands in an object."""
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
