"""What a stack says about who is told of which alert, and how."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .errors import Path, Problem
from .expose import ExposedHost
from .section import Distinct, Many, Section, Table
from .types import (
    Address,
    DataKey,
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
"""The receiver, in Alertmanager's own file, of what is never sent to people."""
ALWAYS_GROUPED = ("alertname", "cluster", "team")
"""Labels by which alerts are grouped, whatever a stack says."""
Executed = Annotated[Line, untemplated("Alertmanager")]
"""Text that Alertmanager executes as a template."""
_OFTEN, _SELDOM = 60, 3600
_REMEMBERED = 120 * 3600  # the default of --data.retention


def _is_free(name: DnsLabel) -> DnsLabel:
    if name == NOBODY:
        raise refused("is the name of a receiver that always exists", "Use another name.")
    return name


def _is_a_pulse(every: Duration) -> Duration:
    if not _OFTEN <= seconds(every) <= _SELDOM:
        instead = "Write 5m; whoever waits for it calls when two in a row are missing."
        raise refused("is not between 1m and 1h", instead)
    return every


class SecretKey(Section):
    """A key of a Secret that exists in the hub's namespace."""

    name: DnsName
    """The Secret's name."""
    key: DataKey
    """The key in its data."""


class Integration(Section):
    """One way to tell somebody."""

    secret: SecretKey | None = None
    """Where its secret stands, instead of the stack's secrets."""


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
    """Who gets it."""
    sender: Address
    """Whom it comes from."""
    host: Host
    """The smarthost."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    """Its port."""
    username: Line | None = None
    """Who logs in there; the sender's address if left out."""


class Webhook(Integration):
    """Alertmanager's own JSON; the URL, which often holds a token, is the secret `promfleet:<receiver>Webhook`."""


class Contact(Section):
    """One receiver of Alertmanager: everyone who is told at once. `{}` tells nobody."""

    slack: Slack | None = None
    victor_ops: VictorOps | None = None
    pager_duty: PagerDuty | None = None
    email: Email | None = None
    webhook: Webhook | None = None

    @property
    def integrations(self) -> Mapping[str, Integration]:
        """What is written, by the field's name in Python."""
        return {name: value for name in Contact.model_fields if (value := getattr(self, name))}


class Route(Section):
    """Alerts that go to one receiver: those which match everything that is written here."""

    receiver: DnsLabel
    """One of `receivers`."""
    teams: Distinct[DnsLabel] = ()
    """Any of these teams; all if left out, as with what follows."""
    clusters: Distinct[DnsLabel] = ()
    """Any of these clusters."""
    namespaces: Distinct[DnsLabel] = ()
    """Any of these namespaces; an alert without a namespace matches none."""
    severities: Distinct[Literal["critical", "warning", "info"]] = ()
    """Any of these severities; what has the severity `none` is never sent to people."""
    resume: Annotated[bool, Field(alias="continue")] = False
    """Whether the routes after it are asked too."""

    def problems(self) -> Iterator[Problem]:
        """A route chooses."""
        if not any(self.matches):
            instead = "Write teams, clusters, namespaces or severities, or name the receiver in default instead."
            yield Problem((), "matches every alert", instead)

    @property
    def matches(self) -> tuple[frozenset[str], ...]:
        """What each label must be one of, in one order for all routes; an empty set matches everything."""
        return tuple(map(frozenset, (self.teams, self.clusters, self.namespaces, self.severities)))

    def takes_all_of(self, other: "Route") -> bool:
        """Whether whatever matches the other ends here, if it comes here first."""
        return not self.resume and self._covers(other)

    def tells_all_of(self, other: "Route") -> bool:
        """Whether the receiver of both has been told already of whatever matches the other."""
        return self.receiver == other.receiver and self._covers(other)

    def _covers(self, other: "Route") -> bool:
        pairs = zip(self.matches, other.matches, strict=True)
        return all(not mine or (theirs and theirs <= mine) for mine, theirs in pairs)


