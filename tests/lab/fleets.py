"""The stack files that the lab's tests deploy: the dev stack's, and what is made of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import yaml

from lab.gcp import cloud

from .stack import ROOT

_DEV: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
FLEET: dict[str, Any] = _DEV["config"]["promfleet:fleet"]
"""The dev stack's."""
UNAVAILABLE = "KubeDeploymentUnavailable"
"""The alert of a Deployment that has no pod left."""


def merged(fleet: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give a section of a stack file with changes: sections within are merged, all else is replaced."""
    made = dict(fleet)
    for key, change in changes.items():
        old = made.get(key)
        made[key] = merged(old, change) if isinstance(old, Mapping) and isinstance(change, Mapping) else change
    return made


class StackFile(NamedTuple):
    """What a stack's file says; all but the fleet and its secrets is as in the dev stack's."""

    fleet: Mapping[str, Any]
    secrets: Mapping[str, str] = {}
    """By their keys without namespace; they are encrypted in the file."""

    @property
    def text(self) -> str:
        return yaml.safe_dump({**_DEV, "config": {**_DEV["config"], "promfleet:fleet": self.fleet}})

    def changed(self, changes: Mapping[str, Any]) -> "StackFile":
        """Give the same with changes of the fleet."""
        return self._replace(fleet=merged(self.fleet, changes))


DEV = StackFile(FLEET)


def notifying(receivers: Mapping[str, str]) -> StackFile:
    """
    Give the dev stack's file with webhooks for everyone, whose URLs are `receivers`.

    The team `shop` is told of Deployments without a pod, after seconds; us1 is in maintenance.
    """
    now = datetime.now(UTC)
    window = {"start": f"{now:%Y-%m-%dT%H:%MZ}", "until": f"{now + timedelta(days=1):%Y-%m-%dT%H:%MZ}"}
    changes = {
        "alerts": {
            "rules": {UNAVAILABLE: {"for": "15s", "team": "shop"}},
            "maintenance": [{"cluster": "us1", "reason": "A test.", **window}],
        },
        "alertmanager": {
            "default": "platform",
            "routes": [{"receiver": "shop", "teams": ["shop"]}],
            "heartbeat": {"receiver": "heart", "every": "1m"},
            "grouping": {"wait": "5s", "interval": "10s", "repeat": "4h"},
        },
    }
    fleet = merged(FLEET, changes)
    fleet["alertmanager"]["receivers"] = {name: {"webhook": {}} for name in receivers}
    return StackFile(fleet, {f"{name}Webhook": url for name, url in receivers.items()})


BUCKET = "promfleet-blocks"
REPLICAS = 2
"""Prometheus of the hub, where there is Thanos."""
RECEIVE = {"host": "receive.promfleet-lab.svc.cluster.local", "nodePort": 30447}
THANOS: dict[str, Any] = {
    "storage": {"gcs": {"project": cloud.PROJECT, "bucket": BUCKET}},
    "block": "5m",
    "query": {"replicas": 1},
    "queryFrontend": {},
    "compactor": {"storage": "1Gi", "retention": {"raw": "40d", "fiveMinutes": "90d"}},
    "store": {"storage": "1Gi"},
    "memcached": {"memory": "64Mi", "replicas": 1},
    "ruler": {"storage": "1Gi", "replicas": 1},
    "bucketWeb": {},
    "receive": {"storage": "1Gi", "routers": 1, "expose": RECEIVE},
    "expose": {"host": "query.promfleet-lab.svc.cluster.local", "nodePort": 30448},
}
"""The section `thanos` with every role, most of them once: two cores have to carry all of it."""
TWICE: dict[str, Any] = {
    "block": "1m",
    "query": {"replicas": 2},
    "ruler": {"replicas": 2},
    "receive": {"routers": 2},
}
"""What changes it to one in which anything may fail, and blocks are soon in the bucket."""
IMPATIENT = {
    name: {"for": "15s"}
    for name in (
        "PrometheusReplicaMissing",
        "ThanosSidecarBucketOperationsFailed",
        "ThanosReceiveTenantLimitedByHeadSeries",
        "ThanosBlocksPartial",
        "ThanosBlocksCorrupted",
        "KubePodCrashLooping",
    )
}
"""Alerts that tests wait for."""
AGENTS = ("eu1", "us1")
HUB_STACK, AGENTS_STACK = "hub", "agents"
TOKENS = DEV.changed({"agents": {name: {"token": True} for name in AGENTS}})
"""The dev stack's file, whose agents have tokens of the hub's cluster."""
HUB_AUDIENCE = f"https://{FLEET['hub']['expose']['host']}"
"""Of the tokens that agents of the dev stack show."""
_CLUSTERS = FLEET["clusters"]
WITH_THANOS: dict[str, Any] = {
    **{key: FLEET[key] for key in ("createNamespace", "protect", "scrape", "alertmanager", "pushgateway", "probes")},
    "clusters": {"hub": {**_CLUSTERS["hub"], "workloadPool": cloud.POOL}},
    "hub": {
        **FLEET["hub"],
        "replicas": REPLICAS,
        "agents": {name: {key: _CLUSTERS[name][key] for key in ("series", "labels")} for name in AGENTS},
    },
    "alerts": merged(FLEET["alerts"], {"rules": IMPATIENT}),
    "thanos": THANOS,
}
"""The fleet of a hub's stack; the agents are another's."""
AGENTS_ONLY: dict[str, Any] = {
    **{key: FLEET[key] for key in ("createNamespace", "protect", "scrape")},
    "clusters": {name: {key: _CLUSTERS[name][key] for key in ("context", "series")} for name in AGENTS},
    "agents": {name: {"hub": {"stack": f"organization/promfleet/{HUB_STACK}"}, "token": True} for name in AGENTS},
}


def two_stacks(thanos: Mapping[str, Any] | None = None) -> dict[str, StackFile]:
    """Give the files of a stack with hub and Thanos, whose section is changed so, and of one with the agents."""
    hub = StackFile(merged(WITH_THANOS, {"thanos": thanos or {}}))
    return {HUB_STACK: hub, AGENTS_STACK: StackFile(AGENTS_ONLY)}


def without_secrets(files: Mapping[str, StackFile], agent: str, issuer: Any, authority: str) -> dict[str, StackFile]:
    """
    Give the files of two stacks, of which one agent writes with tokens of its own cluster.

    Its stack has the facts of the hub itself; `authority` signed the certificate of Receive, `issuer` the tokens.
    """
    agents = files[AGENTS_STACK].fleet["agents"]
    url = f"https://{RECEIVE['host']}:{RECEIVE['nodePort']}/api/v1/receive"
    facts = {"url": url, "audience": HUB_AUDIENCE, "ca": authority}
    return {
        HUB_STACK: files[HUB_STACK].changed({"hub": {"agents": {agent: {"issuer": issuer}}}}),
        AGENTS_STACK: StackFile({**files[AGENTS_STACK].fleet, "agents": {**agents, agent: {"hub": facts}}}),
    }


RECEIVING_STACK = "receiving"
RECEIVING = StackFile(
    merged(
        {**WITH_THANOS, "hub": {**FLEET["hub"], "replicas": REPLICAS}},
        {
            "clusters": {name: _CLUSTERS[name] for name in AGENTS},
            "agents": {name: {} for name in AGENTS},
            "thanos": {"ruler": {"results": "receive"}},
        },
    )
)
"""The file of one stack with hub, Thanos and agents, which show tokens of their own clusters to Receive."""
WATCHER_STACK = "watcher"
WATCHER = StackFile(
    {
        **{key: FLEET[key] for key in ("createNamespace", "protect", "scrape")},
        "clusters": {name: _CLUSTERS[name] for name in AGENTS},
        "watcher": {
            "storage": "50Gi",
            "clusters": {"eu1": {"route": "direct"}, "us1": {"route": "apiserver"}},
            "hub": {"stack": f"organization/promfleet/{HUB_STACK}"},
            "instance": {"project": cloud.PROJECT, "zone": "europe-west1-b", "ssh": True},
        },
        "alerts": {"rules": {"PromfleetClusterUnreachable": {"for": "15s"}}},
        "alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet"},
    }
)
"""
The file of a stack in which a machine watches two clusters from outside, and writes to a hub.

The stack makes a VM too, of which the lab's cloud has the record; the machine that tests run is another one.
"""


def hub_of_watcher(authority: str) -> StackFile:
    """Give the file of a stack whose hub only the watcher writes to; `authority` signed the hub's certificate."""
    expose = {**FLEET["hub"]["expose"], "tls": {"secret": "hub-tls", "ca": authority}}
    return StackFile(
        {
            **{key: FLEET[key] for key in ("createNamespace", "protect", "scrape", "alerts")},
            "clusters": {"hub": _CLUSTERS["hub"]},
            "hub": {**FLEET["hub"], "expose": expose, "agents": {"watcher": {"series": 20000}}},
        }
    )


STANDALONE_STACK = "standalone"
STANDALONE = StackFile(
    {
        **{key: FLEET[key] for key in ("createNamespace", "protect", "scrape", "alerts")},
        "clusters": {"hub": _CLUSTERS["hub"]},
        "standalone": {key: FLEET["hub"][key] for key in ("cluster", "retention", "storage", "expose")},
    }
)
"""The file of a stack in which the hub's cluster watches itself."""
OPERATOR_STACK = "operator"
OPERATOR = StackFile(
    {
        **{
            key: FLEET[key]
            for key in ("createNamespace", "protect", "scrape", "hub", "agents", "alerts", "alertmanager")
        },
        "clusters": {
            **_CLUSTERS,
            **{name: {**_CLUSTERS[name], "operator": {"install": True}} for name in ("hub", "eu1")},
        },
    }
)
"""The dev stack's fleet, of which the Prometheus Operator runs the hub and one of the two agents."""
