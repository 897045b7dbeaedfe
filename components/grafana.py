"""Grafana, with the dashboards."""

import hashlib
from collections.abc import Mapping, Sequence
from posixpath import dirname
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.grafana import (
    APP,
    APPLICATIONS,
    DASHBOARDS,
    DATA,
    FOLDERS,
    HEALTH,
    PASSWORD,
    PORT,
    PROVISIONING,
    SECRETS,
    TLS,
    TOKEN,
    TRUSTED,
)
from settings.scrape_credentials import MountedFile

from .k8s.config_maps import file_volume
from .k8s.labels import metadata_of, selector
from .k8s.network_policy import network_policy
from .k8s.security import POD_WITH_VOLUME, RESTRICTED
from .k8s.service_account import newest_token_secret
from .k8s.timeouts import timeouts
from .k8s.volume import claim, projections
from .k8s.workload import pod_defaults, resources, stateful_set

USER = 472
"""User `grafana` of its image."""
HTTPS = "https"
"""Name of the port."""


class GrafanaArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    environment: Mapping[str, str]
    """Environment variables with Grafana's configuration."""
    datasources: str
    """Text of the provisioning file of the datasource."""
    providers: str
    """Text of the provisioning file of the dashboards."""
    boards: Mapping[str, str]
    """File name, `<dashboard>.json`, -> text."""
    application_boards: NotRequired[Mapping[str, str]]
    """The same of applications' own dashboards, for a folder beside; none, if left out."""
    folder_boards: NotRequired[Mapping[str, Mapping[str, str]]]
    """Name of a folder -> the same of people's own dashboards; none, if left out."""
    files: NotRequired[Sequence[MountedFile]]
    """Keys of Secrets and ConfigMaps that settings refer to, mounted in `SECRETS`; none, if left out."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """File name in `SECRETS` -> secret of the stack; none, if left out."""
    reader: pulumi.Input[str]
    """Role, in this namespace, that permits queries."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with its certificate, which is also that of the server's auth proxies."""
    ca: NotRequired[str]
    """PEM certificates of the auth proxies' CA; without it and `ca_config_map`, their certificate is trusted."""
    ca_config_map: NotRequired[str]
    """ConfigMap, in this namespace, with that CA (key `ca.crt`) instead."""
    password: NotRequired[pulumi.Input[str]]
    """Initial password of `admin`; exactly one of this and `password_in`."""
    password_in: NotRequired[tuple[str, str]]
    """Name and key of an existing Secret, in this namespace, with the password."""
    storage: pulumi.Input[str]
    """Size of the volume."""
    scratch: NotRequired[str]
    """Size of /tmp, where plugins are unpacked; 64Mi, if left out."""
    storage_class: NotRequired[pulumi.Input[str] | None]
    """StorageClass of the volume; the cluster's default, if None or left out."""
    image: str
    """Image of Grafana."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""


class Grafana(pulumi.ComponentResource):
    """Shows the dashboards, and queries the server with a token of its own."""

    service: pulumi.Output[str]
    """Name of the Service."""

    def __init__(self, name: str, args: GrafanaArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Grafana", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata = metadata_of(APP, args["namespace"], args["image"])
        ports: k8s.core.v1.ServicePortArgsDict = {"name": HTTPS, "port": PORT, "target_port": HTTPS}
        service = k8s.core.v1.Service(
            f"{name}-service",
            metadata=metadata,
            spec={"selector": selector(APP, APP), "ports": [ports]},
            opts=await_opts,
        )
        network_policy(name, metadata, APP, [{"ports": [{"port": HTTPS, "protocol": "TCP"}]}], child_opts)
        volume = claim(name, metadata, args["storage"], args.get("storage_class"), await_opts)
        volumes: list[k8s.core.v1.VolumeArgsDict] = [
            {"name": "data", "persistent_volume_claim": {"claim_name": volume.metadata.name}},
            {"name": "tmp", "empty_dir": {"size_limit": args.get("scratch", "64Mi")}},
            *self._files(name, args, metadata, child_opts),
            *referred(name, args, metadata, child_opts),
        ]
        stateful_set(name, APP, metadata, pod(args, volumes), await_opts)
        self.service = service.metadata.name.apply(str)
        self.register_outputs({"service": self.service})

    def _files(
        self,
        name: str,
        args: GrafanaArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> list[k8s.core.v1.VolumeArgsDict]:
        """Make the volumes of provisioning files, dashboards, token and certificate."""
        # The token of a Secret, since Grafana reads it once: a projected token would expire.
        token = newest_token_secret(f"{name}-reader", metadata, args["reader"], 0, child_opts)
        provisioning = self._provisioning(name, args, metadata, child_opts)
        added = args.get("application_boards")
        return [
            {"name": "datasources", "config_map": {"name": provisioning, "items": one("datasources.yaml")}},
            {"name": "dashboards", "config_map": {"name": provisioning, "items": one("dashboards.yaml")}},
            boards(name, "board", args["boards"], metadata, child_opts),
            {"name": "tls", "secret": {"secret_name": args["tls_secret"]}},
            {"name": "reader", "secret": {"secret_name": token.metadata.name, "items": one("token")}},
            trusted(args, provisioning),
            {"name": "admin", "secret": self._password(name, args, metadata, child_opts)},
            *([boards(name, "application", added, metadata, child_opts)] if added else []),
            *(
                file_volume(
                    f"folder-{folder}",
                    f"{name}-folder-{folder}",
                    {**metadata, "name": f"{APP}-folder-{folder}"},
                    files,
                    child_opts,
                )
                for folder, files in args.get("folder_boards", {}).items()
            ),
        ]

    def _provisioning(
        self,
        name: str,
        args: GrafanaArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> pulumi.Output[str]:
        """Make a ConfigMap that is read at startup only; a hash of its content in its name rolls the pod."""
        files = {
            "datasources.yaml": args["datasources"],
            "dashboards.yaml": args["providers"],
            **({"ca.crt": args["ca"]} if "ca" in args else {}),
        }
        digest = hashlib.sha256("\n".join(files.values()).encode()).hexdigest()[:8]
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-provisioning", metadata={**metadata, "name": f"{APP}-{digest}"}, data=files, opts=child_opts
        )
        return config_map.metadata.name.apply(str)

    def _password(
        self,
        name: str,
        args: GrafanaArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> k8s.core.v1.SecretVolumeSourceArgsDict:
        """Name the Secret with the password, and make it unless it is an existing one."""
        if "password_in" in args:
            existing, key = args["password_in"]
            return {"secret_name": existing, "items": one(key, "password")}
        if "password" not in args:
            raise ValueError("needs password or password_in")
        secret = k8s.core.v1.Secret(
            f"{name}-admin",
            metadata={**metadata, "name": f"{APP}-admin"},
            string_data={"password": args["password"]},
            opts=child_opts,
        )
        return {"secret_name": secret.metadata.name}


MOUNTS: list[k8s.core.v1.VolumeMountArgsDict] = [
    {"name": "data", "mount_path": DATA},
    {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108
    {"name": "datasources", "mount_path": f"{PROVISIONING}/datasources", "read_only": True},
    {"name": "dashboards", "mount_path": f"{PROVISIONING}/dashboards", "read_only": True},
    {"name": "boards", "mount_path": DASHBOARDS, "read_only": True},
    {"name": "tls", "mount_path": TLS, "read_only": True},
    {"name": "trusted", "mount_path": dirname(TRUSTED), "read_only": True},
    {"name": "reader", "mount_path": dirname(TOKEN), "read_only": True},
    {"name": "admin", "mount_path": dirname(PASSWORD), "read_only": True},
]
_APPLICATIONS: k8s.core.v1.VolumeMountArgsDict = {
    "name": "applications",
    "mount_path": APPLICATIONS,
    "read_only": True,
}
_SECRETS: k8s.core.v1.VolumeMountArgsDict = {"name": "secrets", "mount_path": SECRETS, "read_only": True}


def _mounted_folder(folder: str) -> k8s.core.v1.VolumeMountArgsDict:
    return {"name": f"folder-{folder}", "mount_path": f"{FOLDERS}/{folder}", "read_only": True}


def referred(
    name: str, args: GrafanaArgs, metadata: k8s.meta.v1.ObjectMetaArgsDict, child_opts: ResourceOptions
) -> list[k8s.core.v1.VolumeArgsDict]:
    """Return the volume with all that settings refer to, if there is anything; the stack's secrets are one Secret."""
    sources = projections(args.get("files", ()))
    if secrets := args.get("secrets"):
        secret = k8s.core.v1.Secret(
            f"{name}-secrets", metadata={**metadata, "name": f"{APP}-secrets"}, string_data=secrets, opts=child_opts
        )
        sources.append({"secret": {"name": secret.metadata.name}})
    return [{"name": "secrets", "projected": {"sources": sources}}] if sources else []


