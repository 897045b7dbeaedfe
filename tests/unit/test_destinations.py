from typing import Any

import pytest
import yaml

import render
from fleet.check import large_queues
from fleet.validators import UNKNOWN
from render.operator import camel
from render.prometheus.watcher import WatcherReceiver, watcher_config
from settings import Fleet
from settings.destinations import FIELDS, NOT_OPERATED
from settings.operator import definitions
from stacks import deploy
from tests.rendered import server, server_config
from tests.unit.builders import HUB
from tests.unit.conftest import Engine
from tests.unit.kinds import CONFIG_MAP, SECRET, STATEFUL_SET
from tests.unit.relabelling import relabel

FILES: dict[str, Any] = {"own": True, "ca_file": None, "token_file": "/token"}
PASSWORD = {"secret": {"name": "grafana-cloud", "key": "token"}}
GRAFANA = {
    "url": "https://grafana.example/api/prom/push",
    "basic_auth": {"username": "123", "password": PASSWORD},
    "write_relabel_configs": [{"regex": "pod", "action": "labeldrop"}],
}
MIMIR = {"url": "http://mimir.example/api/v1/push", "allow_http": True, "headers": {"X-Scope-OrgID": "acme"}}
BOTH = {"grafana-cloud": GRAFANA, "mimir": MIMIR}
MOUNTED = "/etc/prometheus/jobs/secret/grafana-cloud/token"


def fleet(*, operator: bool = False, **sections: Any) -> Fleet:
    clusters = {name: {"context": name, **({"operator": {}} if operator else {})} for name in ("hub", "eu1")}
    return Fleet.model_validate({"clusters": clusters, "hub": HUB, "agents": {"eu1": {}}, **sections})


def alone(**destinations: Any) -> Fleet:
    """An agent in a stack without a hub."""
    return Fleet.model_validate(
        {"clusters": {"eu1": {"context": "eu1"}}, "agents": {"eu1": {"destinations": destinations}}}
    )


def writes(described: Fleet, url: str | None = UNKNOWN) -> list[dict[str, Any]]:
    return yaml.safe_load(render.agent_config(described, "eu1", url, **FILES))["remote_write"]


