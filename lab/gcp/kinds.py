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
from pulumi_gcp import serviceaccount, storage

from lab.gcp import cloud

from .inputs import Problem, names, problems

Properties = Mapping[str, Any]
MEMBER = r"allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|principal|principalSet):.+"
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
        changed = [name for name in self.inputs if old.get(name) != new.get(name)]
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
}
"""The engine's token -> the type of resource."""
