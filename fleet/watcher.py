"""`fleet watcher`: the files of the machine that watches clusters from outside."""

import secrets as random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from render.instance import Packed, TooLargeError, payloads
from render.machine import PASSWORD, WEB, ClusterCredentials, File, Login, ReceiverCredentials, machine_files
from render.prometheus.agent import PROTOCOL_2
from settings import Fleet, from_file
from settings.loading.load import PROJECT
from settings.watcher import SELF

from .exits import Exit, problems_reported
from .folder import LIST, Folder, FolderError, put, written_before
from .passwords import known_hash, new_hash
from .secret_manager import Secret, SecretManagerError
from .stack import StackError, configuration, outputs, stack_file

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The machine outside of all clusters that the section `watcher` describes.",
)


@app.command()
@problems_reported()
def write(
    folder: Folder,
    stack: Annotated[str, typer.Option(help="The stack with the section watcher; `pulumi up` has run.")],
) -> None:
    """
    Write all that the machine needs: configuration, tokens, units and install.sh, which installs them there.

    Run it again after `pulumi up`, and after a renewed token: only what differs is written. DIR holds secrets.
    """
    file = stack_file(stack)
    try:
        fleet = from_file(file)
        if fleet.watcher is None:
            raise FolderError(f"{file} has no section watcher. Name a stack that has one.")
        written = put(folder, head(stack), rendered(fleet, stack, folder))
    except FolderError as error:
        typer.echo(f"fleet watcher: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    except StackError as error:
        typer.echo(f"fleet watcher: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from None
    typer.echo(written.report(folder))


@app.command()
def upload(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `fleet watcher write` wrote.")],
    stack: Annotated[str, typer.Option(help="The stack with watcher.instance; `pulumi up` has run.")],
) -> None:
    """
    Upload the folder to Secret Manager, from where the VM of the stack fetches it within minutes, and installs it.

    Only secrets with another content get a new version; the versions before it are destroyed. It runs gcloud.
    """
    try:
        contents = uploads(folder, stack)
        changed = [secret for secret, content in contents.items() if secret.upload(content)]
        destroyed = sum(secret.destroy_old() for secret in contents)
    except (FolderError, TooLargeError) as error:
        typer.echo(f"fleet watcher: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    except (StackError, SecretManagerError) as error:
        typer.echo(f"fleet watcher: {error}", err=True)
        raise typer.Exit(Exit.FAILED) from None
    for secret in changed:
        typer.echo(f"uploaded {secret.name}")
    counts = f"{len(changed)} uploaded, {len(contents) - len(changed)} unchanged, {destroyed} old versions destroyed"
    typer.echo(f"{folder}: {counts}")


def uploads(folder: Path, stack: str) -> Mapping[Secret, bytes]:
    """Return what each secret of a stack's VM has to contain, in the order of upload; the machine's is the last."""
    instance = outputs(stack).get("instance")
    if instance is None:
        raise StackError(
            f"stack {stack} has no output instance. Write watcher.instance into its file and run "
            f"`pulumi up --stack {stack}`; a machine of your own gets the folder by scp."
        )
    paths = written_before(folder, head(stack))
    if not paths:
        raise FolderError(f"{folder} is empty. Run `fleet watcher write --stack {stack} {folder}` first.")
    try:
        files = {
            path: Packed((folder / path).read_bytes(), (folder / path).stat().st_mode & 0o777)
            for path in (LIST, *paths)
        }
    except FileNotFoundError as error:
        raise FolderError(f"{folder} lacks {error.filename}. Run `fleet watcher write` again.") from None
    found = payloads(instance["name"], files)
    if differing := sorted({*found} ^ {*instance["secrets"]}):
        raise StackError(
            f"{folder} has other clusters than stack {stack} was deployed with: {', '.join(differing)}. "
            f"Run `pulumi up --stack {stack}` and `fleet watcher write --stack {stack} {folder}`."
        )
    return {Secret(instance["project"], name): content for name, content in found.items()}


def head(stack: str) -> str:
    """Return the first line of the list of files that are written for a stack's machine."""
    return f"Written by fleet watcher write for stack {stack}, which overwrites what is changed here."


def rendered(fleet: Fleet, stack: str, folder: Path) -> Mapping[str, File]:
    """Render the files of a stack's machine by what the stack exports and keeps as secrets; the folder is only read."""
    exported = outputs(stack, secrets=True).get("watcher")
    if exported is None:
        raise StackError(f"stack {stack} has no output watcher. Run `pulumi up --stack {stack}` first.")
    clusters = {
        name: ClusterCredentials(known["apiServer"], known["ca"], known["token"])
        for name, known in exported["clusters"].items()
    }
    if fleet.watcher and clusters.keys() != fleet.watcher.clusters.keys():
        differing = ", ".join(sorted(clusters.keys() ^ fleet.watcher.clusters.keys()))
        raise StackError(
            f"stack {stack} was deployed with other clusters than its file names: {differing}. "
            f"Run `pulumi up --stack {stack}` first."
        )
    needed = _secrets(fleet, stack)
    login = _login(folder) if fleet.watcher and fleet.watcher.expose else None
    return machine_files(fleet, clusters, needed, login, _receiver(exported.get("receiver")))


def _receiver(known: Mapping[str, Any] | None) -> ReceiverCredentials | None:
    if known is None:
        return None
    return ReceiverCredentials(known["url"], known["protocol"] == PROTOCOL_2, known["ca"], known["token"])


def _secrets(fleet: Fleet, stack: str) -> Mapping[str, str]:
    """Read the secrets that the fleet takes from its stack, by key without namespace."""
    if not fleet.secrets:
        return {}
    found = configuration(stack)
    if missing := [key for key in fleet.secrets if f"{PROJECT}:{key}" not in found]:
        commands = "; ".join(f"`pulumi config set --secret {PROJECT}:{key} --stack {stack}`" for key in missing)
        raise StackError(f"stack {stack} lacks {', '.join(missing)}. Run {commands}.")
    return {key: found[f"{PROJECT}:{key}"] for key in fleet.secrets}


def _login(folder: Path) -> Login:
    """Take the login of Prometheus itself that was written before, or make one: it is nobody else's to know."""
    with suppress(OSError, ValueError):  # there is none, or somebody edited it
        password = (folder / PASSWORD).read_text(encoding="utf-8")
        if known := known_hash(folder / WEB, SELF, password.encode()):
            return Login(password, known)
    password = random.token_urlsafe(32)
    return Login(password, new_hash(password.encode()))
