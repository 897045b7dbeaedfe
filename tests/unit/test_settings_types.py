import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from settings.storage import S3Endpoint
from settings.thanos import GrpcAddress
from settings.types import (
    DnsLabel,
    DnsName,
    Duration,
    Host,
    HttpsUrl,
    Image,
    LabelName,
    LabelValue,
    Namespace,
    Quantity,
    StackName,
    Target,
    authority,
    duration,
    in_bytes,
    seconds,
)

DIGEST = "@sha256:" + "0a" * 32
PROMETHEUS_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
"""model.ParseDuration of prometheus/common, without milliseconds."""
KUBERNETES_QUANTITY = re.compile(r"[+-]?(\d+|\d+\.\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?")
"""resource.ParseQuantity of k8s.io/apimachinery."""


def accepts(kind: Any, text: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


class TestDuration:
    @given(st.integers(1, 5_000), st.sampled_from("smhdwy"))
    def test_prometheus_reads_the_same_length(self, number, unit):
        """
        What we accept Prometheus accepts, and both make the same number of seconds of it.
        """
        text = f"{number}{unit}"
        assume(accepts(Duration, text))
        theirs = PROMETHEUS_DURATION.fullmatch(text)

        assert theirs
        parts = zip(theirs.groups(), (365 * 86400, 7 * 86400, 86400, 3600, 60, 1), strict=True)
        assert sum(int(part or 0) * length for part, length in parts) == seconds(text)

    @given(st.text(alphabet="0123456789smhdwy .-+\n", max_size=6))
    def test_nothing_else_is_accepted(self, text):
        """
        One whole number without leading zeros, one unit, and no space or line end around them.
        """
        digits, unit = text[:-1], text[-1:]
        right = digits.isdecimal() and digits[0] != "0" and unit in set("smhdwy")
        assume(not right or seconds(text) <= seconds("100y"))

        assert right == accepts(Duration, text)

    @given(st.integers(1, 999_999_999))
    def test_seconds_survive_being_written(self, length):
        """
        A computed length is written as a duration of the same length.
        """
        assert length == seconds(TypeAdapter(Duration).validate_python(duration(length)))

    @pytest.mark.parametrize(("text", "right"), [("100y", True), ("36500d", True), ("101y", False), ("36501d", False)])
    def test_a_century_is_the_longest(self, text, right):
        """
        What Go can't count keeps Prometheus and Thanos from starting.
        """
        assert right == accepts(Duration, text)

    @pytest.mark.parametrize(("length", "text"), [(600, "10m"), (86400, "1d"), (90, "90s"), (7200, "2h")])
    def test_the_largest_unit_is_taken(self, length, text):
        """
        People read 10m, not 600s.
        """
        assert text == duration(length)

    def test_digits_of_other_scripts(self):
        """
        Python takes digits of every script for digits; Prometheus does not.
        """
        assert not accepts(Duration, "٣h")


class TestQuantity:
    @given(st.integers(1, 1_000_000), st.sampled_from([("Mi", 20), ("Gi", 30), ("Ti", 40)]))
    def test_kubernetes_reads_the_same_size(self, number, unit):
        """
        What we accept Kubernetes accepts, and it is worth the same number of bytes.
        """
        suffix, power = unit
        text = TypeAdapter(Quantity).validate_python(f"{number}{suffix}")
        theirs = KUBERNETES_QUANTITY.fullmatch(text)

        assert theirs
        assert (str(number), suffix) == theirs.groups()
        assert number << power == in_bytes(text)

    @pytest.mark.parametrize(
        "text", ["50G", "50GB", "50", "0Gi", "-1Gi", "1.5Gi", "1e3", "50 Gi", "50Gi\n", "50gi", "1Ki", "1000001Ti"]
    )
    def test_what_is_no_size_of_a_volume(self, text):
        """
        Decimal units, fractions and sizes without a unit are refused, although Kubernetes takes some of them.
        """
        assert not accepts(Quantity, text)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (DnsLabel, ["a", "1a", "eu-1", "a" * 63], ["", "A", "-a", "a-", "a.b", "a_b", "a" * 64, "true", "null", "a\n"]),
        (DnsName, ["tls", "hub.tls", "a.1"], ["", ".a", "a.", "a..b", "A", "a" * 254, ".".join(["a"] * 200)]),
        (Namespace, ["promfleet", "kube", "defaults"], ["default", "kube-system", "kube-x", "a.b"]),
        (
            Host,
            ["h.example", "10.0.0.1", "h", "fd00::5", "::1", "::", "1:2:3:4:5:6:7:8"],
            [
                "h.example:9090",
                "https://h",
                "h/",
                "H",
                "h.",
                "[::1]",
                "*.example",
                ":::",
                "::1::",
                "1:2",
                "fe80::1%eth0",
            ],
        ),
        (
            HttpsUrl,
            ["https://h", "https://h:1/w", "https://[fd00::5]:1/w"],
            ["http://h", "https://", "https://u@h", "https://h/?q", "https://h/#f", "https://[:::]"],
        ),
        (
            Target,
            ["https://h/x", "http://[fd00::5]:8080/x", "h:1", "[fd00::5]:25"],
            ["h", "fd00::5:25", "[fd00::5]", "http://fd00::5/", "[:::]:25"],
        ),
        (GrpcAddress, ["h.example:10901", "[fd00::5]:10901"], ["h.example", "fd00::5:10901"]),
        (S3Endpoint, ["h", "h:9000", "[fd00::5]:9000"], ["https://h", "[fd00::5]", "fd00::5:9000"]),
        (StackName, ["organization/promfleet/hub", "o/p/s-1"], ["hub", "p/hub", "a/b/c/d", "o//s", "o/p/s "]),
        (LabelName, ["region", "_a", "A1"], ["", "__a", "1a", "a-b", "é", "true"]),
        (LabelValue, ["a", "1", "Köln", "x" * 128], ["", "x" * 129, "a\nb"]),
    ],
    ids=lambda kind: getattr(kind, "__metadata__", [""])[0] and kind.__metadata__[0].rule.removeprefix("is not "),
)
class TestForms:
    def test_right(self, kind, right, wrong):
        """
        Every text of this form is taken.
        """
        assert [text for text in right if not accepts(kind, text)] == []

    def test_wrong(self, kind, right, wrong):
        """
        No other text is.
        """
        assert [text for text in wrong if accepts(kind, text)] == []


