"""The Prometheus that takes every cluster's samples, behind a door for writing and a door for reading."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.prometheus.flags import DATA, LISTEN
from render.prometheus.server import METRICS_DOOR, RULE_FILES
from render.scrape.authenticated import CERTIFICATE
from render.thanos.roles import GRPC, HTTP, QUERY, SIDECAR, SIDECARS
from settings.images import KUBE_RBAC_PROXY, PROMETHEUS, THANOS

from .k8s import auth_proxy as doors
from .k8s import tokens
from .k8s.auth_proxy import Door
from .k8s.certificate import certificate
from .k8s.labels import labels, selector
from .k8s.pods import POD_WITH_VOLUME
from .k8s.replicas import VOLUME, replicas, spread
from .k8s.scraper import authority, container, scrape_identity
from .k8s.service_account import grant, identity
from .k8s.timeouts import timeouts
from .thanos import role as thanos
from .thanos.role import Access, headless, let_in

APP = "prometheus-hub"
READER, WRITER = "reader", "writer"
RULES = RULE_FILES.rpartition("/")[0]
WRITE = Door("hubs", "write", LISTEN, 8443, 8643, ("create",), ("/api/v1/write",))
READ = Door(
    "hubs",
    "read",
    LISTEN,
    8444,
    8644,
    ("create", "get"),
    (
        "/api/v1/query",
        "/api/v1/query_range",
        "/api/v1/query_exemplars",
        "/api/v1/labels",
        "/api/v1/label/*/values",
        "/api/v1/series",
        "/api/v1/metadata",
        "/api/v1/rules",
        "/api/v1/alerts",
        "/api/v1/status/buildinfo",
    ),
)
DOORS = (WRITE, READ)
"""Agents write through one, readers ask through the other, and neither leads further."""
METRICS = Door("hubs", METRICS_DOOR, LISTEN, 8445, 8645, ("get",), ("/metrics",), (APP,))
"""Through it twins scrape each other."""


class Sidecar(NamedTuple):
    """The Thanos that uploads what a Prometheus has stored."""

    flags: Sequence[str]
    access: Access
    image: str = THANOS


class HubPrometheusArgs(TypedDict):
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
    writers: Mapping[str, int]
    """Who has a token for writing: name of an agent's cluster -> how often it was renewed."""
    takes_samples: NotRequired[bool]
    """Whether they write here, which is so if left out; else there is no write door, and another one opens to them."""
    hosts: Sequence[str]
    """Names in the certificate, by which the doors and all that stands beside them are reached."""
    tls_secret: NotRequired[pulumi.Input[str]]
    """Secret of type kubernetes.io/tls with that certificate; exactly one of this and `tls_issuer`."""
    tls_issuer: NotRequired[str]
    """cert-manager ClusterIssuer that is asked for it."""
    replicas: NotRequired[int]
    """How many Prometheus do the same; one, if left out."""
    sidecar: NotRequired[Sidecar]
    """Uploads the blocks of each."""
    storage: pulumi.Input[str]
    """Size of each replica's volume."""
    memory: tuple[str, str]
    """Request and limit of memory."""
    targets_ca_config_map: NotRequired[pulumi.Input[str]]
    """ConfigMap whose `ca.crt` signs for annotated targets, where the configuration says so."""
    storage_class: NotRequired[pulumi.Input[str]]
    """The cluster's default class, if left out."""
    image: NotRequired[str]
    """Prometheus; the release that this package is tested with, if left out."""
    door_image: NotRequired[str]
    """kube-rbac-proxy; likewise."""
    rollout_timeout: NotRequired[int]
    """Seconds until a StatefulSet that does not become ready fails the update."""


