"""`fleet issuer`: who signs the tokens of a cluster's pods, as a stack file has it."""

import asyncio
from typing import Annotated

import typer

from live import reason
from live.issuer import issuer_of
from render.yaml import to_yaml

from .exits import Exit


def issuer(
    context: Annotated[str, typer.Option(help="Context of the cluster in the kubeconfig.")],
    kubeconfig: Annotated[str | None, typer.Option(help="Path of the kubeconfig; KUBECONFIG by default.")] = None,
) -> None:
    """
    Print the issuer of a cluster's tokens and its public keys, for clusters.<name>.issuer or hub.agents.<name>.issuer.

    All of it is public. Agents of the cluster then write to the hub without a shared secret.
    """
    try:
        found = asyncio.run(issuer_of(context, kubeconfig))
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        typer.echo(f"fleet issuer: context {context} does not say who signs tokens there: {reason(error)}", err=True)
        raise typer.Exit(Exit.FAILED) from error
    typer.echo(to_yaml({"issuer": found.model_dump(exclude_none=True, by_alias=True)}), nl=False)
