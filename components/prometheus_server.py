"""A Prometheus that stores samples, evaluates rules and answers queries, behind an auth proxy for queries."""

from collections.abc import Mapping, Sequence
from posixpath import dirname
from typing import NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Alias, ResourceOptions

from render.auth_proxy import AuthProxy
from render.operator import Operated
from render.prometheus.auth_proxies import BROWSE, METRICS, READ, READER, VIEWER
from render.prometheus.flags import DATA
from render.prometheus.server import RULE_FILES
from render.scrape.authenticated import CERTIFICATE
from render.thanos.names import GRPC, HTTP, QUERY, SIDECAR, replicas_service
from settings.scrape_credentials import MountedFile

from .k8s import auth_proxy, tokens
from .k8s.certificate import certificate
from .k8s.config_maps import file_volume
from .k8s.labels import labels, metadata_of, selector
from .k8s.network_policy import allow_ingress
from .k8s.operated import SERVER, operated
from .k8s.prometheus import container, job_files, scrape_account, targets_ca
from .k8s.security import POD_WITH_VOLUME
from .k8s.service import headless
from .k8s.service_account import bind_role, client_account
from .k8s.timeouts import timeouts
from .k8s.volume import Mounted, joined, public_certificate
from .k8s.workload import VOLUME, pod_defaults, replica_claim, replicas, spread
from .k8s.write_proxy import Envoy
from .thanos import role as thanos
from .thanos.role import BucketAccess

RULES = dirname(RULE_FILES)
SERVER_TYPE, HUB_TYPE = "promfleet:index:PrometheusServer", "promfleet:index:HubPrometheus"


class Sidecar(NamedTuple):
    """The Thanos sidecar, which uploads blocks and answers Query."""

    flags: Sequence[str]
    access: BucketAccess
    image: str


