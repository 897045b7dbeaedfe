"""Settings of Alertmanager: receivers, routes and grouping."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.alias_generators import to_camel, to_pascal

from alerts import MAINTENANCE, WATCHDOG

from .errors import Path, Problem, nearest, spelt
from .expose import ExposedAlertmanager
from .integrations import INHIBIT_RULE, INTEGRATIONS, TIME_INTERVAL
from .matchers import label_of, malformed, matchers
from .receiver_config import OF_STACK, Integrations, ReceiverConfigs, Verbatim, broken_templates, undefined_templates
from .secret_reference import SecretKey
from .section import Distinct, Many, Section, Table, empty, renamed
from .template_files import Templates
from .time_intervals import unreadable
from .types import (
    Address,
    DnsLabel,
    DnsName,
    Duration,
    Host,
    LabelName,
    Line,
    Port,
    Quantity,
    Text,
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
_FORGOTTEN = "is longer than 5d, the time for which Alertmanager keeps its log of notifications"
Wait = Annotated[str, Text(r"0s|[1-9][0-9]{0,8}[smhd]", "is not a duration", "Write 0s, 30s or 5m.", unit="s")]
"""A duration that may be none."""
EACH = "..."
"""Stands for every label in `groupBy`."""
GroupLabel = Annotated[
    str,
    Text(
        rf"{re.escape(EACH)}|(?!__)[a-zA-Z_][a-zA-Z0-9_]*",
        "is not a label name",
        'Write letters, digits and underscores, or ["..."] alone for each alert by itself.',
    ),
]
"""A label to group by."""


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


def _other_names(kind: str, *credentials: str, **ours: str) -> Mapping[str, tuple[str, str]]:
    """What is said of Alertmanager's fields in a short form; `ours` has the names that some have here."""
    configs = f"{kind.lower()}_configs"
    written = f"is Alertmanager's own, and {kind} is promfleet's short form"
    stored = f"promfleet:<receiver>{kind[0].upper()}{kind[1:]}"
    secret = (
        "is a credential, which is in no stack file",
        f"Write secret: {{name: …, key: …}}, or run pulumi config set --secret {stored}.",
    )
    return {
        **dict.fromkeys(INTEGRATIONS[configs], (written, f"Write it below configs: configs: {{{configs}: [{{…}}]}}.")),
        **{spelling: secret for name in credentials for spelling in (name, to_camel(name), f"{name}_file")},
        **{spelling: renamed({name: here})[name] for name, here in ours.items() for spelling in (name, to_camel(name))},
    }


class Slack(Integration):
    """An incoming webhook; its URL is the secret `promfleet:<receiver>Slack`."""

    channel: Executed
    """`#channel` or `@person`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = _other_names("slack", "api_url", "webhook", "webhook_url", "url")


class VictorOps(Integration):
    """Splunk On-Call; its API key is the secret `promfleet:<receiver>VictorOps`."""

    routing_key: Executed
    """Routing key of the escalation policy there."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **_other_names("victorOps", "api_key"),
        **renamed({"routing_key": "routingKey"}),
    }


class PagerDuty(Integration):
    """Events API v2; its integration key is the secret `promfleet:<receiver>PagerDuty`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = _other_names(
        "pagerDuty", "routing_key", "service_key", "integration_key"
    )


class Email(Integration):
    """Mail through a smarthost that speaks TLS; the password is the secret `promfleet:<receiver>Email`."""

    to: Annotated[Distinct[Address], Field(min_length=1)]
    """Recipients."""
    sender: Address
    """Address in the From header."""
    host: Host
    """Host of the smarthost."""
    port: Port = 587
    """Port of the smarthost."""
    username: Line | None = None
    """Username for SMTP authentication; the sender's address if left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **_other_names("email", "auth_password", "password", auth_username="username", smarthost="host, and port"),
        **renamed({"from": "sender"}),
    }


