"""Settings of one application, whose metrics are behind a Service of its own namespace."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from .dashboard_file import DashboardFile, Provisioned
from .scrape import Interval
from .section import Section, Selected
from .types import DnsLabel, MetricsPath, PortName


class Application(Section):
    """An application to scrape; its key in the stack file is its job, if `job` is left out."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        "endpoints": ("is a field of a ServiceMonitor", "Write port, path and interval."),
        "jobLabel": ("is a field of a ServiceMonitor", "Write job: the value itself."),
        "targetPort": ("is a field of a ServiceMonitor", "Write port: the name of the Service's port."),
        "namespaceSelector": ("is a field of a ServiceMonitor", "Write namespace."),
    }

    cluster: DnsLabel
    """The cluster that it runs in."""
    namespace: DnsLabel
    """Its namespace, which promfleet neither creates nor changes."""
    selector: Annotated[Selected, Field(min_length=1)]
    """Labels of its Service; every Service of the namespace that has all of them is scraped."""
    port: PortName
    """Name of the Service's port with the metrics."""
    path: MetricsPath = "/metrics"
    """Path of the metrics."""
    interval: Interval | None = None
    """Time between two scrapes; `scrape.interval`, if left out."""
    job: DnsLabel | None = None
    """The value of the label `job`; give applications of several clusters the same one to compare them."""
    dashboard: Annotated[DashboardFile, Provisioned()] | None = None
    """Path of a file beside the stack file with a dashboard, as Grafana exports it."""
