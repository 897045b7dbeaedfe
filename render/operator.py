"""
What an agent and a server do, as fields of the Prometheus Operator's custom resources.

Everything here is translated from what is rendered for Prometheus itself, so that both shapes differ in nothing that
the operator leaves open. The fields are those of release 0.85.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from settings import Fleet, Server
from settings.destinations import MESSAGE_1, MESSAGE_2, Destination
from settings.images import release
from settings.operator import Operator, Select

from .alerting import alerting
from .prometheus.agent import agent_remote_write, agent_scrape_configs
from .prometheus.destinations import destination_entries
from .prometheus.flags import LONGEST_START, agent_flags, server_flags
from .prometheus.global_config import global_section
from .prometheus.server import server_scrape_configs, server_storage
from .prometheus.wal import WalPlan
from .rules import server_rule_groups
from .scrape.annotated import FALLBACK
from .scrape.applications import ADDED, application_job
from .scrape.relabel import MOVED, Rule, constant, drop, external
from .scrape.sharding import kept_by
from .scrape.untrusted import OWNED_BEFORE_MONITORS
from .yaml import to_yaml

SCRAPE, ALERTMANAGERS, ALERT_RELABEL = "scrape-configs.yaml", "alertmanagers.yaml", "alert-relabel-configs.yaml"
"""Files of the Secret with what the custom resources take as it stands in prometheus.yml."""
_OF_THE_OPERATOR = frozenset(
    {
        *("agent", "config.auto-reload", "config.auto-reload-interval", "config.file", "enable-feature"),
        *("storage.agent.path", "storage.tsdb.path", "web.enable-remote-write-receiver", "web.listen-address"),
        "web.max-connections",
    }
)
"""Flags that it sets from other fields, and refuses among `additionalArgs`."""
_ENFORCED = {
    "sample_limit": "SampleLimit",
    "target_limit": "TargetLimit",
    "label_limit": "LabelLimit",
    "label_name_length_limit": "LabelNameLengthLimit",
    "label_value_length_limit": "LabelValueLengthLimit",
    "body_size_limit": "BodySizeLimit",
    "keep_dropped_targets": "KeepDroppedTargets",
}
"""Setting of the global section -> field that no monitor may exceed."""
_PACE = {"scrape_interval": "interval", "scrape_timeout": "scrapeTimeout"}
"""Field of a job -> field of an endpoint of a monitor."""
_RENAMED = {
    "azuread": "azureAd",
    "enable_http2": "enableHTTP2",
    "protobuf_message": "messageVersion",
    "retry_on_http_429": "retryOnRateLimit",
    "round_robin_dns": "roundRobinDNS",
}
_MESSAGES = {MESSAGE_1: "V1.0", MESSAGE_2: "V2.0"}
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that every namespace has: its name."""
_MONITORS = ("serviceMonitor", "podMonitor", "probe", "scrapeConfig")


class Operated(NamedTuple):
    """A Prometheus that the operator runs."""

    spec: Mapping[str, Any]
    """Fields of its custom resource, without its pod and without references to the files."""
    files: Mapping[str, str]
    """Files of the Secret that it refers to: name -> text."""
    rules: Mapping[str, Mapping[str, Any]]
    """Name -> `spec` of a PrometheusRule."""
    labels: Mapping[str, str]
    """Labels without which it would not use these PrometheusRules."""


def operated_agent(fleet: Fleet, cluster: str, plan: WalPlan, shard: int = 0) -> Operated:
    """
    Return an agent, or one of its shards, as a PrometheusAgent, whose `remoteWrite` is `operated_remote_write`.

    The field `shards` is not used: all pods of one resource would have one volume, or each another than the agent had
    before it was divided.
    """
    kept = kept_by(shard, fleet.agents[cluster].shards)
    spec = {**_common(fleet, cluster, agent_flags(plan), kept), **selectors(fleet, cluster)}
    files = {SCRAPE: to_yaml(agent_scrape_configs(fleet, cluster, shard))}
    return Operated(spec, files, {}, monitor_labels(fleet, cluster))


