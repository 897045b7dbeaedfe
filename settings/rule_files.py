"""People's own rules: rule groups of Prometheus, or PrometheusRules, from files beside the stack file."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError, nearest
from .operator import GROUP
from .read_files import ReadFiles
from .rules import Group, loses_cluster, name_of, named, parsed_group, rules_of

_OPERATED = f"{GROUP}/v1"
_SHAPE = "Write groups, each with name and rules, or a PrometheusRule."
_ENTRY = "Write rules/*.yaml, or {files: [rules/*.yaml], clusters: [eu1]}."
_KEYS = ("files", "clusters", "acrossClusters")
_LARGEST = 700 * 2**10
"""Bytes of one document; a ConfigMap holds 1 MiB, and as YAML it is longer."""
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One document with rule groups, of whoever wrote the stack file."""

    path: Path
    """Where it was written, below `alerts.ruleFiles`."""
    source: str
    """Path of its file, from the folder of the stack file."""
    name: str
    """Name of the rule file that is made of it, without extension; no other has it."""
    groups: tuple[Group, ...]
    clusters: tuple[str, ...] | None
    """The clusters whose series the rules are for; all, if None."""
    across: frozenset[str] = frozenset()
    """Names of rules that may mix clusters."""

    @property
    def rules(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Every rule, with its path below `alerts.ruleFiles`."""
        return (((*self.path, *path), rule) for path, rule in rules_of(self.groups))


class RuleFiles:
    """The type of `alerts.ruleFiles`: every document, in the order in which the files are written."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        names = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        entry = {
            "type": "object",
            "required": ["files"],
            "properties": dict.fromkeys(_KEYS, names),
            "additionalProperties": False,
        }
        return {"type": "array", "items": {"anyOf": [{"type": "string"}, entry]}}


class _Entry(NamedTuple):
    """What is said of the rules of some files."""

    path: Path
    files: Sequence[ReadFiles]
    clusters: tuple[str, ...] | None = None
    across: frozenset[str] = frozenset()
    """Names of rules that may mix clusters."""


class _Document(NamedTuple):
    """Groups as they were written."""

    path: Path
    source: str
    groups: list[Any]


def parsed(written: object) -> tuple[RuleFile, ...]:
    """Every document of a list of read files; raises RulesError with every problem."""
    if not isinstance(written, list | tuple):
        raise RulesError([Problem((), "is not a list", "Write [rules/*.yaml].", written)])
    files = [one for one in written if isinstance(one, RuleFile)]
    entries = [one for index, entry in enumerate(written) for one in _entries(entry, (index,))]
    problems = [one for one in entries if isinstance(one, Problem)]
    problems += _twice([entry for entry in entries if isinstance(entry, _Entry)])
    found = [(entry, [*_documents(entry)]) for entry in entries if isinstance(entry, _Entry)]
    without = {name for entry, documents in found for name in _records_without_cluster(entry, documents)}
    names = Counter(file.name for file in files)
    for entry, documents in found:
        problems += _needless(entry, documents, without)
        for document in documents:
            if isinstance(document, Problem):
                problems.append(document)
                continue
            groups, wrong = _groups(document, entry)
            problems += wrong
            name = _file_name(document.source)
            names[name] += 1
            numbered = name if names[name] == 1 else f"{name}-{names[name]}"
            files.append(RuleFile(document.path, document.source, numbered, groups, entry.clusters, entry.across))
    if problems:
        raise RulesError(problems)
    return tuple(files)


def _entries(entry: object, path: Path) -> Iterator[_Entry | Problem]:
    """An entry of the list, or what is wrong with it."""
    if isinstance(entry, ReadFiles):
        yield _Entry(path, [entry])
    elif isinstance(entry, Mapping):
        problems = [*_wrong(entry)]
        yield from (problem.under(path) for problem in problems)
        if not problems:
            clusters = tuple(entry["clusters"]) if "clusters" in entry else None
            yield _Entry(path, entry["files"], clusters, frozenset(entry.get("acrossClusters", ())))
    elif not isinstance(entry, RuleFile):
        yield Problem(path, "is neither a path nor a mapping with files", _ENTRY)


def _twice(entries: Iterable[_Entry]) -> Iterator[Problem]:
    """Files that are named more than once: Prometheus would evaluate their rules as often."""
    seen = set[str]()
    for entry in entries:
        for source in (source for read in entry.files for source in read.documents):
            if source in seen:
                yield Problem((*entry.path, source), "is named twice", "Name each file once.")
            seen.add(source)


def _wrong(entry: Mapping[str, Any]) -> Iterator[Problem]:
    for key in entry:
        if key not in _KEYS:
            yield Problem((key,), "unknown key", nearest(key, _KEYS, f"Known here: {', '.join(_KEYS)}."))
    files = entry.get("files")
    if not isinstance(files, list | tuple) or not files or not all(isinstance(one, ReadFiles) for one in files):
        yield Problem(("files",), "is no list of paths", "Write [rules/*.yaml].")
    yield from _names(entry, "clusters", "a cluster")
    yield from _names(entry, "acrossClusters", "a rule")
    if "clusters" in entry and "acrossClusters" in entry:
        rule = "has no effect on rules for some clusters only"
        yield Problem(("acrossClusters",), rule, "Move these rules to an entry without clusters.")


