"""Validates rendered files with promtool and amtool of the releases that a fleet deploys."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from posixpath import normpath
from typing import Any, NamedTuple

import render
from render.prometheus.destinations import destination_entries
from render.rules import prometheus_groups, user_groups
from render.scrape.user_jobs import user_config
from render.yaml import to_yaml
from settings import Fleet, Problem
from settings.errors import Path as Place
from settings.errors import some, spelt

STRICT = ("--lint=all", "--lint-fatal")
UNKNOWN = "https://hub.invalid/api/v1/write"
"""Placeholder for the URL of another stack's hub, which is unknown before it is deployed."""


FOLDER = "<folder of the check>"
"""Stands in arguments for the folder in which the files of the check are."""


class Check(NamedTuple):
    """One call of a tool."""

    section: Place
    """Path in the stack file to report problems at."""
    arguments: Sequence[str]
    """Arguments, in which `FOLDER` is replaced."""
    files: Mapping[str, str]
    """Name -> text; they follow the arguments."""
    instead: str = "This is a bug; report it."
    """What to do about a refusal."""
    beside: Mapping[str, str] = {}
    """Name -> text of files that these read; names may be paths."""
    refusal: str = "is rendered to a file that {tool} refuses"
    """What it means that the tool fails."""


class Validator(NamedTuple):
    """A tool that comes with one of the images."""

    tool: str
    image: str
    """Field of `images`."""
    checks: Callable[[Fleet], Iterator[Check]]
    written: Callable[[Fleet], Iterator[Check]]
    """Those checks that are of what people wrote in the words of the tool's program."""

    def on_path(self, fleet: Fleet) -> str | None:
        """Find the tool on the path, if it is of the release that the fleet deploys; another may know other fields."""
        command = shutil.which(self.tool)
        return command if command and is_of(command, getattr(fleet.images, self.image)) else None


def is_of(command: str, image: str) -> bool:
    """Whether a tool is of the release of an image."""
    version = _version(command)
    return bool(version) and f":v{version}" in image


@cache
def _version(command: str) -> str:
    """The release of a tool, cached for all stack files."""
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\S+)", done.stdout + done.stderr)
    return found[1] if found else ""


def findings(validator: Validator, command: str | Path, fleets: Sequence[Fleet]) -> list[list[Problem]]:
    """
    Validate rendered files of fleets with a tool, and return the problems of each fleet.

    The tool is run once for all files with equal arguments, and once per check only where that fails.
    """
    found: list[list[Problem]] = [[] for _ in fleets]
    with tempfile.TemporaryDirectory() as folder:
        calls: dict[tuple[str, ...], list[tuple[int, Check, list[Path]]]] = {}
        for number, fleet in enumerate(fleets):
            for index, check in enumerate(validator.checks(fleet)):
                own = Path(folder) / f"{number}-{index}"
                files = _written(check, own)
                arguments = tuple(argument.replace(FOLDER, str(own)) for argument in check.arguments)
                calls.setdefault(arguments, []).append((number, check, files))
        for arguments, checks in calls.items():
            if not _error([command, *arguments, *(file for _, _, files in checks for file in files)], folder):
                continue
            for number, check, files in checks:
                if error := _error([command, *arguments, *files], folder):
                    rule = f"{check.refusal.format(tool=validator.tool)}: {error}"
                    found[number].append(Problem(check.section, rule, check.instead))
    return found


def _written(check: Check, folder: Path) -> list[Path]:
    """Write the files of a check into a folder of its own, which is as deep as their paths lead out of it."""
    written = {**check.beside, **check.files}
    for _ in range(max((name.count("../") for name in written), default=0)):
        folder /= "folder"
    for name, text in written.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [folder / name for name in check.files]


_AROUND = re.compile(
    r"Checking '?\S+?'? FAILED:|parsing YAML file \S+:|amtool: error: failed to validate \d+ file\(s\)|amtool: error:"
)
"""What the tools say around an error."""


