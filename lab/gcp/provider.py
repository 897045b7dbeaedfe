"""
A stand-in for Pulumi's provider of Google Cloud, for the lab only: the program uses the real SDK and the real engine.

Buckets are made in the lab's object store; all else is a record of the lab's cloud: service accounts, keys, who may do
what, VMs and what belongs to them, secrets without their versions.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

import pulumi_gcp
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.provider.experimental.server import main
from pulumi.runtime.rpc import UNKNOWN

from lab.gcp import cloud, objectstore
from lab.node import LabError

from .inputs import names
from .kinds import KINDS, Kind, Properties

_Diff = protocol.PropertyDiffKind


class Provider(protocol.Provider):
    """Answers the engine; what a resource is stands in its kind, what is done for it in `_make` and `_unmake`."""

    project = ""

    async def check_config(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        known = [*names(pulumi_gcp.ProviderArgs), "version"]
        unknown = [name for name in request.new_inputs if name not in known]
        failures = [protocol.CheckFailure(name, "is not known to pulumi_gcp's Provider") for name in unknown]
        return protocol.CheckResponse(request.new_inputs, failures)

    async def configure(self, request: protocol.ConfigureRequest) -> protocol.ConfigureResponse:
        self.project = request.variables.get("gcp:config:project", "")
        return protocol.ConfigureResponse(supports_preview=True)

    async def check(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        kind = _kind(_token(request.type))
        inputs = plain(request.new_inputs)
        if "project" in kind.inputs and self.project:
            inputs.setdefault("project", self.project)
        if kind.named_by and kind.named_by not in inputs:
            made_up = f"{request.name}-{request.random_seed.hex()[:7]}"
            inputs[kind.named_by] = plain(request.old_inputs).get(kind.named_by, made_up)
        failures = [protocol.CheckFailure(path, f"{path} {problem}") for path, problem in kind.problems(inputs)]
        return protocol.CheckResponse(wrapped(inputs), failures)

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        old, new = plain(request.old_state), plain(request.new_inputs)
        kind = _kind(_token(request.type))
        changes, named_by = kind.changes(old, new), kind.named_by
        kinds = {name: _change(name, old, new, is_new=is_new) for name, is_new in changes.items()}
        return protocol.DiffResponse(
            changes=bool(changes),
            diffs=list(changes),
            replaces=[name for name, is_new in changes.items() if is_new],
            # A name is free only after the old resource has gone.
            delete_before_replace=bool(named_by) and old.get(named_by) == new.get(named_by),
            detailed_diff={name: protocol.PropertyDiff(change, input_diff=True) for name, change in kinds.items()},
        )

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        kind, inputs = _kind(_token(request.type)), plain(request.properties)
        if request.preview:
            return protocol.CreateResponse("", wrapped(inputs))
        outputs = {**inputs, **kind.computed(inputs)}
        name = kind.identify(outputs)
        with cloud.edited() as records:
            if kind.is_unique and name in records:
                raise LabError(f"{name} exists already")
            _make(_token(request.type), name, outputs, records)
            records[name] = {cloud.KIND: _token(request.type), **outputs}
        return protocol.CreateResponse(name, wrapped(outputs))

    async def read(self, request: protocol.ReadRequest) -> protocol.ReadResponse:
        record = cloud.records().get(request.resource_id)
        if not record or (_token(request.type) == cloud.BUCKET and not _bucket(request.resource_id)):
            return protocol.ReadResponse("")
        outputs = {name: value for name, value in record.items() if name != cloud.KIND}
        inputs = {name: outputs[name] for name in _kind(_token(request.type)).inputs if name in outputs}
        return protocol.ReadResponse(request.resource_id, wrapped(outputs), wrapped(inputs))

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        kind, inputs = _kind(_token(request.type)), plain(request.news)
        if request.preview:
            return protocol.UpdateResponse(wrapped({**plain(request.olds), **inputs}))
        outputs = {**inputs, **kind.computed(inputs)}
        with cloud.edited() as records:
            records[request.resource_id] = {cloud.KIND: _token(request.type), **outputs}
        return protocol.UpdateResponse(wrapped(outputs))

    async def delete(self, request: protocol.DeleteRequest) -> None:
        with cloud.edited() as records:
            if _token(request.type) == cloud.BUCKET:
                _empty(request.resource_id, is_forced=plain(request.properties).get("forceDestroy") is True)
            if _token(request.type) == cloud.DISK:
                _require_free(records[request.resource_id], records)
            records.pop(request.resource_id, None)


def _token(chain: str) -> str:
    """The resource's own type; the engine puts those of its parents before it, each with a dollar sign after it."""
    return chain.rpartition("$")[2]


def _kind(token: str) -> Kind:
    if token not in KINDS:
        raise LabError(f"the lab's Google Cloud has no {token}; it has {', '.join(KINDS)}")
    return KINDS[token]


def _change(name: str, old: Properties, new: Properties, *, is_new: bool) -> protocol.PropertyDiffKind:
    if name not in old:
        return _Diff.ADD_REPLACE if is_new else _Diff.ADD
    if name not in new:
        return _Diff.DELETE_REPLACE if is_new else _Diff.DELETE
    return _Diff.UPDATE_REPLACE if is_new else _Diff.UPDATE


