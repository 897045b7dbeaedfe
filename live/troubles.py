"""
Why pods and volumes are not there yet, in the cluster's own words.

Each fault is said in another place: an image, a crash, a probe or too little memory in the pod's state, a port that is
taken in its conditions, a quota, admission and a StorageClass only in events of what would have made the pod or volume.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]
"""An object as the API server gives it, with its kind."""

OURS = {"app.kubernetes.io/part-of": "promfleet"}
"""Label of whatever this program deploys."""
LONGEST = 400
"""Characters of one reason; a line that nobody reads says nothing."""
_MOST_NAMES = 3
_WORKLOADS = {
    "StatefulSet": ("spec", "replicas", "replicas"),
    "ReplicaSet": ("spec", "replicas", "replicas"),
    "DaemonSet": ("status", "desiredNumberScheduled", "currentNumberScheduled"),
}
"""Kind -> where it says how many pods it wants, and in its status how many there are."""
_NAMES = {
    "Pod": "pod",
    "PersistentVolumeClaim": "volume claim",
    "StatefulSet": "StatefulSet",
    "ReplicaSet": "ReplicaSet",
    "DaemonSet": "DaemonSet",
    "Service": "Service",
}
_STARTING = {"ContainerCreating", "PodInitializing"}
"""Reasons of a container that waits, and say nothing; what holds it up stands in events."""
_SAID_BY_THE_POD = {"FailedScheduling", "BackOff", "Failed"}
"""Reasons of events that the pod's own state repeats, as long as they hold."""
_NO_FAULT = {"WaitForFirstConsumer", "WaitForPodScheduled", "Provisioning", "ProvisioningSucceeded"}
"""Reasons of a claim's events while its pod is waited for, or all goes well."""


def troubles(objects: Iterable[Object], labels: Mapping[str, str] = OURS) -> list[str]:
    """Say what is wrong with the pods of these labels, with what makes them and with what they mount."""
    objects = list(objects)
    events = _by_object(each for each in objects if each["kind"] == "Event")
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for each in _chosen(objects, labels):
        for reason in _reasons(each, events.get(each["metadata"].get("uid", ""), [])):
            found[_NAMES[each["kind"]], _short(reason)].append(_name(each))
    return [f"{kind} {_listed(names)}: {reason}" for (kind, reason), names in found.items()]


def _chosen(objects: list[Object], labels: Mapping[str, str]) -> list[Object]:
    """Whatever has the labels, and the claims that its pods mount: a StatefulSet labels few of its claims."""
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
    if pod["metadata"].get("deletionTimestamp") or ready.get("status") == "True" or status.get("phase") == "Succeeded":
        return
    said = list(_of_containers(status))
    if scheduled.get("status") == "False":
        # What it says of preemption is of no help: nothing of ours has a priority.
        said.append(str(scheduled.get("message") or scheduled.get("reason")).partition(" preemption:")[0])
    if status.get("phase") == "Failed":
        said.append(_joined(status.get("reason"), status.get("message")))
    warnings = [each for each in events if each.get("type") == "Warning" and each["reason"] not in _SAID_BY_THE_POD]
    said += map(_event, warnings)
    yield "; ".join(filter(None, said)) or _joined("is not ready", ready.get("message"))


def _of_containers(status: Mapping[str, Any]) -> Iterator[str]:
    for each in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        waiting = each["state"].get("waiting") or {}
        ended = each["state"].get("terminated") or (each.get("lastState") or {}).get("terminated") or {}
        if each.get("ready") or (ended.get("exitCode") == 0 and not waiting):
            continue
        said = []
        if waiting and waiting.get("reason") not in _STARTING:
            said.append(_joined(waiting.get("reason"), waiting.get("message")))
        if ended:
            how = f"ended last with {ended.get('reason')}, exit code {ended.get('exitCode')}"
            said.append(_joined(how, ended.get("message")))
        if said:
            yield f"container {each['name']}: {', '.join(said)}"


def _of_claim(claim: Object, events: list[Object]) -> Iterator[str]:
    phase = (claim.get("status") or {}).get("phase")
    if phase == "Bound":
        return
    said = [_event(each) for each in events if each["reason"] not in _NO_FAULT]
    if said or not events:
        yield "; ".join(said) or f"is {phase or 'new'}"


def _of_service(service: Object, events: list[Object]) -> Iterator[str]:
    """A load balancer that has no address; all else of a Service is its pods' fault."""
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    if service["spec"].get("type") == "LoadBalancer" and not balancer.get("ingress"):
        warnings = [_event(each) for each in events if each.get("type") == "Warning"]
        yield "; ".join(warnings) or "has no address yet"


def _of_workload(workload: Object, place: str, wanted: str, made: str, events: list[Object]) -> Iterator[str]:
    wants = (workload.get(place) or {}).get(wanted, 0)
    has = (workload.get("status") or {}).get(made, 0)
    if has < wants:
        warnings = [_event(each) for each in events if each.get("type") == "Warning"]
        yield "; ".join([f"has {has} of {wants} pods", *warnings])


def _by_object(events: Iterable[Object]) -> dict[str, list[Object]]:
    """UID of an object -> the newest of its events of each reason, the newest first."""
    newest: dict[tuple[str, str], Object] = {}
    for event in sorted(events, key=_time):
        newest[event["involvedObject"].get("uid", ""), event["reason"]] = event
    found = defaultdict(list)
    for event in sorted(newest.values(), key=_time, reverse=True):
        found[event["involvedObject"].get("uid", "")].append(event)
    return found


def _time(event: Object) -> str:
    """When it was seen last; who records events in the newer way says so elsewhere."""
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


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
