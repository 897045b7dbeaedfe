"""Fleets of any size: as one stack, and as a stack for each cluster."""

import base64
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def dev(clusters: int) -> dict[str, Any]:
    """The dev stack's hub, and an agent in every further cluster, whose issuer is known: no cluster is asked for it."""
    fleet = _section("dev")
    names = [f"c{number}" for number in range(1, clusters)]
    agents = {name: {"context": name, "issuer": _issuer(number)} for number, name in enumerate(names)}
    fleet["clusters"] = {"hub": fleet["clusters"]["hub"]} | agents
    fleet["agents"] = {name: {} for name in names}
    fleet["hub"]["storage"] = "1Ti"  # room for any number of clusters
    return fleet


def write(folder: Path, number: int) -> list[str]:
    """Write the stack files of a hub and its agents, as many as that, and return the contexts of their clusters."""
    agents = [f"c{index}" for index in range(1, number)]
    hub, agent = _section("hub"), _section("eu1")
    hub["hub"] |= {"agents": {name: {} for name in agents}, "storage": "10Ti"}
    written = {"hub": hub}
    for name in agents:
        context = f"gke_acme_europe-west1_{name}"
        written[name] = {"clusters": {name: {"context": context}}, "agents": {name: agent["agents"]["eu1"]}}
    for name, section in written.items():
        text = yaml.safe_dump({"config": {"promfleet:fleet": section}}, sort_keys=False)
        (folder / f"Pulumi.{name}.yaml").write_text(text)
    return [cluster["context"] for section in written.values() for cluster in section["clusters"].values()]


def _section(stack: str) -> dict[str, Any]:
    """The fleet of an example."""
    return yaml.load((ROOT / f"Pulumi.{stack}.yaml").read_text(), yaml.CSafeLoader)["config"]["promfleet:fleet"]


def _issuer(number: int) -> dict[str, Any]:
    """An issuer as most clusters have it: one public key of RSA with 2048 bits, of each number another."""
    modulus = (2**2047 + 2 * number + 1).to_bytes(256, "big")
    key = {"kty": "RSA", "kid": "bench", "use": "sig", "alg": "RS256", "e": "AQAB"}
    key["n"] = base64.urlsafe_b64encode(modulus).decode().rstrip("=")
    return {"url": "https://kubernetes.default.svc.cluster.local", "jwks": {"keys": [key]}}
