"""Probes: endpoints that are asked from outside, and blackbox_exporter, which asks them."""

from settings import Fleet, Probe

from .scrape.authenticated import behind_door, through_door
from .scrape.jobs import Job
from .scrape.relabel import constant
from .yaml import to_yaml

APP = "blackbox-exporter"
LISTEN = "127.0.0.1:9115"
CONFIG_FILE = "/etc/blackbox/config.yml"
FLAGS = (
    f"--web.listen-address={LISTEN}",
    f"--config.file={CONFIG_FILE}",
    "--config.enable-auto-reload",
    "--config.auto-reload-interval=10",
)


def blackbox_config() -> str:
    """blackbox_exporter's file: a module per kind and preference; certificates are always verified."""
    modules = {}
    for ip, ending in _ENDINGS.items():
        either = {"preferred_ip_protocol": ip, "ip_protocol_fallback": True}
        modules[f"http{ending}"] = {"prober": "http", "http": {**either, "follow_redirects": True}}
        modules[f"tcp{ending}"] = {"prober": "tcp", "tcp": either}
    return to_yaml({"modules": modules})


def probe_jobs(fleet: Fleet) -> list[Job]:
    """A job per entry of the stack file, all named `blackbox`-…, and the scrape of the prober itself."""
    if not fleet.probes:
        return []
    return [behind_door(fleet, APP, APP, "probe"), *(_probe(fleet, name, one) for name, one in fleet.probes.items())]


def _probe(fleet: Fleet, name: str, probe: Probe) -> Job:
    """Each target, asked through the prober's door."""
    reached = {key: value for key, value in through_door(fleet, APP, "probe").items() if key in _HOW}
    return {
        "job_name": f"blackbox-{name}",
        "metrics_path": "/probe",
        "params": {"module": [f"{probe.module}{_ENDINGS[probe.prefer]}"]},
        "scrape_interval": probe.interval,
        **reached,
        "static_configs": [{"targets": list(probe.targets)}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            constant("__address__", f"{APP}.{fleet.namespace}.svc:8443"),
            constant("job", "blackbox"),
            constant("probe", name),
            constant("cluster", fleet.hub.cluster if fleet.hub else ""),
        ],
    }


_ENDINGS = {"ip4": "", "ip6": "-ip6"}
"""What ends the name of a module that prefers such an address."""
_HOW = ("scheme", "authorization", "tls_config")