class TestAgent:
    def test_writes_to_its_hub_as_before_and_to_each_destination(self):
        """
        The hub's entry is the same with destinations and without, and every entry has a name that alerts show.
        """
        [hub] = writes(fleet())
        found = writes(fleet(agents={"eu1": {"destinations": BOTH}}))

        assert found[0] == hub
        assert [entry["name"] for entry in found] == ["hub", "grafana-cloud", "mimir"]

    def test_says_what_was_written_with_credentials_as_files(self):
        """
        A reference to a Secret is the path of a mounted file, and headers stay as they are.
        """
        _, grafana, mimir = writes(fleet(agents={"eu1": {"destinations": BOTH}}))

        assert grafana["basic_auth"] == {"username": "123", "password_file": MOUNTED}
        assert mimir["headers"] == {"X-Scope-OrgID": "acme"}
        assert "allow_http" not in mimir

    def test_gives_series_their_cluster_before_peoples_rules(self):
        """
        A destination gets the label `cluster` of the agent, unless its own rules say otherwise.
        """
        renamed = {"source_labels": ["cluster"], "target_label": "site"}
        rules = [renamed, {"regex": "cluster", "action": "labeldrop"}]
        [_, entry] = writes(fleet(agents={"eu1": {"destinations": {"a": {**MIMIR, "write_relabel_configs": rules}}}}))

        found = relabel({"__name__": "up", "cluster": "eu1"}, entry["write_relabel_configs"])

        assert found == {"__name__": "up", "site": "eu1"}

    def test_bounds_shards_for_which_memory_is_planned(self):
        """
        A destination has ten shards and retries what is too much at once, unless its own queue says otherwise.
        """
        queues = {"usual": {}, "own": {"max_shards": 3, "retry_on_http_429": False}, "wide": {"min_shards": 20}}
        destinations = {name: {**MIMIR, "queue_config": queue} for name, queue in queues.items()}

        found = {entry["name"]: entry["queue_config"] for entry in writes(alone(**destinations), None)}

        assert found == {
            "usual": {"max_shards": 10, "retry_on_http_429": True},
            "own": {"max_shards": 3, "retry_on_http_429": False},
            "wide": {"max_shards": 20, "min_shards": 20, "retry_on_http_429": True},
        }

    def test_mounts_what_destinations_read(self):
        """
        The Secret of a destination is mounted where its entry reads it, and only in clusters that write there.
        """
        described = fleet(agents={"eu1": {"destinations": BOTH}})

        assert [(one.kind, one.name, one.key) for one in render.mounted_files(described, "eu1")] == [
            ("secret", "grafana-cloud", "token")
        ]
        assert render.mounted_files(described, "hub") == []

    def test_needs_no_hub(self, kubeconfig):
        """
        Without a hub it writes to its destinations only, and has neither a token nor an authority of a hub.
        """
        engine = Engine().deploy(lambda: deploy(alone(**BOTH)))

        [text] = [one.inputs["data"]["prometheus.yml"] for one in engine.all(CONFIG_MAP) if "config" in one.name]
        written = yaml.safe_load(text)["remote_write"]
        agent = engine.one(STATEFUL_SET, "prometheus-agent").inputs["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in agent["volumes"]}
        assert [entry["name"] for entry in written] == ["grafana-cloud", "mimir"]
        assert volumes == {"config", "data", "jobs"}
        assert engine.all(SECRET) == []


AMAZONS = {"max_samples_per_send": 1000, "max_shards": 200, "capacity": 2500}
"""What AWS recommends for its service."""
ROOM = {"components": {"prometheus": {"resources": {"limits": {"memory": "4Gi"}}}}}


class TestQueues:
    @pytest.mark.parametrize(
        ("queue", "instead"),
        [
            ({}, None),
            ({"max_shards": 10}, None),
            ({"max_shards": 11}, "Write max_shards: 10"),
            (AMAZONS, "Write max_shards: 34"),
            ({**AMAZONS, "max_shards": 34}, None),
            ({"capacity": 200_000}, "Write max_shards: 1"),
        ],
    )
    def test_check_warns_of_more_than_memory_is_planned_for(self, queue: dict[str, int], instead: str | None) -> None:
        """
        After an outage Prometheus uses all shards that it may, each with a buffer of its own.
        """
        found = [*large_queues(alone(amp={"url": "https://a.example", "queue_config": queue}))]

        assert [problem.path for problem in found] == (
            [("agents", "eu1", "destinations", "amp", "queue_config")] if instead else []
        )
        assert all(problem.instead.startswith(instead or "") for problem in found)

    @pytest.mark.parametrize("place", ["stack", "cluster"])
    def test_who_writes_the_memory_has_planned_it(self, place: str) -> None:
        """
        A limit of people's own is theirs.
        """
        amp = {"url": "https://a.example", "queue_config": AMAZONS}
        cluster = {"context": "eu1", **({"workloads": ROOM} if place == "cluster" else {})}
        stack = {"workloads": ROOM} if place == "stack" else {}
        agents = {"eu1": {"destinations": {"amp": amp}}}

        described = Fleet.model_validate({"clusters": {"eu1": cluster}, "agents": agents, **stack})

        assert [*large_queues(described)] == []


class TestServer:
    @pytest.mark.parametrize("section", ["hub", "standalone"])
    def test_forwards_without_touching_labels(self, section):
        """
        Series of all clusters are forwarded; only people's own rules relabel them.
        """
        said = {**HUB, "destinations": BOTH}
        described = Fleet.model_validate({"clusters": {"hub": {"context": "hub"}}, section: said})

        grafana, mimir = server_config(described)["remote_write"]

        assert grafana["write_relabel_configs"] == GRAFANA["write_relabel_configs"]
        assert "write_relabel_configs" not in mimir
        assert [one.name for one in render.mounted_files(described, "hub")] == ["grafana-cloud"]

    def test_of_a_watcher_reads_files_of_its_machine(self):
        """
        A path is left as it was written, and the hub's entry stays beside.
        """
        written = {"mimir": {**MIMIR, "authorization": {"credentials_file": "/etc/mimir/token"}}}
        watcher = {"clusters": ["eu1"], "hub": {"url": "https://h.example/w"}, "destinations": written}
        described = Fleet.model_validate({"clusters": {"eu1": {"context": "eu1"}}, "watcher": watcher})

        receiver = WatcherReceiver("https://h.example/w", own=False, has_authority=False)
        text = watcher_config(described, {"eu1": "https://eu1"}, receiver)

        hub, mimir = yaml.safe_load(text)["remote_write"]
        assert (hub["name"], mimir["name"]) == ("receiver", "mimir")
        assert mimir["authorization"] == {"credentials_file": "/etc/mimir/token"}


FULL = {
    "url": "https://a.example/w",
    "remote_timeout": "30s",
    "headers": {"x_scope_orgid": "acme"},
    "send_exemplars": True,
    "send_native_histograms": True,
    "round_robin_dns": True,
    "protobuf_message": "io.prometheus.write.v2.Request",
    "follow_redirects": True,
    "enable_http2": False,
    "proxy_url": "http://proxy.example:3128",
    "no_proxy": "10.0.0.0/8",
    "tls_config": {"ca": PASSWORD, "cert": PASSWORD, "key": PASSWORD, "server_name": "a", "min_version": "TLS12"},
    "queue_config": {"capacity": 5, "batch_send_deadline": "5s", "min_backoff": "1s", "max_backoff": "2s"},
    "metadata_config": {"send": True, "send_interval": "1m", "max_samples_per_send": 5},
    "write_relabel_configs": [{"source_labels": ["a"], "target_label": "b"}],
}
AUTHENTICATED = {
    "basic_auth": {"username": PASSWORD, "password": PASSWORD},
    "authorization": {"type": "Bearer", "credentials": PASSWORD},
    "sigv4": {"region": "eu-west-1", "profile": "a", "role_arn": "b"},
    "azuread": {"cloud": "AzurePublic", "managed_identity": {"client_id": "a"}},
}


def operated_schema(kind: str) -> dict[str, Any]:
    [found] = [one for one in definitions() if one["spec"]["names"]["kind"] == kind]
    spec = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec["properties"]["remoteWrite"]["items"]["properties"]


def unknown(value: Any, known: dict[str, Any]) -> list[str]:
    """Keys that a schema does not have, at any depth."""
    if not isinstance(value, dict) or not known:
        return []
    return [
        *(key for key in value if key not in known),
        *(key for name, one in value.items() for key in unknown(one, known.get(name, {}).get("properties", {}))),
    ]


class TestOperated:
    @pytest.mark.parametrize("how", AUTHENTICATED)
    def test_every_field_is_one_of_the_custom_resource(self, how):
        """
        What is not refused has a counterpart under the name that the custom resources have for it.
        """
        destination = {**FULL, how: AUTHENTICATED[how]}
        described = fleet(operator=True, agents={"eu1": {"destinations": {"a": destination}}})
        schema = operated_schema("PrometheusAgent")

        _, found = render.operated_remote_write(described, "eu1", UNKNOWN, **FILES)

        assert unknown({key: value for key, value in found.items() if key != "headers"}, schema) == []
        assert found["headers"] == {"x_scope_orgid": "acme"}
        assert (found["name"], found["messageVersion"]) == ("a", "V2.0")

    def test_takes_user_and_password_from_secrets(self):
        """
        The custom resource has no file of a password, so that it is given the Secret.
        """
        destination = {**FULL, "basic_auth": AUTHENTICATED["basic_auth"]}
        described = fleet(operator=True, hub={**HUB, "destinations": {"a": destination}})

        [found] = render.operated_server(server(described), described).spec["remoteWrite"]

        selector = {"name": "grafana-cloud", "key": "token"}
        assert found["basicAuth"] == {"username": selector, "password": selector}

    def test_what_is_refused_is_what_is_missing(self):
        """
        Every field has a counterpart in the custom resource, or is refused.
        """
        schema = operated_schema("PrometheusAgent")
        ours = {"allow_http", "proxy_connect_header"}
        renamed = {"azuread": "azureAd", "enable_http2": "enableHTTP2", "protobuf_message": "messageVersion"}
        renamed["round_robin_dns"] = "roundRobinDNS"

        missing = {name for name in FIELDS if renamed.get(name, camel(name)) not in schema} - ours

        assert missing == {field[0] for field in NOT_OPERATED if len(field) == 1} - {"oauth2"}
