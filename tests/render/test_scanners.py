"""What checkov finds in all that the stack files of this repository deploy: nothing but what is listed here."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.unit.shipped import deploy_shipped

from .tools import checkov

pytestmark = pytest.mark.render


class Finding(NamedTuple):
    """A workload that fails a check."""

    check: str
    workload: str
    """`Kind/name`; in which stack it fails makes no difference."""


class Accepted(NamedTuple):
    """A check that some workloads may fail."""

    check: str
    workloads: tuple[str, ...]
    """Patterns of their names; each must fail it somewhere."""
    why: str


ACCEPTED = (
    Accepted(
        "CKV_K8S_11", ("*",), "A limit of CPU throttles scrapes and probes on a node that has nothing else to do."
    ),
    Accepted(
        "CKV_K8S_15", ("*",), "Images are pinned; pulling each time would let a registry's outage stop a restart."
    ),
    Accepted("CKV_K8S_19", ("node-exporter",), "The numbers of network devices are to be the node's."),
    Accepted("CKV_K8S_26", ("node-exporter",), "Follows from the node's network: its port is the node's."),
    Accepted("CKV_K8S_38", ("kube-state-metrics", "prometheus-agent", "prometheus-operator"), "They ask the API server."),
    Accepted("CKV_K8S_40", ("grafana",), "The owner of its image's files is 472."),
    Accepted("CKV_K8S_43", ("*",), "Images are pinned by release; a digest may be written in `images`."),
)
"""Whoever adds one says why; whoever mends one takes it out."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    """Whatever fails a check in any stack file's objects; looked for once."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # Pulumi takes the thread's own, which may be gone
    folder = tmp_path_factory.mktemp("rendered")
    engines = deploy_shipped(tmp_path_factory.mktemp("kube"))
    for name, engine in engines.items():
        (folder / name).write_text(yaml.safe_dump_all(map(whole, engine.objects)), encoding="utf-8")
    return set(scan(folder))


def scan(folder: Path) -> Iterator[Finding]:
    """Let checkov look at each file of a folder."""
    command = [str(checkov()), "--directory", str(folder), "--framework", "kubernetes", "--output", "json"]
    command += ["--quiet", "--compact", "--skip-download", "--soft-fail"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    assert results["summary"]["parsing_errors"] == 0
    for each in results["results"]["failed_checks"]:
        kind, _, name = each["resource"].split(".", 2)
        yield Finding(each["check_id"], f"{kind}/{name}")


def whole(value: Any) -> Any:
    """Give numbers as they are in YAML: the engine that stands in makes all of them floating."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def accepts(accepted: Accepted, pattern: str, finding: Finding) -> bool:
    return finding.check == accepted.check and fnmatch(finding.workload.partition("/")[2], pattern)


class TestCheckov:
    def test_finds_nothing_that_is_not_listed(self, found: set[Finding]) -> None:
        """
        A new finding is mended, or accepted in the table with a reason.
        """
        unlisted = [
            finding
            for finding in found
            if not any(accepts(each, pattern, finding) for each in ACCEPTED for pattern in each.workloads)
        ]

        assert sorted(unlisted) == []

    def test_finds_all_that_is_listed(self, found: set[Finding]) -> None:
        """
        What is mended does not stay in the table, where it would excuse the next one.
        """
        stale = [
            (each.check, pattern)
            for each in ACCEPTED
            for pattern in each.workloads
            if not any(accepts(each, pattern, finding) for finding in found)
        ]

        assert stale == []

    def test_would_find_what_is_wrong(self, tmp_path: Path) -> None:
        """
        It does look: a privileged container is found.
        """
        container = {"name": "a", "image": "a.example/a:1", "securityContext": {"privileged": True}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}}
        (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod | {"spec": {"containers": [container]}}))

        assert Finding("CKV_K8S_16", "Pod/a") in set(scan(tmp_path))
