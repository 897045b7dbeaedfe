"""Exposes auth proxies under a host: by a Service, or through an Ingress, Gateway or HTTPProxy with TLS to them."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from settings.expose import Via
from settings.ingress import CONTROLLERS, TIMEOUT, Controller, controller
from settings.object_labels import PART_OF

from .k8s import gke, traefik
from .k8s.labels import pods_of_app, selector
from .k8s.timeouts import timeouts

GATEWAY_API = "gateway.networking.k8s.io/v1"
CONTOUR = "projectcontour.io/v1"
EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/hostname"
SKIP_AWAIT = "pulumi.com/skipAwait"
"""Annotation of an object that the provider does not wait for beyond its creation."""
TYPES = {"clusterIP": "ClusterIP", "nodePort": "NodePort", "loadBalancer": "LoadBalancer"}


class Backend(TypedDict):
    """A port of the Service, and the paths of the host that are routed to it."""

    name: str
    """Name of the port."""
    port: int
    """Port number, of the Service and of the pod."""
    path: NotRequired[str]
    """Exactly this path; if left out, every path that no other backend has."""
    node_port: NotRequired[int]
    """Port on the nodes, with `nodePort`."""
    health: tuple[int, str]
    """Port of the pod, and a path there that answers 200 by HTTPS without any rights."""


class ExposureArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Service."""
    app: str
    """Name of the Service and of the workload behind it."""
    via: Via
    """Type of the Service, or a proxy that routes by host."""
    host: str
    """Host name; the auth proxies' certificate covers it."""
    backends: Sequence[Backend]
    """Ports that the host is routed to."""
    server_name: str
    """Name that the proxy verifies in the auth proxies' certificate."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with that certificate, which the proxy uses for clients too."""
    passthrough: NotRequired[bool]
    """Whether the proxy passes TLS through; it can't route by path then, and there is one backend."""
    ca: NotRequired[str]
    """PEM certificates of the auth proxies' CA, if neither the Secret's `ca.crt` nor a ConfigMap has them."""
    ca_config_map: NotRequired[str]
    """ConfigMap with that CA (key `ca.crt`), for Gateways."""
    ingress_class: NotRequired[str]
    """IngressClass; the cluster's default if left out."""
    gateway: NotRequired[Mapping[str, str]]
    """`name`, `namespace` and optionally `sectionName` of the Gateway."""
    gateway_of_gke: NotRequired[bool]
    """Whether a load balancer of Google Cloud implements the Gateway."""
    annotations: NotRequired[Mapping[str, str]]
    """Further annotations of the Service, Ingress, route or HTTPProxy."""
    service_annotations: NotRequired[Mapping[str, str]]
    """Annotations of the Service behind an Ingress, route or HTTPProxy, which has one of its own then."""
    external_dns: NotRequired[bool]
    """Whether external-dns is told the host by an annotation of the Service."""
    load_balancer_class: NotRequired[str]
    """`loadBalancerClass` of the Service; the cloud's own, if left out."""
    source_ranges: NotRequired[Sequence[str]]
    """CIDR ranges from which a load balancer accepts clients; all, if left out or empty."""
    rollout_timeout: int
    """Seconds until a load balancer without an address fails the update."""