class Webhook(Integration):
    """Alertmanager's own JSON; the URL, which often holds a token, is the secret `promfleet:<receiver>Webhook`."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = _other_names("webhook", "url")


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


_TIMES_OF_GROUPS = {
    **dict.fromkeys(("group_wait", "groupWait"), "wait"),
    **dict.fromkeys(("group_interval", "groupInterval"), "interval"),
    **dict.fromkeys(("repeat_interval", "repeatInterval"), "repeat"),
}
"""Names in Alertmanager and in AlertmanagerConfigs -> those of routes and of `grouping`."""
Routed = Literal["critical", "warning", "info"]
"""Severity of alerts that people are notified of."""
_OF_NOBODY = {'severity="none"', *(f'alertname="{name}"' for name in (MAINTENANCE, WATCHDOG))}
"""Matchers of alerts that notify nobody, which are routed before all others."""


def _has_no_pattern(namespace: object) -> object:
    if isinstance(namespace, str) and re.search(r"[*+?|()\[\]]", namespace):
        raise refused("is a pattern", f"Write matchers: ['namespace=~\"{namespace}\"'].")
    return namespace


def _is_ours(severity: object) -> object:
    if isinstance(severity, str) and severity not in get_args(Routed):
        if severity == "none":
            raise refused("is the severity of alerts that notify nobody, whatever routes say", "Remove it.")
        instead = f"Write critical, warning or info; for another one of yours matchers: ['severity=\"{severity}\"']."
        raise refused("is no severity of promfleet's alerts", instead)
    return severity


class Route(Section):
    """Sends alerts to one receiver: those that match every condition written here."""

    receiver: DnsLabel | None = None
    """Name of a receiver in `receivers`; that of the route around it, or `default`, if left out."""
    teams: Distinct[DnsLabel] = ()
    """Any of these teams; all if left out, as with the conditions below."""
    clusters: Distinct[DnsLabel] = ()
    """Any of these clusters."""
    namespaces: Distinct[Annotated[DnsLabel, BeforeValidator(_has_no_pattern)]] = ()
    """Any of these namespaces; an alert without a namespace matches none."""
    severities: Distinct[Annotated[Routed, BeforeValidator(_is_ours)]] = ()
    """Any of these severities; alerts with the severity `none` notify nobody."""
    matchers: Many[str] = ()
    """All of these matchers of any label, in Alertmanager's syntax: `alertname=~"Kube.*"`."""
    resume: Annotated[bool, Field(alias="continue")] = False
    """Whether an alert that matches is also matched against the routes after it."""
    group_by: Distinct[GroupLabel] | None = None
    """Labels to group by, instead of those of the route around it; `["..."]` notifies of each alert by itself."""
    wait: Wait | None = None
    """`group_wait`; as the two below that of the route around it, or of `grouping`, if left out."""
    interval: Duration | None = None
    """`group_interval`."""
    repeat: Duration | None = None
    """`repeat_interval`."""
    mute: Distinct[str] = ()
    """Names of `timeIntervals` in which it does not notify."""
    active: Distinct[str] = ()
    """Names of `timeIntervals` outside of which it does not notify."""
    routes: "Many[Route]" = ()
    """Routes for alerts that match this one; those that match none of them go to its own receiver."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = renamed(
        {
            "match": "matchers: ['label=\"value\"']",
            "match_re": "matchers: ['label=~\"regex\"']",
            "group_by": "groupBy",
            **_TIMES_OF_GROUPS,
            **dict.fromkeys(("mute_time_intervals", "muteTimeIntervals"), "mute"),
            **dict.fromkeys(("active_time_intervals", "activeTimeIntervals"), "active"),
        }
    )

    def problems(self) -> Iterator[Problem]:
        """A route has a condition and a consequence, and Alertmanager reads its matchers and labels."""
        if not any(self.matches) and not (self.matchers or self.resume or self.mute or self.active):
            conditions = "teams, clusters, namespaces, severities or matchers"
            instead = (
                f"Write {conditions}, or name the receiver in default, or in the route around it, instead; "
                "to notify it of every alert, write it first, with continue: true."
            )
            yield Problem((), "matches every alert", instead)
        if not self.receiver and not (self.routes or self.mute or self.active or self.grouping):
            yield Problem(("receiver",), "is missing", "Add it: the name of a receiver in receivers.")
        for problem in malformed(self.matchers):
            yield problem.under(("matchers",))
        for index, text in enumerate(self.matchers):
            if _OF_NOBODY & {one.replace("=~", "=") for one in matchers(text) or ()}:
                rule = "is of an alert with the severity none, which no route notifies"
                instead = "Remove the route; Watchdog is sent by heartbeat: {receiver: …, every: 5m}."
                yield Problem(("matchers", index), rule, instead, text)
        if self.group_by and EACH in self.group_by and len(self.group_by) > 1:
            rule = "has ... and other labels: each alert is then by itself"
            yield Problem(("groupBy",), rule, 'Write ["..."] alone, or the labels.')

    @property
    def grouping(self) -> Mapping[str, object]:
        """What it says about groups, under Alertmanager's names."""
        written = {
            "group_by": self.group_by if self.group_by is None else list(self.group_by),
            "group_wait": self.wait,
            "group_interval": self.interval,
            "repeat_interval": self.repeat,
        }
        return {name: value for name, value in written.items() if value is not None}

    @property
    def matches(self) -> tuple[frozenset[str], ...]:
        """What each label must be one of, in one order for all routes; an empty set matches everything."""
        return tuple(map(frozenset, (self.teams, self.clusters, self.namespaces, self.severities)))

    @property
    def further(self) -> frozenset[str]:
        """Its matchers in one spelling, each of which holds for every alert that matches."""
        return frozenset(one for text in self.matchers for one in matchers(text) or (text,))

    def shadows(self, other: "Route") -> bool:
        """Whether every alert that matches the other route stops at this one, if this one comes first."""
        return not self.resume and self._covers(other)

    def repeats(self, other: "Route") -> bool:
        """Whether every alert that matches the other route goes to the same receiver through this one."""
        alike = (self.receiver, self.grouping) == (other.receiver, other.grouping)
        is_plain = not any(one.routes or one.mute or one.active for one in (self, other))
        return alike and is_plain and self._covers(other)

    def excludes(self, other: "Route") -> bool:
        """Whether no alert matches both."""
        return any(
            mine and theirs and not mine & theirs for mine, theirs in zip(self.matches, other.matches, strict=True)
        )

    def _covers(self, other: "Route") -> bool:
        pairs = zip(self.matches, other.matches, strict=True)
        # What two matchers have in common is only known if they are the same.
        return self.further <= other.further and all(not mine or (theirs and theirs <= mine) for mine, theirs in pairs)


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

    moved: ClassVar[Mapping[str, tuple[str, str]]] = renamed(
        {**dict.fromkeys(("group_by", "groupBy"), "by"), **_TIMES_OF_GROUPS}
    )

    def problems(self) -> Iterator[Problem]:
        """No label is repeated, and `repeat` is between `interval` and Alertmanager's retention of notifications."""
        for index, label in enumerate(self.by):
            if label in ALWAYS_GROUPED:
                yield Problem(("by", index), "is always grouped by", "Remove it.", label)
        if seconds(self.repeat) < seconds(self.interval):
            instead = f"Write {self.interval} or more."
            yield Problem(("repeat",), f"is shorter than the interval, {self.interval}", instead, self.repeat)
        if seconds(self.repeat) > _REMEMBERED:
            yield Problem(("repeat",), _FORGOTTEN, "Write 5d or less.", self.repeat)


