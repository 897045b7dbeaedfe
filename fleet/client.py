"""A client of the Prometheus HTTP API, through the read auth proxy of a stack and with a token of minutes."""

import asyncio
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import kr8s
from kr8s.objects import ConfigMap, Service

from live import SHORTEST, client_options, free_port, reason, token_of
from render.prometheus.auth_proxies import READ, READER

from .stack import ON_ITS_MACHINE, StackError


class Sample(NamedTuple):
    """One series of the result of an instant query."""

    labels: dict[str, str]
    value: float


class Line(NamedTuple):
    """One series of the result of a range query: Unix times and values."""

    labels: dict[str, str]
    times: list[float]
    values: list[float]


class PrometheusClient:
    """Client of the Prometheus HTTP API; `host` is the name in the certificate of its auth proxy."""

    def __init__(self, client: httpx.Client, host: str) -> None:
        self.client = client
        self.host = host

    def query(self, promql: str) -> list[Sample]:
        """Run an instant query; raises `httpx.HTTPStatusError` where the auth proxy or Prometheus refuses it."""
        found = self.get("/api/v1/query", query=promql).json()["data"]["result"]
        return [Sample(one["metric"], float(one["value"][1])) for one in found]

    def query_range(self, promql: str, start: float, end: float, step: float) -> list[Line]:
        """Run a range query; times are Unix times, the step is in seconds."""
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
def open_prometheus(stack: dict[str, Any], lifetime: int = SHORTEST) -> Generator[PrometheusClient]:
    """
    Connect to the Prometheus server of a stack's outputs, by port-forward through the API server of its cluster.

    It requests a token of the ServiceAccount reader, which is valid for `lifetime` seconds. Raises `StackError`.
    """
    if "watcher" in stack:
        raise StackError(ON_ITS_MACHINE)
    if "prometheus" not in stack:
        raise StackError(
            "this stack has no Prometheus server; name the stack of the hub with --stack, or run `pulumi up` first"
        )
    server = stack["prometheus"]
    url = urlsplit(server["readUrl"])
    context, kubeconfig, namespace = server["context"], server["kubeconfig"] or None, server["namespace"]
    try:
        token = asyncio.run(token_of(context, kubeconfig, namespace, READER, lifetime))
        api = kr8s.api(**client_options(context, kubeconfig))
        service = Service.get(server["service"], namespace=namespace, api=api)
        trust = _trust(api, server)
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        raise StackError(f"no access to the server in context {context}: {reason(error)}") from error
    [port] = [port["port"] for port in service.spec.ports if port["name"] == READ.name]
    with service.portforward(remote_port=port, local_port=free_port()) as local:
        client = httpx.Client(
            base_url=f"https://127.0.0.1:{local}",
            headers={"Authorization": f"Bearer {token.value}", "Host": url.netloc},
            verify=trust,
            timeout=30,
        )
        with client:
            yield PrometheusClient(client, str(url.hostname))


def _trust(api: kr8s.Api, server: dict[str, str]) -> ssl.SSLContext:
    pem = server["ca"]
    if server["caConfigMap"]:
        pem = ConfigMap.get(server["caConfigMap"], namespace=server["namespace"], api=api).data["ca.crt"]
    return ssl.create_default_context(cadata=pem or None)
