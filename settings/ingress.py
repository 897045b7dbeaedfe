"""Ingress controllers, and the annotations that make them use HTTPS to their backends."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_BY_SERVICES = "Write via: gateway or loadBalancer, or the class of ingress-nginx."


class Controller(NamedTuple):
    """An ingress controller other than ingress-nginx."""

    annotations: Sequence[str] = ()
    """Any of these annotations of an Ingress does it; none where only an annotation of a Service does."""
    value: str = ""
    """Value of the annotation."""
    instead: str = _BY_SERVICES
    """What to write where only a Service can have the annotation."""


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
"""Part of the name of its class -> the controller."""
OF_PLATFORM = {"gke": "GKE's own controller", "k3s": "Traefik", "openshift": "OpenShift's router"}
"""Controller that takes an Ingress without a class, by platform."""


def controller(ingress_class: str) -> Controller | None:
    """The controller of a class, if it can be recognised by the name."""
    return next((one for word, one in CONTROLLERS.items() if word in ingress_class), None)
