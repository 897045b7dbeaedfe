"""Security contexts: restricted, read-only, without privileges."""

import pulumi_kubernetes as k8s

USER = 65534
"""nobody, as in the images of the Prometheus project."""


RESTRICTED: k8s.core.v1.SecurityContextArgsDict = {
    "allow_privilege_escalation": False,
    "capabilities": {"drop": ["ALL"]},
    "read_only_root_filesystem": True,
    "run_as_non_root": True,
}


POD_RESTRICTED: k8s.core.v1.PodSecurityContextArgsDict = {
    "run_as_non_root": True,
    "run_as_user": USER,
    "run_as_group": USER,
    "seccomp_profile": {"type": "RuntimeDefault"},
}


POD_WITH_VOLUME: k8s.core.v1.PodSecurityContextArgsDict = {
    **POD_RESTRICTED,
    "fs_group": USER,
    "fs_group_change_policy": "OnRootMismatch",
}
