"""`fleet render`: the objects of a stack as YAML, for use with other tools than Pulumi."""

import gc
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from settings import Fleet, from_file
from settings.errors import some
from settings.loading.load import PROJECT
from settings.validation.issuers import unknown_issuers

from .exits import Exit, problems_reported
from .folder import Folder, FolderError
from .stack import AnyStack, stack_file
from .units import counted

if TYPE_CHECKING:
    from stacks.offline import Program

    from .manifests import Manifests

ORGANIZATION = "organization"
"""Organization that Pulumi uses with a self-managed backend."""
README = "README.md"


@contextmanager
def _uncollected() -> Generator[None]:
    """Disable cyclic garbage collection, which takes a tenth of the time, with imports, and frees nearly nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_uncollected()
@problems_reported()
def render(
    folder: Folder,
    stack: AnyStack,
) -> None:
    """
    Write the Kubernetes objects of a stack as YAML: a file each, in a folder per cluster.

    They are the ones that `pulumi up` would create of Pulumi.<stack>.yaml. It needs no cluster, engine or passphrase.
    Values of Secrets are left out; objects that must exist besides are listed, in DIR/README.md too.
    """
    # Pulumi takes half a second to import, which only this command needs.
    from stacks.offline import ProgramError  # noqa: PLC0415

    file, name = stack_file(stack), full_name(stack)
    try:
        fleet = from_file(file)
        rendered, files = rendering(fleet, name, file.parent)
        write(folder, name, files)
    except ProgramError as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(Exit.FINDINGS) from None
    except FolderError as error:
        typer.echo(f"{folder}: {error}", err=True)
        raise typer.Exit(Exit.USAGE) from None
    typer.echo(f"{folder}: {counted(len(rendered.files), 'object')} in {counted(len(fleet.clusters), 'cluster')}")
    for line in [*rendered.needs, *rendered.left_out, *not_asked(fleet)]:
        typer.echo(line)
    if rendered.elsewhere:
        typer.echo(f"{len(rendered.elsewhere)} resources are in no cluster, and listed in {folder / README}")


def rendering(fleet: Fleet, stack: str, folder: Path) -> tuple["Manifests", Mapping[str, str]]:
    """Return the objects of a stack and their files, path -> text; `folder` has the other stacks' files."""
    from .manifests import manifests, text  # noqa: PLC0415

    rendered = manifests(program(fleet, stack, folder).resources)
    files = {path: f"# {written_by(stack)}\n{text(item)}" for path, item in rendered.files.items()}
    return rendered, {README: readme(stack, fleet, rendered), **files}


def full_name(stack: str) -> str:
    """Return `<organization>/<project>/<stack>` of a stack of this project."""
    return stack if "/" in stack else f"{ORGANIZATION}/{PROJECT}/{stack}"


def program(fleet: Fleet, stack: str, folder: Path, asking: Collection[str] = ()) -> "Program":
    """
    Run the program of a stack, after those of the stacks that it refers to and whose files are in a folder.

    Of two that refer to each other, the second has no outputs of the first, as in its first update.
    """
    from stacks.offline import referred, run  # noqa: PLC0415

    others = {}
    for other in referred(fleet):
        _, project, name = other.split("/")
        file = folder / f"Pulumi.{name}.yaml"
        if project == PROJECT and file.exists() and other not in (stack, *asking):
            others[other] = program(from_file(file), other, folder, (stack, *asking)).outputs
    return run(fleet, stack, others)


def written_by(stack: str) -> str:
    """Return the marker in the first line of a file, which permits to overwrite and delete it."""
    return f"Written by fleet render for stack {stack}, which overwrites what is changed here."


def write(folder: Path, stack: str, files: Mapping[str, str]) -> None:
    """
    Write these files of a stack to a folder, path -> text, and delete those of its earlier renders.

    Files of others are never touched. Raises `FolderError` where one has the path of a file to write, or where the
    folder has files and none of them is this stack's README.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderError("is a file. Write the name of a folder.")
    present = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if present and not _is_of(folder / README, stack):
        raise FolderError(
            f"has files that were not rendered for stack {stack}: {some(present)}. Use a new or an empty folder."
        )
    if foreign := [path for path in files if (folder / path).exists() and not _is_of(folder / path, stack)]:
        raise FolderError(f"has other files where objects are to be written: {some(foreign)}. Move or remove them.")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    for file in _stale(folder, stack, files):
        file.unlink()
        with suppress(OSError):  # a file of others is in there too
            file.parent.rmdir()


def not_asked(fleet: Fleet) -> list[str]:
    """Say which agents have tokens only because no cluster is asked for its issuer."""
    return [
        f"{name}: the agent has a token of the hub's cluster. With clusters.{name}.issuer, which `fleet issuer "
        f"--context {fleet.clusters[name].context}` prints, it has one of its own cluster, as with `pulumi up`."
        for name in unknown_issuers(fleet.partial)
        if name in fleet.agents
    ]


def _stale(folder: Path, stack: str, files: Mapping[str, str]) -> Iterator[Path]:
    kept = {folder / path for path in files}
    return (file for file in sorted(folder.glob("*/*.yaml")) if file not in kept and _is_of(file, stack))


def _is_of(file: Path, stack: str) -> bool:
    try:
        with file.open(encoding="utf-8") as lines:
            return written_by(stack) in lines.readline()
    except (OSError, UnicodeDecodeError):
        return False


def readme(stack: str, fleet: Fleet, rendered: "Manifests") -> str:
    """Return the README of the folder: how to apply it, and what else must exist."""
    name = stack.rpartition("/")[2]
    lines = [
        f"<!-- {written_by(stack)} -->",
        f"# The objects of stack {name}",
        "",
        f"What `pulumi up --stack {name}` would create, in a folder per cluster. Create what is listed below first.",
        "",
        "```sh",
        *(
            f"kubectl --context {cluster.context} apply --server-side --recursive --filename {folder}"
            for folder, cluster in fleet.clusters.items()
        ),
        "```",
    ]
    sections = {
        "What has to exist": rendered.needs,
        "What is left out": rendered.left_out,
        "What is in no cluster": rendered.elsewhere,
        "What differs from `pulumi up`": not_asked(fleet),
    }
    for title, items in sections.items():
        if items:
            lines += ["", f"## {title}", "", *(f"- {item}" for item in items)]
    return "\n".join([*lines, ""])
