"""Settings of the Prometheus Operator of one cluster."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from .errors import Problem
from .images import PROMETHEUS_OPERATOR, release
from .pem import Certificates
from .section import Distinct, Section, Selected, empty
from .types import DnsLabel, DnsName

RELEASE = release(PROMETHEUS_OPERATOR)
"""The release that this program installs, and whose custom resources it writes."""
GROUP = "monitoring.coreos.com"
"""API group of its custom resources."""
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

    labels: Selected = Field(default_factory=empty)
    """Labels that such an object must have, whatever its namespace."""
    namespaces: Distinct[DnsLabel] = ()
    """Namespaces that such an object must be in; all, if left out."""


class AdmissionWebhook(Section):
    """The operator's admission webhook: the API server refuses a PrometheusRule that the operator would leave out."""

    secret: DnsName | None = None
    """Secret of type kubernetes.io/tls in the namespace of promfleet, for `admission-webhook.<namespace>.svc`."""
    issuer: DnsName | None = None
    """cert-manager ClusterIssuer, of an authority of one's own, that signs such a certificate instead."""
    ca: Certificates | None = None
    """PEM certificates of the CA that signs it; with `issuer`, cert-manager's injector writes them if left out."""
    failure_policy: Literal["Ignore", "Fail"] = "Ignore"
    """What becomes of a PrometheusRule when the webhook does not answer: it is stored, or refused."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 2
    """Number of pods."""

    def problems(self) -> Iterator[Problem]:
        """One certificate, of an authority that the API server is told of."""
        if self.secret and self.issuer:
            yield Problem((), "has both secret and issuer", "Keep one: the issuer fills a Secret of its own.")
        if not self.secret and not self.issuer:
            instead = "Write issuer (a ClusterIssuer), or secret (a TLS Secret) and ca."
            yield Problem((), "has neither secret nor issuer", instead)
        if self.secret and not self.issuer and not self.ca:
            rule = "is missing: the API server calls no webhook whose certificate it can't verify"
            yield Problem(("ca",), rule, "Write the PEM certificate of who signed the one in the Secret.")


class Operator(Section):
    """The Prometheus Operator runs the agent or the Prometheus server of this cluster."""

    install: bool = False
    """Whether this program installs the operator and its custom resource definitions; else the cluster has one."""
    select: Select = Field(default_factory=Select)
    webhook: AdmissionWebhook | None = None

    def problems(self) -> Iterator[Problem]:
        """The webhook belongs to an operator that this program installs."""
        if self.webhook and not self.install:
            rule = "is for an operator that this program installs"
            yield Problem(
                ("webhook",), rule, "Remove it, or write install: true; the chart of another one brings its own."
            )
