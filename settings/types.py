"""Named types of the stack file, and their conversion to plain units."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import IPv6Address, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_BOOLEAN = "Put it in quotes: YAML reads yes, no, on and off without them as booleans."
_WORDS = ("true", "false", "null")


def refused(rule: str, instead: str) -> PydanticCustomError:
    """The error of a single field: which rule its value breaks, and what to write instead."""
    return PydanticCustomError("refused", "{rule}. {instead}", {"rule": rule, "instead": instead})


@dataclass(frozen=True, slots=True)
class Text:
    """A string with a format, and the message where it has another one."""

    form: str
    """Regular expression that the whole string matches."""
    rule: str
    instead: str
    unit: str = ""
    """Unit to propose for a number without one."""
    near: tuple[str, str] | None = None
    """Regular expression of a common mistake, and the replacement to propose."""
    meant: Callable[[str], str | None] | None = None
    """What a text of another form is likely to mean, in this form."""

    def check(self, value: object) -> str:
        """The string itself, if it has the format."""
        if isinstance(value, str) and re.fullmatch(self.form, value):
            return value
        raise refused(*self._mistake(value))

    def _mistake(self, value: object) -> tuple[str, str]:
        match value:
            case None | "":
                return "is empty", self.instead
            case bool():
                return "is a boolean, not a string", _BOOLEAN
            case date():
                return "is a date, not a string", "Put it in quotes."
            case int() | float():
                return "is a number without a unit or quotes", self._completed(value)
            case "null" if self.form.startswith(_NO_WORD):
                return "is a keyword of YAML, not a name", "Use another name, with quotes or without."
            case str() if value in _WORDS and self.form.startswith(_NO_WORD):
                return "is a keyword of YAML, not a name", _BOOLEAN
            case str():
                return self.rule, self._correction(value)
        return "is not a string", self.instead

    def _correction(self, text: str) -> str:
        if self.near and (match := re.fullmatch(self.near[0], text)):
            return f"Write {match.expand(self.near[1])}."
        if self.meant and (meant := self.meant(text)):
            return f"Write {meant}."
        return self.instead

    def _completed(self, number: float) -> str:
        text = f"{number}{self.unit}"
        if not re.fullmatch(self.form, text):
            return self._correction(text)
        return f"Write the unit: {text}." if self.unit else f'Put it in quotes: "{text}".'

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.form})$"}


_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NO_WORD = rf"(?!(?:{'|'.join(_WORDS)})$)"  # Pulumi turns a key `no` into "false" before the program sees it
_DNS_LABEL = "Write at most 63 lower-case letters, digits and hyphens, with no hyphen at either end."

PRINTED = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
"""A printable character of one line; half of a surrogate pair can't be written to a file."""
_IN_URL = r"(?:[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff?#%{}]|%[0-9A-Fa-f]{2})"
PORT = r"(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
_GROUP = "[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(
    (
        f"(?:{_GROUP}:){{7}}{_GROUP}",
        *(f"(?:{_GROUP}:){{1,{7 - after}}}(?::{_GROUP}){{1,{after}}}" for after in range(1, 7)),
        f"(?:{_GROUP}:){{1,7}}:",
        f":(?:(?::{_GROUP}){{1,7}}|:)",
    )
)
"""An IPv6 address, without the parts of an IPv4 one and without a zone."""
UNBRACKETED = rf"({_IPV6}):({PORT})"
"""An IPv6 address and a port, without the brackets that it needs."""
IN_BRACKETS = rf"\[(?:{_IPV6})\]"
"""An IPv6 address before a port, and in URLs."""
HOST_AND_PORT = rf"(?:[A-Za-z0-9.-]+|{IN_BRACKETS}):{PORT}"
"""The form of an address with its port, as it is dialled."""
URL = rf"https?://(?:[A-Za-z0-9.-]+|{IN_BRACKETS})(?::{PORT})?(?:/(?:(?!@)(?:{_IN_URL}|\?))*)?"
"""A URL without user and fragment."""
HTTP_URL = rf"https?://(?:[a-z0-9.-]+|{IN_BRACKETS})(?::{PORT})?(?:/{_IN_URL}*)?"
"""A URL of http or https without user, query and fragment."""

_TAG = ":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = "@sha256:[0-9a-f]{64}"

_LONGEST_IN_YEARS = 100  # what Go can count ends at 292


