"""Asks a hub in PromQL, through its read auth proxy, with a reader's token."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import kr8s
from kr8s.objects import ConfigMap, Service

from live import client_options

from .stack import StackError


class Sample(NamedTuple):
    """One series of an instant query's answer."""

    labels: dict[str, str]
    value: float


class Line(NamedTuple):
    """One series of a range query's answer: Unix times and values."""

    labels: dict[str, str]
    times: list[float]
    values: list[float]


class Hub:
    """A hub's read auth proxy. `base` is where it is reached, `host` the name in its certificate."""

    def __init__(self, client: httpx.Client, host: str) -> None:
        self.client = client
        self.host = host

    def query(self, promql: str) -> list[Sample]:
        """Answer an instant query; raises `httpx.HTTPStatusError` where the auth proxy or Prometheus refuses it."""
        found = self.get("/api/v1/query", query=promql).json()["data"]["result"]
        return [Sample(one["metric"], float(one["value"][1])) for one in found]

    def query_range(self, promql: str, start: float, end: float, step: float) -> list[Line]:
        """Answer a range query; times are Unix times, the step is in seconds."""
        span = {"start": str(start), "end": str(end), "step": str(step)}
        found = self.get("/api/v1/query_range", query=promql, **span).json()["data"]["result"]
        return [
            Line(one["metric"], [time for time, _ in one["values"]], [float(value) for _, value in one["values"]])
            for one in found
        ]

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """GET a path behind the read auth proxy."""
        response = self.client.get(path, params=parameters, extensions={"sni_hostname": self.host})
        return response.raise_for_status()


@contextmanager
def open_hub(stack: dict[str, Any]) -> Generator[Hub]:
    """Reach the Prometheus of a stack's outputs, through the API server of its cluster: no route is needed."""
    if "prometheus" not in stack:
        raise StackError("this stack has no Prometheus server; name the hub's with --stack, or run `pulumi up` first")
    hub = stack["prometheus"]
    url = urlsplit(hub["readUrl"])
    try:
        api = kr8s.api(**client_options(hub["context"], hub["kubeconfig"] or None))
        service = Service.get(hub["service"], namespace=hub["namespace"], api=api)
        trust = _trust(api, hub)
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        raise StackError(f"the hub's cluster, context {hub['context']}, does not show the hub: {error}") from error
    [port] = [port["port"] for port in service.spec.ports if port["name"] == "read"]
    with service.portforward(remote_port=port, local_port="auto") as local:
        client = httpx.Client(
            base_url=f"https://127.0.0.1:{local}",
            headers={"Authorization": f"Bearer {stack['readerToken']}", "Host": url.netloc},
            verify=trust,
            timeout=30,
        )
        with client:
            yield Hub(client, str(url.hostname))


def _trust(api: kr8s.Api, hub: dict[str, str]) -> ssl.SSLContext:
    pem = hub["ca"]
    if hub["caConfigMap"]:
        pem = ConfigMap.get(hub["caConfigMap"], namespace=hub["namespace"], api=api).data["ca.crt"]
    return ssl.create_default_context(cadata=pem or None)
