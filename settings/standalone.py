"""Settings of a Prometheus server that scrapes its own cluster only."""

from typing import ClassVar

from .prometheus import Server


class Standalone(Server):
    """A Prometheus server that scrapes the cluster it runs in, and takes no remote write."""

    section: ClassVar[str] = "standalone"
