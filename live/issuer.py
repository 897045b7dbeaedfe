"""Who signs the tokens of a cluster's pods, as its API server says, and its public keys."""

import json
from contextlib import suppress
from typing import Any

import httpx

from settings.issuer import Issuer, Key

from .client import client_options

_DISCOVERY = "openid-configuration"
"""OpenID Connect Discovery 1.0, which Kubernetes has at this path (KEP-1393)."""
_PATIENCE = 10


async def issuer_of(context: str, kubeconfig: str | None, *, by_url: bool = True) -> Issuer:
    """
    Ask a cluster who signs tokens there.

    With `by_url` the keys have a URL if anybody may read them there, as on GKE, EKS and AKS. Raises `httpx.HTTPError`
    or an exception of kr8s where the API server can't be asked, and `ValueError` where its answer is none.
    """
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and only this needs it

    api = await kr8s.asyncio.api(**client_options(context, kubeconfig))
    async with api.call_api("GET", version="", base="/.well-known", url=_DISCOVERY) as response:
        url = response.json()["issuer"]
    async with api.call_api("GET", version="", base="/openid/v1", url="jwks") as response:
        keys = [_public(key) for key in response.json()["keys"]]
    if by_url and (uri := await _public_url(url, {key["kid"] for key in keys})):
        return Issuer(url=url, jwks_uri=uri)
    return Issuer.model_validate({"url": url, "jwks": {"keys": keys}})


def _public(key: dict[str, Any]) -> dict[str, Any]:
    """What a key needs to be known for; some have certificates besides."""
    return {name: key[name] for name in Key.model_fields if name in key}


async def _public_url(issuer: str, names: set[str]) -> str | None:
    """Where anybody may read the keys of these names, if that is possible without a credential."""
    if not issuer.startswith("https://"):
        return None
    with suppress(httpx.HTTPError, json.JSONDecodeError, LookupError, TypeError):
        async with httpx.AsyncClient(timeout=_PATIENCE) as client:
            found = await client.get(f"{issuer.rstrip('/')}/.well-known/{_DISCOVERY}")
            uri = found.raise_for_status().json()["jwks_uri"]
            keys = (await client.get(uri)).raise_for_status().json()["keys"]
            if names <= {key["kid"] for key in keys}:
                return uri
    return None