class HubPrometheus(pulumi.ComponentResource):
    """Stores, evaluates and answers for a whole fleet."""

    service: pulumi.Output[str]
    """Name of the Service with a port per door."""
    account: pulumi.Output[str]
    """Name of the ServiceAccount that Prometheus comes with wherever it goes."""
    roles: Mapping[str, pulumi.Output[str]]
    """Door -> name of the Role that opens it."""
    tls_secret: pulumi.Output[str]
    """Name of the Secret with the certificate of all hosts."""
    writer_tokens: Mapping[str, pulumi.Output[str]]
    """Agent's cluster -> bearer token for the write door; secret."""
    reader_token: pulumi.Output[str]
    """Bearer token for the read door; secret."""

    def __init__(self, name: str, args: HubPrometheusArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:HubPrometheus", name, {}, opts)
        child = ResourceOptions(parent=self)
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        image = args.get("image", PROMETHEUS)
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": APP,
            "namespace": args["namespace"],
            "labels": labels(APP, APP, image),
        }
        sidecar = args.get("sidecar")
        access = sidecar.access if sidecar else Access()
        acting: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "annotations": access.annotations}
        account = scrape_identity(name, acting, f"{args['prefix']}-{APP}", child)
        self.account = account.metadata.name
        self.tls_secret = pulumi.Output.from_input(
            certificate(name, metadata, args["hosts"], args["tls_issuer"], child)
            if "tls_issuer" in args
            else args["tls_secret"]
        )
        twins = args.get("replicas", 1) > 1
        written = args.get("takes_samples", True)
        entrance = doors.entrance(
            name,
            [*([WRITE] if written else []), READ, *([METRICS] if twins else [])],
            args.get("door_image", KUBE_RBAC_PROXY),
            metadata,
            account,
            self.tls_secret,
            args["prefix"],
            bounded,
        )
        self.roles = entrance.roles
        self.service = entrance.service
        if twins:
            scraper: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{APP}-scraper"}
            grant(f"{name}-scraper", scraper, self.roles[METRICS.name], self.account, child)
        self._identities(name, args, metadata, child)
        self._serve(name, args, metadata, account, entrance, child)
        self.register_outputs(
            {
                "service": self.service,
                "writer_tokens": self.writer_tokens,
                "reader_token": self.reader_token,
            }
        )

    def _identities(
        self,
        name: str,
        args: HubPrometheusArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child: ResourceOptions,
    ) -> None:
        """Make a writer per agent, and one reader."""
        self.writer_tokens = {
            cluster: identity(
                f"{name}-writer-{cluster}",
                {**metadata, "name": f"{WRITER}-{cluster}"},
                self.roles.get(WRITE.name),
                renewals,
                child,
            )
            for cluster, renewals in args["writers"].items()
        }
        self.reader_token = identity(f"{name}-reader", {**metadata, "name": READER}, self.roles[READ.name], 0, child)

    def _serve(
        self,
        name: str,
        args: HubPrometheusArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        account: k8s.core.v1.ServiceAccount,
        entrance: doors.Entrance,
        child: ResourceOptions,
    ) -> None:
        """Make the StatefulSet with its configuration and volume."""
        config = k8s.core.v1.ConfigMap(
            f"{name}-config", metadata=metadata, data={"prometheus.yml": args["config"]}, opts=child
        )
        rules = k8s.core.v1.ConfigMap(
            f"{name}-rules", metadata={**metadata, "name": f"{APP}-rules"}, data=args["rules"], opts=child
        )
        sidecar = args.get("sidecar")
        bounded = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        pods = headless(name, {**metadata, "name": SIDECARS}, APP, bounded)
        for number in range(count := args.get("replicas", 1)):
            if count > 1:
                replica_service(name, metadata, number, bounded)
        if sidecar:
            let_in(f"{name}-sidecar", {**metadata, "name": SIDECARS}, APP, {GRPC: [QUERY], HTTP: [APP]}, child)
        volumes: list[k8s.core.v1.VolumeArgsDict] = [
            {"name": "config", "config_map": {"name": config.metadata.name}},
            {"name": "rules", "config_map": {"name": rules.metadata.name}},
            thanos.certificate_alone(self.tls_secret),
            tokens.DOORS.volume,
            *entrance.volumes,
            *authority(args.get("targets_ca_config_map")).volumes,
            *(sidecar.access.volumes if sidecar else ()),
        ]
        beside = [*entrance.containers, *([uploads(sidecar)] if sidecar else [])]
        replicas(
            name,
            APP,
            count,
            metadata,
            pod(args, account.metadata.name, beside, volumes),
            pods.metadata.name,
            args["storage"],
            args.get("storage_class"),
            bounded,
        )


def pod(
    args: HubPrometheusArgs,
    account: pulumi.Input[str],
    beside: Sequence[k8s.core.v1.ContainerArgsDict],
    volumes: Sequence[k8s.core.v1.VolumeArgsDict],
) -> k8s.core.v1.PodSpecArgsDict:
    """Prometheus on loopback and its doors beside it: the only ways in."""
    return {
        "service_account_name": account,
        "automount_service_account_token": False,
        "node_selector": {"kubernetes.io/os": "linux"},
        "enable_service_links": False,
        "security_context": POD_WITH_VOLUME,
        "topology_spread_constraints": spread(APP),
        "termination_grace_period_seconds": 300,
        "containers": [
            container(
                args.get("image", PROMETHEUS),
                args["flags"],
                args["memory"],
                [
                    {"name": "rules", "mount_path": RULES, "read_only": True},
                    {"name": "certificate", "mount_path": CERTIFICATE.rpartition("/")[0], "read_only": True},
                    tokens.API.mount,
                    tokens.DOORS.mount,
                    *authority(args.get("targets_ca_config_map")).mounts,
                ],
            ),
            *beside,
        ],
        "volumes": list(volumes),
    }


def uploads(sidecar: Sidecar) -> k8s.core.v1.ContainerArgsDict:
    """The sidecar, on the volume of its Prometheus."""
    data: k8s.core.v1.VolumeMountArgsDict = {"name": VOLUME, "mount_path": DATA}
    return thanos.container(sidecar.image, sidecar.flags, ("128Mi", "512Mi"), sidecar.access, [data], SIDECAR)


def replica_service(name: str, metadata: k8s.meta.v1.ObjectMetaArgsDict, number: int, bounded: ResourceOptions) -> None:
    """Make the way to one replica, for those who ask what only it knows; its door asks as the others do."""
    k8s.core.v1.Service(
        f"{name}-replica-{number}",
        metadata={**metadata, "name": f"{APP}-{number}"},
        spec={
            "selector": {**selector(APP, APP), "statefulset.kubernetes.io/pod-name": f"{APP}-{number}"},
            "ports": [{"name": READ.name, "port": READ.port, "target_port": READ.name}],
        },
        opts=bounded,
    )
