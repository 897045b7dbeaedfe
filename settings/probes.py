"""Settings of probes of endpoints, by blackbox_exporter."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .errors import Problem
from .scrape import Interval
from .section import Distinct, Section
from .types import URL, Target, refused


def _is_offered(module: object) -> object:
    if isinstance(module, str) and module not in ("http", "tcp"):
        known = {"http_2xx": "http", "tcp_connect": "tcp"}
        others = "Write http or tcp; for another module scrape a blackbox_exporter of your own with scrape.jobs."
        raise refused("is no module of promfleet", f"Write {known[module]}." if module in known else others)
    return module


class Probe(Section):
    """Endpoints that blackbox_exporter probes from the cluster of the Prometheus server."""

    module: Annotated[Literal["http", "tcp"], BeforeValidator(_is_offered)] = "http"
    """`http`: a GET by http or https succeeds with status 2xx; `tcp`: host:port accepts a connection."""
    targets: Annotated[Distinct[Target], Field(min_length=1)]
    """URLs for `http`, host:port for `tcp`."""
    interval: Interval = "1m"
    """Time between two probes of a target."""
    prefer: Literal["ip4", "ip6"] = "ip4"
    """Preferred IP protocol (`preferred_ip_protocol`); the other one is used where a target has no such address."""

    def problems(self) -> Iterator[Problem]:
        """Each module has its own kind of target."""
        for index, target in enumerate(self.targets):
            is_url = re.fullmatch(URL, target) is not None
            if self.module == "http" and not is_url:
                yield Problem(("targets", index), "is not a URL", f"Write https://{target}, or module: tcp.", target)
            if self.module == "tcp" and is_url:
                yield Problem(("targets", index), "is not host:port", "Write host:port, or module: http.", target)
