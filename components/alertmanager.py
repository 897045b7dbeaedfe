"""Alertmanager: replicas that form a cluster, and share silences and the log of notifications."""

import base64
from collections.abc import Mapping, Sequence
from posixpath import basename, dirname
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.alertmanager import (
    APP,
    CONFIG_FILE,
    DATA,
    LISTEN,
    NOTIFY,
    OPERATE,
    OPERATOR,
    PEERS,
    PEERS_PORT,
    READ,
    RELOADER,
    RELOADER_PORT,
    SECRETS,
    alertmanager_flags,
)
from render.thanos.names import RULER
from settings.scrape_credentials import MountedFile

from .k8s import auth_proxy
from .k8s.labels import metadata_of, selector
from .k8s.network_policy import network_policy, pods_of
from .k8s.probes import STARTING, http_probes
from .k8s.security import POD_WITH_VOLUME, RESTRICTED
from .k8s.service_account import bind_role, client_account, service_account
from .k8s.timeouts import timeouts
from .k8s.volume import projections
from .k8s.workload import VOLUME, pod_defaults, pod_field, replicas, resources, spread

CONFIG = dirname(CONFIG_FILE)


class AlertmanagerArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    config: str
    """Text of alertmanager.yml."""
    secrets: Mapping[str, pulumi.Input[str]]
    """File name -> its content, a secret."""
    existing: Mapping[str, tuple[str, str]]
    """File name -> name and key of an existing Secret with its content."""
    files: NotRequired[Sequence[MountedFile]]
    """Further keys of existing Secrets and ConfigMaps that receivers read."""
    templates: NotRequired[Mapping[str, str]]
    """Name -> text of template files, beside alertmanager.yml."""
    replicas: int
    """Number of replicas."""
    notifier: str
    """App, and ServiceAccount, of the Prometheus that sends alerts."""
    reader: pulumi.Input[str]
    """ServiceAccount, in this namespace, with read access."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with the auth proxies' certificate."""
    url: NotRequired[str]
    """External URL, for links in notifications."""
    storage: pulumi.Input[str]
    """Size of each replica's volume."""
    storage_class: NotRequired[pulumi.Input[str] | None]
    """StorageClass of the volume; the cluster's default, if None or left out."""
    image: str
    """Image of Alertmanager."""
    reloader_image: str
    """Image of prometheus-config-reloader."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""


class Alertmanager(pulumi.ComponentResource):
    """Deduplicates, groups, inhibits and silences alerts, and sends notifications."""

    service: pulumi.Output[str]
    """Name of the Service with a port per auth proxy."""
    notify_role: pulumi.Output[str]
    """Name of the Role that permits sending alerts."""

    def __init__(self, name: str, args: AlertmanagerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Alertmanager", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata = metadata_of(APP, args["namespace"], args["image"])
        account = service_account(f"{name}-account", metadata, child_opts)
        proxies = auth_proxy.auth_proxies(
            name,
            [NOTIFY.called_by(args["notifier"], RULER), OPERATE, READ],
            image=args["auth_proxy_image"],
            metadata=metadata,
            account=account,
            tls_secret=args["tls_secret"],
            prefix=args["prefix"],
            await_opts=await_opts,
        )
        self.notify_role = proxies.roles[NOTIFY.name]
        bind_role(
            f"{name}-notifier",
            {**metadata, "name": f"{APP}-notifier"},
            self.notify_role,
            args["notifier"],
            child_opts,
        )
        operator: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": OPERATOR}
        client_account(f"{name}-operator", operator, proxies.roles[OPERATE.name], child_opts)
        readers: dict[str, pulumi.Input[str]] = {f"{APP}-reader": args["reader"], f"{OPERATOR}-reads": OPERATOR}
        for binding, account_name in readers.items():
            named: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": binding}
            bind_role(f"{name}-{binding}", named, proxies.roles[READ.name], account_name, child_opts)
        self.service = proxies.service
        self._serve(name, args, metadata, account.metadata.name, proxies, child_opts)
        self.register_outputs({"service": self.service})

    def _serve(
        self,
        name: str,
        args: AlertmanagerArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        account: pulumi.Input[str],
        proxies: auth_proxy.AuthProxies,
        child_opts: ResourceOptions,
    ) -> None:
        """Make the StatefulSet with its configuration, secrets and volumes, and the Service of its peers."""
        config = k8s.core.v1.ConfigMap(
            f"{name}-config",
            metadata=metadata,
            data={basename(CONFIG_FILE): args["config"], **args.get("templates", {})},
            opts=child_opts,
        )
        secret = k8s.core.v1.Secret(
            f"{name}-secrets",
            metadata={**metadata, "name": f"{APP}-receivers"},
            data=secret_data(args["secrets"]),
            opts=child_opts,
        )
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        peers = k8s.core.v1.Service(
            f"{name}-peers", metadata={**metadata, "name": PEERS}, spec=peers_service(), opts=await_opts
        )
        volumes: list[k8s.core.v1.VolumeArgsDict] = [
            {"name": "config", "config_map": {"name": config.metadata.name}},
            {
                "name": "secrets",
                "projected": {
                    "sources": [
                        *secret_files(secret.metadata.name, args["existing"]),
                        *projections(args.get("files", ())),
                    ]
                },
            },
            *proxies.volumes,
        ]
        replicas(
            name,
            APP,
            args["replicas"],
            metadata=metadata,
            pod=pod(args, account, proxies.containers, volumes),
            peers=peers.metadata.name,
            storage=args["storage"],
            storage_class=args.get("storage_class"),
            opts=await_opts,
        )
        network_policy(
            f"{name}-peers",
            {**metadata, "name": PEERS},
            APP,
            [
                {
                    "from_": pods_of([APP]),
                    "ports": [{"port": PEERS_PORT, "protocol": protocol} for protocol in ("TCP", "UDP")],
                },
                {"from_": pods_of([args["notifier"]]), "ports": [{"port": RELOADER, "protocol": "TCP"}]},
            ],
            child_opts,
        )


def secret_data(secrets: Mapping[str, pulumi.Input[str]]) -> Mapping[str, pulumi.Output[str]] | None:
    """Data of a Secret; None for an empty mapping, which the API server does not keep."""

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return {file: pulumi.Output.from_input(text).apply(encoded) for file, text in secrets.items()} or None


def secret_files(
    ours: pulumi.Input[str], existing: Mapping[str, tuple[str, str]]
) -> list[k8s.core.v1.VolumeProjectionArgsDict]:
    """One volume with the stack's secrets and those of existing Secrets."""
    sources: list[k8s.core.v1.VolumeProjectionArgsDict] = [{"secret": {"name": ours}}]
    for file, (name, key) in sorted(existing.items()):
        sources.append({"secret": {"name": name, "items": [{"key": key, "path": file}]}})
    return sources


