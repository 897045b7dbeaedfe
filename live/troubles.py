"""
Finds the reasons why pods and volumes are not ready, in the messages of Kubernetes.

They are in different places: errors of images, crashes, probes and memory in the pod's status, a port in use in its
conditions, and quotas, admission and StorageClasses only in events of the workload or claim.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from settings.errors import some
from settings.object_labels import PART_OF

Object = Mapping[str, Any]
"""An object as the API server returns it, with its kind."""

LONGEST = 400
"""Maximum length of one reason, in characters."""
_WORKLOADS = {
    "StatefulSet": ("spec", "replicas", "replicas"),
    "ReplicaSet": ("spec", "replicas", "replicas"),
    "DaemonSet": ("status", "desiredNumberScheduled", "currentNumberScheduled"),
}
"""Kind -> block and field with the desired number of pods, and field of the status with the actual number."""
_NAMES = {
    "Pod": "pod",
    "PersistentVolumeClaim": "volume claim",
    "StatefulSet": "StatefulSet",
    "ReplicaSet": "ReplicaSet",
    "DaemonSet": "DaemonSet",
    "Service": "Service",
}
_STARTING = {"ContainerCreating", "PodInitializing"}
"""Reasons of a waiting container that don't tell the cause, which is in events then."""
_IN_STATUS = {"FailedScheduling", "BackOff", "Failed"}
"""Reasons of events that the pod's status has too, as long as they last."""
_OF_A_LOST_NODE = "DeletionByTaintManager"
"""Why a pod is deleted whose node does not answer; its kubelet can't confirm that it has ended."""
_LOST = "which is not ready; no other pod is made until it has. If the machine is off, delete the Node"
_NO_FAULT = {"WaitForFirstConsumer", "WaitForPodScheduled", "Provisioning", "ProvisioningSucceeded"}
"""Reasons of a claim's events that are not errors."""


def troubles(objects: Iterable[Object], labels: Mapping[str, str] = PART_OF) -> list[str]:
    """Return the reasons why pods with these labels are not ready, with those of their workloads and volumes."""
    objects = list(objects)
    events = _by_object(each for each in objects if each["kind"] == "Event")
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in _chosen(objects, labels):
        for reason in _reasons(each, events.get(each["metadata"].get("uid", ""), [])):
            found[_NAMES[each["kind"]], _short(reason)].append(_name(each))
    return [f"{kind} {some(names)}: {reason}" for (kind, reason), names in found.items()]


def _chosen(objects: list[Object], labels: Mapping[str, str]) -> list[Object]:
    """Objects with the labels, and the claims that their pods mount, which need not have them."""
    labelled = [
        each
        for each in objects
        if each["kind"] in _NAMES and labels.items() <= (each["metadata"].get("labels") or {}).items()
    ]
    mounted = {
        (pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"])
        for pod in labelled
        if pod["kind"] == "Pod"
        for volume in pod["spec"].get("volumes") or []
        if "persistentVolumeClaim" in volume
    }
    return labelled + [
        each
        for each in objects
        if each["kind"] == "PersistentVolumeClaim" and each not in labelled and _place(each) in mounted
    ]


def _reasons(each: Object, events: list[Object]) -> Iterator[str]:
    match each["kind"]:
        case "Pod":
            yield from _of_pod(each, events)
        case "PersistentVolumeClaim":
            yield from _of_claim(each, events)
        case "Service":
            yield from _of_service(each, events)
        case workload:
            yield from _of_workload(each, *_WORKLOADS[workload], events)


def _of_pod(pod: Object, events: list[Object]) -> Iterator[str]:
    status = pod.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    ready, scheduled = conditions.get("Ready", {}), conditions.get("PodScheduled", {})
    if pod["metadata"].get("deletionTimestamp"):
        owners = [owner["kind"] for owner in pod["metadata"].get("ownerReferences") or []]
        if conditions.get("DisruptionTarget", {}).get("reason") == _OF_A_LOST_NODE and owners == ["StatefulSet"]:
            yield f"is to leave node {pod['spec'].get('nodeName')}, {_LOST}"
        return
    if ready.get("status") == "True" or status.get("phase") == "Succeeded":
        return
    reasons = list(_of_containers(status))
    if scheduled.get("status") == "False":
        # Without its part on preemption: no pod of this program has a priority.
        reasons.append(str(scheduled.get("message") or scheduled.get("reason")).partition(" preemption:")[0])
    if status.get("phase") == "Failed":
        reasons.append(_joined(status.get("reason"), status.get("message")))
    warnings = [each for each in events if each.get("type") == "Warning" and each["reason"] not in _IN_STATUS]
    reasons += map(_event, warnings)
    yield "; ".join(filter(None, reasons)) or _joined("is not ready", ready.get("message"))


def _of_containers(status: Mapping[str, Any]) -> Iterator[str]:
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = each["state"].get("waiting") or {}
        ended = each["state"].get("terminated") or (each.get("lastState") or {}).get("terminated") or {}
        if each.get("ready") or (ended.get("exitCode") == 0 and not waiting):
            continue
        reasons = []
        if waiting and waiting.get("reason") not in _STARTING:
            reasons.append(_joined(waiting.get("reason"), waiting.get("message")))
        if ended:
            how = f"ended last with {ended.get('reason')}, exit code {ended.get('exitCode')}"
            reasons.append(_joined(how, ended.get("message")))
        if reasons:
            yield f"container {each['name']}: {', '.join(reasons)}"


def _of_claim(claim: Object, events: list[Object]) -> Iterator[str]:
    phase = (claim.get("status") or {}).get("phase")
    if phase == "Bound":
        return
    reasons = [_event(each) for each in events if each["reason"] not in _NO_FAULT]
    if reasons or not events:
        yield "; ".join(reasons) or f"is {phase or 'new'}"


def _of_service(service: Object, events: list[Object]) -> Iterator[str]:
    """A load balancer without an address; other failures of a Service are those of its pods."""
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    if service["spec"].get("type") == "LoadBalancer" and not balancer.get("ingress"):
        warnings = [_event(each) for each in events if each.get("type") == "Warning"]
        yield "; ".join(warnings) or "has no address yet"


def _of_workload(workload: Object, place: str, desired: str, actual: str, events: list[Object]) -> Iterator[str]:
    wants = (workload.get(place) or {}).get(desired, 0)
    has = (workload.get("status") or {}).get(actual, 0)
    if has < wants:
        warnings = [_event(each) for each in events if each.get("type") == "Warning"]
        yield "; ".join([f"has {has} of {wants} pods", *warnings])


def _by_object(events: Iterable[Object]) -> dict[str, list[Object]]:
    """UID of an object -> its newest event of each reason, the newest first."""
    newest: dict[tuple[str, str], Object] = {}
    for event in sorted(events, key=_time):
        newest[event["involvedObject"].get("uid", ""), event["reason"]] = event
    found = defaultdict(list)
    for event in sorted(newest.values(), key=_time, reverse=True):
        found[event["involvedObject"].get("uid", "")].append(event)
    return found


def _time(event: Object) -> str:
    """Time of the last occurrence, which is in different fields of old and new events."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next(filter(None, times), "") or event["metadata"].get("creationTimestamp") or ""


def _event(event: Object) -> str:
    return _joined(event["reason"], event.get("message"))


def _joined(*words: str | None) -> str:
    return ": ".join(filter(None, words))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _name(each: Object) -> str:
    return "/".join(_place(each))


def _place(each: Object) -> tuple[str, str]:
    return each["metadata"].get("namespace", ""), each["metadata"]["name"]
