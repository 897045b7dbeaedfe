"""What a stack says about endpoints that are probed from outside."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from .errors import Problem
from .scrape import Interval
from .section import Distinct, Section
from .types import URL, Target


class Probe(Section):
    """Endpoints that are asked from the hub's cluster, as a user would."""

    module: Literal["http", "tcp"] = "http"
    """`http`: a GET over http or https that ends with a status of 2xx; `tcp`: host:port takes a connection."""
    targets: Annotated[Distinct[Target], Field(min_length=1)]
    """URLs for `http`, host:port for `tcp`."""
    interval: Interval = "1m"
    """Time between two questions to a target."""
    prefer: Literal["ip4", "ip6"] = "ip4"
    """By which address a target that has both is asked; one without such an address is asked by the other."""

    def problems(self) -> Iterator[Problem]:
        """Each module has its own kind of target."""
        for index, target in enumerate(self.targets):
            is_url = re.fullmatch(URL, target) is not None
            if self.module == "http" and not is_url:
                yield Problem(("targets", index), "is no URL", f"Write https://{target}, or module: tcp.", target)
            if self.module == "tcp" and is_url:
                yield Problem(("targets", index), "is no host:port", "Write host:port, or module: http.", target)
