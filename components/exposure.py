"""Exposes auth proxies under a host: by a Service, or through an Ingress, Gateway or HTTPProxy with TLS to them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from .k8s.labels import PART_OF, pods_of_app, selector
from .k8s.timeouts import timeouts

GATEWAY_API = "gateway.networking.k8s.io/v1"
CONTOUR = "projectcontour.io/v1"
BODY = "64m"
"""Largest request body that a proxy accepts; a remote-write request that is refused for its size is lost."""
TIMEOUT = 120
"""Seconds that a proxy waits for an answer; the timeout of a query of Prometheus."""
TYPES = {"nodePort": "NodePort", "loadBalancer": "LoadBalancer"}

Via = Literal["clusterIP", "nodePort", "loadBalancer", "ingress", "gateway", "httpProxy"]


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
    annotations: NotRequired[Mapping[str, str]]
    """Further annotations of the Service, Ingress, route or HTTPProxy."""
    source_ranges: NotRequired[Sequence[str]]
    """CIDR ranges from which a load balancer accepts clients; all, if left out or empty."""
    rollout_timeout: int
    """Seconds until a load balancer without an address fails the update."""


class Exposure(pulumi.ComponentResource):
    """One host that is reached from outside the cluster, with TLS to the backends."""

    def __init__(self, name: str, args: ExposureArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:Exposure", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        # With passthrough each auth proxy has a host, and an object, of its own.
        proxy = f"-{args['backends'][0]['name']}" if args.get("passthrough") else ""
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {
            "name": f"{args['app']}{proxy}",
            "namespace": args["namespace"],
            "labels": {**selector(args["app"], args["app"]), **PART_OF},
            "annotations": dict(args.get("annotations", {})),
        }
        match args["via"]:
            case "nodePort" | "loadBalancer":
                outside: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{args['app']}-outside"}
                await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
                k8s.core.v1.Service(f"{name}-outside", metadata=outside, spec=service(args), opts=await_opts)
            case "ingress":
                known = nginx(args, self._trusted(name, args, metadata, child_opts))
                metadata["annotations"] = {**known, **args.get("annotations", {})}
                # Don't wait for the status: some controllers never set it.
                metadata["annotations"] |= {"pulumi.com/skipAwait": "true"}
                k8s.networking.v1.Ingress(f"{name}-ingress", metadata=metadata, spec=ingress(args), opts=child_opts)
            case "gateway":
                self._gateway(name, args, metadata, child_opts)
            case "httpProxy":
                spec = http_proxy(args, self._trusted(name, args, metadata, child_opts))
                _custom(f"{name}-proxy", CONTOUR, "HTTPProxy", metadata, spec, child_opts)
            case "clusterIP":
                raise ValueError("a Service that is reached inside its cluster only is not exposed")
        self.register_outputs({})

    def _gateway(
        self,
        name: str,
        args: ExposureArgs,
        metadata: k8s.meta.v1.ObjectMetaArgsDict,
        child_opts: ResourceOptions,
    ) -> None:
        """Make the route, and a BackendTLSPolicy where the Gateway terminates TLS."""
        for kind, spec in routes(args).items():
            _custom(f"{name}-{kind.lower()}", GATEWAY_API, kind, metadata, spec, child_opts)
        if args.get("passthrough"):
            return
        config_map: pulumi.Input[str] | None = args.get("ca_config_map")
        if "ca" in args:
            trusted: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{args['app']}-trust"}
            config_map = k8s.core.v1.ConfigMap(
                f"{name}-trust", metadata=trusted, data={"ca.crt": args["ca"]}, opts=child_opts
            ).metadata.name
        _custom(f"{name}-tls", GATEWAY_API, "BackendTLSPolicy", metadata, backend_tls(args, config_map), child_opts)

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
            string_data={"ca.crt": args["ca"]},
            opts=child_opts,
        ).metadata.name


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
    """A Service of type NodePort or LoadBalancer, with a port per auth proxy."""
    ports: list[k8s.core.v1.ServicePortArgsDict] = []
    for backend in args["backends"]:
        port: k8s.core.v1.ServicePortArgsDict = {
            "name": backend["name"],
            "port": backend["port"],
            "target_port": backend["name"],
        }
        if args["via"] == "nodePort" and "node_port" in backend:
            port["node_port"] = backend["node_port"]
        ports.append(port)
    ranges = args.get("source_ranges")
    return {
        "type": TYPES[args["via"]],
        "selector": pods_of_app(args["app"]),
        "ports": ports,
        **({"load_balancer_source_ranges": list(ranges)} if ranges else {}),
    }


def nginx(args: ExposureArgs, trust: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """Annotations of ingress-nginx; none where the class is of another controller."""
    if "nginx" not in args.get("ingress_class", "nginx"):
        return {}
    prefix = "nginx.ingress.kubernetes.io"
    common = {f"{prefix}/backend-protocol": "HTTPS"}
    if args.get("passthrough"):
        return {**common, f"{prefix}/ssl-passthrough": "true"}
    return {
        **common,
        f"{prefix}/force-ssl-redirect": "true",
        f"{prefix}/proxy-body-size": BODY,
        f"{prefix}/proxy-read-timeout": str(TIMEOUT),
        f"{prefix}/proxy-send-timeout": str(TIMEOUT),
        f"{prefix}/proxy-ssl-name": args["server_name"],
        f"{prefix}/proxy-ssl-secret": pulumi.Output.format("{0}/{1}", args["namespace"], trust),
        f"{prefix}/proxy-ssl-server-name": "on",
        f"{prefix}/proxy-ssl-verify": "on",
    }


def ingress(args: ExposureArgs) -> k8s.networking.v1.IngressSpecArgsDict:
    """One host, with TLS for it, and a path per auth proxy."""
    spec: k8s.networking.v1.IngressSpecArgsDict = {
        "rules": [{"host": args["host"], "http": {"paths": [_ingress_path(args, one) for one in args["backends"]]}}],
    }
    if not args.get("passthrough"):
        spec["tls"] = [{"hosts": [args["host"]], "secret_name": args["tls_secret"]}]
    if "ingress_class" in args:
        spec["ingress_class_name"] = args["ingress_class"]
    return spec


def _ingress_path(args: ExposureArgs, backend: Backend) -> k8s.networking.v1.HTTPIngressPathArgsDict:
    return {
        "path": backend.get("path", "/"),
        "path_type": "Exact" if "path" in backend else "Prefix",
        "backend": {"service": {"name": args["app"], "port": {"name": backend["name"]}}},
    }


def routes(args: ExposureArgs) -> dict[str, dict[str, Any]]:
    """Kind of route -> its spec; a Gateway that passes TLS through routes by host only."""
    head = {"parentRefs": [dict(args["gateway"])], "hostnames": [args["host"]]}
    if args.get("passthrough"):
        return {"TLSRoute": {**head, "rules": [{"backendRefs": [_reference(args, args["backends"][0])]}]}}
    rules = [
        {
            "matches": [{"path": {"type": "Exact" if "path" in one else "PathPrefix", "value": one.get("path", "/")}}],
            "backendRefs": [_reference(args, one)],
            "timeouts": {"request": f"{TIMEOUT}s"},
        }
        for one in args["backends"]
    ]
    return {"HTTPRoute": {**head, "rules": rules}}


def backend_tls(args: ExposureArgs, config_map: pulumi.Input[str] | None) -> dict[str, Any]:
    """How a Gateway verifies the auth proxies: with the CA of a ConfigMap, or the public authorities."""
    trust: dict[str, Any] = {"wellKnownCACertificates": "System"}
    if config_map is not None:
        trust = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": config_map}]}
    return {
        "targetRefs": [{"group": "", "kind": "Service", "name": args["app"]}],
        "validation": {"hostname": args["server_name"], **trust},
    }


def http_proxy(args: ExposureArgs, trust: pulumi.Input[str]) -> dict[str, Any]:
    """Contour's HTTPProxy for one host."""
    if args.get("passthrough"):
        [backend] = args["backends"]
        return {
            "virtualhost": {"fqdn": args["host"], "tls": {"passthrough": True}},
            "tcpproxy": {"services": [{"name": args["app"], "port": backend["port"]}]},
        }
    verified = {"caSecret": trust, "subjectName": args["server_name"]}
    return {
        "virtualhost": {"fqdn": args["host"], "tls": {"secretName": args["tls_secret"]}},
        "routes": [
            {
                "conditions": [{"exact": one["path"]} if "path" in one else {"prefix": "/"}],
                "services": [{"name": args["app"], "port": one["port"], "protocol": "tls", "validation": verified}],
                "timeoutPolicy": {"response": f"{TIMEOUT}s"},
            }
            for one in args["backends"]
        ],
    }


def _reference(args: ExposureArgs, backend: Backend) -> dict[str, Any]:
    return {"name": args["app"], "port": backend["port"]}
