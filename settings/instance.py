"""Settings of a watcher's machine that the stack makes: a VM in Google Cloud."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Literal

from .errors import Problem
from .section import Distinct, Section
from .storage import REGION, ProjectId
from .types import PROJECT, AddressRange, Text

_NAME = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_WIDEST = 8
"""Prefix of the largest blocks that were ever given to one owner; what is wider is open to anybody."""

Zone = Annotated[
    str,
    Text(
        f"{REGION}-[a-z]",
        "is not a zone of Google Cloud",
        "Write a region and the letter of a zone in it: europe-west1-b.",
        near=(f"({REGION})", r"\1-b"),
    ),
]
InstanceName = Annotated[
    str,
    Text(
        "[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "is not a name for a VM and its service account",
        "Write 6 to 30 lower-case letters, digits and hyphens, a letter first and no hyphen last.",
    ),
]
MachineType = Annotated[
    str,
    Text(
        "[a-z][a-z0-9]*(?:-[a-z0-9]+)+",
        "is not a machine type",
        "Write it as Google Cloud does: e2-standard-2.",
    ),
]
ImageFamily = Annotated[
    str,
    Text(
        f"{PROJECT}/{_NAME}",
        "is not an image of Google Cloud",
        "Write the project and the family or image: debian-cloud/debian-12.",
    ),
]
Network = Annotated[
    str,
    Text(
        f"(?:projects/{PROJECT}/global/networks/)?{_NAME}",
        "is not a network of Google Cloud",
        "Write its name, or projects/<project>/global/networks/<name> for one of another project.",
    ),
]
Subnetwork = Annotated[
    str,
    Text(
        f"(?:projects/{PROJECT}/regions/{REGION}/subnetworks/)?{_NAME}",
        "is not a subnetwork of Google Cloud",
        "Write its name, or projects/<project>/regions/<region>/subnetworks/<name> for one of another project.",
    ),
]


class Instance(Section):
    """A VM of Compute Engine with a disk for samples, which fetches its configuration from Secret Manager."""

    project: ProjectId
    """Project of the VM and of all that belongs to it."""
    zone: Zone
    """Zone of the VM; its secrets are stored in the zone's region."""
    name: InstanceName = "promfleet-watcher"
    """Name of the VM and of its service account; its disk, addresses, secrets and firewall rules begin with it."""
    machine_type: MachineType = "e2-standard-2"
    """Machine type; Prometheus needs as much memory as a server in a cluster with the same series."""
    image: ImageFamily = "debian-cloud/debian-12"
    """Image of the boot disk, with systemd and Python 3, that runs startup scripts from metadata."""
    disk_type: Literal["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"] = "pd-balanced"
    """Type of both disks; `storage` is the size of the one for samples."""
    network: Network = "default"
    """VPC network."""
    subnetwork: Subnetwork | None = None
    """Subnetwork in the zone's region; if left out, the one with the name of `network`, as in auto-mode networks."""
    public_address: bool = False
    """Whether it has a public IPv4 address; without one it needs Cloud NAT to download releases from github.com."""
    source_ranges: Distinct[AddressRange] = ()
    """CIDR ranges of clients that a firewall rule admits to `expose.port`; required with `expose`."""
    open_to_internet: bool = False
    """Whether `sourceRanges` may admit everybody."""
    ssh: bool = False
    """Whether a firewall rule admits SSH through Identity-Aware Proxy."""

    @property
    def region(self) -> str:
        """The region of the zone."""
        return self.zone.rpartition("-")[0]

    def problems(self) -> Iterator[Problem]:
        """Clients are limited unless it is said that they are not, and everything is in one region."""
        ranges = [ip_network(written) for written in self.source_ranges]
        for index, (written, network) in enumerate(zip(self.source_ranges, ranges, strict=True)):
            path = ("sourceRanges", index)
            if network.version != 4:
                yield Problem(path, "is a range of IPv6 addresses, and the VM has none", "Remove it.", written)
            elif network.prefixlen < _WIDEST and not self.open_to_internet:
                instead = "Write the ranges of your clients, or openToInternet: true if everybody may try passwords."
                yield Problem(path, "admits everybody", instead, written)
        if self.open_to_internet and not any(network.prefixlen < _WIDEST for network in ranges):
            yield Problem(
                ("openToInternet",),
                "has no effect: no range in sourceRanges admits everybody",
                "Remove it.",
                value=True,
            )
        if self.subnetwork and "/" in self.subnetwork and f"/regions/{self.region}/" not in self.subnetwork:
            instead = f"Write one of {self.region}, or another zone."
            yield Problem(("subnetwork",), "is in another region than the zone", instead, self.subnetwork)