class TestAuthority:
    @given(st.ip_addresses(), st.integers(1, 65535))
    def test_an_address_is_found_again_before_its_port(self, address, port):
        """
        Each address is a host of a stack file, and a URL that is made of it leads there.
        """
        host = TypeAdapter(Host).validate_python(str(address))

        url = urlsplit(f"https://{authority(host, port)}/path")

        assert (host, port) == (url.hostname, url.port)
        assert urlsplit(f"https://{authority(host)}/path").hostname == host


class TestImage:
    @pytest.mark.parametrize(
        "text",
        [
            "p:v1",
            "mirror.example/p:v1",
            "mirror.example:5000/a/b:1.2",
            f"a/p{DIGEST}",
            f"mirror.example:5000/p:v1{DIGEST}",
        ],
    )
    def test_pinned(self, text):
        """
        A tag, a digest or both pin an image, also one from a registry with a port.
        """
        assert accepts(Image, text)

    @pytest.mark.parametrize(
        "text",
        [
            "p",
            "p:latest",
            "mirror.example:5000/p",
            f"p:latest{DIGEST}",
            "p@sha256:12",
            "p:",
            "P:v1",
            "p:v1 ",
            "https://a/p:v1",
        ],
    )
    def test_not_pinned(self, text):
        """
        What may mean another image tomorrow is refused.
        """
        assert not accepts(Image, text)