class Heartbeat(Section):
    """Who is told all the time that everything works, and calls when nothing comes: a dead man's switch."""

    receiver: DnsLabel
    """One of `receivers`."""
    every: Annotated[Duration, AfterValidator(_is_a_pulse)] = "5m"
    """Time between two notifications, 1m to 1h."""


class Grouping(Section):
    """Which alerts come in one notification: those of one name, cluster and team, and how often."""

    by: Distinct[LabelName] = ()
    """Further labels, such as namespace."""
    wait: Duration = "30s"
    """How long the first notification of a group waits for more alerts of it."""
    interval: Duration = "5m"
    """How long the next one waits, when an alert joins the group or ends."""
    repeat: Duration = "4h"
    """After which time a group that has not changed is told again."""

    def problems(self) -> Iterator[Problem]:
        """No label is named twice, and a reminder comes neither more often nor later than Alertmanager can tell."""
        for index, label in enumerate(self.by):
            if label in ALWAYS_GROUPED:
                yield Problem(("by", index), "is grouped by in any case", "Remove it.", label)
        if seconds(self.repeat) < seconds(self.interval):
            instead = f"Write {self.interval} or more."
            yield Problem(("repeat",), f"is shorter than the interval, {self.interval}", instead, self.repeat)
        if seconds(self.repeat) > _REMEMBERED:
            rule = "is longer than the 5d for which Alertmanager remembers whom it told"
            yield Problem(("repeat",), rule, "Write 5d or less.", self.repeat)


class Alertmanager(Section):
    """Takes the hub's alerts, and tells each once to whom it concerns."""

    replicas: Literal[1, 2, 3, 4, 5] = 3
    """How many tell each other what was sent; one may fail without a lost or doubled notification."""
    storage: Quantity = "1Gi"
    """Size of each replica's volume, which holds silences and who was told."""
    storage_class: DnsName | None = None
    """StorageClass of the volumes; the cluster's default if left out."""
    receivers: Annotated[Table[Annotated[DnsLabel, AfterValidator(_is_free)], Contact], Field(min_length=1)]
    """Who can be told, by a name of one's own."""
    default: DnsLabel
    """The receiver of what no route takes."""
    routes: Many[Route] = ()
    """Asked in this order; the first that matches wins."""
    heartbeat: Heartbeat | None = None
    grouping: Grouping = Grouping()
    expose: ExposedHost | None = None

    def problems(self) -> Iterator[Problem]:
        """Every name leads to a receiver, every receiver is led to, and every route can be."""
        used = dict(self._used())
        for path, name in used.items():
            if name not in self.receivers:
                yield Problem(path, "is none of the receivers", self._nearest(name), name)
        for name in self.receivers:
            if name not in used.values():
                instead = "Name it in a route, in default or in heartbeat, or remove it."
                yield Problem(("receivers", name), "is never told anything", instead)
        yield from self._shadowed()
        if self.heartbeat and self.receivers.get(self.heartbeat.receiver) == Contact():
            instead = "Give that receiver a webhook or another integration, or remove heartbeat."
            yield Problem(("heartbeat", "receiver"), "tells nobody", instead, self.heartbeat.receiver)

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
            first = next((i for i, earlier in enumerate(self.routes[:index]) if earlier.takes_all_of(route)), None)
            if first is not None:
                rule = f"is never reached: routes[{first}] takes all that it matches"
                instead = f"Move it above routes[{first}], write continue: true there, or remove it."
                yield Problem(("routes", index), rule, instead)
                continue
            told = next((i for i, earlier in enumerate(self.routes[:index]) if earlier.tells_all_of(route)), None)
            if told is not None:
                rule = f"tells {route.receiver} again what routes[{told}] has told"
                yield Problem(("routes", index), rule, "Remove it, or name another receiver.")
