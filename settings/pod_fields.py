"""Fields of a pod that people write in Kubernetes' own words, as Kubernetes' own schema judges them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError, nearest
from .kinds import BOOL, COUNT, LIST, MAPPING, TEXT, Kind
from .operator import definitions

Schema = Mapping[str, Any]
_OF_SELECTORS = ("In", "NotIn", "Exists", "DoesNotExist")
_CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("tolerations", "operator"): ("Equal", "Exists"),
    ("tolerations", "effect"): ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    ("topologySpreadConstraints", "whenUnsatisfiable"): ("DoNotSchedule", "ScheduleAnyway"),
    ("topologySpreadConstraints", "nodeAffinityPolicy"): ("Honor", "Ignore"),
    ("topologySpreadConstraints", "nodeTaintsPolicy"): ("Honor", "Ignore"),
    ("topologySpreadConstraints", "operator"): _OF_SELECTORS,
    ("affinity", "operator"): (*_OF_SELECTORS, "Gt", "Lt"),
}
"""Field of a pod, and a key in it -> the values that the API server takes (core/v1); the schema has any string."""
_ELSEWHERE = {("topologySpreadConstraints", "additionalLabelSelectors"), ("resources", "claims")}
"""Keys that the operator adds, or that need a field of the pod that can't be written."""
_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,2}))?")
_UNITS = {
    **{unit: Decimal(10) ** (3 * power) for power, unit in enumerate("num kMGTPE", start=-3) if unit != " "},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
_RESOURCE = re.compile(r"cpu|memory|ephemeral-storage|hugepages-[0-9]+[KMG]i|.+/.+")
_TYPES: Mapping[str, Kind] = {
    "array": LIST,
    "boolean": BOOL,
    "integer": Kind(lambda value: isinstance(value, int) and not isinstance(value, bool), COUNT.rule, COUNT.instead),
    "object": MAPPING,
    "string": Kind(lambda value: isinstance(value, str), TEXT.rule, TEXT.instead),
}


def quantity(written: str | int) -> Decimal:
    """The number that a quantity of Kubernetes means: 0.5 for 500m, 2147483648 for 2Gi."""
    match = _QUANTITY.fullmatch(str(written))
    if match is None:
        raise ValueError(f"{written} is not a quantity")
    number, unit, power = match.groups()
    return Decimal(number) * (_UNITS[unit] if unit else Decimal(10) ** int(power or 0))


@cache
def _schema(field: str) -> Schema:
    """
    The schema of a field of a pod, in which each key that it doesn't name is a mistake.

    It is what the Prometheus Operator publishes for the same field of its custom resources, generated from the types
    of k8s.io/api (core/v1).
    """
    [prometheus] = [found for found in definitions() if found["spec"]["names"]["kind"] == "Prometheus"]
    spec = prometheus["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return _closed(field, spec["properties"][field])


def _closed(field: str, schema: Schema, key: str = "") -> Schema:
    found = {name: value for name, value in schema.items() if name in ("type", "anyOf", "pattern", "enum", "required")}
    if "properties" in schema:
        known = {name: one for name, one in schema["properties"].items() if (field, name) not in _ELSEWHERE}
        closed = {name: _closed(field, one, name) for name, one in known.items()}
        return {**found, "properties": closed, "additionalProperties": False}
    found |= {name: _closed(field, schema[name]) for name in ("items", "additionalProperties") if name in schema}
    return {**found, "enum": list(_CHOICES[field, key])} if (field, key) in _CHOICES else found


def _mistakes(value: object, schema: Schema, path: Path = ()) -> Iterator[Problem]:
    """What a schema has against a value, in the order of the value's keys."""
    if "anyOf" in schema:
        yield from _not_a_quantity(value, schema, path)
        return
    kind = _TYPES[schema["type"]]
    if not kind.accepts(value):
        [*known] = schema.get("properties", ())
        is_its_only_key = isinstance(value, str) and len(known) == 1
        instead = f"Write {{{known[0]}: {value}}}." if is_its_only_key else kind.instead
        yield Problem(path, "is empty" if value is None else kind.rule, instead, value)
    elif "enum" in schema and value not in schema["enum"]:
        *others, last = schema["enum"]
        yield Problem(path, "is none of the choices", f"Write one of them: {', '.join(others)} or {last}.", value)
    elif isinstance(value, Mapping):
        yield from _in_mapping(value, schema, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mistakes(item, schema["items"], (*path, index))


def _in_mapping(value: Mapping[str, Any], schema: Schema, path: Path) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for key, item in value.items():
        if of_key := known.get(key) or schema["additionalProperties"]:
            yield from _mistakes(item, of_key, (*path, key))
        else:
            yield Problem((*path, key), "unknown key", nearest(key, known, f"Known here: {', '.join(known)}."))
    for key in schema.get("required", ()):
        if key not in value:
            yield Problem((*path, key), "is missing", "Add it.")


def _not_a_quantity(value: object, schema: Schema, path: Path) -> Iterator[Problem]:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number and not (
        isinstance(value, str) and re.search(schema["pattern"], value) and _QUANTITY.fullmatch(value)
    ):
        instead = "Write a whole number, or a text with a unit: 2, 500m, 512Mi, 4Gi."
        if isinstance(value, float):
            instead = f'Put it in quotes: "{value}".'
        yield Problem(path, "is not a quantity", instead, value)


Rule = Callable[[Any], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class PodField:
    """A field of a pod's `spec`, judged by its schema, and then by what the API server checks beside it."""

    name: str
    """As Kubernetes has it."""
    further: Rule | None = None

    def check(self, value: Any) -> Any:
        """The value itself, if there is nothing against it."""
        problems = [*_mistakes(value, _schema(self.name))]
        if not problems and self.further:
            problems = [*self.further(value)]
        if problems:
            raise RulesError(problems)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(_schema(self.name))


def tolerable(tolerations: list[dict[str, Any]]) -> Iterator[Problem]:
    """What the API server checks of tolerations beside their schema (`ValidateTolerations` of its core validation)."""
    for index, one in enumerate(tolerations):
        exists = one.get("operator") == "Exists"
        if exists and one.get("value"):
            yield Problem((index, "value"), "has no effect with operator: Exists", "Remove one of the two.")
        if not exists and not one.get("key"):
            instead = "Write the key of the taint, or operator: Exists for every taint."
            yield Problem((index, "key"), "is missing", instead)
        if "tolerationSeconds" in one and one.get("effect") != "NoExecute":
            rule = "has no effect without effect: NoExecute"
            yield Problem((index, "tolerationSeconds"), rule, "Remove it, or write effect: NoExecute.")


def named(secrets: list[dict[str, str]]) -> Iterator[Problem]:
    """A reference without a name is to nothing."""
    for index, one in enumerate(secrets):
        if not one.get("name"):
            yield Problem((index, "name"), "is missing", "Write the name of a Secret: [{name: mirror}].")


def spreadable(constraints: list[dict[str, Any]]) -> Iterator[Problem]:
    """The API server refuses constraints that permit no difference at all."""
    for index, one in enumerate(constraints):
        for key in ("maxSkew", "minDomains"):
            if one.get(key, 1) < 1:
                yield Problem((index, key), "is less than 1", "Write 1 or more.", one[key])


def consistent(resources: dict[str, dict[str, str | int]]) -> Iterator[Problem]:
    """What the API server checks of requests and limits: resources that exist, none negative, none above its limit."""
    limits = resources.get("limits", {})
    for kind, amounts in resources.items():
        for name, amount in amounts.items():
            if not _RESOURCE.fullmatch(name):
                instead = "Write cpu, memory, ephemeral-storage, or an extended resource as vendor.example/name."
                yield Problem((kind, name), "is no resource of containers", instead)
            elif quantity(amount) <= 0:
                yield Problem((kind, name), "is not more than nothing", "Write more, or remove it.", amount)
            elif kind == "requests" and name in limits and quantity(amount) > quantity(limits[name]):
                rule = f"is more than limits.{name}, {limits[name]}"
                yield Problem((kind, name), rule, "Write less, or raise the limit.", amount)
