"""People's own scrape jobs: `scrape_config` of Prometheus as it is, with little added and little forbidden."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import promql_parser
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import Path, Problem, RulesError
from .kinds import BOOL, COUNT, LENGTH, LIST, MAPPING, NUMBER, RULES, TEXT, Kind, halves, unknown_or_wrong
from .read_files import ReadFiles
from .relabelling import malformed
from .reserved import OUR_JOBS
from .scrape_credentials import OF_AWS, ROLE_OF_AWS, WithFiles, files
from .types import UNBRACKETED

DISCOVERY = (
    "static_configs",
    *(
        f"{name}_sd_configs"
        for name in (
            *("aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "ecs", "elasticache"),
            *("eureka", "file", "gce", "hetzner", "http", "ionos", "kubernetes", "kuma", "lightsail", "linode"),
            *("marathon", "msk", "nerve", "nomad", "oci", "openstack", "outscale", "ovhcloud", "puppetdb", "rds"),
            *("scaleway", "serverset", "stackit", "triton", "uyuni", "vultr"),
        )
    ),
)
"""How Prometheus 3.15 finds targets (discovery/install)."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]?)(?:i?B)?")
_UNITS = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}


def seconds_of(duration: str) -> float:
    """The length of a duration as Prometheus writes it, with several units too."""
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[ywdhms])", duration))


def bytes_of(size: str) -> float:
    """A size as Prometheus writes it, in which every unit is a power of 1024."""
    match = _SIZE.fullmatch(size)
    if match is None:
        raise ValueError(f"{size} is not a size")
    return float(match[1]) * 1024 ** " KMGTPE".index(match[2] or " ")


def _is_size(value: object) -> bool:
    return value == 0 or (isinstance(value, str) and bool(_SIZE.fullmatch(value)))


_SCHEME = Kind(("http", "https").__contains__, "is none of the choices", "Write http or https.", is_shown=True)
_PARAMS = Kind(
    lambda value: isinstance(value, Mapping) and all(isinstance(one, list | tuple) for one in value.values()),
    "is not a mapping to lists",
    "Write {module: [http_2xx]}.",
)
_GROUP = {"targets": LIST, "labels": MAPPING}
_BYTES = Kind(_is_size, "is not a size", "Write a number and its unit: 10MiB.", is_shown=True)
_FIELDS: Mapping[str, Kind] = {
    "job_name": TEXT,
    "clusters": LIST,
    **dict.fromkeys(("scrape_interval", "scrape_timeout"), LENGTH),
    **dict.fromkeys(
        (
            *("honor_labels", "honor_timestamps", "track_timestamps_staleness", "enable_compression"),
            *("scrape_native_histograms", "always_scrape_classic_histograms", "convert_classic_histograms_to_nhcb"),
            *("extra_scrape_metrics", "follow_redirects", "enable_http2", "proxy_from_environment"),
        ),
        BOOL,
    ),
    **dict.fromkeys(
        (
            *("sample_limit", "target_limit", "label_limit", "label_name_length_limit", "label_value_length_limit"),
            *("native_histogram_bucket_limit", "keep_dropped_targets"),
        ),
        COUNT,
    ),
    "native_histogram_min_bucket_factor": NUMBER,
    "body_size_limit": _BYTES,
    **dict.fromkeys(
        (
            *("metrics_path", "fallback_scrape_protocol", "metric_name_validation_scheme"),
            *("metric_name_escaping_scheme", "proxy_url", "no_proxy"),
        ),
        TEXT,
    ),
    "scheme": _SCHEME,
    "scrape_protocols": LIST,
    "params": _PARAMS,
    **dict.fromkeys(
        (
            *("basic_auth", "authorization", "oauth2", "tls_config", "http_headers"),
            "proxy_connect_header",
        ),
        MAPPING,
    ),
    **dict.fromkeys(("relabel_configs", "metric_relabel_configs", *DISCOVERY), RULES),
}
"""
Field of a `scrape_config` of Prometheus 3.15 -> what it is.

Of `ScrapeConfig` in config/config.go, and `HTTPClientConfig` in prometheus/common 0.71. What is inside them promtool
judges. The fields without a kind, of credentials, are in `_UNJUDGED`.
"""
_UNJUDGED = ("bearer_token", "bearer_token_file")
_KNOWN = (*_FIELDS, *_UNJUDGED)
_OURS = ("job_name", "clusters")
_OF_CLIENTS = ("scheme", "basic_auth", "authorization", "tls_config", "http_headers", "enable_http2")
"""Fields that say how a target is asked, and not which."""
_REFUSED = {
    "scrape_failure_log_file": (
        "would write to a file system that is read-only",
        "Remove it: /targets shows why scrapes fail, and `up` that they do.",
    ),
    "remote_write": (
        "is no field of a scrape job",
        "Write its entries in agents.<name>.destinations, or in destinations of the server.",
    ),
    "global": ("is no field of a scrape job", "Write scrape.interval and scrape.timeout."),
    "scrape_config_files": ("is no field of a scrape job", "Write the files as entries of scrape.jobs: jobs/*.yaml."),
    "scrape_configs": ("is no field of a scrape job", "Write its jobs as entries of scrape.jobs."),
}
_BESIDE = {
    "global": "Remove it: intervals and limits of all jobs are scrape.interval, scrape.timeout and scrape.limits.",
    "scrape_config_files": "Remove it, and write these files as entries of scrape.jobs.",
}

