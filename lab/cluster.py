"""Where a cluster of the lab lies: its folder, its addresses, its neighbours."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

NAMES = ("hub", "eu1", "us1")
WIRE = IPv4Network("10.77.0.0/24")
"""What joins the clusters' nodes; the machine itself has the first address."""
FIRST_NODE = 10
MOST = 200
API_PORT = 6443
"""Port of an API server, by its own default."""


def state() -> Path:
    """Give the folder that holds all of the lab; `PROMFLEET_LAB` names another one."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get("PROMFLEET_LAB") or Path(base) / "promfleet" / "lab").absolute()


@dataclass(frozen=True)
class Cluster:
    """One single-node cluster; its number (from 1) decides its addresses."""

    name: str
    number: int
    home: Path

    @property
    def node(self) -> str:
        """The node's InternalIP, reachable from the machine and from every other cluster."""
        return str(WIRE[FIRST_NODE + self.number])

    @property
    def pods(self) -> IPv4Network:
        return IPv4Network(f"10.244.{self.number}.0/24")

    @property
    def services(self) -> IPv4Network:
        return IPv4Network(f"10.96.{self.number}.0/24")

    @property
    def api(self) -> str:
        """The API server's address inside the cluster."""
        return str(self.services[1])

    @property
    def dns(self) -> str:
        return str(self.services[10])

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.node}:{API_PORT}"

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def logs(self) -> Path:
        return self.home / "log"


def numbers(names: Iterable[str], known: Mapping[str, int]) -> dict[str, int]:
    """Number the clusters: who has a number keeps it, who is new gets the lowest free one."""
    numbered = dict(known)
    for name in names:
        if name not in numbered:
            numbered[name] = min(set(range(1, MOST)) - set(numbered.values()))
    return numbered


def known() -> list[Cluster]:
    """List the clusters that the state folder knows, in the order of their numbers."""
    homes = state() / "clusters"
    found = [Cluster(file.parent.name, int(file.read_text()), file.parent) for file in homes.glob("*/number")]
    return sorted(found, key=lambda cluster: cluster.number)


def enrol(names: Iterable[str]) -> list[Cluster]:
    """Make a folder and a number for each cluster that has none, and return those that were asked for."""
    names = list(names)
    numbered = numbers(names, {cluster.name: cluster.number for cluster in known()})
    for name in names:
        home = state() / "clusters" / name
        home.mkdir(parents=True, exist_ok=True)
        (home / "number").write_text(str(numbered[name]))
    return [Cluster(name, numbered[name], state() / "clusters" / name) for name in names]