class PrometheusServerArgs(TypedDict):
    app: str
    """Name of the StatefulSet, its Service and its ServiceAccount."""
    namespace: pulumi.Input[str]
    """Namespace of the StatefulSet."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    config: pulumi.Input[str]
    """Text of prometheus.yml."""
    rules: Mapping[str, str]
    """Rule files: name -> text."""
    flags: Sequence[str]
    """Command line of Prometheus."""
    hosts: Sequence[str]
    """Host names in the certificate: of the server, and of everything that is exposed with it."""
    tls_secret: NotRequired[pulumi.Input[str]]
    """Secret of type kubernetes.io/tls with that certificate; exactly one of this and `tls_issuer`."""
    tls_issuer: NotRequired[str]
    """cert-manager ClusterIssuer that signs it."""
    replicas: NotRequired[int]
    """Number of replicas; one, if left out."""
    sidecar: NotRequired[Sidecar]
    """Thanos sidecar of each replica; none, if left out."""
    storage: pulumi.Input[str]
    """Size of each replica's volume."""
    memory: tuple[str, str]
    """Request and limit of memory."""
    targets_ca_config_map: NotRequired[pulumi.Input[str]]
    """ConfigMap with the CA of annotated targets (key `ca.crt`), if the configuration refers to it."""
    job_files: NotRequired[Sequence[MountedFile]]
    """Keys of Secrets and ConfigMaps that people's own scrape jobs read; none, if left out."""
    discovered: NotRequired[Sequence[tuple[str, str]]]
    """API group and resource of what these jobs discover by, beside nodes, pods, Services and EndpointSlices."""
    namespaces: NotRequired[Sequence[str] | None]
    """Namespaces whose pods, Services and EndpointSlices it may list; all, if None or left out."""
    storage_class: NotRequired[pulumi.Input[str] | None]
    """StorageClass of the volume; the cluster's default, if None or left out."""
    image: str
    """Image of Prometheus."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""
    rollout_timeout: int
    """Seconds until a StatefulSet that does not become ready fails the update."""
    operated: NotRequired[Operated]
    """The same configuration for the Prometheus Operator of the cluster, which runs the one replica then."""


class PrometheusServer(pulumi.ComponentResource):
    """A Prometheus server that scrapes its own cluster, and takes no remote write."""

    service: pulumi.Output[str]
    """Name of the Service with a port per auth proxy."""
    roles: Mapping[str, pulumi.Output[str]]
    """Auth proxy -> name of the Role that permits access to it."""
    tls_secret: pulumi.Output[str]
    """Name of the Secret with the certificate of all hosts."""

    def __init__(self, name: str, args: PrometheusServerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(SERVER_TYPE, name, {}, formerly(HUB_TYPE, opts))
        server = deploy_server(self, name, args, [READ])
        self.service, self.roles, self.tls_secret = server
        self.register_outputs({"service": self.service})


def formerly(kind: str, opts: ResourceOptions | None) -> ResourceOptions:
    """
    Return the options of a server that may have been another kind of server.

    Some objects have the same names in both: Pulumi would make them under another URN, and then delete them.
    """
    return ResourceOptions.merge(opts, ResourceOptions(aliases=[Alias(type_=kind)]))


class DeployedServer(NamedTuple):
    """Outputs of a server; types as in `PrometheusServer`."""

    service: pulumi.Output[str]
    roles: Mapping[str, pulumi.Output[str]]
    tls_secret: pulumi.Output[str]


def deploy_server(
    parent: pulumi.ComponentResource,
    name: str,
    args: PrometheusServerArgs,
    proxies: Sequence[AuthProxy],
    envoy: Envoy | None = None,
) -> DeployedServer:
    """Make the StatefulSet with its configuration, RBAC, volumes and auth proxies, as children of a component."""
    child_opts = ResourceOptions(parent=parent)
    await_opts = ResourceOptions(parent=parent, custom_timeouts=timeouts(args))
    app, count = args["app"], args.get("replicas", 1)
    metadata = metadata_of(app, args["namespace"], args["image"])
    access = sidecar.access if (sidecar := args.get("sidecar")) else BucketAccess()
    account = scrape_account(
        name,
        {**metadata, "annotations": access.annotations},
        f"{args['prefix']}-{app}",
        args.get("discovered", ()),
        args.get("namespaces"),
        child_opts,
    )
    tls_secret = pulumi.Output.from_input(
        certificate(name, metadata, args["hosts"], args["tls_issuer"], child_opts)
        if "tls_issuer" in args
        else args["tls_secret"]
    )
    proxied = auth_proxy.auth_proxies(
        name,
        [*proxies, BROWSE, *([METRICS.called_by(app)] if count > 1 else [])],
        image=args["auth_proxy_image"],
        metadata=metadata,
        account=account,
        tls_secret=tls_secret,
        prefix=args["prefix"],
        await_opts=await_opts,
        envoy=envoy,
    )
    if count > 1:
        scraper: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{app}-scraper"}
        bind_role(f"{name}-scraper", scraper, proxied.roles[METRICS.name], account.metadata.name, child_opts)
    for person, proxy in {READER: READ, VIEWER: BROWSE}.items():
        named: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": person}
        client_account(f"{name}-{person}", named, proxied.roles[proxy.name], child_opts)
    of_jobs = joined(targets_ca(args.get("targets_ca_config_map")), job_files(args.get("job_files", ())))
    volumes: list[k8s.core.v1.VolumeArgsDict] = [
        public_certificate(tls_secret),
        tokens.AUTH_PROXY.volume,
        *proxied.volumes,
        *of_jobs.volumes,
        *access.volumes,
    ]
    sidecars = [*proxied.containers, *([uploads(sidecar)] if sidecar else [])]
    if "operated" in args:
        data = replica_claim(name, metadata, 0, args["storage"], args.get("storage_class"), await_opts)
        volumes.append({"name": VOLUME, "persistent_volume_claim": {"claim_name": data.metadata.name}})
        spec = pod(args, account.metadata.name, sidecars, Mounted(volumes, of_jobs.mounts))
        operated(name, SERVER, metadata, args["operated"], spec, await_opts)
    else:
        volumes[:0] = configuration(name, metadata, args, child_opts)
        spec = pod(args, account.metadata.name, sidecars, Mounted(volumes, of_jobs.mounts))
        run(name, metadata, args, spec, await_opts)
    return DeployedServer(proxied.service, proxied.roles, tls_secret)


def configuration(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    args: PrometheusServerArgs,
    child_opts: ResourceOptions,
) -> list[k8s.core.v1.VolumeArgsDict]:
    """Make the ConfigMaps with prometheus.yml and the rule files, and return their volumes."""
    config = k8s.core.v1.ConfigMap(
        f"{name}-config", metadata=metadata, data={"prometheus.yml": args["config"]}, opts=child_opts
    )
    named: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{args['app']}-rules"}
    return [
        {"name": "config", "config_map": {"name": config.metadata.name}},
        file_volume("rules", f"{name}-rules", named, args["rules"], child_opts),
    ]


def run(
    name: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    args: PrometheusServerArgs,
    spec: k8s.core.v1.PodSpecArgsDict,
    await_opts: ResourceOptions,
) -> None:
    """Run the replicas in a StatefulSet, with a Service that they find each other by."""
    app, count = args["app"], args.get("replicas", 1)
    pods: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": replicas_service(app)}
    governing = headless(f"{name}-pods", pods, app, {"grpc": GRPC, "http": HTTP}, await_opts)
    if count > 1:
        for number in range(count):
            replica_service(name, metadata, number, await_opts)
    if "sidecar" in args:
        child_opts = ResourceOptions(parent=await_opts.parent)
        allow_ingress(f"{name}-sidecar", pods, app, {GRPC: [QUERY], HTTP: [app]}, child_opts)
    access = sidecar.access if (sidecar := args.get("sidecar")) else BucketAccess()
    replicas(
        name,
        app,
        count,
        metadata=metadata,
        pod_labels={**labels(app, app, args["image"]), **access.labels},
        pod=spec,
        peers=governing.metadata.name,
        storage=args["storage"],
        storage_class=args.get("storage_class"),
        opts=await_opts,
    )


def pod(
    args: PrometheusServerArgs,
    account: pulumi.Input[str],
    sidecars: Sequence[k8s.core.v1.ContainerArgsDict],
    mounted: Mounted,
) -> k8s.core.v1.PodSpecArgsDict:
    """Prometheus on loopback, and its auth proxies; `mounted` has all volumes, and mounts that few servers have."""
    return {
        **pod_defaults(account, POD_WITH_VOLUME),
        "topology_spread_constraints": spread(args["app"]),
        "termination_grace_period_seconds": 300,
        "containers": [
            container(
                args["image"],
                args["flags"],
                args["memory"],
                [
                    {"name": "rules", "mount_path": RULES, "read_only": True},
                    {"name": "certificate", "mount_path": dirname(CERTIFICATE), "read_only": True},
                    tokens.API.mount,
                    tokens.AUTH_PROXY.mount,
                    *mounted.mounts,
                ],
            ),
            *sidecars,
        ],
        "volumes": mounted.volumes,
    }


def uploads(sidecar: Sidecar) -> k8s.core.v1.ContainerArgsDict:
    """Return the container of the sidecar, with the volume of Prometheus."""
    data: k8s.core.v1.VolumeMountArgsDict = {"name": VOLUME, "mount_path": DATA}
    return thanos.container(sidecar.image, sidecar.flags, ("128Mi", "512Mi"), sidecar.access, [data], SIDECAR)


def replica_service(
    name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, number: int, await_opts: ResourceOptions
) -> None:
    """Make the Service of one replica, for queries about that replica itself."""
    app = str(metadata["name"])
    k8s.core.v1.Service(
        f"{name}-replica-{number}",
        metadata={**metadata, "name": f"{app}-{number}"},
        spec={
            "selector": {**selector(app, app), "statefulset.kubernetes.io/pod-name": f"{app}-{number}"},
            "ports": [{"name": READ.name, "port": READ.port, "target_port": READ.name}],
        },
        opts=await_opts,
    )
