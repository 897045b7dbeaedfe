"""Configuration and scrape jobs of blackbox_exporter."""

from collections.abc import Iterator

from settings import Fleet, Probe, Server

from .auth_proxy import AuthProxy
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


def blackbox_config() -> str:
    """blackbox_exporter's configuration: a module per kind and IP protocol; certificates are always verified."""
    modules = {}
    for ip, suffix in _SUFFIXES.items():
        either = {"preferred_ip_protocol": ip, "ip_protocol_fallback": True}
        modules[f"http{suffix}"] = {"prober": "http", "http": {**either, "follow_redirects": True}}
        modules[f"tcp{suffix}"] = {"prober": "tcp", "tcp": either}
    return to_yaml({"modules": modules})


def probe_jobs(server: Server, fleet: Fleet) -> Iterator[ScrapeJob]:
    """Yield a job `blackbox-<name>` per probe of the stack file, and the scrape job of blackbox_exporter itself."""
    if fleet.probes:
        yield authenticated_job(server, fleet.namespace, APP, APP, PROBE)
    for name, probe in fleet.probes.items():
        yield _probe(server, fleet.namespace, name, probe)


def _probe(server: Server, namespace: str, name: str, probe: Probe) -> ScrapeJob:
    """The job of one probe, through the auth proxy of blackbox_exporter."""
    return ScrapeJob(
        name=f"blackbox-{name}",
        path="/probe",
        options={
            "params": {"module": [f"{probe.module}{_SUFFIXES[probe.prefer]}"]},
            "scrape_interval": probe.interval,
            **credentials(server),
        },
        targets=[{"targets": list(probe.targets)}],
        relabel=[
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            constant("__address__", PROBE.address(APP, namespace)),
            constant("job", "blackbox"),
            constant("probe", name),
        ],
    )


_SUFFIXES = {"ip4": "", "ip6": "-ip6"}
"""Preferred IP protocol -> suffix of the module's name."""
