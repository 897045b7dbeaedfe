"""How a hub reaches what stands beside it in its cluster: through doors, which ask who comes."""

from typing import Any

from settings import Fleet

from ..tokens import DOORS_TOKEN
from .jobs import Job, slices
from .relabel import POD, SLICE, constant, copied, keep

CERTIFICATE = "/etc/prometheus/certificate/tls.crt"
"""The certificate of all of the hub's doors, without its key; whoever presents exactly this one is trusted."""


def through_door(fleet: Fleet, app: str, door: str) -> dict[str, Any]:
    """How a door is found, what it is shown and what it must show; for scrapes and for notifications."""
    if fleet.hub is None:
        raise ValueError("this fleet has no hub")
    return {
        "scheme": "https",
        "authorization": {"type": "Bearer", "credentials_file": DOORS_TOKEN},
        "tls_config": {"ca_file": CERTIFICATE, "server_name": fleet.hub.expose.host},
        "follow_redirects": False,
        "kubernetes_sd_configs": slices(fleet.namespace, f"kubernetes.io/service-name={app}", app),
        "relabel_configs": [keep([f"{SLICE}_port_name"], door)],
    }


def behind_door(fleet: Fleet, job: str, app: str, door: str) -> Job:
    """The scrape job of what one of our Services leads to; its instances are the pods."""
    reached = through_door(fleet, app, door)
    cluster = fleet.hub.cluster if fleet.hub else ""
    rules = [*reached["relabel_configs"], copied(f"{POD}_name", "instance"), constant("cluster", cluster)]
    return {"job_name": job, **reached, "relabel_configs": rules}
