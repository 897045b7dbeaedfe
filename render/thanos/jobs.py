"""Scrape jobs of Thanos, one per component; an instance is a pod."""

from collections.abc import Iterator

from settings import Fleet

from ..scrape.authenticated import authenticated_job
from ..scrape.discovery import endpoints_of
from ..scrape.job import ScrapeJob
from ..scrape.relabel import POD, SLICE, copied, keep
from .bucket_roles import compactors, stores
from .names import COMPACTOR, FRONTEND, QUERY, RECEIVE, ROUTER_PODS, RULER, SIDECAR, STORE, replicas_service
from .query import FRONTEND_METRICS, METRICS

ALL = frozenset({SIDECAR, QUERY, FRONTEND, STORE, COMPACTOR, RULER, RECEIVE})


def undeployed(fleet: Fleet) -> frozenset[str]:
    """Jobs of components that this stack does not have."""
    return ALL - {job.name for job in thanos_jobs(fleet)}


def thanos_jobs(fleet: Fleet) -> Iterator[ScrapeJob]:
    """Yield the jobs of the components that this stack has."""
    thanos, server = fleet.thanos, fleet.server
    if not thanos or not server:
        return
    yield on_pods(fleet, SIDECAR, replicas_service(server.app))
    yield authenticated_job(server, fleet.namespace, QUERY, QUERY, METRICS)
    if thanos.query_frontend:
        yield authenticated_job(server, fleet.namespace, FRONTEND, QUERY, FRONTEND_METRICS)
    yield on_pods(fleet, STORE, *stores(thanos))
    if compactors(thanos):
        yield on_pods(fleet, COMPACTOR, *compactors(thanos))
    if thanos.ruler:
        yield on_pods(fleet, RULER, RULER)
    if thanos.receive:
        yield on_pods(fleet, RECEIVE, RECEIVE, ROUTER_PODS)


def on_pods(fleet: Fleet, name: str, *services: str, port: str = "http") -> ScrapeJob:
    """Return the job of a port of the pods of headless Services."""
    return ScrapeJob(
        name=name,
        discovery=[found for service in services for found in endpoints_of(fleet.namespace, service)],
        relabel=[keep([f"{SLICE}_port_name"], port), copied(f"{POD}_name", "instance")],
    )