def _can_be_counted(length: str) -> str:
    if seconds(length) > _LONGEST_IN_YEARS * _SECONDS["y"]:
        raise refused(f"is longer than {_LONGEST_IN_YEARS}y", f"Write {_LONGEST_IN_YEARS}y or less.")
    return length


COUNTABLE = AfterValidator(_can_be_counted)
_DURATION = r"[1-9][0-9]{0,8}[smhdwy]"
_NO_DURATION = "is not a duration"
_A_DURATION = "Write a whole number and a unit: 30s, 15m, 6h, 42d."
_PARTS = re.compile(
    r"([0-9]{1,9}) ?(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?|d(?:ays?)?|w(?:eeks?)?|y(?:ears?)?)"
)


def _in_one_unit(text: str) -> str | None:
    """A duration of several units, or with its unit as a word, as it is written here: 36h for 1d12h."""
    if _PARTS.sub("", text).strip():
        return None
    length = sum(int(number) * _SECONDS[unit[0]] for number, unit in _PARTS.findall(text))
    return duration(length) if length else None


_NOTHING = "0+(?:[smhdwy]|ms)?"
"""A duration of nothing, which Thanos and others take for unlimited."""
Duration = Annotated[
    str,
    Text(_DURATION, _NO_DURATION, _A_DURATION, unit="s", meant=_in_one_unit),
    COUNTABLE,
]
"""A whole number and one unit, as Prometheus writes it: 30s, 6h, 42d; 100y at most."""


def kept(instead_of_nothing: str) -> Text:
    """A retention; `instead_of_nothing` is what to write in place of 0d, which others take for unlimited."""
    near = (_NOTHING, instead_of_nothing)
    return Text(_DURATION, _NO_DURATION, _A_DURATION, unit="d", near=near, meant=_in_one_unit)


def _can_be_stored(size: str) -> str:
    if in_bytes(size) > in_bytes(_LARGEST):
        raise refused(f"is more than {_LARGEST}", f"Write {_LARGEST} or less.")
    return size


_LARGEST = "1000000Ti"  # what Go can count ends at eight times that
Quantity = Annotated[
    str,
    Text(
        r"[1-9][0-9]{0,8}(?:Mi|Gi|Ti)",
        "is not a size",
        "Write a whole number and Mi, Gi or Ti: 512Mi, 50Gi, 2Ti.",
        unit="Gi",
        near=(r"([1-9][0-9]*) ?([MGT])i?[bB]?", r"\1\2i"),
    ),
    AfterValidator(_can_be_stored),
]
"""A size of storage as Kubernetes writes it: 512Mi, 20Gi, 2Ti."""
Port = Annotated[int, Field(ge=1, le=65535)]
"""A TCP port."""
UserPort = Annotated[int, Field(ge=1024, le=65535)]
"""A TCP port that a process without privileges can listen on."""
PORT_OF = {"http": 80, "https": 443}
"""Scheme -> the port of a URL without one."""
MANY = 1_000_000_000
"""Upper bound of counts, which Go's integers hold."""
Count = Annotated[int, Field(ge=0, le=MANY)]
"""A count, 0 or more."""
DnsLabel = Annotated[str, Text(_NO_WORD + _LABEL, "is not a DNS label", _DNS_LABEL)]
"""A name as RFC 1123 allows it."""
DnsName = Annotated[
    str,
    Text(
        rf"{_NO_WORD}(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*",
        "is not a DNS name",
        "Write lower-case letters, digits and hyphens, in parts separated by dots.",
    ),
]
"""A name of an object in Kubernetes whose parts may be separated by dots."""
Namespace = Annotated[
    str,
    Text(
        rf"{_NO_WORD}(?!kube-|default$)(?=.{{1,49}}$){_LABEL}",
        "is not a name for this program's namespace",
        f"{_DNS_LABEL.replace('63', '49')} default and kube-* are reserved.",
    ),
]
"""A namespace that this program may create and delete, with room for the suffix `-node-exporter`."""
ADDRESS = rf"[0-9]+(?:\.[0-9]+){{3}}|{_IPV6}"
"""The form of an IPv4 or IPv6 address."""


def _is_spelt_alike(host: str) -> str:
    """Accept an IPv6 address only in its normal form, since rules and certificates compare it as text."""
    if ":" in host and (known := str(IPv6Address(host))) != host:
        raise refused("is not the normal form of this address", f"Write {known}.")
    return host


