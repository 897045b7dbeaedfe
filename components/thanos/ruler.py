"""Thanos Ruler: evaluates rules that need the data of every replica and cluster."""

import hashlib
from collections.abc import Mapping, Sequence
from posixpath import basename, dirname
from typing import NotRequired

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.thanos.names import OWN_CERTIFICATE, QUERY, RULER
from render.thanos.ruler import ALERTMANAGERS_FILE, RULES
from settings.scrape_credentials import MountedFile

from ..k8s import tokens
from ..k8s.config_maps import file_volume
from ..k8s.labels import metadata_of
from ..k8s.prometheus import job_files
from ..k8s.service_account import bind_role
from ..k8s.volume import public_certificate
from .role import RoleArgs, role


class ThanosRulerArgs(RoleArgs):
    rules: Mapping[str, str]
    """Rule files: name -> text."""
    alertmanagers: str
    """Text of the file with the Alertmanagers to send alerts to."""
    notify: NotRequired[pulumi.Input[str]]
    """Role that permits sending alerts to Alertmanager; no alerts are sent, if left out."""
    stateless: NotRequired[bool]
    """Whether it queries and writes through the auth proxies of Query and Receive, and has no TSDB."""
    verified: NotRequired[bool]
    """Whether Envoy is in front of Receive, and takes its token for auth proxies."""
    tls_secret: pulumi.Input[str]
    """Secret with the certificate of Alertmanager's auth proxy."""
    files: NotRequired[Sequence[MountedFile]]
    """Keys of Secrets and ConfigMaps that it reads to reach existing Alertmanagers."""


class ThanosRuler(pulumi.ComponentResource):
    """Replicas that evaluate the same rules; their alerts are equal once the replica label is dropped."""

    def __init__(self, name: str, args: ThanosRulerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosRuler", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        own = f"{name}-{RULER}"
        metadata = metadata_of(RULER, args["namespace"], args["image"])
        # It reads rules at its start only; a hash of them in the name replaces the pods.
        digest = hashlib.sha256("\n".join(args["rules"].values()).encode()).hexdigest()[:8]
        named: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{RULER}-rules-{digest}"}
        rules = file_volume("rules", f"{own}-rules", named, args["rules"], child_opts)
        file = basename(ALERTMANAGERS_FILE)
        config = k8s.core.v1.ConfigMap(
            f"{own}-config", metadata=metadata, data={file: args["alertmanagers"]}, opts=child_opts
        )
        own_tokens = [
            *([tokens.AUTH_PROXY] if "notify" in args or args.get("verified") else []),
            *([tokens.API] if args.get("stateless") else []),
        ]
        files = job_files(args.get("files", ()))
        account = role(
            own,
            RULER,
            args,
            [QUERY],
            self,
            [
                {"name": "rules", "mount_path": RULES, "read_only": True},
                {"name": "config", "mount_path": dirname(ALERTMANAGERS_FILE), "read_only": True},
                {"name": "certificate", "mount_path": OWN_CERTIFICATE, "read_only": True},
                *(token.mount for token in own_tokens),
                *files.mounts,
            ],
            [
                rules,
                {"name": "config", "config_map": {"name": config.metadata.name}},
                public_certificate(args["tls_secret"]),
                *(token.volume for token in own_tokens),
                *files.volumes,
            ],
        )
        if "notify" in args:
            bind_role(
                f"{own}-notifier",
                {**metadata, "name": f"{RULER}-notifier"},
                args["notify"],
                account.metadata.name,
                child_opts,
            )
        self.register_outputs({})
