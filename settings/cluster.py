"""What a stack says about one Kubernetes cluster."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from .errors import Problem
from .section import Section, Table, empty
from .types import LabelName, LabelValue, Line

_RESERVED = re.compile(r"cluster|job|instance|replica|exported_.*")


class Kubelet(Section):
    """How the kubelets of one cluster are reached."""

    insecure_skip_verify: bool = False
    """Accept kubelet certificates that the cluster's CA did not sign (kubeadm's default); others can then listen."""


class Cluster(Section):
    """One Kubernetes cluster; its key in the stack file is its value of the label `cluster`."""

    context: Line
    """Context of the kubeconfig that leads to the cluster."""
    kubeconfig: Line | None = None
    """Path of that kubeconfig; without it `KUBECONFIG`, then `~/.kube/config`."""
    labels: Table[LabelName, LabelValue] = Field(default_factory=empty)
    """Facts about the cluster (region, tier, …), joined to its series through `promfleet_cluster_expected`."""
    series: Annotated[int, Field(ge=1000, le=50_000_000)] = 30_000
    """Active series to plan for: memory, volumes and the WAL follow from it."""
    kubelet: Kubelet = Kubelet()

    def problems(self) -> Iterator[Problem]:
        """A label that Prometheus or this program sets itself would be overwritten without a word."""
        for name in filter(_RESERVED.fullmatch, self.labels):
            yield Problem(("labels", name), "is a reserved label", "Use another name, such as region or tier.")
