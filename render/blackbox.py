"""Configuration and scrape jobs of blackbox_exporter."""

from collections.abc import Iterator, Mapping
from typing import Any

from settings import Fleet, Probe, Server

from .auth_proxy import AuthProxy
from .prometheus.destinations import FROM_ENVIRONMENT
from .scrape.authenticated import authenticated_job, credentials
from .scrape.job import ScrapeJob
from .scrape.relabel import constant
from .yaml import to_yaml

APP = "blackbox-exporter"
LISTEN = "127.0.0.1:9115"
PROBE = AuthProxy("probers", "probe", LISTEN, 8443, 8643, ("get",), ("/metrics", "/probe"))
"""Auth proxy; without it, anyone in the cluster's network could have blackbox_exporter probe any target."""
CONFIG_FILE = "/etc/blackbox/config.yml"
FLAGS = (
    f"--web.listen-address={LISTEN}",
    f"--config.file={CONFIG_FILE}",
    "--config.enable-auto-reload",
    "--config.auto-reload-interval=10",
)


def blackbox_config(*, proxied: bool = False) -> str:
    """
    blackbox_exporter's configuration: a module per kind and IP protocol; certificates are always verified.

    With `proxied` it asks by the proxy of its environment, which resolves the names; TCP is not proxied.
    """
    proxy = {**FROM_ENVIRONMENT, "skip_resolve_phase_with_proxy": True} if proxied else {}
    modules = {}
    for ip, suffix in _SUFFIXES.items():
        either = {"preferred_ip_protocol": ip, "ip_protocol_fallback": True}
        modules[f"http{suffix}"] = {"prober": "http", "http": {**either, **proxy, "follow_redirects": True}}
        modules[f"tcp{suffix}"] = {"prober": "tcp", "tcp": either}
    return to_yaml({"modules": modules})


def probe_jobs(server: Server, fleet: Fleet) -> Iterator[ScrapeJob]:
    """Yield a job `blackbox:<name>` per probe of the stack file, and the scrape job of blackbox_exporter itself."""
    if fleet.probes:
        yield authenticated_job(server, fleet.namespace, APP, APP, PROBE)
    for name, probe in fleet.probes.items():
        yield _probe(name, probe, PROBE.address(APP, fleet.namespace), credentials(server))


def local_probe_jobs(fleet: Fleet) -> Iterator[ScrapeJob]:
    """Yield the same jobs for a blackbox_exporter that is on the machine of Prometheus."""
    if fleet.probes:
        yield ScrapeJob(name=APP, targets=[{"targets": [LISTEN], "labels": {"instance": APP}}])
    for name, probe in fleet.probes.items():
        yield _probe(name, probe, LISTEN, {})


def _probe(name: str, probe: Probe, exporter: str, options: Mapping[str, Any]) -> ScrapeJob:
    """The job of one probe, through the blackbox_exporter at this address."""
    return ScrapeJob(
        name=f"blackbox:{name}",
        path="/probe",
        options={
            "params": {"module": [f"{probe.module}{_SUFFIXES[probe.prefer]}"]},
            "scrape_interval": probe.interval,
            **options,
        },
        targets=[{"targets": list(probe.targets)}],
        relabel=[
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            constant("__address__", exporter),
            constant("job", "blackbox"),
            constant("probe", name),
        ],
    )


_SUFFIXES = {"ip4": "", "ip6": "-ip6"}
"""Preferred IP protocol -> suffix of the module's name."""
