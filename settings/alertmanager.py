"""Settings of Alertmanager: receivers, routes and grouping."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from .errors import Path, Problem
from .expose import ExposedHost
from .integrations import INTEGRATIONS
from .receiver_config import Integrations, ReceiverConfigs, undefined_templates
from .secret_key import SecretKey
from .section import Distinct, Many, Section, Table, empty
from .template_files import Templates
from .types import (
    Address,
    DnsLabel,
    DnsName,
    Duration,
    Host,
    LabelName,
    Line,
    Quantity,
    refused,
    seconds,
    untemplated,
)

NOBODY = "nobody"
"""Receiver in Alertmanager's file for alerts that notify nobody."""
ALWAYS_GROUPED = ("alertname", "cluster", "team")
"""Labels by which alerts are always grouped."""
Executed = Annotated[Line, untemplated("Alertmanager")]
"""A text that Alertmanager executes as a template."""
_OFTEN, _SELDOM = 60, 3600
_REMEMBERED = 120 * 3600  # the default of --data.retention


def _is_free(name: DnsLabel) -> DnsLabel:
    if name == NOBODY:
        raise refused("is the name of a receiver that always exists", "Use another name.")
    return name


def _is_a_pulse(every: Duration) -> Duration:
    if not _OFTEN <= seconds(every) <= _SELDOM:
        instead = "Write 5m. The service that receives it should alert when two in a row are missing."
        raise refused("is not between 1m and 1h", instead)
    return every


class Integration(Section):
    """One integration of a receiver."""

    secret: SecretKey | None = None
    """Kubernetes Secret that holds its credential; the stack's secret if left out."""


class Slack(Integration):
    """An incoming webhook; its URL is the secret `promfleet:<receiver>Slack`."""

    channel: Executed
    """`#channel` or `@person`."""


class VictorOps(Integration):
    """Splunk On-Call; its API key is the secret `promfleet:<receiver>VictorOps`."""

    routing_key: Executed
    """Routing key of the escalation policy there."""


class PagerDuty(Integration):
    """Events API v2; its integration key is the secret `promfleet:<receiver>PagerDuty`."""


class Email(Integration):
    """Mail through a smarthost that speaks TLS; the password is the secret `promfleet:<receiver>Email`."""

    to: Annotated[Distinct[Address], Field(min_length=1)]
    """Recipients."""
    sender: Address
    """Address in the From header."""
    host: Host
    """Host of the smarthost."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Port of the smarthost."""
    username: Line | None = None
    """Username for SMTP authentication; the sender's address if left out."""


class Webhook(Integration):
    """Alertmanager's own JSON; the URL, which often holds a token, is the secret `promfleet:<receiver>Webhook`."""


class Contact(Section):
    """One receiver of Alertmanager with its integrations. `{}` notifies nobody."""

    slack: Slack | None = None
    victor_ops: VictorOps | None = None
    pager_duty: PagerDuty | None = None
    email: Email | None = None
    webhook: Webhook | None = None
    configs: Annotated[ReceiverConfigs | None, Integrations()] = None
    """Integrations as Alertmanager has them, several of a kind: `opsgenie_configs: […]`; credentials are references."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        name: ("is Alertmanager's own", f"Write it below configs: configs: {{{kind}: [{{…}}]}}.")
        for kind in INTEGRATIONS
        for name in (kind, kind.removesuffix("_configs"))
        if name not in ("slack", "email", "webhook", "pagerduty", "victorops")
    } | {
        "msTeams": ("is Alertmanager's own", "Write it below configs: configs: {msteamsv2_configs: [{…}]}."),
    }

    @property
    def integrations(self) -> Mapping[str, Integration]:
        """The integrations that are set, by the field's name in Python."""
        return {name: value for name in Contact.model_fields if isinstance(value := getattr(self, name), Integration)}


class Route(Section):
    """Sends alerts to one receiver: those that match every condition written here."""

    receiver: DnsLabel
    """Name of a receiver in `receivers`."""
    teams: Distinct[DnsLabel] = ()
    """Any of these teams; all if left out, as with the conditions below."""
    clusters: Distinct[DnsLabel] = ()
    """Any of these clusters."""
    namespaces: Distinct[DnsLabel] = ()
    """Any of these namespaces; an alert without a namespace matches none."""
    severities: Distinct[Literal["critical", "warning", "info"]] = ()
    """Any of these severities; alerts with the severity `none` notify nobody."""
    resume: Annotated[bool, Field(alias="continue")] = False
    """Whether an alert that matches is also matched against the routes after it."""

    def problems(self) -> Iterator[Problem]:
        """A route has at least one condition."""
        if not any(self.matches):
            instead = "Write teams, clusters, namespaces or severities, or name the receiver in default instead."
            yield Problem((), "matches every alert", instead)

    @property
    def matches(self) -> tuple[frozenset[str], ...]:
        """What each label must be one of, in one order for all routes; an empty set matches everything."""
        return tuple(map(frozenset, (self.teams, self.clusters, self.namespaces, self.severities)))

    def shadows(self, other: "Route") -> bool:
        """Whether every alert that matches the other route stops at this one, if this one comes first."""
        return not self.resume and self._covers(other)

    def repeats(self, other: "Route") -> bool:
        """Whether every alert that matches the other route goes to the same receiver through this one."""
        return self.receiver == other.receiver and self._covers(other)

    def _covers(self, other: "Route") -> bool:
        pairs = zip(self.matches, other.matches, strict=True)
        return all(not mine or (theirs and theirs <= mine) for mine, theirs in pairs)


