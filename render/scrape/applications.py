"""Applications of the stack file: the pods behind their Services, with the labels that a ServiceMonitor gives them."""

import re
from typing import Any

from settings import Application, Fleet, seconds

from .annotated import FALLBACK
from .job import ScrapeJob
from .relabel import NAMESPACE, POD, SERVICE, SLICE, Rule, constant, copied, discovered, drop, keep
from .untrusted import OWNED_BEFORE_MONITORS, untrusted

ADDED: list[Rule] = [{"source_labels": [f"{POD}_node_name"], "regex": "(.+)", "target_label": "node"}]
"""What series of an application have beside the labels of a ServiceMonitor."""


def application_jobs(fleet: Fleet, cluster: str) -> list[ScrapeJob]:
    """Return the jobs of a cluster's applications."""
    return [application_job(fleet, name) for name in fleet.applications_in(cluster)]


def application_job(fleet: Fleet, name: str) -> ScrapeJob:
    """Return the job of one application; its targets are chosen and labelled as the operator would do it."""
    application = fleet.applications[name]
    job = ScrapeJob(
        name=application.job or name,
        path=application.path,
        options={"fallback_scrape_protocol": FALLBACK, **_paced(application, fleet)},
        discovery=[{"role": "endpointslice", "namespaces": {"names": [application.namespace]}}],
        relabel=[*_chosen(application), *_labelled(application), *ADDED],
    )
    return untrusted(job, fleet.scrape.limits.annotated, OWNED_BEFORE_MONITORS)


def _paced(application: Application, fleet: Fleet) -> dict[str, Any]:
    """How often; Prometheus refuses a timeout above the interval."""
    if application.interval is None:
        return {}
    timeout = min(application.interval, fleet.scrape.timeout, key=seconds)
    return {"scrape_interval": application.interval, "scrape_timeout": timeout}


def _chosen(application: Application) -> list[Rule]:
    return [
        *(
            keep(
                [f"{SERVICE}_{kind}_{discovered(label)}" for kind in ("label", "labelpresent")],
                f"({re.escape(value)});true",
            )
            for label, value in application.selector.items()
        ),
        keep([f"{SLICE}_port_name"], application.port),
        drop([f"{POD}_phase"], "Failed|Succeeded"),
    ]


def _labelled(application: Application) -> list[Rule]:
    """The labels that the Prometheus Operator gives, by generateServiceMonitorConfig of its release 0.85."""
    return [
        copied(NAMESPACE, "namespace"),
        copied(f"{SERVICE}_name", "service"),
        copied(f"{POD}_name", "pod"),
        copied(f"{POD}_container_name", "container"),
        constant("endpoint", application.port),
    ]
