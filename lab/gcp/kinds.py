"""What the stand-in for Google Cloud knows of each type of resource: its inputs, its id, what else it comes with."""

import hashlib
import json
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.rpc import UNKNOWN
from pulumi_gcp import compute, secretmanager, serviceaccount, storage

from lab.gcp import cloud

from .inputs import Problem, names, problems

Properties = Mapping[str, Any]
MEMBER = r"allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|principal|principalSet):.+"
NAME = "[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
"""Of resources of Compute Engine."""
ROLE = r"(roles|projects/[^/]+/roles|organizations/[^/]+/roles)/.+"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type of resource."""

    arguments: type
    """The SDK's class of its inputs."""
    identify: Callable[[Properties], str]
    """Its id, as the real provider writes it."""
    computed: Callable[[Properties], dict[str, Any]]
    """Outputs beside its inputs."""
    replaced_by: frozenset[str] | None = None
    """Inputs that can't change in place; None for all."""
    patterns: Mapping[str, str] = field(default_factory=dict)
    """What the cloud demands of an input's text."""
    named_by: str = ""
    """Input that is made up where it is left out."""
    filled: frozenset[str] = frozenset()
    """Inputs that the cloud fills in where they are left out."""
    is_unique: bool = False
    """Whether the cloud refuses a second one of the same id."""

    @property
    def inputs(self) -> list[str]:
        return names(self.arguments)

    def problems(self, given: Properties) -> Iterator[Problem]:
        """Tell what the real provider or the cloud would refuse."""
        yield from problems(self.arguments, given)
        for name, pattern in self.patterns.items():
            value = given.get(name)
            if isinstance(value, str) and value != UNKNOWN and not re.fullmatch(pattern, value):
                yield name, f"is {value!r}, which does not match {pattern}"
        if "project" in self.inputs and not given.get("project"):
            yield "project", "is neither given nor in the provider's configuration as gcp:project"

    def changes(self, old: Properties, new: Properties) -> dict[str, bool]:
        """Name the inputs that differ; whether each asks for a new resource."""
        given = [name for name in self.inputs if name in new or name not in self.filled]
        changed = [name for name in given if old.get(name) != new.get(name)]
        return {name: self.replaced_by is None or name in self.replaced_by for name in changed}


def _account(inputs: Properties) -> dict[str, Any]:
    email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/{inputs['project']}/serviceAccounts/{email}",
        "uniqueId": str(int(_digest(email)[:16], 16)),
    }


def _bucket(inputs: Properties) -> dict[str, Any]:
    labels = inputs.get("labels") or {}
    return {
        "url": f"gs://{inputs['name']}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{inputs['name']}",
        "effectiveLabels": labels,
        "pulumiLabels": labels,
    }


def _key(inputs: Properties) -> dict[str, Any]:
    """Describe a key; it opens nothing, since the lab has no token endpoint for keys."""
    email = inputs["serviceAccountId"].rpartition("/")[2]
    number = secrets.token_hex(20)
    content = {"type": "service_account", "client_email": email, "private_key_id": number, "private_key": "lab"}
    return {
        "name": f"projects/-/serviceAccounts/{email}/keys/{number}",
        "privateKey": b64encode(json.dumps(content).encode()).decode(),
        "publicKey": b64encode(b"lab").decode(),
    }


def _bound(place: str, binding: Properties) -> str:
    condition = binding.get("condition")
    return "/".join([place, binding["role"], binding["member"], *([condition["title"]] if condition else [])])


def _binding(inputs: Properties) -> dict[str, Any]:
    return {"etag": _digest(json.dumps(dict(inputs), sort_keys=True))[:12]}


def _in(collection: str, name: str = "name") -> Callable[[Properties], str]:
    """Identify a resource by its project, the collection that it is in, and its name."""

    def identify(outputs: Properties) -> str:
        place = collection.format_map(outputs)
        return f"projects/{outputs['project']}/{place}/{outputs[name]}"

    return identify


def _computing(collection: str) -> Callable[[Properties], dict[str, Any]]:
    """Compute what a resource of Compute Engine comes with."""

    def computed(inputs: Properties) -> dict[str, Any]:
        labels = inputs.get("labels") or {}
        return {
            "selfLink": f"https://www.googleapis.com/compute/v1/{_in(collection)(inputs)}",
            "creationTimestamp": "2026-01-01T00:00:00.000-00:00",
            **({"effectiveLabels": labels, "pulumiLabels": labels} if labels else {}),
        }

    return computed


