"""What a stack says about a Prometheus that watches one cluster."""

from typing import ClassVar

from .prometheus import Server


class Standalone(Server):
    """A Prometheus server that scrapes the cluster it runs in, and to which nobody writes."""

    section: ClassVar[str] = "standalone"
