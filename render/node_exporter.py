"""node_exporter outside of Kubernetes: its unit, its web configuration, and the script that installs them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from settings.exporters import HostService

from .machine import INSTALL, RELEASES, File
from .systemd import Section, Service, unit
from .yaml import to_yaml

COLLECTORS = (
    "--collector.filesystem.mount-points-exclude="
    "^/(dev|proc|sys|run/credentials/.+|(.+/)?run/(k3s/|k0s/)?containerd/.+|var/lib/docker/.+"
    "|var/lib/containers/storage/.+|(.+/)?kubelet/pods/.+)($|/)",
    "--collector.netclass.ignored-devices=^(veth.*|cali.*|lxc.*|[a-f0-9]{15})$",
    "--collector.netdev.device-exclude=^(veth.*|cali.*|lxc.*|[a-f0-9]{15})$",
)
"""Flags that leave out what belongs to pods, wherever node_exporter runs."""
NAME = "node-exporter"
WEB = f"{NAME}/web.yml"
_ETC, _OPT = f"/etc/promfleet-{NAME}", f"/opt/promfleet-{NAME}"
_SANDBOX: Section = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_NETLINK AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": ("@system-service", "~@privileged @resources", "adjtimex clock_adjtime"),  # the clock is read
    "SystemCallErrorNumber": "EPERM",
    "UMask": "0077",
}
"""Nothing that gives it mounts of its own: it would measure those, read-only ones among them, and not the node's."""


class NodeTls(NamedTuple):
    """A certificate that lies on the node, of whoever runs the nodes; absolute paths."""

    certificate: str
    key: str


def node_exporter_files(
    host: HostService, release: str, tls: NodeTls | None, users: Mapping[str, str]
) -> Mapping[str, File]:
    """
    Return the files of a node by their path in the directory that is copied to it.

    `users` has the bcrypt hash of each user's password; without users everybody may read the metrics.
    """
    scheme = "https" if tls else "http"
    web = {
        **(
            {"tls_server_config": {"cert_file": tls.certificate, "key_file": tls.key, "min_version": "TLS13"}}
            if tls
            else {}
        ),
        **({"basic_auth_users": {**users}} if users else {}),
    }
    return {
        INSTALL: File(Path(__file__).with_name(INSTALL).read_text(encoding="utf-8"), 0o755),
        RELEASES: File(f"node_exporter={release}\n"),
        f"units/promfleet-{NAME}.service": File(unit(_service(host, release))),
        WEB: File(to_yaml(web), 0o600),
        f"{NAME}/ready.curl": File(f'url = "{scheme}://localhost:{host.port}/"\ninsecure\n', 0o600),
    }


def _service(host: HostService, release: str) -> Service:
    return Service(
        description="node_exporter of promfleet",
        documentation="https://github.com/prometheus/node_exporter",
        command=[
            f"{_OPT}/node_exporter-{release}/node_exporter",
            f"--web.listen-address=:{host.port}",
            f"--web.config.file={_ETC}/{WEB}",
            *COLLECTORS,
        ],
        memory="180M",
        user=NAME,
        sandbox=_SANDBOX,
    )
