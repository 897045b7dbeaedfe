"""A stack: its file, its Prometheus server, its outputs once it is deployed."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from settings import Fleet, Server

AnyStack = Annotated[str, typer.Option(help="The stack; with Pulumi Cloud as organization/project/stack.")]
ServerStack = Annotated[str, typer.Option(help="The stack of the Prometheus server.")]


class StackError(Exception):
    """What a stack does not have, or what of it can't be read or reached."""


def stack_file(stack: str) -> Path:
    """Return the path of a stack's file in the current folder, whether its name is the short or the full one."""
    return Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml")


def server_of(fleet: Fleet) -> Server:
    """Return the Prometheus server of a fleet; raises `StackError` where it has none in a cluster."""
    if fleet.watcher:
        raise StackError(ON_ITS_MACHINE)
    if fleet.server is None:
        raise StackError("this stack has no Prometheus server; name the stack of the hub with --stack")
    return fleet.server


def outputs(stack: str, *, secrets: bool = False) -> dict[str, Any]:
    """Read the outputs of a stack; those that are secret are `[secret]`, unless they are asked for in plain text."""
    return _asked(["stack", "output", "--json", *(["--show-secrets"] if secrets else []), "--stack", stack])


def configuration(stack: str) -> dict[str, str]:
    """Read the configuration of a stack, its secrets in plain text: full key -> value."""
    found = _asked(["config", "--json", "--show-secrets", "--stack", stack])
    return {key: entry["value"] for key, entry in found.items() if "value" in entry}


def _asked(arguments: Sequence[str]) -> dict[str, Any]:
    command = ["pulumi", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise StackError('pulumi is not on the path. In the lab, run: eval "$(fleet lab env)"') from error
    if done.returncode:
        raise StackError(done.stderr.strip())
    return json.loads(done.stdout)


ON_ITS_MACHINE = (
    "the Prometheus of this stack runs on the machine of its watcher. Open it where watcher.expose says, or run "
    "`ssh -L 9090:127.0.0.1:9090 <machine>` and open http://127.0.0.1:9090; Alertmanager has port 9093"
)
"""Why a command that goes through the API server of a cluster can't reach a watcher."""
