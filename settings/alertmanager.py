"""What a stack says about who is told of which alert, and how."""

from typing import Annotated, Literal

from pydantic import Field

from alerts import Severity

from .expose import Way
from .section import Many, Section, Table
from .types import Address, DnsLabel, DnsName, Duration, Host, LabelName, Line, Quantity


class SecretKey(Section):
    """A key of a Secret that exists in the hub's namespace."""

    name: DnsName
    key: Line


class Slack(Section):
    """An incoming webhook; its URL is the secret `promfleet:<receiver>Slack`."""

    channel: Line
    """`#channel` or `@person`."""
    secret: SecretKey | None = None
    """Where the URL stands instead of the stack's secrets."""


class VictorOps(Section):
    """Splunk On-Call; its API key is the secret `promfleet:<receiver>VictorOps`."""

    routing_key: Line
    secret: SecretKey | None = None


class PagerDuty(Section):
    """Events API v2; its integration key is the secret `promfleet:<receiver>PagerDuty`."""

    secret: SecretKey | None = None


class Email(Section):
    """Mail through a smarthost that speaks TLS; the password is the secret `promfleet:<receiver>Email`."""

    to: Annotated[Many[Address], Field(min_length=1)]
    sender: Address
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    username: Line | None = None
    """The sender's address if left out."""
    secret: SecretKey | None = None


class Webhook(Section):
    """Alertmanager's own JSON; the URL, which often holds a token, is the secret `promfleet:<receiver>Webhook`."""

    secret: SecretKey | None = None


class Contact(Section):
    """One receiver of Alertmanager: everyone who is told at once. `{}` tells nobody."""

    slack: Slack | None = None
    victor_ops: VictorOps | None = None
    pager_duty: PagerDuty | None = None
    email: Email | None = None
    webhook: Webhook | None = None


class Route(Section):
    """Alerts that go to one receiver: those which match everything that is written here."""

    receiver: DnsLabel
    teams: Many[DnsLabel] = ()
    clusters: Many[DnsLabel] = ()
    namespaces: Many[DnsLabel] = ()
    severities: Many[Severity] = ()
    resume: Annotated[bool, Field(alias="continue")] = False
    """Whether the routes after it are asked too."""


class Heartbeat(Section):
    """Who is told all the time that everything works, and calls when nothing comes: a dead man's switch."""

    receiver: DnsLabel
    every: Duration = "5m"


class Grouping(Section):
    """Which alerts come in one notification: those of one name, cluster and team, and how often."""

    by: Many[LabelName] = ()
    """Further labels, such as namespace."""
    wait: Duration = "30s"
    interval: Duration = "5m"
    repeat: Duration = "4h"


class Alertmanager(Section):
    """Takes the hub's alerts, and tells each once to whom it concerns."""

    replicas: Literal[1, 2, 3, 4, 5] = 3
    storage: Quantity = "1Gi"
    """Size of each replica's volume, which holds silences and who was told."""
    storage_class: DnsName | None = None
    receivers: Annotated[Table[DnsLabel, Contact], Field(min_length=1)]
    default: DnsLabel
    """The receiver of what no route takes."""
    routes: Many[Route] = ()
    """Asked in this order; the first that matches wins."""
    heartbeat: Heartbeat | None = None
    grouping: Grouping = Grouping()
    expose: Way | None = None
