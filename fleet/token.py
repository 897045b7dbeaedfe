"""`fleet token`: a short-lived token for queries or silences, issued to the user of the kubeconfig."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from live import SHORTEST, reason, token_of
from render import alertmanager
from render.prometheus.auth_proxies import READER
from settings import Duration, Fleet, from_file, seconds
from settings.types import duration

from .exits import Exit, problems_reported
from .stack import ServerStack, StackError, server_of, stack_file


class Account(StrEnum):
    """Whose token it is."""

    READER = "reader"
    OPERATOR = "operator"


@problems_reported()
def token(
    account: Annotated[Account, typer.Argument(help="reader: queries; operator: Alertmanager's silences.")],
    stack: ServerStack = "hub",
    lifetime: Annotated[str, typer.Option(help="How long it is valid: 10m, 1h, 1d.")] = "1h",
) -> None:
    """
    Print a bearer token for curl, amtool and other clients, and nothing else on stdout.

    The API server issues it to you, with your kubeconfig, for the ServiceAccount reader or alertmanager-operator. It
    can't be revoked before it expires but by deleting the account.
    """
    wanted = seconds_of(lifetime)
    try:
        fleet = from_file(stack_file(stack))
        server, name = server_of(fleet), account_of(fleet, account)
    except StackError as error:
        typer.echo(f"fleet token: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    cluster = fleet.clusters[server.cluster]
    try:
        issued = asyncio.run(token_of(cluster.context, cluster.kubeconfig, fleet.namespace, name, wanted))
    except Exception as error:  # a kubeconfig, its plugin, the network and the server fail in their own ways
        typer.echo(
            f"fleet token: cluster {server.cluster}, context {cluster.context}, issues none: {reason(error)}", err=True
        )
        raise typer.Exit(Exit.FAILED) from error
    typer.echo(issued.value)
    if issued.lifetime < wanted:
        typer.echo(f"fleet token: the cluster issues it for {duration(issued.lifetime)} only", err=True)


def account_of(fleet: Fleet, account: Account) -> str:
    """Return the name of the ServiceAccount; raises `StackError` where the stack has none."""
    if account is Account.READER:
        return READER
    if not fleet.alertmanager:
        raise StackError("this stack has no section alertmanager, and therefore nobody who silences")
    return alertmanager.OPERATOR


def seconds_of(lifetime: str) -> int:
    """Return a lifetime in seconds; raises `typer.BadParameter` for what is none or too short."""
    try:
        found = seconds(TypeAdapter(Duration).validate_python(lifetime))
    except ValidationError:
        found = 0
    if found < SHORTEST:
        raise typer.BadParameter(
            f"{lifetime} is not a duration of at least {duration(SHORTEST)}. Write 10m, 1h or 1d.",
            param_hint="--lifetime",
        )
    return found
