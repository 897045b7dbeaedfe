"""ServiceAccounts of pods and of clients, the roles that they are bound to, and tokens that do not expire."""

import base64

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.tokens import token_secrets

RBAC = "rbac.authorization.k8s.io"
"""API group of roles and bindings."""
TOKEN = "kubernetes.io/service-account-token"
"""Type of a Secret that Kubernetes fills with a token."""


def service_account(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, child_opts: ResourceOptions
) -> k8s.core.v1.ServiceAccount:
    """Make a ServiceAccount, whose token is mounted only where a pod or a container says so."""
    return k8s.core.v1.ServiceAccount(name, metadata=metadata, automount_service_account_token=False, opts=child_opts)


def service_account_token(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str] | None,
    renewals: int,
    child_opts: ResourceOptions,
) -> pulumi.Output[str]:
    """Make a ServiceAccount, bind it to a Role if one is given, and return its bearer token, as a secret."""
    token = newest_token_secret(name, metadata, role, renewals, child_opts)
    return pulumi.Output.secret(decoded(token, "token"))


def decoded(secret: k8s.core.v1.Secret, key: str) -> pulumi.Output[str]:
    """Return the text of one key of a Secret that the cluster fills."""
    return secret.data.apply(lambda data: base64.b64decode(data[key]).decode())


def newest_token_secret(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str] | None,
    renewals: int,
    child_opts: ResourceOptions,
) -> k8s.core.v1.Secret:
    """
    Make a ServiceAccount, bind it to a Role if one is given, and return the Secret with its token, key `token`.

    Deleting the ServiceAccount revokes all its tokens. After a renewal the previous token stays valid, so that clients
    that still send it are not refused; the next renewal deletes it.
    """
    account = client_account(name, metadata, role, child_opts)
    tokens = [
        k8s.core.v1.Secret(
            f"{name}-token-{number}",
            metadata={
                **metadata,
                "name": secret,
                "annotations": {"kubernetes.io/service-account.name": account.metadata.name},
            },
            type=TOKEN,
            opts=child_opts,
        )
        for number, secret in token_secrets(str(metadata["name"]), renewals).items()
    ]
    return tokens[-1]


def client_account(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str] | None,
    child_opts: ResourceOptions,
) -> k8s.core.v1.ServiceAccount:
    """Make a ServiceAccount that no pod runs as, and bind it to a Role if one is given."""
    account = service_account(name, metadata, child_opts)
    if role is not None:
        bind_role(name, metadata, role, account.metadata.name, child_opts)
    return account


def bind_role(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str],
    account: pulumi.Input[str],
    child_opts: ResourceOptions,
    *,
    account_namespace: pulumi.Input[str] | None = None,
) -> None:
    """Bind a ServiceAccount to a Role; it is in the same namespace if no other one is given."""
    namespace = metadata["namespace"] if account_namespace is None else account_namespace
    k8s.rbac.v1.RoleBinding(
        f"{name}-binding",
        metadata=metadata,
        role_ref={"api_group": RBAC, "kind": "Role", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        opts=child_opts,
    )


def bind_cluster_role(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    role: pulumi.Input[str],
    account: pulumi.Input[str],
    namespace: pulumi.Input[str],
    child_opts: ResourceOptions,
) -> None:
    """Bind a ServiceAccount of a namespace to a ClusterRole, in the whole cluster."""
    k8s.rbac.v1.ClusterRoleBinding(
        f"{name}-binding",
        metadata=metadata,
        role_ref={"api_group": RBAC, "kind": "ClusterRole", "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        opts=child_opts,
    )
