"""Which ingress controllers can be told to speak TLS to what is behind them, and by what."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_BY_SERVICES = "Write via: gateway or loadBalancer, or the class of ingress-nginx."


class Controller(NamedTuple):
    """An ingress controller other than ingress-nginx."""

    annotations: Sequence[str] = ()
    """Any of these says so on an Ingress; none where only a Service can."""
    value: str = ""
    """What they say."""
    instead: str = _BY_SERVICES
    """What to write where only a Service can say so."""


CONTROLLERS: Mapping[str, Controller] = {
    "alb": Controller(["alb.ingress.kubernetes.io/backend-protocol"], "HTTPS"),
    "application-gateway": Controller(["appgw.ingress.kubernetes.io/backend-protocol"], "https"),
    "haproxy": Controller(["haproxy.org/server-ssl", "haproxy-ingress.github.io/secure-backends"], '"true"'),
    "openshift": Controller(["route.openshift.io/termination"], "reencrypt"),
    "cilium": Controller(),
    "contour": Controller(instead="Write via: httpProxy."),
    "gce": Controller(),
    "kong": Controller(),
    "traefik": Controller(),
}
"""A word in the name of its class -> the controller."""
OF_PLATFORM = {"gke": "GKE's own controller", "k3s": "Traefik", "openshift": "OpenShift's router"}
"""Who takes an Ingress without a class, by who made the cluster."""


def controller(ingress_class: str) -> Controller | None:
    """The controller that a class is of, if its name tells."""
    return next((one for word, one in CONTROLLERS.items() if word in ingress_class), None)
