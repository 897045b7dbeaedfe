"""The script that prepares the VM of a watcher, and what is in the secrets that the VM fetches."""

import hashlib
import io
import lzma
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from .fetch import SUMS
from .systemd import SANDBOX, unit_file

LARGEST_SECRET = 2**16
"""Bytes in a version of a secret: https://cloud.google.com/secret-manager/quotas."""
DATA_DEVICE = "promfleet-data"
"""Name of the disk for samples as the VM sees it: /dev/disk/by-id/google-<name>."""

_CLUSTERS = "prometheus/clusters"
_PROGRAM, _UNITS, _SERVICE = "/usr/local/sbin/promfleet-fetch", "/etc/systemd/system", "promfleet-fetch"
_END = "END-OF-FILE"
_INTERVAL = "2min"
"""How often the VM looks for a new version; an access of Secret Manager is charged."""


class Packed(NamedTuple):
    """A file as it is packed into a secret."""

    content: bytes
    mode: int


class TooLargeError(ValueError):
    """What one secret has to hold does not fit."""


def machine_secret(name: str) -> str:
    """Return the name of the secret with everything but the clusters' credentials; `name` is that of the VM."""
    return f"{name}-machine"


def cluster_secret(name: str, cluster: str) -> str:
    """Return the name of the secret with the credentials of one cluster."""
    return f"{name}-cluster-{cluster}"


def payloads(name: str, files: Mapping[str, Packed]) -> Mapping[str, bytes]:
    """
    Return the content of each secret by its name, the machine's last, from the files of its directory by path.

    The machine's has the sums of all others: it is to be uploaded after them. Equal files give equal contents. Raises
    `TooLargeError`.
    """
    of_clusters: dict[str, dict[str, Packed]] = {}
    of_machine: dict[str, Packed] = {}
    for path, file in files.items():
        if path.startswith(f"{_CLUSTERS}/"):
            of_clusters.setdefault(path.split("/")[2], {})[path] = file
        else:
            of_machine[path] = file
    found = {cluster_secret(name, cluster): _archive(own) for cluster, own in sorted(of_clusters.items())}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {secret}\n" for secret, content in found.items())
    found[machine_secret(name)] = _archive({**of_machine, SUMS: Packed(sums.encode(), 0o600)})
    for secret, content in found.items():
        if len(content) > LARGEST_SECRET:
            raise TooLargeError(
                f"secret {secret} would have {len(content)} bytes, and Secret Manager takes {LARGEST_SECRET}"
            )
    return found


def _archive(files: Mapping[str, Packed]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, file in sorted(files.items()):
            entry = tarfile.TarInfo(path)  # of root, and of no date
            entry.mode, entry.size = file.mode, len(file.content)
            archive.addfile(entry, io.BytesIO(file.content))
    return lzma.compress(packed.getvalue(), preset=9)


def startup_script(project: str, name: str) -> str:
    """Return the script that Google's guest agent runs on the VM at every boot; there is no secret in it."""
    here = Path(__file__)
    files = {
        (0o755, _PROGRAM): here.with_name("fetch.py").read_text(encoding="utf-8"),
        (0o644, f"{_UNITS}/{_SERVICE}.service"): fetch_service(project, name),
        (0o644, f"{_UNITS}/{_SERVICE}.timer"): fetch_timer(),
    }
    return "".join(
        [
            here.with_name("startup.sh").read_text(encoding="utf-8"),
            *(f"put {mode:04o} {path} <<'{_END}'\n{text}{_END}\n" for (mode, path), text in files.items()),
            f"systemctl daemon-reload\nsystemctl enable --now {_SERVICE}.timer\n",
        ]
    )


def fetch_service(project: str, name: str) -> str:
    """Return the unit of what fetches; it may do what install.sh needs, which makes users and installs units."""
    return unit_file(
        {
            "Unit": {
                "Description": "Configuration of the promfleet watcher from Secret Manager",
                "Documentation": "https://cloud.google.com/secret-manager/docs",
                "Wants": "network-online.target",
                "After": "network-online.target",
                "StartLimitIntervalSec": 0,
                "RequiresMountsFor": "/var/lib/promfleet-prometheus /var/lib/promfleet-alertmanager",
            },
            "Service": {
                "Type": "oneshot",
                "ExecStart": f"{_PROGRAM} {project} {machine_secret(name)}",
                "StateDirectory": _SERVICE,
                "StateDirectoryMode": "0700",
                "TimeoutStartSec": "2h",  # install.sh waits an hour for Prometheus, and ten minutes for others
                **SANDBOX,
                "CapabilityBoundingSet": "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_SETGID CAP_SETUID",
                "PrivateUsers": "no",
                "ProtectSystem": "yes",
                "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
                "SystemCallFilter": "@system-service",
            },
        }
    )


def fetch_timer() -> str:
    """Return the unit that starts the service at boot and from then on."""
    return unit_file(
        {
            "Unit": {"Description": "Looks for a new configuration of the promfleet watcher"},
            "Timer": {"OnActiveSec": "0s", "OnUnitInactiveSec": _INTERVAL, "AccuracySec": "1s"},
            "Install": {"WantedBy": "timers.target"},
        }
    )
