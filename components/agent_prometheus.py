"""One cluster's Prometheus in agent mode: it scrapes, keeps a write-ahead log and sends all samples to a hub."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.operator import Operated
from settings import agent
from settings.scrape_credentials import MountedFile

from .k8s import tokens
from .k8s.labels import metadata_of, selector
from .k8s.operated import AGENT, operated
from .k8s.prometheus import container, job_files, scrape_account, targets_ca
from .k8s.security import POD_WITH_VOLUME
from .k8s.timeouts import timeouts
from .k8s.volume import Mounted, claim, joined
from .k8s.workload import pod_defaults, stateful_set

APP = agent.AGENT
TOKEN, TRUSTED = "/etc/prometheus/token", "/etc/prometheus/trusted"
TOKEN_FILE, CA_FILE = f"{TOKEN}/token", f"{TRUSTED}/ca.crt"


class AgentShard(TypedDict):
    name: str
    """Name of its objects, and of its StatefulSet or PrometheusAgent."""
    config: pulumi.Input[str]
    """Text of prometheus.yml."""
    storage: pulumi.Input[str]
    """Size of the write-ahead log's volume."""
    operated: NotRequired[Operated]
    """The same configuration for the Prometheus Operator of the cluster, which runs the agent then."""


class AgentPrometheusArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    shards: Sequence[AgentShard]
    """Prometheus agents among which the cluster's targets are divided; an agent without shards is one."""
    flags: Sequence[str]
    """Command line of Prometheus."""
    token: NotRequired[pulumi.Input[str]]
    """Bearer token of the hub or the receiver in its place; left out where the agent has none."""
    audience: NotRequired[pulumi.Input[str]]
    """Audience of the token of its own cluster that it shows to the hub instead."""
    memory: tuple[str, str]
    """Request and limit of memory of each shard."""
    grace: int
    """Termination grace period in seconds, in which an agent sends its queue; above its flush deadline."""
    ca: NotRequired[pulumi.Input[str]]
    """PEM certificates of the receiver's CA; the public authorities, if left out or empty."""
    ca_config_map: NotRequired[pulumi.Input[str]]
    """ConfigMap with that CA (key `ca.crt`) instead; none, if empty."""
    targets_ca_config_map: NotRequired[pulumi.Input[str]]
    """ConfigMap with the CA of annotated targets (key `ca.crt`), if the configuration refers to it."""
    job_files: NotRequired[Sequence[MountedFile]]
    """Keys of Secrets and ConfigMaps that people's own scrape jobs and destinations read; none, if left out."""
    discovered: NotRequired[Sequence[tuple[str, str]]]
    """API group and resource of what these jobs discover by, beside nodes, pods, Services and EndpointSlices."""
    namespaces: NotRequired[Sequence[str] | None]
    """Namespaces whose pods, Services and EndpointSlices it may list; all, if None or left out."""
    storage_class: NotRequired[pulumi.Input[str] | None]
    """StorageClass of the volume; the cluster's default, if None or left out."""
    image: str
    """Image of Prometheus."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""


class AgentPrometheus(pulumi.ComponentResource):
    """Sends one cluster's samples to a hub or to any other remote-write receiver."""

    def __init__(self, name: str, args: AgentPrometheusArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:AgentPrometheus", name, {}, opts)
        image = args["image"]
        child_opts = ResourceOptions(parent=self)
        metadata = metadata_of(APP, args["namespace"], image)
        account = scrape_account(
            name,
            metadata,
            f"{args['prefix']}-{APP}",
            args.get("discovered", ()),
            args.get("namespaces"),
            child_opts,
        )
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        shared = joined(
            credentials(name, metadata, args, child_opts),
            targets_ca(args.get("targets_ca_config_map")),
            job_files(args.get("job_files", ())),
        )
        for number, one in enumerate(args["shards"]):
            # A cluster's name has no dot.
            own = f"{name}.shard-{number}" if number else name
            make_shard(own, one, args, account.metadata.name, shared, await_opts)
        self.register_outputs({})


def make_shard(
    name: str,
    one: AgentShard,
    args: AgentPrometheusArgs,
    account: pulumi.Input[str],
    shared: Mounted,
    await_opts: ResourceOptions,
) -> None:
    """Make the volume, the configuration and the workload of one shard."""
    app, image = one["name"], args["image"]
    metadata = metadata_of(app, args["namespace"], image)
    child_opts = ResourceOptions(parent=await_opts.parent)
    volume = claim(name, metadata, one["storage"], args.get("storage_class"), await_opts)
    data: k8s.core.v1.VolumeArgsDict = {
        "name": "data",
        "persistent_volume_claim": {"claim_name": volume.metadata.name},
    }
    if "operated" in one:
        # Mounted here, the token of the API server is in no other container that the operator adds.
        own = Mounted([*shared.volumes, data, tokens.API.volume], [*shared.mounts, tokens.API.mount])
        operated(name, AGENT, metadata, one["operated"], pod(account, own, args, token=False), await_opts)
        return
    config = configuration(name, metadata, one["config"], child_opts)
    own = Mounted([config, *shared.volumes, data], shared.mounts)
    # Nothing connects to the agent, so that the Service that its StatefulSet must name has no port.
    k8s.core.v1.Service(
        f"{name}-service",
        metadata=metadata,
        spec={"cluster_ip": "None", "selector": selector(app, app)},
        opts=await_opts,
    )
    stateful_set(name, app, metadata, pod(account, own, args, token=True), await_opts)


def credentials(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, args: AgentPrometheusArgs, child_opts: ResourceOptions
) -> Mounted:
    """Make what holds the token and the CA of the receiver, if there is one, and return it as volumes."""
    if "token" not in args and "audience" not in args:
        return Mounted([], [])
    authorities = k8s.core.v1.ConfigMap(
        f"{name}-ca",
        metadata={**metadata, "name": f"{APP}-ca"},
        data={"ca.crt": args.get("ca", "")},
        opts=child_opts,
    )
    trusted = pulumi.Output.all(args.get("ca_config_map", ""), authorities.metadata.name)
    return Mounted(
        [
            token_volume(name, metadata, args, child_opts),
            {"name": "trusted", "config_map": {"name": trusted.apply(lambda names: names[0] or names[1])}},
        ],
        [
            {"name": "token", "mount_path": TOKEN, "read_only": True},
            {"name": "trusted", "mount_path": TRUSTED, "read_only": True},
        ],
    )


def token_volume(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, args: AgentPrometheusArgs, child_opts: ResourceOptions
) -> k8s.core.v1.VolumeArgsDict:
    """Return the volume with the token that the receiver is shown: of the agent's own cluster, or of a Secret."""
    if "audience" in args:
        return tokens.issued("token", args["audience"])
    secret = k8s.core.v1.Secret(
        f"{name}-token",
        metadata={**metadata, "name": f"{APP}-token"},
        string_data={"token": args["token"]},
        opts=child_opts,
    )
    return {"name": "token", "secret": {"secret_name": secret.metadata.name}}


def configuration(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, text: pulumi.Input[str], child_opts: ResourceOptions
) -> k8s.core.v1.VolumeArgsDict:
    """Make the ConfigMap with prometheus.yml, and return its volume."""
    config = k8s.core.v1.ConfigMap(f"{name}-config", metadata=metadata, data={"prometheus.yml": text}, opts=child_opts)
    return {"name": "config", "config_map": {"name": config.metadata.name}}


def pod(
    account: pulumi.Input[str], mounted: Mounted, args: AgentPrometheusArgs, *, token: bool
) -> k8s.core.v1.PodSpecArgsDict:
    """The pod of a shard; never two at a time, since the hub would reject samples of two with equal labels."""
    return {
        **pod_defaults(account, POD_WITH_VOLUME, token=token),
        "termination_grace_period_seconds": args["grace"],
        "containers": [container(args["image"], args["flags"], args["memory"], mounted.mounts)],
        "volumes": mounted.volumes,
    }
