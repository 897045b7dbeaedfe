"""Who may pass a hub's door: a ServiceAccount, its tokens and the Role that it holds."""

import base64

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


def identity(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str] | None,
    renewals: int,
    child: ResourceOptions,
) -> pulumi.Output[str]:
    """Make the holder of a Role, or of one that is granted elsewhere, and return its bearer token, as a secret."""
    token = newest_token(name, metadata, role, renewals, child)
    return pulumi.Output.secret(token.data.apply(lambda data: base64.b64decode(data["token"]).decode()))


def newest_token(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str] | None,
    renewals: int,
    child: ResourceOptions,
) -> k8s.core.v1.Secret:
    """
    Make the holder of a Role and return the Secret with its bearer token, key `token`.

    Deleting the ServiceAccount revokes all its tokens. After a renewal the token before the newest stays valid, so that
    whoever still sends it is not refused; the next renewal deletes it.
    """
    account = k8s.core.v1.ServiceAccount(name, metadata=metadata, automount_service_account_token=False, opts=child)
    if role is not None:
        grant(name, metadata, role, account.metadata.name, child)
    tokens = [
        k8s.core.v1.Secret(
            f"{name}-token-{generation}",
            metadata={
                **metadata,
                "name": f"{metadata['name']}-token-{generation}",
                "annotations": {"kubernetes.io/service-account.name": account.metadata.name},
            },
            type="kubernetes.io/service-account-token",
            opts=child,
        )
        for generation in range(max(0, renewals - 1), renewals + 1)
    ]
    return tokens[-1]


def grant(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str],
    account: pulumi.Input[str],
    child: ResourceOptions,
) -> None:
    """Give a Role to a ServiceAccount of the same namespace."""
    k8s.rbac.v1.RoleBinding(
        f"{name}-binding",
        metadata=metadata,
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": metadata["namespace"]}],
        opts=child,
    )