def _address(inputs: Properties) -> dict[str, Any]:
    """Give an address of the range that each kind is from; the same name gets the same one."""
    last = int(_digest(inputs["name"])[:2], 16)
    address = f"10.132.0.{last}" if inputs.get("addressType") == "INTERNAL" else f"203.0.113.{last}"
    return {**_computing("regions/{region}/addresses")(inputs), "address": inputs.get("address", address)}


def _secret(inputs: Properties) -> dict[str, Any]:
    labels = inputs.get("labels") or {}
    return {"name": _in("secrets", "secretId")(inputs), "effectiveLabels": labels, "pulumiLabels": labels}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


KINDS = {
    cloud.BUCKET: Kind(
        arguments=storage.BucketArgs,
        identify=lambda outputs: outputs["name"],
        computed=_bucket,
        replaced_by=frozenset({"name", "location", "project"}),
        patterns={"name": r"[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]"},
        named_by="name",
    ),
    cloud.BUCKET_MEMBER: Kind(
        arguments=storage.BucketIAMMemberArgs,
        identify=lambda outputs: _bound(f"b/{outputs['bucket']}", outputs),
        computed=_binding,
        patterns={"member": MEMBER, "role": ROLE},
    ),
    cloud.ACCOUNT: Kind(
        arguments=serviceaccount.AccountArgs,
        identify=lambda outputs: outputs["name"],
        computed=_account,
        replaced_by=frozenset({"accountId", "project"}),
        patterns={
            "accountId": r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
            "displayName": r"(?s).{0,100}",
            "description": r"(?s).{0,256}",
        },
        named_by="accountId",
        is_unique=True,
    ),
    cloud.ACCOUNT_MEMBER: Kind(
        arguments=serviceaccount.IAMMemberArgs,
        identify=lambda outputs: _bound(outputs["serviceAccountId"], outputs),
        computed=_binding,
        patterns={"member": MEMBER, "role": ROLE, "serviceAccountId": r"projects/[^/]+/serviceAccounts/.+"},
    ),
    cloud.KEY: Kind(
        arguments=serviceaccount.KeyArgs,
        identify=lambda outputs: outputs["name"],
        computed=_key,
    ),
    cloud.INSTANCE: Kind(
        arguments=compute.InstanceArgs,
        identify=_in("zones/{zone}/instances"),
        computed=_computing("zones/{zone}/instances"),
        replaced_by=frozenset({"name", "zone", "project", "bootDisk", "networkInterfaces", "hostname"}),
        patterns={"name": NAME, "zone": r"[a-z]+-[a-z]+\d-[a-z]", "machineType": "[a-z][a-z0-9]*(-[a-z0-9]+)+"},
        named_by="name",
        is_unique=True,
    ),
    cloud.DISK: Kind(
        arguments=compute.DiskArgs,
        identify=_in("zones/{zone}/disks"),
        computed=_computing("zones/{zone}/disks"),
        replaced_by=frozenset({"name", "zone", "project", "type", "image", "snapshot"}),
        patterns={"name": NAME, "zone": r"[a-z]+-[a-z]+\d-[a-z]"},
        named_by="name",
        is_unique=True,
    ),
    cloud.ADDRESS: Kind(
        arguments=compute.AddressArgs,
        identify=_in("regions/{region}/addresses"),
        computed=_address,
        patterns={"name": NAME, "addressType": "INTERNAL|EXTERNAL"},
        named_by="name",
        filled=frozenset({"address"}),
        is_unique=True,
    ),
    cloud.FIREWALL: Kind(
        arguments=compute.FirewallArgs,
        identify=_in("global/firewalls"),
        computed=_computing("global/firewalls"),
        replaced_by=frozenset({"name", "project", "network", "direction"}),
        patterns={"name": NAME, "direction": "INGRESS|EGRESS"},
        named_by="name",
        is_unique=True,
    ),
    cloud.SECRET: Kind(
        arguments=secretmanager.SecretArgs,
        identify=_in("secrets", "secretId"),
        computed=_secret,
        replaced_by=frozenset({"secretId", "project", "replication"}),
        patterns={"secretId": "[a-zA-Z0-9_-]{1,255}"},
        is_unique=True,
    ),
    cloud.SECRET_MEMBER: Kind(
        arguments=secretmanager.SecretIamMemberArgs,
        identify=lambda outputs: _bound(f"projects/{outputs['project']}/secrets/{outputs['secretId']}", outputs),
        computed=_binding,
        patterns={"member": MEMBER, "role": ROLE},
    ),
}
"""The engine's token -> the type of resource."""
