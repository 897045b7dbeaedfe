"""How a Prometheus server reaches what is deployed beside it: through auth proxies, which ask who comes."""

from typing import Any

from settings import Server

from ..auth_proxy import AuthProxy
from ..tokens import PROXY_TOKEN
from .discovery import endpoints_of
from .job import ScrapeJob
from .relabel import POD, SLICE, copied, keep

CERTIFICATE = "/etc/prometheus/certificate/tls.crt"
"""The certificate of all auth proxies of a stack, without its key; whoever presents exactly this one is trusted."""


def credentials(server: Server) -> dict[str, Any]:
    """Return what an auth proxy is shown, and what it must show; for scrapes and for notifications."""
    return {
        "scheme": "https",
        "authorization": {"type": "Bearer", "credentials_file": PROXY_TOKEN},
        "tls_config": {"ca_file": CERTIFICATE, "server_name": server.expose.host},
    }


def authenticated_job(server: Server, namespace: str, name: str, app: str, proxy: AuthProxy) -> ScrapeJob:
    """Return the job of the pods behind one of our Services; each is an instance, scraped through its auth proxy."""
    return ScrapeJob(
        name=name,
        options=credentials(server),
        discovery=endpoints_of(namespace, app),
        relabel=[keep([f"{SLICE}_port_name"], proxy.name), copied(f"{POD}_name", "instance")],
    )
