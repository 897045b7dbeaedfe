"""Short-lived tokens of ServiceAccounts, which the API server issues to users who may request them."""

import asyncio
from http import HTTPStatus
from typing import Any, NamedTuple

from .client import LIMIT, client_options, reason

SHORTEST = 600
"""Lifetime in seconds; API servers issue no token that expires sooner."""


class Token(NamedTuple):
    """A token, without an audience of its own: API server and auth proxies of its cluster accept it."""

    value: str
    lifetime: int
    """Seconds; fewer than requested where the API server has a maximum (--service-account-max-token-expiration)."""


class TokenError(Exception):
    """A token that the API server does not issue; the message says what is to be done."""


async def request_token(api: Any, namespace: str, account: str, lifetime: int = SHORTEST) -> Token:
    """
    Request a token of a ServiceAccount by a client of kr8s; `lifetime` is in seconds.

    Raises `TokenError` where the user has no right to it or there is no such account, and an exception of kr8s or httpx
    where the API server can't be asked.
    """
    import kr8s  # noqa: PLC0415 — takes a third of a second, and only this needs it

    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": lifetime},
    }
    try:
        async with api.call_api(
            "POST", url=f"serviceaccounts/{account}/token", namespace=namespace, json=body
        ) as response:
            issued = response.json()
    except kr8s.ServerError as error:
        status = error.response.status_code if error.response else None
        if status == HTTPStatus.FORBIDDEN:
            raise TokenError(
                f"{reason(error)}. You need the right to `create` `serviceaccounts/token` of the ServiceAccount"
                f" {account} in the namespace {namespace}"
            ) from error
        if status == HTTPStatus.NOT_FOUND:
            raise TokenError(
                f"the namespace {namespace} has no ServiceAccount {account}; run `pulumi up` for this stack first"
            ) from error
        raise
    return Token(issued["status"]["token"], issued["spec"]["expirationSeconds"])


async def token_of(context: str, kubeconfig: str | None, namespace: str, account: str, lifetime: int) -> Token:
    """Request a token as `request_token` does, in the cluster of a context; raises `TimeoutError` after `LIMIT`."""
    import kr8s.asyncio  # noqa: PLC0415 — as above

    async with asyncio.timeout(LIMIT):
        api = await kr8s.asyncio.api(**client_options(context, kubeconfig))
        return await request_token(api, namespace, account, lifetime)