def _make(token: str, name: str, outputs: Properties, records: cloud.Records) -> None:
    """Do what the cloud does for a new resource, or refuse it as the cloud does."""
    if token == cloud.BUCKET:
        body = {"name": name, "location": outputs["location"].upper()}
        objectstore.ask("POST", f"/storage/v1/b?project={quote(outputs['project'])}", body)
    elif token == cloud.BUCKET_MEMBER:
        if not _bucket(outputs["bucket"]):
            raise LabError(f"there is no bucket {outputs['bucket']} to grant {outputs['role']} on")
        _require_member(outputs["member"], records)
    elif token == cloud.SECRET_MEMBER:
        secret = f"projects/{outputs['project']}/secrets/{outputs['secretId']}"
        if secret not in records:
            raise LabError(f"there is no secret {secret} to grant {outputs['role']} on")
        _require_member(outputs["member"], records)
    elif token == cloud.INSTANCE:
        _require_parts(outputs, records)
    elif token in (cloud.ACCOUNT_MEMBER, cloud.KEY):
        email = outputs["serviceAccountId"].rpartition("/")[2]
        if email not in [account["email"] for account in cloud.of_type(records, cloud.ACCOUNT)]:
            raise LabError(f"there is no service account {email}")
        if token == cloud.ACCOUNT_MEMBER:
            _require_pool(outputs["member"])


def _require_member(member: str, records: cloud.Records) -> None:
    members = [account["member"] for account in cloud.of_type(records, cloud.ACCOUNT)]
    if member.endswith(".iam.gserviceaccount.com") and member not in members:
        raise LabError(f"there is no service account {member}")


def _require_parts(instance: Properties, records: cloud.Records) -> None:
    """Refuse a VM whose disks, addresses or service account don't exist, or with a disk that another VM has."""
    for kind, wanted in (
        (cloud.DISK, _disks(instance)),
        (cloud.ADDRESS, {one["networkIp"] for one in instance["networkInterfaces"] if "networkIp" in one}),
        (cloud.ACCOUNT, {instance["serviceAccount"]["email"]} if "serviceAccount" in instance else set()),
    ):
        named_by = {cloud.DISK: "selfLink", cloud.ADDRESS: "address", cloud.ACCOUNT: "email"}[kind]
        if missing := wanted - {record[named_by] for record in cloud.of_type(records, kind)}:
            raise LabError(f"the VM {instance['name']} needs {', '.join(sorted(missing))}, which does not exist")
    for other in cloud.of_type(records, cloud.INSTANCE):
        if taken := _disks(instance) & _disks(other):
            raise LabError(f"the VM {other['name']} has {', '.join(sorted(taken))}")


def _require_free(disk: Properties, records: cloud.Records) -> None:
    for instance in cloud.of_type(records, cloud.INSTANCE):
        if disk["selfLink"] in _disks(instance):
            raise LabError(f"disk {disk['name']} is used by the VM {instance['name']}")


def _disks(instance: Properties) -> set[str]:
    return {disk["source"] for disk in instance.get("attachedDisks", [])}


def _require_pool(member: str) -> None:
    """Refuse a pod of a project that has no cluster: such a pool does not exist."""
    pool = re.fullmatch(r"serviceAccount:(.+\.svc\.id\.goog)\[.*\]", member)
    if pool and pool[1] != cloud.POOL:
        raise LabError(f"Identity Pool does not exist ({pool[1]}). The lab's clusters have {cloud.POOL}")


def _bucket(name: str) -> Mapping[str, Any] | None:
    return objectstore.ask("GET", f"/storage/v1/b/{quote(name, safe='')}")


def _empty(name: str, *, is_forced: bool) -> None:
    """Delete a bucket, and what is in it only if that was asked for; the object store refuses otherwise."""
    place = f"/storage/v1/b/{quote(name, safe='')}"
    listed = (is_forced and objectstore.ask("GET", f"{place}/o")) or {}
    for item in listed.get("items", []):
        objectstore.ask("DELETE", f"{place}/o/{quote(item['name'], safe='')}")
    objectstore.ask("DELETE", place)


def plain(properties: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """Give properties as Python has them; what is null is left out, what is not known yet is UNKNOWN."""
    return {name: _plain(value) for name, value in properties.items() if value.value is not None}


def _plain(value: PropertyValue) -> Any:
    if isinstance(value.value, Mapping):
        return plain(value.value)
    if isinstance(value.value, Sequence) and not isinstance(value.value, str):
        return [_plain(item) for item in value.value]
    return UNKNOWN if isinstance(value.value, Computed) else value.value


def wrapped(properties: Properties) -> dict[str, PropertyValue]:
    return {name: _wrapped(value) for name, value in properties.items()}


def _wrapped(value: Any) -> PropertyValue:
    if isinstance(value, dict):
        return PropertyValue(wrapped(value))
    if isinstance(value, list):
        return PropertyValue([_wrapped(item) for item in value])
    return PropertyValue(value)


if __name__ == "__main__":
    main(sys.argv[1:], version("pulumi-gcp"), Provider())
