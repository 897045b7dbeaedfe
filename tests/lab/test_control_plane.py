"""An agent that scrapes the control plane of its cluster, and kube-proxy, as `controlPlane` says."""

from collections.abc import Generator

import promql_parser
import pytest

from fleet.client import PrometheusClient
from settings import Fleet
from settings.control_plane import OF_CONTROL_PLANE
from settings.promql import selectors

from . import catalogue, fleets
from .clusters import Lab
from .stack import eventually
from .stacks import Stacks

pytestmark = [pytest.mark.lab, pytest.mark.long]
CLUSTER = "eu1"
LABEL = "node-role.kubernetes.io/control-plane"
CONTROLLED = fleets.DEV.changed(
    {
        "clusters": {
            CLUSTER: {
                "controlPlane": {
                    "scheduler": {},  # the cluster's authority signed its certificate
                    "controllerManager": {"insecureSkipVerify": True},  # it made its own
                    "etcd": {},
                    "kubeProxy": {},
                }
            }
        }
    }
)
OF_RUNBOOKS = {"kubeproxy_sync_proxy_rules_last_timestamp_seconds", "scheduler_pending_pods", "workqueue_depth"}
NOT_HERE = {"etcd_network_peer_sent_failures_total": "the lab's etcd has one member, which sends to nobody"}
"""Metrics that the alerts read and the lab lacks, and why."""
ARRIVAL = 180
"""Seconds until the agent knows its new jobs, and what they bring was scraped, shipped and judged."""


@pytest.fixture(scope="module")
def labelled(lab: Lab) -> Generator[None]:
    """The node with the label that kubeadm gives to nodes of a control plane."""
    lab.kubectl(CLUSTER, "label", "--overwrite", "node", CLUSTER, f"{LABEL}=")
    yield
    lab.kubectl(CLUSTER, "label", "node", CLUSTER, f"{LABEL}-")


@pytest.fixture(scope="module")
def hub(stacks: Stacks, labelled: None) -> Generator[PrometheusClient]:
    [stack] = stacks.deploy({"dev": CONTROLLED})
    with stacks.open_prometheus(stack) as hub:
        yield hub


class TestControlPlane:
    def test_every_part_is_up(self, hub: PrometheusClient) -> None:
        """
        In no cluster that does not ask for it, though all listen there.
        """
        expected = {(CLUSTER, job, CLUSTER, 1) for job in OF_CONTROL_PLANE}

        def assert_up() -> None:
            up = hub.query(f'up{{job=~"{"|".join(OF_CONTROL_PLANE)}"}}')
            labels = ("cluster", "job", "node")
            assert {(*(s.labels[name] for name in labels), s.value) for s in up} == expected

        eventually(assert_up, ARRIVAL)

    def test_alerts_read_metrics_that_exist(self, hub: PrometheusClient) -> None:
        """
        So do the runbooks.
        """
        rules = catalogue.groups(Fleet.model_validate(CONTROLLED.fleet))["control-plane"]
        read = {one.name for expr in rules for one in selectors(promql_parser.parse(expr)) if one.name}
        assert read > NOT_HERE.keys()

        def assert_present() -> None:
            found = catalogue.present(hub, read | OF_RUNBOOKS)
            assert (read | OF_RUNBOOKS) - found == NOT_HERE.keys()

        eventually(assert_present, ARRIVAL)

    def test_nothing_is_wrong_with_it(self, hub: PrometheusClient) -> None:
        """
        Its rules are evaluated, and none of its alerts is about to fire.
        """

        def assert_calm() -> None:
            assert catalogue.unhealthy(hub) == {}
            active = hub.query('ALERTS{alertname=~"etcd.+|Kube(ControllerManager|Proxy|Scheduler)Down"}')
            assert [s.labels for s in active] == []

        eventually(assert_calm, ARRIVAL)