def _host_in(text: str) -> str | None:
    """The host of a URL or of host:port, in lower case."""
    found = re.fullmatch(rf"(?:[a-z]+://)?({_LABEL}(?:\.{_LABEL})*)(?::\d+)?(?:/.*)?", text.lower())
    return f"{found[1]}, without scheme, port and path" if found else None


Host = Annotated[
    str,
    Text(
        rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*|{_IPV6}",
        "is not a host",
        "Write a lower-case DNS name or an address, without scheme, port or path: prometheus.acme.example.",
        near=(rf"\[({_IPV6})\]", r"\1"),
        meant=_host_in,
    ),
    AfterValidator(_is_spelt_alike),
]
"""A DNS name, or an address without brackets; without scheme, port or path."""


def _is_a_network(written: str) -> str:
    try:
        return str(ip_network(written))
    except ValueError:
        instead = (
            "Write the first address of a network and its prefix: 203.0.113.0/24, or 203.0.113.7/32 for one address."
        )
        raise refused("is not a range of addresses", instead) from None


AddressRange = Annotated[str, AfterValidator(_is_a_network)]
"""A range of IPv4 or IPv6 addresses."""
HttpsUrl = Annotated[
    str,
    Text(
        rf"https://(?:[A-Za-z0-9._-]+|{IN_BRACKETS})(?::{PORT})?(?:/{_IN_URL}*)?",
        "is not an https URL without user, query and fragment",
        "Write https://host/path. Credentials are secrets of the stack.",
    ),
]
"""An https URL that contains no credentials."""
PROJECT = r"[a-z][a-z0-9-]*[a-z0-9]"
"""The form of a Google Cloud project's id, whatever its length."""
WorkloadPool = Annotated[
    str,
    Text(
        rf"(?:[a-z0-9.-]+:)?{PROJECT}\.svc\.id\.goog",
        "is not a workload identity pool",
        "Write <project of the cluster>.svc.id.goog, as GKE names it.",
        near=(rf"(?:[a-z0-9.-]+:)?{PROJECT}", r"\g<0>.svc.id.goog"),
    ),
]
"""Workload identity pool that pods of GKE are members of: one for all clusters of a project."""
StackName = Annotated[
    str,
    Text(
        r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+",
        "is not the full name of a stack",
        "Write organization/project/stack: organization/promfleet/hub.",
    ),
]
"""A Pulumi stack as a StackReference names it."""


def _as_prometheus_names_it(label: str) -> str | None:
    """A label of Kubernetes as Prometheus has it: app_kubernetes_io_name for app.kubernetes.io/name."""
    return re.sub(r"[./-]", "_", label) if re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_./-]*", label) else None


LabelName = Annotated[
    str,
    Text(
        _NO_WORD + r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*",
        "is not a label name",
        "Write letters, digits and underscores; don't begin with a digit or with two underscores.",
        meant=_as_prometheus_names_it,
    ),
]
"""The name of a Prometheus label; those that begin with two underscores are Prometheus's own."""
LabelValue = Annotated[
    str, Text(rf"{PRINTED}{{1,128}}", "is not a label value", "Write one line of 1 to 128 characters.")
]
"""The value of a Prometheus label."""
DataKey = Annotated[
    str,
    Text(
        r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,253}",
        "is not a key of a Secret",
        "Write letters, digits, hyphens, underscores and dots.",
    ),
]
"""A key in the data of a Secret."""
QUALIFIED = rf"(?:(?=[^/]{{1,253}}/){_LABEL}(?:\.{_LABEL})*/)?(?=.{{1,63}}$)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
"""The form of a qualified name of Kubernetes: a name of at most 63 characters, with an optional domain before it."""
AnnotationName = Annotated[
    str,
    Text(
        QUALIFIED,
        "is not the name of an annotation",
        "Write it as its controller does: networking.gke.io/load-balancer-type.",
    ),
]
"""The name of an annotation, with an optional prefix, a domain, before a slash."""
ObjectLabel = Annotated[
    str,
    Text(
        QUALIFIED,
        "is not the name of a Kubernetes label",
        "Write it as Kubernetes has it: app.kubernetes.io/name.",
        near=(rf"({QUALIFIED})=.*", r"\1"),
    ),
]
"""The name of a label of Kubernetes objects."""
ObjectLabelValue = Annotated[
    str,
    Text(
        r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?",
        "is not the value of a Kubernetes label",
        "Write 1 to 63 letters, digits, dashes, dots and underscores.",
    ),
]
"""The value of a label of Kubernetes objects."""
MetricName = Annotated[
    str,
    Text(
        r"[a-zA-Z_:][a-zA-Z0-9_:]*",
        "is not a metric name",
        "Write the whole name, of letters, digits, underscores and colons.",
    ),
]
"""The name of a Prometheus metric."""
Image = Annotated[
    str,
    Text(
        r"(?![^@]*:latest(?:@|$))[a-z0-9.-]+(?::[0-9]+(?=/))?(?:/[a-z0-9._-]+)*"
        rf"(?:{_TAG}(?:{_DIGEST})?|{_DIGEST})",
        "is not a pinned image",
        "Write registry/path:tag, registry/path@sha256:digest, or both; the tag latest is not pinned.",
    ),
]
"""A container image, pinned by tag, digest or both."""
Line = Annotated[
    str, Text(rf"(?!\s){PRINTED}+(?<!\s)", "is not one line of text", "Write one line without spaces at either end.")
]
"""Any text on one line."""


