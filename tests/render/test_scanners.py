"""What checkov and kube-score find in all that the stack files of this repository deploy: only what is listed."""

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

from .tools import checkov, tool

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
    Accepted(
        "CKV_K8S_38", ("kube-state-metrics", "prometheus-agent", "prometheus-operator"), "They ask the API server."
    ),
    Accepted("CKV_K8S_40", ("grafana",), "The owner of its image's files is 472."),
    Accepted("CKV_K8S_43", ("*",), "Images are pinned by release; a digest may be written in `images`."),
    Accepted("container-ephemeral-storage-request-and-limit", ("*",), "`limits.ephemeralStorage` sets one."),
    Accepted("container-image-pull-policy", ("*",), "As CKV_K8S_15."),
    Accepted("container-resources", ("*",), "As CKV_K8S_11; `limits.cpu` sets one where a quota wants it."),
    Accepted("container-security-context-user-group-id", ("grafana",), "As CKV_K8S_40."),
    Accepted(
        "deployment-has-host-podantiaffinity",
        ("admission-webhook", "thanos-query", "thanos-receive-router"),
        "Pods are spread over nodes by topologySpreadConstraints.",
    ),
    Accepted("deployment-replicas", ("thanos-bucket-web",), "Only people look at it, and only at times."),
    Accepted(
        "deployment-replicas",
        ("blackbox-exporter", "kube-state-metrics"),
        "Another pod is made where it is lost; a second one would be asked for nothing, or tell everything twice.",
    ),
    Accepted("pod-networkpolicy", ("*",), "What is scraped, probed, notified and written to is anywhere."),
    Accepted(
        "pod-probes-identical",
        ("*",),
        "Of containers whose one answer means both; a liveness probe may fail for longer than a readiness probe.",
    ),
    Accepted("service-targets-pod", ("prometheus-hub-[01]",), "Selects a pod by the label that its StatefulSet gives."),
    Accepted("service-type", ("*-outside",), "Only in the stack file of the lab, which has no load balancer."),
    Accepted(
        "statefulset-has-host-podantiaffinity",
        ("alertmanager", "prometheus-hub", "thanos-receive", "thanos-ruler"),
        "Pods are spread over nodes by topologySpreadConstraints.",
    ),
    Accepted(
        "statefulset-has-servicename",
        ("grafana", "pushgateway"),
        "There is one pod, which nobody asks by a name of its own.",
    ),
    Accepted(
        "networkpolicy-targets-pod",
        ("prometheus-hub",),
        "The operator makes the pods of a Prometheus, which nobody renders.",
    ),
    Accepted(
        "service-targets-pod",
        ("prometheus-hub", "prometheus-hub-outside"),
        "The operator makes the pods of a Prometheus, which nobody renders.",
    ),
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
    """Let both scanners look at each file of a folder."""
    yield from _checkov(folder)
    for file in folder.iterdir():
        yield from _kube_score(file)


def _checkov(folder: Path) -> Iterator[Finding]:
    command = [str(checkov()), "--directory", str(folder), "--framework", "kubernetes", "--output", "json"]
    command += ["--quiet", "--compact", "--skip-download", "--soft-fail"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    results = json.loads(done.stdout)
    assert results["summary"]["parsing_errors"] == 0
    for each in results["results"]["failed_checks"]:
        kind, _, name = each["resource"].split(".", 2)
        yield Finding(each["check_id"], f"{kind}/{name}")


def _kube_score(file: Path) -> Iterator[Finding]:
    command = [tool("kube-score"), "score", "--output-format", "json", "--kubernetes-version", "v1.36", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # 1 where it finds something
    for item in json.loads(done.stdout):
        for check in item["checks"]:
            if check["grade"] < _ALL_WELL and not check["skipped"]:
                yield Finding(check["check"]["id"], f"{item['type_meta']['kind']}/{item['object_meta']['name']}")


_ALL_WELL = 10
"""kube-score's best grade."""


def whole(value: Any) -> Any:
    """Give numbers as they are in YAML: the engine that stands in makes all of them floating."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def accepts(accepted: Accepted, pattern: str, finding: Finding) -> bool:
    return finding.check == accepted.check and fnmatch(finding.workload.partition("/")[2], pattern)


class TestScanners:
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
        Both do look: a privileged container is found.
        """
        container = {"name": "a", "image": "a.example/a:1", "securityContext": {"privileged": True}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}}
        (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod | {"spec": {"containers": [container]}}))

        found = set(scan(tmp_path))

        assert Finding("CKV_K8S_16", "Pod/a") in found
        assert Finding("container-security-context-privileged", "Pod/a") in found
