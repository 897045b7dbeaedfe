"""Who may write to the hub of a fleet by tokens that Envoy verifies, and how it recognizes them."""

from collections.abc import Iterator

from alerts.writers import JOB as ENVOY
from settings import Fleet, seconds
from settings.agent import AGENT
from settings.issuer import Issuer as IssuerSettings
from settings.types import authority
from settings.validation.capacity import series_of_writer
from settings.validation.issuers import has_token, issuer_of, verifies_tokens

from .auth_proxy import AuthProxy
from .prometheus.agent import queue
from .prometheus.auth_proxies import WRITE
from .prometheus.flags import takes_samples
from .scrape.job import ScrapeJob
from .thanos.jobs import on_pods
from .thanos.names import ROUTER_PODS, RULER, tenant
from .thanos.receive import writer
from .thanos.ruler import is_stateless
from .tokens import AUDIENCE, token_secrets, writer_account
from .write_proxy import Issuer, Keys, WriteProxy, Writer
from .yaml import to_json

HEALTH_PORT = f"{WRITE.name}-health"
"""Name of the port of Envoy's probes and metrics, which is the same beside the server and beside routers."""
LEGACY = "kubernetes/serviceaccount"
"""The claim `iss` of tokens in Secrets (pkg/serviceaccount/legacy.go of Kubernetes)."""
SECRET = "kubernetes.io/serviceaccount/secret.name"
"""The claim of such a token that names its Secret."""
_CATCHING_UP = 10
"""How many times faster than it scrapes an agent may send, after an outage."""
_LEAST = 50


def audience(fleet: Fleet) -> str:
    """Return the audience of tokens for this fleet's hub, which no other hub accepts."""
    return f"https://{authority(fleet.server.expose.host)}" if fleet.server else ""


def keyless(fleet: Fleet) -> list[str]:
    """Return the clusters whose agents write with tokens of their own cluster."""
    return sorted(name for name in fleet.partial.writers if issuer_of(fleet.partial, name))


def token_writers(fleet: Fleet) -> dict[str, int]:
    """Return the clusters whose agents have tokens that do not expire -> how often each was renewed."""
    if not fleet.hub:
        return {}
    said = fleet.hub.agents
    names = [*fleet.local_agents, *(name for name in said if name not in fleet.local_agents)]
    return {name: said[name].rotation if name in said else 0 for name in names if has_token(fleet.partial, name)}


def envoy_jobs(fleet: Fleet) -> Iterator[ScrapeJob]:
    """Yield the job of Envoy: beside the server, or beside each router of Receive."""
    if not fleet.server or not verifies_tokens(fleet.partial):
        return
    if takes_samples(fleet):
        target = {"targets": [f"127.0.0.1:{WRITE.health}"], "labels": {"instance": fleet.server.app}}
        yield ScrapeJob(name=ENVOY, targets=[target])
    else:
        yield on_pods(fleet, ENVOY, ROUTER_PODS, port=HEALTH_PORT)


def write_proxy(fleet: Fleet, proxy: AuthProxy) -> WriteProxy | None:
    """Return what Envoy does in place of a kube-rbac-proxy; None, if no issuer of tokens is known."""
    if not verifies_tokens(fleet.partial):
        return None
    found = [*_agents(fleet), *_with_tokens(fleet), *_rulers(fleet)]
    issuers = {issuer.name: issuer for issuer, _ in found}
    return WriteProxy(proxy, list(issuers.values()), [writer for _, writer in found])


def _agents(fleet: Fleet) -> Iterator[tuple[Issuer, Writer]]:
    for name in keyless(fleet):
        if settings := issuer_of(fleet.partial, name):
            issuer = Issuer(name, settings.url, _keys(settings), audience(fleet))
            subject = tenant(settings.namespace or fleet.namespace, AGENT)
            yield issuer, Writer(name, name, {"sub": [subject]}, writer(fleet, name), _rate(fleet, name))


def _with_tokens(fleet: Fleet) -> Iterator[tuple[Issuer, Writer]]:
    if not (settings := _of_hub(fleet)):
        return
    issuer = Issuer("_tokens", LEGACY, _keys(settings), "")
    for name, renewals in token_writers(fleet).items():
        claims = {"sub": [writer(fleet, name)], SECRET: [*token_secrets(writer_account(name), renewals).values()]}
        yield issuer, Writer(f"{name}_token", issuer.name, claims, writer(fleet, name), _rate(fleet, name))


def _rulers(fleet: Fleet) -> Iterator[tuple[Issuer, Writer]]:
    settings = _of_hub(fleet)
    if settings and fleet.thanos and is_stateless(fleet.thanos):
        issuer = Issuer("_ruler", settings.url, _keys(settings), AUDIENCE)
        subject = tenant(fleet.namespace, RULER)
        yield issuer, Writer(RULER, issuer.name, {"sub": [subject]}, subject, _LEAST)


def _of_hub(fleet: Fleet) -> IssuerSettings | None:
    return fleet.clusters[fleet.server.cluster].issuer if fleet.server else None


def _keys(settings: IssuerSettings) -> Keys:
    return Keys(url=settings.jwks_uri) if settings.jwks_uri else Keys(inline=to_json(settings.key_set))


def _rate(fleet: Fleet, cluster: str) -> int:
    """Requests per second that let an agent catch up after an outage."""
    series = series_of_writer(fleet.partial, cluster)
    batch = queue(fleet.scrape.limits)["max_samples_per_send"]
    return max(_LEAST, _CATCHING_UP * series // seconds(fleet.scrape.interval) // batch)