def _names(entry: Mapping[str, Any], key: str, what: str) -> Iterator[Problem]:
    """What is wrong with a list of names."""
    if key not in entry:
        return
    names = entry[key]
    if not isinstance(names, list | tuple) or not names:
        yield Problem((key,), "is not a list of names", "Write [a, b], or remove it.")
        return
    for index, name in enumerate(names):
        if not isinstance(name, str):
            yield Problem((key, index), "is not a string", f"Write the name of {what}.")
        elif name in names[:index]:
            yield Problem((key, index), "is written twice", "Name each once.", name)


def _documents(entry: _Entry) -> Iterator[_Document | Problem]:
    """What is in the files of an entry."""
    for read in entry.files:
        for source, content in read.documents.items():
            path = (*entry.path, source)
            if isinstance(content, Problem):
                yield content.under(entry.path)
                continue
            documents = [one for one in content if one is not None] if isinstance(content, list) else [content]
            if not documents:
                yield Problem(path, "is empty", _SHAPE)
            for index, document in enumerate(documents):
                place = (*path, f"document {index + 1}") if len(documents) > 1 else path
                try:
                    yield from [*_of_document(document, source, place)]
                except RecursionError:  # an anchor that holds itself
                    yield Problem(place, "is nested too deeply", _SHAPE)


def _of_document(document: object, source: str, path: Path) -> Iterator[_Document | Problem]:
    if not isinstance(document, Mapping):
        yield Problem(path, "is no rule file", _SHAPE)
        return
    kind = document.get("kind")
    if kind in ("List", "PrometheusRuleList"):
        for index, item in enumerate(document.get("items") or ()):
            yield from _of_document(item, source, (*path, "items", index))
        return
    if kind is not None or "apiVersion" in document:
        if kind != "PrometheusRule" or document.get("apiVersion") != _OPERATED:
            rule, instead = f"is no PrometheusRule of {_OPERATED}", "Name only files with rules."
            yield Problem((*path, "kind"), rule, instead, "" if kind is None else kind)
            return
        path, document = (*path, "spec"), document.get("spec")
    groups = document.get("groups") if isinstance(document, Mapping) else None
    for key in document if isinstance(document, Mapping) else ():
        if key != "groups":
            yield Problem((*path, key), "is not read: of a file only groups is", "Remove it.")
    if isinstance(groups, list) and groups:
        yield _Document(path, source, groups)
    else:
        yield Problem(path, "has no groups", _SHAPE)


def _records_without_cluster(entry: _Entry, documents: Sequence[_Document | Problem]) -> Iterator[str]:
    """The metrics that rules across clusters record."""
    for _, rule in _written(documents):
        if (name := str(rule.get("record"))) in entry.across:
            yield name


def _written(documents: Sequence[_Document | Problem]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for document in documents:
        if isinstance(document, _Document):
            yield from rules_of(document.groups)


def _needless(entry: _Entry, documents: Sequence[_Document | Problem], without: Collection[str]) -> Iterator[Problem]:
    """Names in `acrossClusters` that are of no rule, or of none that needs it."""
    if any(isinstance(one, Problem) for one in documents):
        return
    rules = [rule for _, rule in _written(documents)]
    path = (*entry.path, "acrossClusters")
    for name in sorted(entry.across):
        of_name = [rule for rule in rules if name_of(rule) == name]
        if not of_name:
            instead = nearest(name, map(name_of, rules), "Remove it.")
            yield Problem(path, "is the name of no rule in these files", instead, name)
        elif not any(loses_cluster(rule, {*without} - {name}) for rule in of_name):
            yield Problem(path, "has no effect: the rule keeps the label cluster", "Remove it.", name)


def _groups(document: _Document, entry: _Entry) -> tuple[tuple[Group, ...], list[Problem]]:
    """The groups of a document, and what is wrong with them."""
    groups: list[Group] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for step, written in named(document.groups, "groups"):
        group, wrong = parsed_group(written, seen, entry.across)
        problems += [problem.under((*document.path, *step)) for problem in wrong]
        if group is not None:
            groups.append(group)
    try:
        size = len(json.dumps(groups, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        problems.append(Problem(document.path, "holds half of a character", "Remove the incomplete character."))
        return (), problems
    if size > _LARGEST:
        rule = f"has {size >> 10} KiB of rules, and a ConfigMap holds at most {_LARGEST >> 10} KiB of them"
        problems.append(Problem(document.path, rule, "Split it into several files or documents."))
    return tuple(groups), problems


def _file_name(source: str) -> str:
    """What a path is called in a cluster, where an object is named by it."""
    bare = source.rpartition(".")[0] or source
    return f"user-{re.sub('[^a-z0-9]+', '-', bare.lower()).strip('-')[-_LONGEST:].strip('-')}"
