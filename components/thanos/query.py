"""Thanos Query: PromQL over every Prometheus, Store, Receive and Ruler."""

from collections.abc import Mapping, Sequence
from posixpath import basename, dirname
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.prometheus.auth_proxies import READ
from render.thanos.names import CERTIFICATES, FRONTEND, GRPC, QUERY, QUERY_GRPC, RULER
from render.thanos.query import (
    BROWSE,
    ENDPOINTS_FILE,
    FRONTEND_LISTEN,
    FRONTEND_METRICS,
    METRICS,
    QUERY_LISTEN,
    read_proxy,
)

from ..k8s import auth_proxy
from ..k8s.labels import metadata_of
from ..k8s.network_policy import allow_ingress
from ..k8s.probes import exec_probes
from ..k8s.security import POD_RESTRICTED, RESTRICTED
from ..k8s.service import headless
from ..k8s.service_account import bind_role, service_account
from ..k8s.timeouts import timeouts
from ..k8s.workload import budget, deployment, pod_defaults, resources, spread


class ThanosQueryArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    flags: Sequence[str]
    """Command line of Query."""
    endpoints: str
    """Text of the file with the gRPC endpoints that it queries."""
    frontend: NotRequired[Sequence[str]]
    """Command line of the Query Frontend in each pod; none, if left out."""
    certificates: Sequence[str]
    """Secrets with client certificates and CAs for endpoints of other systems."""
    replicas: int
    """Number of pods."""
    memory: tuple[str, str]
    """Request and limit of Query's memory."""
    readers: Mapping[str, pulumi.Input[str]]
    """Clients with access to queries: name -> ServiceAccount of this namespace."""
    viewer: pulumi.Input[str]
    """ServiceAccount, in this namespace, with access to the pages."""
    scraper: str
    """App, and ServiceAccount, of the Prometheus that scrapes it."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with the auth proxies' certificate."""
    image: str
    """Image of Thanos."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""
    rollout_timeout: int
    """Seconds until a Deployment that does not become ready fails the update."""


class ThanosQuery(pulumi.ComponentResource):
    """Queries all endpoints and deduplicates series of replicas, behind an auth proxy."""

    service: pulumi.Output[str]
    """Name of the Service with a port per auth proxy."""
    roles: Mapping[str, pulumi.Output[str]]
    """Auth proxy -> name of the Role that permits access to it."""

    def __init__(self, name: str, args: ThanosQueryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:ThanosQuery", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        own = f"{name}-{QUERY}"
        metadata = metadata_of(QUERY, args["namespace"], args["image"])
        account = service_account(f"{own}-account", metadata, child_opts)
        scraped_through = [
            proxy.called_by(args["scraper"]) for proxy in (METRICS, *([FRONTEND_METRICS] if "frontend" in args else []))
        ]
        proxies = auth_proxy.auth_proxies(
            own,
            [read_proxy(frontend="frontend" in args), BROWSE, *scraped_through],
            image=args["auth_proxy_image"],
            metadata=metadata,
            account=account,
            tls_secret=args["tls_secret"],
            prefix=args["prefix"],
            await_opts=await_opts,
        )
        self.roles, self.service = proxies.roles, proxies.service
        for reader, account_name in args["readers"].items():
            bind_role(
                f"{own}-{reader}",
                {**metadata, "name": f"{QUERY}-{reader}"},
                self.roles[READ.name],
                account_name,
                child_opts,
            )
        viewer: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{QUERY}-viewer"}
        bind_role(f"{own}-viewer", viewer, self.roles[BROWSE.name], args["viewer"], child_opts)
        for proxy in scraped_through:
            named: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{QUERY}-{proxy.name}-scraper"}
            bind_role(f"{own}-{proxy.name}-scraper", named, self.roles[proxy.name], args["scraper"], child_opts)
        self._serve(own, args, metadata, account.metadata.name, proxies, child_opts)
        self.register_outputs({"service": self.service})

    def _serve(
        self,
        own: str,
        args: ThanosQueryArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        account: pulumi.Input[str],
        proxies: auth_proxy.AuthProxies,
        child_opts: ResourceOptions,
    ) -> None:
        """Make the Deployment with its configuration, and the headless Service through which Rulers find its pods."""
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        file = basename(ENDPOINTS_FILE)
        config = k8s.core.v1.ConfigMap(
            f"{own}-config", metadata=metadata, data={file: args["endpoints"]}, opts=child_opts
        )
        grpc: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": QUERY_GRPC}
        headless(f"{own}-grpc", grpc, QUERY, {"grpc": GRPC}, await_opts)
        allow_ingress(f"{own}-grpc", grpc, QUERY, {GRPC: [RULER]}, child_opts)
        budget(own, metadata, QUERY, child_opts)
        server = pod(args, account, config.metadata.name, proxies)
        deployment(own, QUERY, metadata, server, await_opts, args["replicas"])


def pod(
    args: ThanosQueryArgs, account: pulumi.Input[str], config: pulumi.Input[str], proxies: auth_proxy.AuthProxies
) -> k8s.core.v1.PodSpecArgsDict:
    """The pod: Query on loopback, the Query Frontend in front of it, and the auth proxies."""
    certificates: list[k8s.core.v1.VolumeArgsDict] = [
        # By number: the name of a Secret may be longer than a volume's, have dots, or be that of another volume.
        {"name": f"certificate-{number}", "secret": {"secret_name": secret}}
        for number, secret in enumerate(args["certificates"])
    ]
    mounts: list[k8s.core.v1.VolumeMountArgsDict] = [
        {"name": f"certificate-{number}", "mount_path": f"{CERTIFICATES}/{secret}", "read_only": True}
        for number, secret in enumerate(args["certificates"])
    ]
    mounts.append({"name": "config", "mount_path": dirname(ENDPOINTS_FILE), "read_only": True})
    frontend = (
        [server(FRONTEND, args, args["frontend"], ("64Mi", "1Gi"), FRONTEND_LISTEN)] if "frontend" in args else []
    )
    return {
        **pod_defaults(account, POD_RESTRICTED),
        "topology_spread_constraints": spread(QUERY),
        "containers": [
            server(QUERY, args, args["flags"], args["memory"], QUERY_LISTEN, mounts),
            *frontend,
            *proxies.containers,
        ],
        "volumes": [
            {"name": "config", "config_map": {"name": config}},
            *certificates,
            *proxies.volumes,
        ],
    }


def server(
    name: str,
    args: ThanosQueryArgs,
    flags: Sequence[str],
    memory: tuple[str, str],
    listen: str,
    mounts: Sequence[k8s.core.v1.VolumeMountArgsDict] = (),
) -> k8s.core.v1.ContainerArgsDict:
    """A container whose HTTP port listens on loopback, so that its probes are commands in the container."""
    return {
        "name": name,
        "image": args["image"],
        "args": list(flags),
        "resources": resources("50m", *memory),
        "security_context": RESTRICTED,
        "volume_mounts": list(mounts),
        **exec_probes(listen),
    }