def peers_service() -> k8s.core.v1.ServiceSpecArgsDict:
    """DNS names of the replicas, also before they are ready: each becomes ready once it has found its peers."""
    return {
        "cluster_ip": "None",
        "publish_not_ready_addresses": True,
        "selector": selector(APP, APP),
        "ports": [
            {"name": "peers-tcp", "port": PEERS_PORT, "protocol": "TCP"},
            {"name": "peers-udp", "port": PEERS_PORT, "protocol": "UDP"},
            {"name": RELOADER, "port": RELOADER_PORT, "target_port": RELOADER},
        ],
    }


def pod(
    args: AlertmanagerArgs,
    account: pulumi.Input[str],
    proxies: Sequence[k8s.core.v1.ContainerArgsDict],
    volumes: Sequence[k8s.core.v1.VolumeArgsDict],
) -> k8s.core.v1.PodSpecArgsDict:
    """Alertmanager on loopback, the config reloader, and the auth proxies."""
    return {
        **pod_defaults(account, POD_WITH_VOLUME),
        "topology_spread_constraints": spread(APP),
        "termination_grace_period_seconds": 120,
        "containers": [
            server(args),
            {
                "name": RELOADER,
                "image": args["reloader_image"],
                "args": [
                    f"--watched-dir={CONFIG}",
                    f"--reload-url=http://{LISTEN}/-/reload",
                    "--watch-interval=10s",
                    f"--listen-address=:{RELOADER_PORT}",
                ],
                "ports": [{"name": RELOADER, "container_port": RELOADER_PORT}],
                **http_probes("/healthz", RELOADER),
                "resources": resources("10m", "24Mi", "64Mi"),
                "security_context": RESTRICTED,
                "volume_mounts": [{"name": "config", "mount_path": CONFIG, "read_only": True}],
            },
            *proxies,
        ],
        "volumes": list(volumes),
    }


def server(args: AlertmanagerArgs) -> k8s.core.v1.ContainerArgsDict:
    """Alertmanager; its API listens on loopback, so that its probes are commands in the container."""
    probe: k8s.core.v1.ProbeArgsDict = {
        "exec_": {"command": ["amtool", "cluster", "show", f"--alertmanager.url=http://{LISTEN}"]},
        "timeout_seconds": 5,
    }
    return {
        "name": APP,
        "image": args["image"],
        "args": alertmanager_flags(args["replicas"], args["prefix"], args.get("url")),
        "env": [{"name": "POD_IP", "value_from": pod_field("status.podIP")}],
        "ports": [
            {"name": f"peers-{protocol.lower()}", "container_port": PEERS_PORT, "protocol": protocol}
            for protocol in ("TCP", "UDP")
        ],
        "resources": resources("20m", "48Mi", "256Mi"),
        "security_context": RESTRICTED,
        "startup_probe": {**probe, **STARTING},
        "readiness_probe": {**probe, "period_seconds": 15},
        "liveness_probe": {**probe, "period_seconds": 30, "failure_threshold": 4},
        "volume_mounts": [
            {"name": "config", "mount_path": CONFIG, "read_only": True},
            {"name": "secrets", "mount_path": SECRETS, "read_only": True},
            {"name": VOLUME, "mount_path": DATA},
        ],
    }