def operated_remote_write(
    fleet: Fleet, cluster: str, url: str | None, *, own: bool, ca_file: str | None, token_file: str
) -> list[dict[str, Any]]:
    """Return the field `remoteWrite` of an agent; arguments as of `agent_config`."""
    written = agent_remote_write(fleet, cluster, url, own=own, ca_file=ca_file, token_file=token_file)
    return _written(written, fleet.destinations_of(cluster))


def _written(entries: Iterable[dict[str, Any]], destinations: Mapping[str, Destination]) -> list[dict[str, Any]]:
    """Entries of `remote_write` as `remoteWrite`, which takes user and password from Secrets, and not from files."""
    found = []
    for entry in entries:
        translated = _translated(entry)
        if (destination := destinations.get(entry["name"])) and "basic_auth" in entry:
            translated["basicAuth"] = {
                key.removesuffix("_file"): {"name": file.name, "key": file.key}
                for key, file in destination.config["basic_auth"].items()
            }
        found.append(translated)
    return found


def operated_server(server: Server, fleet: Fleet) -> Operated:
    """Return a server as a Prometheus."""
    flags = server_flags(fleet)
    storage = server_storage(server)
    spec = {
        **_common(fleet, server.cluster, flags),
        **selectors(fleet, server.cluster),
        "evaluationInterval": fleet.scrape.interval,
        "retention": storage["tsdb"]["retention"]["time"],
        "retentionSize": storage["tsdb"]["retention"]["size"],
        "tsdb": {"outOfOrderTimeWindow": storage["tsdb"]["out_of_order_time_window"]},
        "exemplars": {"maxSize": storage["exemplars"]["max_exemplars"]},
        "enableRemoteWriteReceiver": "--web.enable-remote-write-receiver" in flags,
        "web": {"maxConnections": int(_values(flags, "web.max-connections")[0])},
    }
    if server.destinations:
        spec["remoteWrite"] = _written(
            destination_entries(server.destinations, proxied=fleet.has_proxy(server.cluster)), server.destinations
        )
    files = {SCRAPE: to_yaml(server_scrape_configs(server, fleet))}
    if notified := alerting(server, fleet):
        files[ALERTMANAGERS] = to_yaml(notified["alertmanagers"])
        files[ALERT_RELABEL] = to_yaml(notified["alert_relabel_configs"])
    return Operated(spec, files, server_rule_groups(fleet), monitor_labels(fleet, server.cluster))


def operated_application(fleet: Fleet, name: str) -> dict[str, Any]:
    """
    Return an application as the `spec` of a ServiceMonitor, whose series have the labels of the plain job.

    The operator itself chooses the targets, and gives them all labels but those of `ADDED`. What no monitor may bring
    is in the scrape class.
    """
    application, job = fleet.applications[name], application_job(fleet, name)
    pace = {_PACE[key]: value for key, value in job.options.items() if key in _PACE}
    return {
        "selector": {"matchLabels": dict(application.selector)},
        "endpoints": [
            {
                "port": application.port,
                "path": application.path,
                **pace,
                "followRedirects": False,
                "relabelings": _translated([constant("job", job.name), *ADDED]),
            }
        ],
        **_translated({key: value for key, value in job.options.items() if key not in _PACE}),
    }


def monitor_labels(fleet: Fleet, cluster: str) -> Mapping[str, str]:
    """Return the labels without which the Prometheus of a cluster would not use a monitor."""
    return _select(fleet, cluster).labels


def selectors(fleet: Fleet, cluster: str) -> dict[str, Any]:
    """
    Return the fields that choose what the Prometheus of a cluster reads: monitors, and rules if it is a server.

    An empty selector chooses all, and none at all chooses nothing.
    """
    select = _select(fleet, cluster)
    objects = {"matchLabels": dict(select.labels)} if select.labels else {}
    names = sorted({*select.namespaces, fleet.namespace})
    expression = {"key": NAMESPACE_NAME, "operator": "In", "values": names}
    namespaces = {"matchExpressions": [expression]} if select.namespaces else {}
    evaluates = fleet.server is not None and fleet.server.cluster == cluster
    found = {}
    for kind in (*_MONITORS, "rule") if evaluates else _MONITORS:
        found |= {f"{kind}Selector": objects, f"{kind}NamespaceSelector": namespaces}
    return found