def untemplated(whose: str) -> AfterValidator:
    """A text without a template, where another program executes templates: an invalid one would fail at runtime."""

    def check(text: str) -> str:
        if "{{" in text:
            raise refused(f"contains {{{{, the beginning of a template of {whose}", "Leave the braces out.")
        return text

    return AfterValidator(check)


def _is_a_day(moment: str) -> str:
    try:
        instant(moment)
    except ValueError:
        raise refused("is a date that does not exist", "Write a date of the calendar.") from None
    return moment


Moment = Annotated[
    str,
    Text(
        r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)",
        "is not a moment with a time zone",
        'Write it in quotes: "2026-11-21T20:00Z", or "2026-11-21T20:00+01:00".',
    ),
    AfterValidator(_is_a_day),
]
"""A moment as RFC 3339 writes it, with its time zone; seconds may be left out."""
_IN_ADDRESS = r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff@<>()\[\]{},;:\"\\]"
Address = Annotated[
    str, Text(rf"{_IN_ADDRESS}+@{_IN_ADDRESS}+", "is not an e-mail address", "Write name@host, without a display name.")
]
"""An e-mail address."""
Target = Annotated[
    str,
    Text(
        rf"{URL}|{HOST_AND_PORT}",
        "is neither a URL without user nor host:port",
        "Write https://host/path, or host:port.",
        near=(UNBRACKETED, r"[\1]:\2"),
    ),
]
"""A target of a probe."""


HostAndPort = Annotated[
    str,
    Text(
        HOST_AND_PORT,
        "is not host:port",
        "Write host:port without a scheme: 10.0.0.7:9100, or [fd00::7]:9100.",
        near=(r"https?://(.+?)/?", r"\1"),
    ),
]
"""Where a target listens."""
PortName = Annotated[
    str,
    Text(
        rf"{_NO_WORD}(?=.*[a-z]){_LABEL}",
        "is not the name of a Service's port",
        "Write the name that the Service gives its port, such as http: lower-case letters, digits and hyphens.",
    ),
]
"""The name of a port of a Service, which has a letter at least: a number would be the port itself."""
FilePath = Annotated[
    str, Text(r"(?:/[A-Za-z0-9._-]+)+", "is not the absolute path of a file", "Write /folder/file, without spaces.")
]
"""An absolute path that needs no quotes in a unit or a shell."""
MetricsPath = Annotated[
    str, Text(rf"/{_IN_URL}*", "is not the path of a URL", "Write /metrics, without host and query.")
]
"""The path of a URL."""
UserName = Annotated[
    str,
    Text(
        r"[a-z][a-z0-9]{0,31}",
        "is not a user name",
        "Write at most 32 lower-case letters and digits, a letter first.",
    ),
]
"""A user of basic authentication, who has a secret of that name."""


def authority(host: Host, port: int | None = None) -> str:
    """A host and a port as URLs and dialled addresses have them, with brackets around an IPv6 address."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_BYTES = {"Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def seconds(duration: Duration) -> int:
    """The length of a duration in seconds; a year has 365 days, as in Prometheus."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def duration(length: int) -> Duration:
    """A number of seconds in the largest unit up to days that divides it."""
    unit = next(unit for unit in "dhms" if length % _SECONDS[unit] == 0)
    return f"{length // _SECONDS[unit]}{unit}"


def in_bytes(quantity: Quantity) -> int:
    """The size of a quantity in bytes."""
    return int(quantity[:-2]) * _BYTES[quantity[-2:]]


def instant(moment: Moment) -> datetime:
    """The moment, with its time zone."""
    return datetime.fromisoformat(moment)
