"""What an edit of a stack file does to objects that are there: an object that stays has one URN, before and after."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import pytest

from stacks import deploy
from tests.unit.builders import EVERYTHING, HUB, fleet
from tests.unit.conftest import Engine, Identity
from tests.unit.kinds import SERVICE

SECRET = {"secret": {"name": "grafana", "key": "password"}}
EXPOSED: dict[str, Any] = {
    "hub": HUB,
    "agents": {"eu1": {}},
    "grafana": {**SECRET, "expose": {"host": "grafana.example"}},
    "pushgateway": {"expose": {"host": "push.example"}},
    "alertmanager": {"receivers": {"a": {}}, "default": "a", "expose": {"host": "alerts.example"}},
}
"""Sections with a host each."""


def edited(sections: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge changes into sections; None removes what was there."""
    result = copy.deepcopy(dict(sections))
    for key, change in changes.items():
        if change is None:
            result.pop(key, None)
        elif isinstance(change, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = edited(result[key], change)
        else:
            result[key] = change
    return result


def via(kind: str, **further: Any) -> dict[str, Any]:
    """Expose in this way."""
    return {"hub": {"expose": {"via": kind, "tls": {"caConfigMap": "authority"}, **further}}}


BUCKET = {"gcs": {"project": "acme-monitoring", "bucket": "acme-metrics", "location": "EU"}}
VM = {"project": "acme-monitoring", "zone": "europe-west1-b"}
POOL = {"workloadPool": "acme-clusters.svc.id.goog"}
CLUSTERS: dict[str, Any] = {name: {"context": name} for name in ("hub", "eu1")}
STANDALONE = {"standalone": HUB, "hub": None, "agents": None, "clusters": {"hub": {"context": "hub"}}}
EDITS: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "another host": (EXPOSED, {"hub": {"expose": {"host": "metrics.example"}}}),
    "swapped hosts": (
        EXPOSED,
        {
            "grafana": {"expose": {"host": "alerts.example"}},
            "alertmanager": {"expose": {"host": "grafana.example"}},
        },
    ),
    "another host behind an Ingress": (
        edited(EXPOSED, via("ingress", ingressClass="traefik")),
        {"hub": {"expose": {"host": "metrics.example"}}},
    ),
    "another way to expose": (EXPOSED, via("ingress", ingressClass="traefik", serviceAnnotations={"a/b": "c"})),
    "passthrough": (
        edited(EXPOSED, {**via("gateway", gateway={"name": "g", "namespace": "n"}), "alertmanager": None}),
        via("gateway", passthrough=True, readHost="read.example"),
    ),
    "a standalone server": (edited(EXPOSED, {"alertmanager": None}), STANDALONE),
    "one replica, without Thanos": (EVERYTHING, {"thanos": None, "hub": {"replicas": 1}}),
    "without Receive": (
        EVERYTHING,
        {"hub": {"replicas": 1}, "thanos": {"receive": None, "ruler": {"results": "bucket"}}},
    ),
    "the hub in another cluster": (EXPOSED, {"hub": {"cluster": "eu1"}, "agents": {"eu1": None, "hub": {}}}),
    "shards of Stores": (EVERYTHING, {"thanos": {"store": {"shards": 2}}}),
    "shards of an agent": (EXPOSED, {"agents": {"eu1": {"shards": 3}}}),
    "an operator": (
        EXPOSED,
        {"clusters": {name: {"context": name, "operator": {"install": True}} for name in ("hub", "eu1")}},
    ),
    "no node-exporter": (
        EXPOSED,
        {"clusters": {name: {"context": name, "nodeExporter": {"enabled": False}} for name in ("hub", "eu1")}},
    ),
    "a namespace that is not ours any more": (EXPOSED, {"createNamespace": False}),
    "another cluster of a hub with a bucket": (
        {**EXPOSED, "clusters": edited(CLUSTERS, {"hub": POOL}), "thanos": {"storage": BUCKET}},
        {
            "clusters": {"hub": {"workloadPool": None}, "eu1": POOL},
            "hub": {"cluster": "eu1"},
            "agents": {"eu1": None, "hub": {}},
        },
    ),
    "another name of a watcher": (
        {"clusters": CLUSTERS, "watcher": {"clusters": ["hub", "eu1"], "storage": "9Gi", "instance": VM}},
        {"watcher": {"name": "outside"}},
    ),
    "another namespace": (EXPOSED, {"namespace": "monitoring"}),
}
"""By name: what is deployed, and what is edited."""


@pytest.fixture(scope="module")
def identities(kubeconfig):
    """The identities of all that sections make, with the URNs of each; equal sections are deployed once."""
    known: dict[str, Mapping[Identity, set[str]]] = {}

    def made(sections: Mapping[str, Any]) -> Mapping[Identity, set[str]]:
        key = json.dumps(sections)
        if key not in known:
            engine = Engine()
            engine.deploy(lambda: deploy(fleet(**sections)))
            known[key] = engine.identities
        return known[key]

    return made


class TestObjectsThatStay:
    @pytest.mark.parametrize("edit", EDITS)
    def test_are_not_taken_for_new_ones(self, identities, edit):
        """
        Pulumi makes what is new, and then deletes what is old: of an object with two URNs nothing would be left.
        """
        sections, changes = EDITS[edit]
        before, now = identities(sections), identities(edited(sections, changes))

        assert len(before) > 30
        taken = {one for one in before.keys() & now.keys() if not before[one] & now[one]}
        assert taken == set()

    def test_do_not_hold_a_port_that_their_successor_needs(self, identities):
        """
        A Service that is replaced is deleted first; a new one is made first, and its port of the nodes is taken.
        """
        sections = edited(EXPOSED, {"alertmanager": None, "grafana": None, "pushgateway": None})
        hub, standalone = identities(sections), identities(edited(sections, STANDALONE))

        [before, now] = (
            made[Identity("hub", SERVICE, "promfleet", f"prometheus-{server}-outside")]
            for server, made in {"hub": hub, "standalone": standalone}.items()
        )
        assert before & now
