"""`fleet node-exporter`: the files of nodes that run node_exporter outside of Kubernetes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from render.node_exporter import WEB, NodeTls, node_exporter_files
from settings import from_file
from settings.exporters import HostService
from settings.images import release

from .exits import Exit, problems_reported
from .folder import Folder, FolderError, put
from .passwords import known_hash, new_hash
from .stack import stack_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Nodes with a node_exporter of their own, as `clusters.<name>.nodeExporter.host` describes them.",
)


@app.callback()
def node_exporter() -> None:
    """Let the only command keep its name."""


class OptionError(Exception):
    """An option that the stack file needs, or that has no effect with it."""


@app.command()
@problems_reported()
def write(
    folder: Folder,
    stack: Annotated[str, typer.Option(help="The stack with the cluster.")],
    cluster: Annotated[str, typer.Option(help="The cluster, which has nodeExporter.host.")],
    certificate: Annotated[str, typer.Option(help="Path of the certificate on the nodes, with scheme: https.")] = "",
    key: Annotated[str, typer.Option(help="Path of its key, which the user node-exporter reads.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="File with the password of client.basic_auth.")] = None,
) -> None:
    """
    Write what each node of a cluster needs: unit, web configuration, and install.sh, which installs them there.

    Run it again after a change of the stack file: only what differs is written. The same DIR goes to every node.
    """
    file = stack_file(stack)
    try:
        fleet = from_file(file)
        known = fleet.clusters.get(cluster)
        if known is None or known.node_exporter.host is None:
            raise OptionError(f"{file} has no clusters.{cluster}.nodeExporter.host. Name a cluster that has one.")
        host, version = known.node_exporter.host, release(fleet.images.node_exporter)
        if version is None:
            raise OptionError(f"images.nodeExporter of {file} names no release. Write an image with a tag: v1.12.1.")
        tls = tls_of(host, certificate, key)
        files = node_exporter_files(host, version, tls, users_of(host, password_file, folder))
        written = put(folder, f"Written by fleet node-exporter write for cluster {cluster} of stack {stack}.", files)
    except (FolderError, OptionError, OSError) as error:
        typer.echo(f"fleet node-exporter: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    typer.echo(written.report(folder))
    if tls is None or not host.client.config.get("basic_auth"):
        typer.echo(f"whoever reaches port {host.port} of a node reads its metrics, or what asks for them on the way")


def tls_of(host: HostService, certificate: str, key: str) -> NodeTls | None:
    """Return where the certificate is on the nodes, if they are asked by TLS; raises `OptionError`."""
    if host.client.config.get("scheme") != "https":
        if certificate or key:
            raise OptionError("--certificate and --key have no effect without client: {scheme: https}. Write that.")
        return None
    for option, path in {"--certificate": certificate, "--key": key}.items():
        if not path.startswith("/"):
            raise OptionError(f"client has scheme: https. Write {option} with an absolute path on the nodes.")
    return NodeTls(certificate, key)


def users_of(host: HostService, password_file: Path | None, folder: Path) -> Mapping[str, str]:
    """
    Return the bcrypt hash of the only user's password, if there is one; raises `OptionError`.

    The hash that the folder has stays while it is the password's.
    """
    user = (host.client.config.get("basic_auth") or {}).get("username")
    if not isinstance(user, str):
        if password_file:
            raise OptionError("--password-file has no effect without client: {basic_auth: {username: …}}. Write that.")
        return {}
    if password_file is None:
        raise OptionError("client has basic_auth. Write --password-file with the password that its Secret has.")
    password = password_file.read_bytes().rstrip(b"\n")
    return {user: known_hash(folder / WEB, user, password) or new_hash(password)}
