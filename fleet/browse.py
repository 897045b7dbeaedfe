"""`fleet open`: a page of a stack in a browser, authenticated by the user's kubeconfig."""

import asyncio
import ssl
import webbrowser
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import StrEnum
from threading import Thread
from typing import Annotated, Any, NamedTuple, Self

import typer

from live import SHORTEST, client_options, free_port, reason, request_token
from render import alertmanager, grafana
from render.prometheus.auth_proxies import BROWSE, VIEWER
from render.thanos.names import QUERY
from settings import Fleet, Server, Tls, from_file

from .exits import Exit, problems_reported
from .local_proxy import LocalProxy, Upstream
from .stack import ServerStack, StackError, server_of, stack_file


class Name(StrEnum):
    """The pages that a stack may have."""

    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    QUERY = "query"
    GRAFANA = "grafana"


class Page(NamedTuple):
    """The Service of a page, and the ServiceAccount with access to it."""

    app: str
    """Name of the Service."""
    port: int
    """Port of its pods."""
    account: str | None
    """Name of the ServiceAccount; None where the page has a login of its own."""


@problems_reported()
def browse(
    page: Annotated[Name, typer.Argument(help="The page to open.")],
    stack: ServerStack = "hub",
    *,
    browser: Annotated[bool, typer.Option(help="Open a browser; otherwise the URL is only printed.")] = True,
) -> None:
    """
    Show a page of Prometheus, Alertmanager, Thanos Query or Grafana until Ctrl-C.

    It forwards a port through the API server of the cluster, with your kubeconfig, and authenticates with a token that
    it requests and that expires within ten minutes. Only one browser of this machine has access. Grafana has its own
    login.
    """
    try:
        fleet = from_file(stack_file(stack))
        server, found = page_of(fleet, page)
    except StackError as error:
        typer.echo(f"fleet open: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    try:
        asyncio.run(show(fleet, server, found, browser=browser))
    except KeyboardInterrupt:
        typer.echo("")
    except StackError as error:
        typer.echo(f"fleet open: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from None


def page_of(fleet: Fleet, name: Name) -> tuple[Server, Page]:
    """Find a page of a fleet; raises `StackError` where it has none."""
    server = server_of(fleet)
    found = {
        Name.PROMETHEUS: Page(server.app, BROWSE.port, VIEWER),
        Name.QUERY: Page(QUERY, BROWSE.port, VIEWER) if fleet.thanos else None,
        Name.ALERTMANAGER: Page(alertmanager.APP, alertmanager.OPERATE.port, alertmanager.OPERATOR)
        if fleet.alertmanager
        else None,
        Name.GRAFANA: Page(grafana.APP, grafana.PORT, None) if fleet.grafana else None,
    }
    if (page := found[name]) is None:
        section = "thanos" if name is Name.QUERY else name
        raise StackError(f"this stack has no section {section}, and therefore no such page")
    return server, page


async def show(fleet: Fleet, server: Server, page: Page, *, browser: bool) -> None:
    """Serve a page until this is cancelled; raises `StackError` where the cluster refuses it."""
    asyncio.get_running_loop().set_exception_handler(_but_cancelled)
    async with reached(fleet, server, page) as upstream:
        with LocalProxy(upstream) as proxy:
            Thread(target=proxy.serve_forever, daemon=True).start()
            typer.echo(f"{proxy.url}\nThis URL works in one browser. Press Ctrl-C to end.")
            if browser:
                webbrowser.open(proxy.url)
            try:
                await asyncio.Event().wait()
            finally:
                proxy.shutdown()


def _but_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report exceptions other than cancelled connections at the end, which Python 3.11 reports too."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


@asynccontextmanager
async def reached(fleet: Fleet, server: Server, page: Page) -> AsyncGenerator[Upstream]:
    """Forward a port to a page, with a token that is renewed while the page is open; raises `StackError`."""
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, which a wrong name need not wait for
    from kr8s.asyncio.objects import Service  # noqa: PLC0415

    cluster = fleet.clusters[server.cluster]
    try:
        api = await kr8s.asyncio.api(**client_options(cluster.context, cluster.kubeconfig))
        service = await Service.get(page.app, namespace=fleet.namespace, api=api)
        trust = await _trust(api, server.expose.tls, fleet.namespace)
        token = await RenewedToken.issued(api, fleet.namespace, page.account) if page.account else None
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        raise StackError(
            f"cluster {server.cluster}, context {cluster.context}, refuses this: {reason(error)}"
        ) from error
    async with service.portforward(remote_port=page.port, local_port=free_port()) as port:
        renewing = asyncio.create_task(token.renew()) if token else None
        upstream = Upstream(
            f"https://127.0.0.1:{port}", server.expose.host, trust, lambda: token.value if token else None
        )
        try:
            yield upstream
        finally:
            upstream.client.close()
            if renewing:
                renewing.cancel()


class RenewedToken:
    """A short-lived token of a ServiceAccount, and after half of its lifetime the next."""

    def __init__(self, api: Any, namespace: str, account: str) -> None:
        self.api = api
        self.namespace = namespace
        self.account = account
        self.value = ""

    @classmethod
    async def issued(cls, api: Any, namespace: str, account: str) -> Self:
        """Request a token; raises as `request_token` does."""
        token = cls(api, namespace, account)
        await token.request()
        return token

    async def request(self) -> None:
        """Request a new token of the API server."""
        self.value = (await request_token(self.api, self.namespace, self.account)).value

    async def renew(self) -> None:
        """Request a new token after half of each lifetime, until this is cancelled; a failed request is repeated."""
        while True:
            await asyncio.sleep(SHORTEST / 2)
            try:
                await self.request()
            except Exception as error:  # noqa: BLE001 — as above; the page shows an error once the token has expired
                typer.echo(f"fleet open: the token can't be renewed: {error}", err=True)


async def _trust(api: Any, tls: Tls, namespace: str) -> ssl.SSLContext:
    from kr8s.asyncio.objects import ConfigMap  # noqa: PLC0415

    pem = tls.ca
    if tls.ca_config_map:
        pem = (await ConfigMap.get(tls.ca_config_map, namespace=namespace, api=api)).data["ca.crt"]
    return ssl.create_default_context(cadata=pem or None)
