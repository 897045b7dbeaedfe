"""Fixtures of the fleet that stands in the lab: the dev stack, its hub, a counter in every cluster."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from fleet.hub import Hub

from .stack import DEV, Stack, eventually
from .workloads import NAMESPACE, ORACLE, exporter

FLEET = DEV["config"]["promfleet:fleet"]


@pytest.fixture(scope="session")
def deployed(lab):
    """The dev stack, as `make up` leaves it; a test that changes it puts it back."""
    lab.connect()
    stack = Stack("dev", lab.env)
    stack.up()
    return stack


@pytest.fixture(scope="session")
def hub_of(lab):
    """Open the hub of a stack over the network, by its read door and with its reader's token."""

    @contextmanager
    def open_hub(stack: Stack) -> Generator[Hub]:
        outputs = stack.outputs
        url = urlsplit(outputs["hub"]["readUrl"])
        host = url.hostname or ""
        client = httpx.Client(
            base_url=f"https://{lab.node_address('hub')}:{url.port}",
            headers={"Authorization": f"Bearer {outputs['reader']}", "Host": host},
            verify=ssl.create_default_context(cafile=str(lab.ca)),
            timeout=30,
        )
        with client:
            yield Hub(client, host)

    return open_hub


@pytest.fixture(scope="session")
def operate_of(lab):
    """Open a stack's Alertmanager over the network, as who is on call does."""
    way = FLEET["alertmanager"]["expose"]

    @contextmanager
    def open_alertmanager(stack: Stack) -> Generator[httpx.Client]:
        client = httpx.Client(
            base_url=f"https://{lab.node_address('hub')}:{way['nodePort']}",
            headers={"Authorization": f"Bearer {stack.outputs['operator']}", "Host": way["host"]},
            verify=ssl.create_default_context(cafile=str(lab.ca)),
            timeout=30,
        )
        client.event_hooks = {"request": [lambda request: request.extensions.update(sni_hostname=way["host"])]}
        with client:
            yield client

    return open_alertmanager


@pytest.fixture
def hub(deployed, hub_of):
    with hub_of(deployed) as hub:
        yield hub


@pytest.fixture(scope="session")
def oracle(lab, deployed, hub_of):
    """Name the Deployment, in every cluster, of a counter that is scraped every second and has arrived at the hub."""
    for cluster in FLEET["clusters"]:
        lab.apply(cluster, exporter("oracle", ORACLE, "1s"))
    with hub_of(deployed) as hub:

        def assert_arriving() -> None:
            counted = hub.query("min by (cluster) (count_over_time(oracle_seconds_total[15s]))")
            assert {s.labels["cluster"] for s in counted if s.value >= 10} == set(FLEET["clusters"])

        eventually(assert_arriving)
    yield "oracle"
    for cluster in FLEET["clusters"]:
        lab.kubectl(cluster, "delete", "namespace", NAMESPACE, "--wait=false")
