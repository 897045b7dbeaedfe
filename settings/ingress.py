"""Ingress controllers, and the annotations that make them use HTTPS to their backends."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

BODY = "64m"
"""Largest request body that a proxy accepts; a remote-write request that is refused for its size is lost."""
TIMEOUT = 120
"""Seconds that a proxy waits for an answer; the timeout of a query of Prometheus."""
_GATEWAY = "Write via: gateway or loadBalancer."
_NGINX = "nginx.ingress.kubernetes.io"
_HAPROXY, _HAPROXY_INGRESS = "haproxy.org", "haproxy-ingress.github.io"
_ROUTE = "route.openshift.io"
_ALB, _APPGW = "alb.ingress.kubernetes.io", "appgw.ingress.kubernetes.io"
_ANY_ANSWER = "200-499"
"""Status codes by which a load balancer finds a backend alive: auth proxies answer 401 and 404 without a token."""


class Controller(NamedTuple):
    """
    An ingress controller, and what it is told about its backends.

    In values, `{namespace}`, `{secret}` (its `ca.crt` is the CA), `{host}` (the name in the backends' certificate) and
    `{name}` (of the Service) stand for what the Ingress is for.
    """

    title: str
    annotations: Mapping[str, str] = {}
    """Annotations of the Ingress, which this program sets."""
    service: Mapping[str, str] = {}
    """Annotations of the Service behind it, which this program sets."""
    passthrough: Mapping[str, str] = {}
    """Those of an Ingress whose TLS it passes through; empty where it can't."""
    asked: Sequence[str] = ()
    """Annotations of which people write one themselves, and `value`."""
    asked_of: str = "annotations"
    """Where they are written: `annotations` or `serviceAnnotations`."""
    value: str = ""
    needs_ca: bool = False
    """Whether it verifies backends by `ca.crt` of a Secret only, and not by the public authorities."""
    needs_written_ca: bool = False
    """Whether the Secret of the certificate won't do, because it reads another key."""
    only_prefixes: bool = False
    """Whether it ignores paths of type `Exact`, and hosts with a path whose TLS it passes through."""
    trusts_public: bool = False
    """Whether it verifies backends by the public authorities, if it is told of no CA."""
    instead: str = ""
    """What to write where it can't use HTTPS to a backend and verify it; empty where it can."""


CONTROLLERS: Mapping[str, Controller] = {
    "nginx": Controller(
        "ingress-nginx",
        {
            f"{_NGINX}/backend-protocol": "HTTPS",
            f"{_NGINX}/force-ssl-redirect": "true",
            f"{_NGINX}/proxy-body-size": BODY,
            f"{_NGINX}/proxy-read-timeout": str(TIMEOUT),
            f"{_NGINX}/proxy-send-timeout": str(TIMEOUT),
            f"{_NGINX}/proxy-ssl-name": "{host}",
            f"{_NGINX}/proxy-ssl-secret": "{namespace}/{secret}",
            f"{_NGINX}/proxy-ssl-server-name": "on",
            f"{_NGINX}/proxy-ssl-verify": "on",
        },
        passthrough={f"{_NGINX}/backend-protocol": "HTTPS", f"{_NGINX}/ssl-passthrough": "true"},
        needs_ca=True,
    ),
    "traefik": Controller(
        "Traefik",
        {"traefik.ingress.kubernetes.io/router.tls": "true"},
        {
            "traefik.ingress.kubernetes.io/service.serversscheme": "https",
            "traefik.ingress.kubernetes.io/service.serverstransport": "{namespace}-{name}@kubernetescrd",
        },
        trusts_public=True,
    ),
    "haproxy": Controller(
        "HAProxy",
        {
            f"{_HAPROXY}/server-ssl": "true",
            f"{_HAPROXY}/server-ca": "{namespace}/{secret}",
            f"{_HAPROXY}/ssl-redirect": "true",
            f"{_HAPROXY}/timeout-server": f"{TIMEOUT}s",
            f"{_HAPROXY_INGRESS}/secure-backends": "true",
            f"{_HAPROXY_INGRESS}/secure-sni": "{host}",
            f"{_HAPROXY_INGRESS}/secure-verify-ca-secret": "{secret}",
            f"{_HAPROXY_INGRESS}/ssl-redirect": "true",
            f"{_HAPROXY_INGRESS}/timeout-server": f"{TIMEOUT}s",
        },
        passthrough={f"{_HAPROXY}/ssl-passthrough": "true", f"{_HAPROXY_INGRESS}/ssl-passthrough": "true"},
        needs_ca=True,
        needs_written_ca=True,
    ),
    "gce": Controller(
        "GKE's own controller",
        {"kubernetes.io/ingress.allow-http": "false"},
    ),
    "alb": Controller(
        "the AWS Load Balancer Controller",
        {
            f"{_ALB}/backend-protocol": "HTTPS",
            f"{_ALB}/healthcheck-protocol": "HTTPS",
            f"{_ALB}/listen-ports": '[{{"HTTPS": 443}}]',
            f"{_ALB}/load-balancer-attributes": f"idle_timeout.timeout_seconds={TIMEOUT}",
            f"{_ALB}/success-codes": _ANY_ANSWER,
            f"{_ALB}/target-type": "ip",
        },
    ),
    "application-gateway": Controller(
        "Application Gateway",
        {
            f"{_APPGW}/backend-hostname": "{host}",
            f"{_APPGW}/backend-protocol": "https",
            f"{_APPGW}/health-probe-status-codes": _ANY_ANSWER,
            f"{_APPGW}/request-timeout": str(TIMEOUT),
            f"{_APPGW}/ssl-redirect": "true",
        },
    ),
    "openshift": Controller(
        "OpenShift's router",
        {
            f"{_ROUTE}/destination-ca-certificate-secret": "{secret}",
            f"{_ROUTE}/termination": "reencrypt",
            "haproxy.router.openshift.io/timeout": f"{TIMEOUT}s",
        },
        passthrough={f"{_ROUTE}/termination": "passthrough"},
        needs_ca=True,
        needs_written_ca=True,
        only_prefixes=True,
    ),
    "kong": Controller(
        "Kong", asked=["konghq.com/protocol"], asked_of="serviceAnnotations", value="https, and verify it as Kong says"
    ),
    "cilium": Controller("Cilium", instead=_GATEWAY),
    "contour": Controller("Contour", instead="Write via: httpProxy."),
    "istio": Controller("Istio", instead=_GATEWAY),
}
"""Part of the name of its class -> the controller."""
OF_PLATFORM = {"gke": "gce", "k3s": "traefik", "openshift": "openshift-default"}
"""Platform -> the class whose controller takes an Ingress without a class."""


def controller(ingress_class: str | None) -> Controller | None:
    """The controller of a class, if it can be recognised by the name; ingress-nginx if there is none."""
    if ingress_class is None:
        return CONTROLLERS["nginx"]
    return next((one for word, one in CONTROLLERS.items() if word in ingress_class), None)
