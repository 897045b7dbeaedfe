"""The scrape jobs of Thanos' roles, one per role; an instance is a pod."""

from collections.abc import Iterator

from settings import Fleet

from ..scrape.authenticated import behind_door
from ..scrape.jobs import Job, slices, thinned
from ..scrape.relabel import POD, SLICE, constant, copied, keep
from .roles import COMPACTOR, FRONTEND, QUERY, RECEIVE, ROUTER, RULER, SIDECAR, SIDECARS, STORE, compactors, stores

ALL = frozenset({SIDECAR, QUERY, FRONTEND, STORE, COMPACTOR, RULER, RECEIVE})


def undeployed(fleet: Fleet) -> frozenset[str]:
    """The roles' jobs that this stack does not have."""
    return ALL - {job["job_name"] for job in thanos_jobs(fleet)}


def thanos_jobs(fleet: Fleet) -> list[Job]:
    """All of them, as far as this stack has them."""
    return [thinned(job, fleet) for job in _jobs(fleet)]


def _jobs(fleet: Fleet) -> Iterator[Job]:
    thanos = fleet.thanos
    if not thanos:
        return
    yield _on_pods(fleet, SIDECAR, SIDECARS)
    yield behind_door(fleet, QUERY, QUERY, "metrics")
    if thanos.query_frontend:
        yield behind_door(fleet, FRONTEND, QUERY, "frontend")
    yield _on_pods(fleet, STORE, *stores(thanos))
    if compactors(thanos):
        yield _on_pods(fleet, COMPACTOR, *compactors(thanos))
    if thanos.ruler:
        yield _on_pods(fleet, RULER, RULER)
    if thanos.receive:
        yield _on_pods(fleet, RECEIVE, RECEIVE, f"{ROUTER}-pods")


def _on_pods(fleet: Fleet, job: str, *services: str) -> Job:
    """The metrics of the pods behind headless Services."""
    cluster = fleet.hub.cluster if fleet.hub else ""
    return {
        "job_name": job,
        "kubernetes_sd_configs": [
            discovered
            for service in services
            for discovered in slices(fleet.namespace, f"kubernetes.io/service-name={service}", service)
        ],
        "relabel_configs": [
            keep([f"{SLICE}_port_name"], "http"),
            copied(f"{POD}_name", "instance"),
            constant("cluster", cluster),
        ],
    }
