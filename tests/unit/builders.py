"""Fleets to deploy, and the parts of what was made of them that many tests look at."""

from typing import Any

from settings import Fleet

from .conftest import Engine
from .kinds import STATEFUL_SET

HUB = {"cluster": "hub", "expose": {"host": "hub.example", "tls": {"secret": "hub-tls"}}}
"""The section of a hub that says no more than it must."""
EVERYTHING: dict[str, Any] = {
    "clusters": {name: {"context": name} for name in ("hub", "eu1")},
    "hub": {**HUB, "replicas": 2, "agents": {"us1": {"rotation": 2}}},
    "agents": {"eu1": {}},
    "alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet", "replicas": 3},
    "grafana": {"secret": {"name": "grafana", "key": "password"}},
    "pushgateway": {},
    "probes": {"shop": {"targets": ["https://shop.example"]}},
    "thanos": {
        "storage": {"filesystem": {"claim": "blocks"}},
        "query": {"endpoints": [{"address": "elsewhere.example:10901", "tlsSecret": "elsewhere"}]},
        "queryFrontend": {},
        "memcached": {},
        "bucketWeb": {},
        "ruler": {"results": "receive"},
        "receive": {"expose": {"host": "receive.example"}, "seriesLimits": {"eu1": 1000}},
    },
}
"""A stack with everything that has a pod, which agents write to Receive of."""
VALUES = {
    "cluster": "eu1",
    "namespace": "shop",
    "workload": "cart",
    "pod": "cart-0",
    "node": "node-1",
    "job": "pods",
    "probe": "shop",
    "__rate_interval": "1m",
}
"""What a user of a dashboard has chosen, by the name of the variable."""


def fleet(**sections: Any) -> Fleet:
    """What a stack file with these sections describes; its clusters are those of the hub and the agents, or given."""
    hub = [sections["hub"]["cluster"]] if "hub" in sections else []
    named = {name: {"context": name} for name in (*hub, *sections.get("agents", {}))}
    return Fleet.model_validate({"clusters": named} | sections)


def pod(engine: Engine, kind: str = STATEFUL_SET) -> dict[str, Any]:
    """The pods of the only workload of a kind."""
    return engine.one(kind).inputs["spec"]["template"]["spec"]


def containers(engine: Engine, kind: str = STATEFUL_SET) -> dict[str, dict[str, Any]]:
    """The containers, by name, of the only workload of a kind."""
    return {container["name"]: container for container in pod(engine, kind)["containers"]}