def _error(command: Sequence[str | Path], folder: str) -> str:
    """Run a tool on files in a folder, and return what it says against them if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = re.sub(rf"{re.escape(folder)}/(?:\S*/)?", "", " ".join((done.stdout + done.stderr).split()))
    return " ".join(_AROUND.sub(" ", said).split()) or said if done.returncode else ""


def unjudged(fleet: Fleet) -> Iterator[Problem]:
    """What people wrote that only a tool can judge which is not in the path, a problem for each tool."""
    for validator in (PROMTOOL, AMTOOL):
        if validator.on_path(fleet):
            continue
        places = (check.section[: 3 if check.section[0] == "agents" else 2] for check in validator.written(fleet))
        if sections := dict.fromkeys(place for place in places if place not in _NOT_NAMED):
            rule = f"has parts that only {validator.tool} can judge: {some([*map(spelt, sections)])}"
            instead = f"Put {validator.tool} of {getattr(fleet.images, validator.image)} into the path."
            yield Problem((), rule, instead)


def _for_promtool(described: Fleet) -> Iterator[Check]:
    """Check the files without people's own jobs, rules and destinations, and each of these by itself."""
    yield from _written_for_prometheus(described)
    fleet = described.model_copy(
        update={
            "scrape": described.scrape.model_copy(update={"jobs": ()}),
            "alerts": described.alerts.model_copy(update={"rule_files": (), "rule_tests": ()}),
            "agents": {name: agent.model_copy(update=_ALONE) for name, agent in described.agents.items()},
            **({server.section: server.model_copy(update=_ALONE)} if (server := described.server) else {}),
        }
    )
    check = ["check", "config", "--syntax-only", *STRICT]
    if server := fleet.server:
        yield Check((server.section,), check, {"prometheus.yml": render.server_config(server, fleet)})
        yield Check((server.section,), ["check", "rules", *STRICT], render.rules(fleet))
    for cluster, agent in fleet.agents.items():
        own = agent.writes_to_own_hub
        url = UNKNOWN if fleet.has_receiver(cluster) else None
        # The last shard has the rules of all, with the largest number.
        shard = agent.shards - 1
        text = render.agent_config(fleet, cluster, url, shard, own=own, ca_file="/ca.crt", token_file="/token")
        yield Check(("agents", cluster), [*check, "--agent"], {"prometheus.yml": text})


_ALONE = {"destinations": {}}


def _written_for_prometheus(fleet: Fleet) -> Iterator[Check]:
    yield from _jobs(fleet)
    yield from _user_rules(fleet)
    yield from _destinations(fleet)


def _destinations(fleet: Fleet) -> Iterator[Check]:
    """Receivers beside the hub."""
    for path, _, destination in fleet.partial.destinations:
        text = to_yaml({"remote_write": destination_entries({str(path[-1]): destination})})
        yield Check(
            path,
            ["check", "config", "--syntax-only"],
            {"prometheus.yml": text},
            "Correct it as the documentation of remote_write says.",
        )


def _jobs(fleet: Fleet) -> Iterator[Check]:
    """People's own scrape jobs; their intervals are their own too, whatever the lints say."""
    for job in fleet.scrape.jobs:
        config = user_config(fleet, job, job.clusters[0] if job.clusters else next(iter(fleet.clusters)))
        yield Check(
            ("scrape", "jobs", *job.path),
            ["check", "config", "--syntax-only"],
            {"prometheus.yml": to_yaml({"scrape_configs": [config]})},
            "Correct it as the documentation of scrape_config says.",
        )