def boards(
    name: str,
    kind: str,
    files: Mapping[str, str],
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    child_opts: ResourceOptions,
) -> k8s.core.v1.VolumeArgsDict:
    """Make a ConfigMap per dashboard, and return the volume with all of them."""
    sources: list[k8s.core.v1.VolumeProjectionArgsDict] = []
    for file, text in files.items():
        board = f"{kind}-{file.removesuffix('.json')}"
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-{board}", metadata={**metadata, "name": f"{APP}-{board}"}, data={file: text}, opts=child_opts
        )
        sources.append({"config_map": {"name": config_map.metadata.name}})
    return {"name": f"{kind}s", "projected": {"sources": sources}}


def pod(args: GrafanaArgs, volumes: Sequence[k8s.core.v1.VolumeArgsDict]) -> k8s.core.v1.PodSpecArgsDict:
    """Grafana, which terminates TLS itself; it writes to its volume and to /tmp."""
    alive: k8s.core.v1.ProbeArgsDict = {"http_get": {"path": HEALTH, "port": HTTPS, "scheme": "HTTPS"}}
    container: k8s.core.v1.ContainerArgsDict = {
        "name": APP,
        "image": args["image"],
        "env": [{"name": name, "value": value} for name, value in sorted(args["environment"].items())],
        "ports": [{"name": HTTPS, "container_port": PORT}],
        "resources": resources("50m", "192Mi", "768Mi"),
        "security_context": RESTRICTED,
        # The first start creates the database.
        "startup_probe": {**alive, "period_seconds": 3, "failure_threshold": 100},
        "readiness_probe": {**alive, "period_seconds": 15},
        "liveness_probe": {**alive, "period_seconds": 30, "failure_threshold": 4, "timeout_seconds": 10},
        "volume_mounts": [
            *MOUNTS,
            *([_APPLICATIONS] if args.get("application_boards") else []),
            *map(_mounted_folder, args.get("folder_boards", {})),
            *([_SECRETS] if any(volume["name"] == _SECRETS["name"] for volume in volumes) else []),
        ],
    }
    return {
        **pod_defaults(APP, {**POD_WITH_VOLUME, "run_as_user": USER, "run_as_group": USER, "fs_group": USER}),
        "containers": [container],
        "volumes": list(volumes),
    }


def trusted(args: GrafanaArgs, provisioning: pulumi.Input[str]) -> k8s.core.v1.VolumeArgsDict:
    """Volume with the auth proxies' CA, or with their certificate."""
    if "ca" in args:
        return {"name": "trusted", "config_map": {"name": provisioning, "items": one("ca.crt")}}
    if "ca_config_map" in args:
        return {"name": "trusted", "config_map": {"name": args["ca_config_map"], "items": one("ca.crt")}}
    return {"name": "trusted", "secret": {"secret_name": args["tls_secret"], "items": one("tls.crt", "ca.crt")}}


def one(key: str, file: str | None = None) -> list[k8s.core.v1.KeyToPathArgsDict]:
    """A single key of a ConfigMap or Secret as a file."""
    return [{"key": key, "path": file or key}]