LIMITS = {
    "sample_limit": "samples",
    "target_limit": "targets",
    "label_limit": "labels",
    "label_name_length_limit": "labelName",
    "label_value_length_limit": "labelValue",
    "body_size_limit": "body",
}
"""Field of a `scrape_config` -> the field of `scrape.limits` that it may not exceed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeConfig(WithFiles):
    """One entry of `scrape_configs`, of whoever wrote the stack file."""

    path: Path
    """Where it was written, below `scrape.jobs`."""
    name: str
    clusters: tuple[str, ...] | None
    """The clusters in which it is scraped; all, if None."""
    config: Mapping[str, Any]
    """Its fields but `job_name` and `clusters`, with a `MountedFile` where Prometheus expects the path of one."""

    def is_in(self, cluster: str) -> bool:
        """Whether it is scraped in a cluster."""
        return self.clusters is None or cluster in self.clusters


def is_elsewhere(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of `kubernetes_sd_configs` asks another API server than that of the own cluster."""
    return bool(entry.get("api_server") or entry.get("kubeconfig_file"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig(WithFiles):
    """How targets are asked that this program finds: fields of a `scrape_config`."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """With a `MountedFile` where Prometheus expects the path of one."""


class ClientConfigs:
    """The type of a `ClientConfig` in the stack file."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(parsed_client)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "object", "properties": {name: {} for name in _OF_CLIENTS}, "additionalProperties": False}


def parsed_client(written: object) -> ClientConfig:
    """How targets are asked; raises RulesError with every problem."""
    if isinstance(written, ClientConfig):
        return written
    if not isinstance(written, Mapping):
        raise RulesError([Problem((), MAPPING.rule, MAPPING.instead)])
    found, of_clients = files(written, _OF_CLIENTS), {name: _FIELDS[name] for name in _OF_CLIENTS}
    if problems := [
        *unknown_or_wrong(written, of_clients, _REFUSED, f"Known here: {', '.join(of_clients)}."),
        *found.problems,
    ] or [*halves(written)]:
        raise RulesError(problems)
    return ClientConfig(config=found.config, mounted=tuple(found.mounted), literal=tuple(found.literal))


class ScrapeConfigs:
    """The type of `scrape.jobs`: every job, in the order in which they are written."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(parsed)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        known = {name: {} for name in _KNOWN}
        config = {"type": "object", "required": ["job_name"], "properties": known, "additionalProperties": False}
        return {"type": "array", "items": {"anyOf": [{"type": "string"}, config]}}


def parsed(written: object) -> tuple[ScrapeConfig, ...]:
    """Every job of a list of jobs and read files; raises RulesError with every problem."""
    if not isinstance(written, list | tuple):
        raise RulesError([Problem((), "is not a list", "Begin each job with a hyphen: - job_name: etcd.", written)])
    found = [
        one
        for index, entry in enumerate(written)
        for path, config in _entries(entry, (index,))
        for one in _job(config, path)
    ]
    if problems := [one for one in found if isinstance(one, Problem)]:
        raise RulesError(problems)
    return tuple(one for one in found if isinstance(one, ScrapeConfig))


def _entries(entry: object, path: Path) -> Iterator[tuple[Path, object]]:
    """What one entry holds: a job, or all those of its files; or a problem."""
    if isinstance(entry, ScrapeConfig | Mapping):
        yield path, entry
    elif isinstance(entry, ReadFiles):
        for name, document in entry.documents.items():
            yield from _of_file(document, (*path, name))
    else:
        instead = "Write a job with job_name, or the path of a file with jobs: jobs/etcd.yaml."
        yield path, Problem(path, "is neither a job nor a file", instead)


def _of_file(document: object, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(document, Problem):
        yield path, document.under(path[:1])
        return
    if isinstance(document, Mapping):
        for key in document:
            if key != "scrape_configs":
                instead = _BESIDE.get(key, "Remove it.")
                yield path, Problem((*path, key), "is not read: of a file only scrape_configs is", instead)
        path, document = (*path, "scrape_configs"), document.get("scrape_configs")
    if not isinstance(document, list) or not document:
        instead = "Write a list of jobs, or a mapping with scrape_configs."
        yield path, Problem(path, "has no list of jobs", instead)
        return
    for index, config in enumerate(document):
        yield (*path, index), config


def _job(written: object, path: Path) -> Sequence[ScrapeConfig | Problem]:
    """The job, or its problems; what is one of them already is left as it is."""
    if isinstance(written, ScrapeConfig | Problem):
        return [written]
    if not isinstance(written, Mapping):
        return [Problem(path, "is not a mapping", "Write a job with job_name.")]
    found = files({key: value for key, value in written.items() if key not in _OURS}, _KNOWN)
    problems = [problem.under(path) for problem in (*_broken(written), *found.problems)]
    if problems := problems or [problem.under(path) for problem in halves(written)]:
        return problems
    name, clusters = written["job_name"], written.get("clusters")
    return [
        ScrapeConfig(
            path=path,
            name=name,
            clusters=None if clusters is None else tuple(clusters),
            config=found.config,
            mounted=tuple(found.mounted),
            literal=tuple(found.literal),
        )
    ]


def _broken(written: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the fields themselves."""
    otherwise = "Write a field of scrape_config, as Prometheus 3.15 has."
    yield from unknown_or_wrong(written, _FIELDS, _REFUSED, otherwise, _UNJUDGED)
    if "job_name" not in written:
        yield Problem(("job_name",), "is missing", "Add it: the value of the label job.")
    yield from _name(written.get("job_name"))
    yield from _clusters(written.get("clusters"))
    if not any(written.get(key) for key in DISCOVERY):
        yield Problem((), "has no targets", "Write static_configs: [{targets: [host:port]}], or a discovery.")
    yield from _groups(written)
    yield from _path(written.get("metrics_path"))
    yield from _selectors(written.get("params"))
    yield from _relabelling(written)
    yield from _timeout(written)
    yield from _lone_keys(written)


def _name(name: object) -> Iterator[Problem]:
    if isinstance(name, str) and re.fullmatch(OUR_JOBS, name):
        yield Problem(("job_name",), "is the name of a job of promfleet", "Use another name.", name)


def _clusters(clusters: object) -> Iterator[Problem]:
    if not isinstance(clusters, list | tuple):
        return
    if not clusters:
        yield Problem(("clusters",), "is empty", "Write at least one, or remove it for all clusters.")
    for index, cluster in enumerate(clusters):
        if not isinstance(cluster, str):
            yield Problem(("clusters", index), "is not a string", "Write the name of a cluster.")
        elif cluster in clusters[:index]:
            yield Problem(("clusters", index), "is written twice", "Name each once.", cluster)


def _groups(written: Mapping[str, Any]) -> Iterator[Problem]:
    """Targets are addresses. Prometheus checks only those without relabelling, and this program adds some."""
    if not RULES.accepts(groups := written.get("static_configs", [])):
        return
    for index, group in enumerate(groups):
        here: Path = ("static_configs", index)
        for problem in unknown_or_wrong(group, _GROUP, {}, "Known here: targets, labels."):
            yield problem.under(here)
        targets = () if written.get("relabel_configs") else group.get("targets")
        for place, target in enumerate(targets if isinstance(targets, list | tuple) else ()):
            if isinstance(target, str):
                yield from (problem.under((*here, "targets", place)) for problem in _address(target))


def _address(target: str) -> Iterator[Problem]:
    if "/" in target:
        yield Problem((), "is a URL", "Write host:port, and beside it scheme and metrics_path.", target)
    elif target.count(":") > 1 and "[" not in target:
        match = re.fullmatch(UNBRACKETED, target)
        instead = match.expand(r"Write [\1]:\2.") if match else f"Write [{target}]:9100, with its port."
        yield Problem((), "is an IPv6 address without brackets", instead, target)


def _path(path: object) -> Iterator[Problem]:
    """Prometheus escapes a question mark in the path, so that no target has it."""
    if isinstance(path, str) and "?" in path:
        alone, _, query = path.partition("?")
        params = ", ".join(f"{name}: [{', '.join(values)}]" for name, values in parse_qs(query).items())
        instead = f"Write {alone}, and beside it params{f': {{{params}}}' if params else ''}."
        yield Problem(("metrics_path",), "has a query", instead)


_OF_QUERIES = "non-empty matcher"
"""In the error about a selector of all series, which a federation may ask for, and no query."""


def _selectors(params: object) -> Iterator[Problem]:
    """What a federation asks for: a Prometheus answers 400 to a selector that does not parse."""
    if not isinstance(params, Mapping) or not _PARAMS.accepts(params):
        return
    for index, text in enumerate(params.get("match[]", ())):
        rule = "is no selector of series"
        try:
            if isinstance(promql_parser.parse(text), promql_parser.VectorSelector):
                continue
        except (TypeError, ValueError) as error:
            if _OF_QUERIES in str(error):
                continue
            rule = f"{rule}: {error}"
        yield Problem(("params", "match[]", index), rule, 'Correct it: {job="node"}.', text)


def _relabelling(written: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("relabel_configs", "metric_relabel_configs"):
        if RULES.accepts(rules := written.get(key, [])):
            yield from (problem.under((key,)) for problem in malformed(rules))


def _lone_keys(written: Mapping[str, Any]) -> Iterator[Problem]:
    """Access keys of AWS, with which a discovery fails: their secrets are refused by the field's own rule."""
    for discovery in OF_AWS:
        found = written.get(discovery, [])
        for index, one in enumerate(found if isinstance(found, list | tuple) else ()):
            if isinstance(one, Mapping) and "access_key" in one and "secret_key" not in one:
                yield Problem((discovery, index, "access_key"), "is a key without its secret", ROLE_OF_AWS)


def _timeout(written: Mapping[str, Any]) -> Iterator[Problem]:
    timeout, interval = written.get("scrape_timeout"), written.get("scrape_interval")
    if LENGTH.accepts(timeout) and LENGTH.accepts(interval) and seconds_of(str(timeout)) > seconds_of(str(interval)):
        rule = f"is longer than scrape_interval, {interval}"
        yield Problem(("scrape_timeout",), rule, f"Write {interval} or less.", timeout)


def above_limits(
    jobs: Iterable[ScrapeConfig], allowed: Mapping[str, float], interval: float, pace: str
) -> Iterator[Problem]:
    """Jobs that want more than all may have; `allowed` has fields of `scrape.limits`, 0 for no limit."""
    for job in jobs:
        for name, limit in LIMITS.items():
            value = job.config.get(name, 0)
            wanted = bytes_of(value) if isinstance(value, str) else value
            if allowed[limit] and wanted > allowed[limit]:
                rule = f"is more than scrape.limits.{limit}, which holds for all jobs"
                yield Problem((*job.path, name), rule, f"Write less, or raise scrape.limits.{limit}.", value)
        yield from _too_many(job, allowed["targets"])
        timeout = job.config.get("scrape_timeout")
        if timeout and "scrape_interval" not in job.config and seconds_of(timeout) > interval:
            rule, instead = f"is longer than scrape.interval, {pace}", "Write less, or a scrape_interval."
            yield Problem((*job.path, "scrape_timeout"), rule, instead, timeout)


def _too_many(job: ScrapeConfig, allowed: float) -> Iterator[Problem]:
    """More targets than the job may have, unless relabelling may drop some."""
    own = job.config.get("target_limit")
    limit, count = own or allowed, sum(len(group.get("targets", ())) for group in job.config.get("static_configs", ()))
    if limit and count > limit and not job.config.get("relabel_configs"):
        rule = f"has {count} targets, and the job may have {limit}: Prometheus would scrape none of them"
        instead = f"Write fewer, or raise {'target_limit' if own else 'scrape.limits.targets'}."
        yield Problem((*job.path, "static_configs"), rule, instead)