class Heartbeat(Section):
    """Dead man's switch: a receiver is notified all the time, and raises an alarm when notifications stop."""

    receiver: DnsLabel
    """Name of a receiver in `receivers`."""
    every: Annotated[Duration, AfterValidator(_is_a_pulse)] = "5m"
    """Time between two notifications, 1m to 1h."""


class Grouping(Section):
    """Which alerts share a notification, and how often it is sent; always those of one name, cluster and team."""

    by: Distinct[LabelName] = ()
    """Further labels to group by, such as namespace."""
    wait: Duration = "30s"
    """`group_wait`: how long the first notification of a group waits for more alerts of it."""
    interval: Duration = "5m"
    """`group_interval`: how long the next notification waits, when an alert joins the group or is resolved."""
    repeat: Duration = "4h"
    """`repeat_interval`: time after which a group that has not changed is sent again."""

    def problems(self) -> Iterator[Problem]:
        """No label is repeated, and `repeat` is between `interval` and Alertmanager's retention of notifications."""
        for index, label in enumerate(self.by):
            if label in ALWAYS_GROUPED:
                yield Problem(("by", index), "is always grouped by", "Remove it.", label)
        if seconds(self.repeat) < seconds(self.interval):
            instead = f"Write {self.interval} or more."
            yield Problem(("repeat",), f"is shorter than the interval, {self.interval}", instead, self.repeat)
        if seconds(self.repeat) > _REMEMBERED:
            rule = "is longer than 5d, the time for which Alertmanager keeps its log of notifications"
            yield Problem(("repeat",), rule, "Write 5d or less.", self.repeat)


class Alertmanager(Section):
    """Alertmanager, in the cluster of the Prometheus server; it deduplicates, groups and routes its alerts."""

    replicas: Literal[1, 2, 3, 4, 5] = 3
    """Replicas, which form a cluster; one may fail without a lost or doubled notification."""
    storage: Quantity = "1Gi"
    """Size of each replica's volume, which holds silences and the log of notifications."""
    storage_class: DnsName | None = None
    """StorageClass of the volumes; the cluster's default if left out."""
    receivers: Annotated[Table[Annotated[DnsLabel, AfterValidator(_is_free)], Contact], Field(min_length=1)]
    """Receivers, by a name of your choice."""
    default: DnsLabel
    """Name of the receiver of alerts that match no route."""
    routes: Many[Route] = ()
    """Routes, tried in this order; the first that matches wins."""
    heartbeat: Heartbeat | None = None
    grouping: Grouping = Grouping()
    templates: Annotated[Mapping[str, str], Templates()] = Field(default_factory=empty)
    """Files beside the stack file with templates of yours, which texts of `configs` name: `templates/*.tmpl`."""
    expose: ExposedHost | None = None

    def problems(self) -> Iterator[Problem]:
        """Every referenced receiver exists, every receiver is used, and no route is shadowed."""
        used = dict(self._used())
        for path, name in used.items():
            if name not in self.receivers:
                yield Problem(path, "is not the name of a receiver", self._nearest(name), name)
        for name in self.receivers:
            if name not in used.values():
                instead = "Name it in a route, in default or in heartbeat, or remove it."
                yield Problem(("receivers", name), "is never used", instead)
        yield from self._shadowed()
        yield from undefined_templates(self.texts, self.templates)
        if self.heartbeat and self.receivers.get(self.heartbeat.receiver) == Contact():
            instead = "Give that receiver a webhook or another integration, or remove heartbeat."
            yield Problem(("heartbeat", "receiver"), "has no integration", instead, self.heartbeat.receiver)

    @property
    def texts(self) -> Mapping[Path, str]:
        """Every template in `configs` of a receiver, by its path in this section."""
        return {
            ("receivers", name, "configs", *path): text
            for name, contact in self.receivers.items()
            if contact.configs
            for path, text in contact.configs.texts
        }

    def _used(self) -> Iterator[tuple[Path, str]]:
        yield ("default",), self.default
        for index, route in enumerate(self.routes):
            yield ("routes", index, "receiver"), route.receiver
        if self.heartbeat:
            yield ("heartbeat", "receiver"), self.heartbeat.receiver

    def _nearest(self, name: str) -> str:
        near = get_close_matches(name, self.receivers, n=1)
        return f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join(self.receivers)}."

    def _shadowed(self) -> Iterator[Problem]:
        for index, route in enumerate(self.routes):
            first = next((i for i, earlier in enumerate(self.routes[:index]) if earlier.shadows(route)), None)
            if first is not None:
                rule = f"is never reached: routes[{first}] matches every alert that it matches"
                instead = f"Move it above routes[{first}], write continue: true there, or remove it."
                yield Problem(("routes", index), rule, instead)
                continue
            same = next((i for i, earlier in enumerate(self.routes[:index]) if earlier.repeats(route)), None)
            if same is not None:
                rule = f"notifies {route.receiver} again of alerts that routes[{same}] has sent to it"
                yield Problem(("routes", index), rule, "Remove it, or name another receiver.")
