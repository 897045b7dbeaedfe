"""Settings of the Prometheus Operator of one cluster."""

import gzip
import json
from pathlib import Path
from typing import Any

from pydantic import Field

from .images import PROMETHEUS_OPERATOR, release
from .section import Distinct, Section, Table, empty
from .types import DnsLabel, ObjectLabel, ObjectLabelValue

RELEASE = release(PROMETHEUS_OPERATOR)
"""The release that this program installs, and whose custom resources it writes."""
HONOURED = (
    "podmonitors",
    "probes",
    "prometheusagents",
    "prometheuses",
    "prometheusrules",
    "scrapeconfigs",
    "servicemonitors",
)
"""Custom resources that the operator acts on here, in the plural; those of Alertmanager and Thanos are not."""
DEFINITIONS = Path(__file__).with_name("operator_crds.json.gz")
"""Their definitions, of that release."""


def definitions() -> list[dict[str, Any]]:
    """Return the definitions of the custom resources, without descriptions."""
    return json.loads(gzip.decompress(DEFINITIONS.read_bytes()))


class Select(Section):
    """Which ServiceMonitors, PodMonitors, Probes, ScrapeConfigs and PrometheusRules are used; all, if left out."""

    labels: Table[ObjectLabel, ObjectLabelValue] = Field(default_factory=empty)
    """Labels that such an object must have, whatever its namespace."""
    namespaces: Distinct[DnsLabel] = ()
    """Namespaces that such an object must be in; all, if left out."""


class Operator(Section):
    """The Prometheus Operator runs the agent or the Prometheus server of this cluster."""

    install: bool = False
    """Whether this program installs the operator and its custom resource definitions; else the cluster has one."""
    select: Select = Field(default_factory=Select)