class Exposure(pulumi.ComponentResource):
    """One host that is reached from outside the cluster, with TLS to the backends."""

    def __init__(self, name: str, args: ExposureArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Exposure", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": exposed_name(args),
            "namespace": args["namespace"],
            "labels": {**selector(args["app"], args["app"]), **PART_OF},
            "annotations": dict(args.get("annotations", {})),
        }
        match args["via"]:
            case "nodePort" | "loadBalancer":
                outside: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{args['app']}-outside"}
                outside["annotations"] = {**host_annotation(args), **args.get("annotations", {})}
                await_opts = ResourceOptions(
                    parent=self, custom_timeouts=timeouts(args), replace_on_changes=["spec.loadBalancerClass"]
                )
                k8s.core.v1.Service(f"{name}-outside", metadata=outside, spec=service(args), opts=await_opts)
            case "ingress":
                self._ingress(name, args, metadata, child_opts)
            case "gateway":
                self._gateway(name, args, metadata, child_opts)
            case "httpProxy":
                backend = self._backend(name, args, metadata, {}, child_opts)
                spec = http_proxy(args, backend, self._trusted(name, args, metadata, child_opts))
                _custom(f"{name}-proxy", CONTOUR, "HTTPProxy", metadata, spec, child_opts)
            case "clusterIP":
                raise ValueError("a Service that is reached inside its cluster only is not exposed")
        self.register_outputs({})

    def _ingress(
        self,
        name: str,
        args: ExposureArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> None:
        """Make the Ingress, and what its controller reads beside it."""
        known = controller(args.get("ingress_class")) or Controller("")
        trust, own = self._trusted(name, args, metadata, child_opts), _outside(metadata)
        ours = filled_in({} if args.get("passthrough") else known.service, args, own, trust)
        of_class: dict[str, str] = {}
        if known is CONTROLLERS["gce"]:
            ours = gke.service_annotations([one["name"] for one in args["backends"]], str(metadata["name"]))
            of_class = {gke.CLASS: args["ingress_class"]}
            port, path = health_of(args)
            spec = gke.backend_config(port, path)
            _custom(f"{name}-backend", gke.INGRESS, "BackendConfig", _plain(metadata), spec, child_opts)
            gke.allow_health_checks(name, _plain(metadata), args["app"], port, child_opts)
        if known is CONTROLLERS["traefik"]:
            secret = trust if "ca" in args else None
            spec = traefik.servers_transport(args["server_name"], secret, args.get("ca_config_map"))
            transport: k8s.meta.v1.ObjectMetaArgsDict = {**_plain(metadata), "name": own}
            _custom(f"{name}-transport", traefik.API, "ServersTransport", transport, spec, child_opts)
        backend = self._backend(name, args, metadata, ours, child_opts)
        metadata["annotations"] = {
            **filled_in(known.passthrough if args.get("passthrough") else known.annotations, args, backend, trust),
            **of_class,
            **args.get("annotations", {}),
            SKIP_AWAIT: "true",  # some controllers never set the status
        }
        spec = ingress(args, backend)
        k8s.networking.v1.Ingress(f"{name}-ingress", metadata=metadata, spec=spec, opts=child_opts)

    def _backend(
        self,
        name: str,
        args: ExposureArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        ours: Mapping[str, pulumi.Input[str]],
        child_opts: ResourceOptions,
    ) -> str:
        """
        Name the Service behind a proxy: the workload's own, or one beside it that is told more.

        The workload's own stays as it is, because clients inside the cluster use it.
        """
        if not ours and not args.get("service_annotations") and not args.get("gateway_of_gke"):
            return args["app"]
        own, annotations = _outside(metadata), {**ours, **args.get("service_annotations", {})}
        named: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": own, "annotations": annotations}
        spec = service({**args, "via": "clusterIP"})
        k8s.core.v1.Service(f"{name}-outside", metadata=named, spec=spec, opts=child_opts)
        return own

    def _gateway(
        self,
        name: str,
        args: ExposureArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> None:
        """Make the route, and where the Gateway terminates TLS the policies by which it uses TLS to the backends."""
        backend = self._backend(name, args, metadata, {}, child_opts)
        for kind, spec in routes(args, backend).items():
            _custom(f"{name}-{kind.lower()}", GATEWAY_API, kind, metadata, spec, child_opts)
        if args.get("passthrough"):
            return
        if args.get("gateway_of_gke"):
            for kind, spec in gke.policies(backend).items():
                _custom(f"{name}-{kind.lower()}", gke.GATEWAY, kind, _plain(metadata), spec, child_opts)
            return
        config_map: pulumi.Input[str] | None = args.get("ca_config_map")
        if "ca" in args:
            trusted: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{args['app']}-trust"}
            config_map = k8s.core.v1.ConfigMap(
                f"{name}-trust", metadata=trusted, data={"ca.crt": args["ca"]}, opts=child_opts
            ).metadata.name
        spec = backend_tls(args, backend, config_map)
        _custom(f"{name}-tls", GATEWAY_API, "BackendTLSPolicy", metadata, spec, child_opts)

    def _trusted(
        self,
        name: str,
        args: ExposureArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> pulumi.Input[str]:
        """Name a Secret with the auth proxies' CA (key `ca.crt`): the certificate's own, unless `ca` is given."""
        if "ca" not in args or args.get("passthrough"):
            return args["tls_secret"]
        return k8s.core.v1.Secret(
            f"{name}-trust",
            metadata={**metadata, "name": f"{args['app']}-trust"},
            string_data={"ca.crt": args["ca"], **({"tls.crt": args["ca"]} if _reads_tls_crt(args) else {})},
            opts=child_opts,
        ).metadata.name


def exposed_name(args: ExposureArgs) -> str:
    """Return the name of a host's objects, which no other host has; with passthrough each auth proxy has a host."""
    return f"{args['app']}-{args['backends'][0]['name']}" if args.get("passthrough") else args["app"]


def _outside(metadata: k8s.meta.v1.ObjectMetaArgsDict) -> str:
    """The name of the Service that only a proxy outside uses."""
    return f"{metadata['name']}-outside"


def _plain(metadata: k8s.meta.v1.ObjectMetaArgsDict) -> k8s.meta.v1.ObjectMetaArgsDict:
    """The metadata of an object that no controller reads annotations of."""
    return {**metadata, "annotations": {}}


def _reads_tls_crt(args: ExposureArgs) -> bool:
    """Whether the controller wants CAs under the key of a certificate."""
    known = controller(args.get("ingress_class")) if args["via"] == "ingress" else None
    return bool(known and known.needs_written_ca)


def _custom(
    name: str,
    version: str,
    kind: str,
    metadata: k8s.meta.v1.ObjectMetaArgsDict,
    spec: Mapping[str, Any],
    child_opts: ResourceOptions,
) -> None:
    k8s.apiextensions.CustomResource(
        name, api_version=version, kind=kind, metadata=metadata, spec=spec, opts=child_opts
    )


def service(args: ExposureArgs) -> k8s.core.v1.ServiceSpecArgsDict:
    """A Service with a port per auth proxy; Gateways of GKE read the protocol from its ports."""
    ports: list[k8s.core.v1.ServicePortArgsDict] = []
    for backend in args["backends"]:
        port: k8s.core.v1.ServicePortArgsDict = {
            "name": backend["name"],
            "port": backend["port"],
            "target_port": backend["name"],
        }
        if args["via"] == "nodePort" and "node_port" in backend:
            port["node_port"] = backend["node_port"]
        if args.get("gateway_of_gke"):
            port["app_protocol"] = "HTTPS"
        ports.append(port)
    spec: k8s.core.v1.ServiceSpecArgsDict = {
        "type": TYPES[args["via"]],
        "selector": pods_of_app(args["app"]),
        "ports": ports,
    }
    if args["via"] == "loadBalancer":
        if ranges := args.get("source_ranges"):
            spec["load_balancer_source_ranges"] = list(ranges)
        if "load_balancer_class" in args:
            spec["load_balancer_class"] = args["load_balancer_class"]
    return spec


def host_annotation(args: ExposureArgs) -> dict[str, str]:
    """The annotation by which external-dns makes a record for a Service."""
    return {EXTERNAL_DNS: args["host"]} if args.get("external_dns") else {}


def health_of(args: ExposureArgs) -> tuple[int, str]:
    """Port and path by which a load balancer checks the pods; Kubernetes takes those that are not ready out itself."""
    return args["backends"][-1]["health"]


def filled_in(
    templates: Mapping[str, str], args: ExposureArgs, backend: str, trust: pulumi.Input[str]
) -> dict[str, pulumi.Input[str]]:
    """Annotations of a known controller, for these backends."""
    facts = {"namespace": args["namespace"], "secret": trust, "host": args["server_name"], "name": backend}
    return {name: pulumi.Output.format(template, **facts) for name, template in templates.items()}


def ingress(args: ExposureArgs, service_name: str) -> k8s.networking.v1.IngressSpecArgsDict:
    """One host, with TLS for it, and a path per auth proxy."""
    paths = [_ingress_path(args, service_name, one) for one in args["backends"]]
    spec: k8s.networking.v1.IngressSpecArgsDict = {"rules": [{"host": args["host"], "http": {"paths": paths}}]}
    if not args.get("passthrough"):
        spec["tls"] = [{"hosts": [args["host"]], "secret_name": args["tls_secret"]}]
    if "ingress_class" in args and controller(args["ingress_class"]) is not CONTROLLERS["gce"]:
        spec["ingress_class_name"] = args["ingress_class"]
    return spec


def _ingress_path(args: ExposureArgs, service_name: str, backend: Backend) -> k8s.networking.v1.HTTPIngressPathArgsDict:
    known = controller(args.get("ingress_class"))
    only_prefixes = bool(known and known.only_prefixes)
    target: k8s.networking.v1.IngressBackendArgsDict = {
        "service": {"name": service_name, "port": {"name": backend["name"]}}
    }
    if only_prefixes and args.get("passthrough"):
        return {"path_type": "ImplementationSpecific", "backend": target}
    exact = "ImplementationSpecific" if only_prefixes else "Exact"
    return {
        "path": backend.get("path", "/"),
        "path_type": exact if "path" in backend else "Prefix",
        "backend": target,
    }


def routes(args: ExposureArgs, service_name: str) -> dict[str, dict[str, Any]]:
    """Kind of route -> its spec; a Gateway that passes TLS through routes by host only."""
    head = {"parentRefs": [dict(args["gateway"])], "hostnames": [args["host"]]}
    if args.get("passthrough"):
        return {"TLSRoute": {**head, "rules": [{"backendRefs": [_reference(service_name, args["backends"][0])]}]}}
    rules = [
        {
            "matches": [{"path": {"type": "Exact" if "path" in one else "PathPrefix", "value": one.get("path", "/")}}],
            "backendRefs": [_reference(service_name, one)],
            # GKE has a policy for it.
            **({} if args.get("gateway_of_gke") else {"timeouts": {"request": f"{TIMEOUT}s"}}),
        }
        for one in args["backends"]
    ]
    return {"HTTPRoute": {**head, "rules": rules}}


def backend_tls(args: ExposureArgs, service_name: str, config_map: pulumi.Input[str] | None) -> dict[str, Any]:
    """How a Gateway verifies the auth proxies: with the CA of a ConfigMap, or the public authorities."""
    trust: dict[str, Any] = {"wellKnownCACertificates": "System"}
    if config_map is not None:
        trust = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": config_map}]}
    return {
        "targetRefs": [{"group": "", "kind": "Service", "name": service_name}],
        "validation": {"hostname": args["server_name"], **trust},
    }


def http_proxy(args: ExposureArgs, service_name: str, trust: pulumi.Input[str]) -> dict[str, Any]:
    """Contour's HTTPProxy for one host."""
    if args.get("passthrough"):
        [backend] = args["backends"]
        return {
            "virtualhost": {"fqdn": args["host"], "tls": {"passthrough": True}},
            "tcpproxy": {"services": [{"name": service_name, "port": backend["port"]}]},
        }
    verified = {"caSecret": trust, "subjectName": args["server_name"]}
    return {
        "virtualhost": {"fqdn": args["host"], "tls": {"secretName": args["tls_secret"]}},
        "routes": [
            {
                "conditions": [{"exact": one["path"]} if "path" in one else {"prefix": "/"}],
                "services": [{"name": service_name, "port": one["port"], "protocol": "tls", "validation": verified}],
                "timeoutPolicy": {"response": f"{TIMEOUT}s"},
            }
            for one in args["backends"]
        ],
    }


def _reference(service_name: str, backend: Backend) -> dict[str, Any]:
    return {"name": service_name, "port": backend["port"]}
