"""Who signs the tokens of a cluster's pods, as its API server says, and its public keys."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from settings.issuer import LARGEST_SET, Issuer, Key
from settings.loading.explain import explain

from .client import LIMIT, client_options

_DISCOVERY = "openid-configuration"
"""OpenID Connect Discovery 1.0, which Kubernetes has at this path (KEP-1393)."""
_OF_PUBLIC = 5
"""Seconds until nobody is taken to have the keys at a URL."""


async def issuer_of(context: str, kubeconfig: str | None, *, by_url: bool = True) -> Issuer:
    """
    Ask a cluster who signs tokens there.

    With `by_url` the keys have a URL if anybody may read them there, as on GKE, EKS and AKS. Raises `httpx.HTTPError`
    or an exception of kr8s where the API server can't be asked, `TimeoutError` where it takes longer than `LIMIT`,
    and `ValueError` where its answer is none.
    """
    import kr8s.asyncio  # noqa: PLC0415 — takes a third of a second, and only this needs it

    async with asyncio.timeout(LIMIT):
        api = await kr8s.asyncio.api(**client_options(context, kubeconfig))
        url = (await _answer(api, "/.well-known", _DISCOVERY)).get("issuer")
        keys = (await _answer(api, "/openid/v1", "jwks")).get("keys")
        found = _issuer({"url": url, "jwks": {"keys": [*map(_public, keys)] if isinstance(keys, list) else keys}})
        return (by_url and await _at_url(found)) or found


async def _answer(api: Any, base: str, name: str) -> Mapping[str, Any]:
    async with api.call_api("GET", version="", base=base, url=name) as response:
        with suppress(ValueError):
            if isinstance(found := response.json(), Mapping):
                return found
    raise ValueError(f"{base}/{name} answers something else than a JSON object")


def _issuer(found: Mapping[str, Any]) -> Issuer:
    try:
        return Issuer.model_validate(found)
    except ValidationError as error:
        said = " ".join(str(replace(problem, instead="")) for problem in explain(error, Issuer))
        raise ValueError(f"of what it answers, {said.removesuffix('.')}") from error


def _public(key: Any) -> Any:
    """What a key needs to be known for; some have certificates besides."""
    return {name: key[name] for name in Key.model_fields if name in key} if isinstance(key, Mapping) else key


async def _at_url(issuer: Issuer) -> Issuer | None:
    """The issuer with the URL where anybody may read its keys, if that is possible without a credential."""
    if not issuer.url.startswith("https://") or not issuer.jwks:
        return None
    import httpx  # noqa: PLC0415 — only a cluster that is asked needs it

    with suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, LookupError, TypeError):
        async with asyncio.timeout(_OF_PUBLIC), httpx.AsyncClient() as client:
            found = await client.get(f"{issuer.url.rstrip('/')}/.well-known/{_DISCOVERY}")
            public = Issuer(url=issuer.url, jwks_uri=found.raise_for_status().json()["jwks_uri"])
            answer = (await client.get(public.jwks_uri or "")).raise_for_status()
            named = {key["kid"] for key in answer.json()["keys"]}
            if len(answer.content) < LARGEST_SET and {key.kid for key in issuer.jwks.keys} <= named:
                return public
    return None