_RULE = "{source_matchers: [alertname=A], target_matchers: [alertname=B], equal: [cluster, namespace]}"
_INTERVAL = "{name: weekends, time_intervals: [{weekdays: [saturday, sunday], location: Europe/Berlin}]}"


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
    time_intervals: Annotated[
        Sequence[Mapping[str, Any]], Verbatim(TIME_INTERVAL, _INTERVAL, ("name", "time_intervals"))
    ] = ()
    """Times that routes name in `mute` and `active`, as `time_intervals` of Alertmanager."""
    inhibit_rules: Annotated[
        Sequence[Mapping[str, Any]], Verbatim(INHIBIT_RULE, _RULE, ("source_matchers", "target_matchers"))
    ] = ()
    """Inhibitions of yours, as `inhibit_rules` of Alertmanager, beside those of promfleet."""
    templates: Annotated[Mapping[str, str], Templates()] = Field(default_factory=empty)
    """Files beside the stack file with templates of yours, which texts of `configs` name: `templates/*.tmpl`."""
    expose: ExposedAlertmanager | None = None

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **renamed(
            {
                "route": "default, routes and grouping",
                "inhibit_rules": "inhibitRules",
                "time_intervals": "timeIntervals",
                "mute_time_intervals": "timeIntervals",
            }
        ),
        "retention": ("is not offered", "Remove it: silences that ended and the log of notifications are kept for 5d."),
        "existing": ("unknown key", "Write alerts.alertmanagers: [{url: https://…}], and remove this section."),
        "global": ("is not offered", "Write its fields into each integration of receivers.<name>.configs."),
        "config": ("is not offered", "Write receivers, default, routes, timeIntervals and templates here."),
    }

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
        yield from self._shadowed(self.routes, ("routes",), None)
        yield from self._timed()
        yield from self._paced(
            self.routes, ("routes",), {"interval": self.grouping.interval, "repeat": self.grouping.repeat}
        )
        yield from self._taken()
        yield from self._inhibited()
        yield from undefined_templates(self.texts, self.templates)
        yield from broken_templates(self.texts, self.templates)
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

    @property
    def every_route(self) -> Iterator[tuple[Path, Route]]:
        """Each route with its path in this section, those inside of others too."""
        yield from _within(("routes",), self.routes)

    @property
    def every_matchers(self) -> Iterator[tuple[Path, Sequence[str]]]:
        """Each list of matchers with its path in this section, of routes and of people's inhibitions."""
        for path, route in self.every_route:
            yield (*path, "matchers"), route.matchers
        for index, rule in enumerate(self.inhibit_rules):
            for side in ("source_matchers", "target_matchers"):
                yield ("inhibitRules", index, side), rule[side]

    def _used(self) -> Iterator[tuple[Path, str]]:
        yield ("default",), self.default
        for path, route in self.every_route:
            if route.receiver:
                yield (*path, "receiver"), route.receiver
        if self.heartbeat:
            yield ("heartbeat", "receiver"), self.heartbeat.receiver

    def _nearest(self, name: str) -> str:
        return nearest(name, self.receivers, f"Known: {', '.join(self.receivers)}.")

    def _taken(self) -> Iterator[Problem]:
        """No secret of the stack has the file name of an integration's that is in a Secret; both are in one folder."""
        taken = {
            f"{name}{to_pascal(kind)}"
            for name, contact in self.receivers.items()
            for kind, one in contact.integrations.items()
            if one.secret
        }
        for name, contact in self.receivers.items():
            for path, file in contact.configs.mounted if contact.configs else ():
                if file.kind == OF_STACK and file.name in taken:
                    rule = "is the name that promfleet gives to another secret"
                    place = ("receivers", name, "configs", *path, OF_STACK)
                    yield Problem(place, rule, "Use another name.", file.name)

    def _inhibited(self) -> Iterator[Problem]:
        """Inhibitions have matchers that Alertmanager reads, and stay within a cluster unless they say otherwise."""
        for index, rule in enumerate(self.inhibit_rules):
            sides = ("source_matchers", "target_matchers")
            for side in sides:
                for problem in malformed(rule[side]):
                    yield problem.under(("inhibitRules", index, side))
                if not rule[side]:
                    yield Problem(("inhibitRules", index, side), "is empty", "Write at least one.")
            chosen = [{label_of(one) for text in rule[side] for one in matchers(text) or ()} for side in sides]
            if "cluster" not in rule.get("equal", ()) and not all("cluster" in labels for labels in chosen):
                broken = "has no cluster: an alert of one cluster would hide those of all others"
                instead = "Add cluster to it; or, if that is meant, a matcher of cluster to both sides."
                yield Problem(("inhibitRules", index, "equal"), broken, instead)

    def _timed(self) -> Iterator[Problem]:
        """Named intervals exist, once, and are used, and Alertmanager reads them."""
        for problem in unreadable(self.time_intervals):
            yield problem.under(("timeIntervals",))
        names = [str(one.get("name")) for one in self.time_intervals]
        used: set[str] = set()
        for path, route in self.every_route:
            for key, chosen in (("mute", route.mute), ("active", route.active)):
                used.update(chosen)
                for index, name in enumerate(chosen):
                    if name not in names:
                        instead = nearest(name, names, f"Add one with name: {name} to timeIntervals.")
                        yield Problem((*path, key, index), "is not the name of a time interval", instead, name)
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Problem(("timeIntervals", index, "name"), "is written twice", "Rename or join them.", name)
            elif name not in used:
                instead = "Name it in mute or active of a route, or remove it."
                yield Problem(("timeIntervals", index), "is never used", instead)

    def _paced(self, routes: Sequence[Route], path: Path, around: Mapping[str, str]) -> Iterator[Problem]:
        """Groups are repeated after an interval at the earliest, and before they are forgotten."""
        for index, route in enumerate(routes):
            own = {"interval": route.interval, "repeat": route.repeat}
            pace = {**around, **{key: value for key, value in own.items() if value}}
            written = "repeat" if route.repeat else "interval"
            if pace != around and seconds(pace["repeat"]) < seconds(pace["interval"]):
                rule = f"leaves a repeat of {pace['repeat']}, shorter than an interval of {pace['interval']}"
                yield Problem((*path, index, written), rule, "Write both, repeat not shorter.", own[written])
            if route.repeat and seconds(route.repeat) > _REMEMBERED:
                yield Problem((*path, index, "repeat"), _FORGOTTEN, "Write 5d or less.", route.repeat)
            yield from self._paced(route.routes, (*path, index, "routes"), pace)

    def _shadowed(self, routes: Sequence[Route], path: Path, around: Route | None) -> Iterator[Problem]:
        for index, route in enumerate(routes):
            yield from self._shadowed(route.routes, (*path, index, "routes"), route)
            here = (*path, index)
            if around and around.excludes(route):
                rule = "is never reached: no alert matches both it and the route around it"
                yield Problem(here, rule, "Correct its conditions, or move it out of that route.")
                continue
            first = next((i for i, earlier in enumerate(routes[:index]) if earlier.shadows(route)), None)
            if first is not None:
                other = spelt((*path, first))
                rule = f"is never reached: {other} matches every alert that it matches"
                instead = f"Move it above {other}, write continue: true there, or remove it."
                yield Problem(here, rule, instead)
                continue
            same = next((i for i, earlier in enumerate(routes[:index]) if earlier.repeats(route)), None)
            if same is not None:
                rule = f"notifies {route.receiver} again of alerts that {spelt((*path, same))} has sent to it"
                yield Problem(here, rule, "Remove it, or name another receiver.")


def _within(path: Path, routes: Sequence[Route]) -> Iterator[tuple[Path, Route]]:
    for index, route in enumerate(routes):
        yield (*path, index), route
        yield from _within((*path, index, "routes"), route.routes)