def judged(fleet: Fleet, cluster: str) -> dict[str, Any]:
    """
    Return the selectors of the webhook that judges PrometheusRules: those that are used, without this program's own.

    Its own are tested before they are released, and an update must not depend on whether the webhook answers.
    """
    chosen = selectors(fleet, cluster)
    expressions = chosen["ruleNamespaceSelector"].get("matchExpressions", [])
    own = {"key": NAMESPACE_NAME, "operator": "NotIn", "values": [fleet.namespace]}
    return {"object_selector": chosen["ruleSelector"], "namespace_selector": {"matchExpressions": [*expressions, own]}}


def monitored_namespaces(fleet: Fleet, cluster: str) -> Sequence[str]:
    """Return the namespaces whose monitors the Prometheus of a cluster uses; none if it uses those of all, or none."""
    return _select(fleet, cluster).namespaces


def _common(fleet: Fleet, cluster: str, flags: Sequence[str], kept: Sequence[Rule] = ()) -> dict[str, Any]:
    """
    Fields that both kinds have; `kept` chooses among the targets of monitors those of a shard.

    A monitor gets the label `cluster` when its targets are found, so that a series with another one keeps that as
    `exported_cluster`. It may neither honour labels nor read files of the pod, such as the token for remote write.
    """
    section = global_section(fleet, cluster)
    features = [
        *_values(flags, "enable-feature"),
        *(["extra-scrape-metrics"] if section["extra_scrape_metrics"] else []),
    ]
    labelled = [*external(fleet.labels_of(cluster)), constant("cluster", cluster), *kept]
    bounds = {field: section[name] for name, field in _ENFORCED.items() if section[name]}
    return {
        "image": fleet.images.prometheus,
        "version": f"v{release(fleet.images.prometheus)}",
        "replicas": 1,
        "listenLocal": True,
        "maximumStartupDurationSeconds": LONGEST_START,
        "scrapeInterval": section["scrape_interval"],
        "scrapeTimeout": section["scrape_timeout"],
        "externalLabels": section["external_labels"],
        "prometheusExternalLabelName": "",
        "replicaExternalLabelName": "",
        **{field[0].lower() + field[1:]: bound for field, bound in bounds.items()},
        **{f"enforced{field}": bound for field, bound in bounds.items()},
        "enableFeatures": features,
        "additionalArgs": [*_additional(flags)],
        "serviceDiscoveryRole": "EndpointSlice",
        "overrideHonorLabels": True,
        "arbitraryFSAccessThroughSMs": {"deny": True},
        "scrapeClasses": [
            {
                "name": "promfleet",
                "default": True,
                "fallbackScrapeProtocol": FALLBACK,
                "relabelings": [_translated(rule) for rule in labelled],
                "metricRelabelings": [
                    _translated(rule) for rule in (drop(["__name__"], "|".join(OWNED_BEFORE_MONITORS)), *MOVED)
                ],
            }
        ],
    }


def _select(fleet: Fleet, cluster: str) -> Select:
    return (fleet.clusters[cluster].operator or Operator()).select


def _additional(flags: Iterable[str]) -> Iterable[dict[str, str]]:
    """The flags that the operator does not set itself, as `additionalArgs`."""
    for flag in flags:
        name, _, value = flag.removeprefix("--").partition("=")
        if name not in _OF_THE_OPERATOR:
            yield {"name": name, **({"value": value} if value else {})}


def _values(flags: Iterable[str], name: str) -> list[str]:
    return [flag.partition("=")[2] for flag in flags if flag.startswith(f"--{name}=")]


def _translated(value: Any) -> Any:
    """A part of prometheus.yml with the names that the custom resources have for its fields."""
    if isinstance(value, dict):
        return {_field(key): _value(key, one) for key, one in value.items()}
    return [_translated(item) for item in value] if isinstance(value, list) else value


def _value(key: str, value: Any) -> Any:
    if key == "headers":  # their names are nobody's fields
        return value
    return _MESSAGES.get(value, value) if key == "protobuf_message" else _translated(value)


def _field(name: str) -> str:
    return _RENAMED.get(name) or camel(name)


def camel(name: str) -> str:
    """Return the name of a field as custom resources spell it."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