def _user_rules(fleet: Fleet) -> Iterator[Check]:
    """People's own rules as they are evaluated, and their tests of them as they were written."""
    for file, (name, groups) in zip(fleet.alerts.rule_files, user_groups(fleet).items(), strict=True):
        yield Check(
            ("alerts", "ruleFiles", *file.path),
            ["check", "rules"],
            {f"{name}.yml": to_yaml(groups)},
            "Correct it as the documentation of recording and alerting rules says.",
        )
    sources: dict[str, list[Any]] = {}
    for file in fleet.alerts.rule_files:
        sources.setdefault(normpath(file.source), []).extend(prometheus_groups(file))
    for test in fleet.alerts.rule_tests:
        yield Check(
            ("alerts", "ruleTests", *test.path),
            ["test", "rules"],
            {normpath(test.source): test.text},
            "Correct the rule, or what the test expects.",
            {source: to_yaml({"groups": groups}) for source, groups in sources.items()},
            "fails with `{tool} test rules`",
        )


_ALERTMANAGER = "alertmanager.yml"
_CORRECT = "Correct it as the documentation of Alertmanager says."
_SAMPLE = "notification.json"
_EXECUTE = ["template", "render", f"--template.glob={FOLDER}/*.tmpl", f"--template.data={FOLDER}/{_SAMPLE}"]
_LABELS = {
    "alertname": "KubePodCrashLooping",
    "cluster": "eu1",
    "team": "platform",
    "severity": "critical",
    "namespace": "shop",
    "pod": "cart-0",
    "container": "cart",
    "job": "kube-state-metrics",
    "instance": "kube-state-metrics:8080",
}
_ANNOTATIONS = {
    "summary": "cart restarts again and again.",
    "description": "Container cart of shop/cart-0 has waited for a restart for 10m.",
    "runbook_url": "https://runbooks.example/KubePodCrashLooping",
}
_NOTIFICATION = json.dumps(
    {
        "receiver": "receiver",
        "status": "firing",
        "alerts": [
            {
                "status": status,
                "labels": _LABELS,
                "annotations": _ANNOTATIONS,
                "startsAt": "2026-11-21T20:00:00Z",
                "endsAt": "2026-11-21T21:00:00Z",
                "generatorURL": "https://prometheus.example/graph",
                "fingerprint": "bb3f8b8a8f4a2f6e",
            }
            for status in ("firing", "resolved")
        ],
        "groupLabels": {label: _LABELS[label] for label in ("alertname", "cluster", "team")},
        "commonLabels": _LABELS,
        "commonAnnotations": _ANNOTATIONS,
        "externalURL": "https://alerts.example",
    }
)
"""A notification as templates get it (`Data` in template/template.go), for executing texts."""


def _for_amtool(fleet: Fleet) -> Iterator[Check]:
    """Check the file without what people wrote in Alertmanager's words, each part of that by itself, and each text."""
    section = fleet.alertmanager
    if not section:
        return
    ours = {name: contact.model_copy(update={"configs": None}) for name, contact in section.receivers.items()}
    without = {"receivers": ours, "routes": (), "time_intervals": (), "inhibit_rules": (), "templates": {}}
    text = render.alertmanager_config(section.model_copy(update=without))
    yield Check(("alertmanager",), ["check-config"], {_ALERTMANAGER: text})
    yield from _written_for_alertmanager(fleet)


def _written_for_alertmanager(fleet: Fleet) -> Iterator[Check]:
    section = fleet.alertmanager
    if not section:
        return
    for path, part in render.verbatim_parts(section).items():
        beside = section.templates if "templates" in part else {}
        document = {_ALERTMANAGER: to_yaml(part)}
        yield Check(("alertmanager", *path), ["check-config"], document, _CORRECT, beside)
    for path, template in section.texts.items():
        yield Check(
            ("alertmanager", *path),
            [*_EXECUTE, f"--template.text={template}"],
            {},
            "Correct the template.",
            {**section.templates, _SAMPLE: _NOTIFICATION},
        )


_NOT_NAMED = (("alerts", "ruleTests"), ("alertmanager", "routes"), ("alertmanager", "inhibitRules"))
"""Tests, which have a warning of their own, and what amtool hardly finds more of than is found without it."""
PROMTOOL = Validator("promtool", "prometheus", _for_promtool, _written_for_prometheus)
AMTOOL = Validator("amtool", "alertmanager", _for_amtool, _written_for_alertmanager)
