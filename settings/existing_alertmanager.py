"""Settings of an Alertmanager that exists already, to which alerts are sent."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic.alias_generators import to_camel

from .errors import Path, Problem
from .receiver_config import ReceiverReference
from .scrape_credentials import REFERENCE, MountedFile
from .section import Section, renamed
from .types import HTTP_URL, PORT_OF, DnsName, Line, Text, authority

Url = Annotated[
    str,
    Text(
        HTTP_URL,
        "is not a URL without user, query and fragment",
        "Write https://host, https://host:port or https://host/path, without /api/v2/alerts.",
    ),
]
"""The URL at which an Alertmanager is, as its `--web.external-url` says."""


class Login(Section):
    """Basic authentication."""

    username: Line
    """The user's name."""
    password: ReceiverReference
    """The password."""


class ExistingAlertmanager(Section):
    """An Alertmanager that this program does not deploy."""

    url: Url
    """Its URL, with the path under which it serves; of each replica, if it has several."""
    ca: ReceiverReference | None = None
    """Certificates that sign for it, in a Secret or ConfigMap; the public authorities if left out."""
    server_name: DnsName | None = None
    """Name in its certificate, if it is not the URL's host."""
    token: ReceiverReference | None = None
    """Bearer token to show."""
    basic_auth: Login | None = None

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        **dict.fromkeys(
            ("dns_sd_configs", "kubernetes_sd_configs", "static_configs"),
            ("unknown key", "Write url: https://alertmanager.acme.example, once for each Alertmanager."),
        ),
        **dict.fromkeys(("pathPrefix", "path_prefix", "scheme"), ("unknown key", "Write it in url.")),
        **dict.fromkeys(("tlsConfig", "tls_config"), ("unknown key", "Write ca and serverName.")),
        **renamed(dict.fromkeys(("authorization", "bearerTokenFile", "bearer_token_file"), "token")),
    }

    def problems(self) -> Iterator[Problem]:
        """One login at most, and nothing of TLS without https."""
        if "/api/v" in self.url:
            yield Problem(
                ("url",), "has the path of the API", "Remove /api/v2/alerts, which Prometheus adds.", self.url
            )
        if self.token and self.basic_auth:
            yield Problem((), "has both token and basicAuth", "Keep one of the two.")
        for name in ("ca", "server_name"):
            if getattr(self, name) and urlsplit(self.url).scheme == "http":
                yield Problem(
                    (to_camel(name),), "has no effect: the URL begins with http", "Remove it, or write https."
                )
        for path, reference in self._credentials:
            if reference.config_map:
                yield Problem(
                    path, "is in a ConfigMap, which every user of the namespace may read", f"Write {REFERENCE}."
                )

    @property
    def _credentials(self) -> Iterator[tuple[Path, ReceiverReference]]:
        if self.token:
            yield ("token",), self.token
        if self.basic_auth:
            yield ("basicAuth", "password"), self.basic_auth.password

    @property
    def references(self) -> Iterator[tuple[Path, MountedFile]]:
        """The files that Prometheus needs for it, with their paths in this section."""
        ca = [(("ca",), self.ca)] if self.ca else []
        for path, reference in (*ca, *self._credentials):
            if reference.mounted:
                yield path, reference.mounted

    @property
    def scheme(self) -> str:
        """The scheme of its URL."""
        return urlsplit(self.url).scheme

    @property
    def address(self) -> str:
        """Host and port of its URL."""
        parts = urlsplit(self.url)
        return authority(parts.hostname or "", parts.port or PORT_OF[parts.scheme])

    @property
    def prefix(self) -> str:
        """The path of its URL, without a slash at the end."""
        return urlsplit(self.url).path.rstrip("/")
