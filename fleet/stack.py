"""Outputs of a deployed stack."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class StackError(Exception):
    """A stack whose outputs can't be read, or that has no Prometheus server."""


def stack_file(stack: str) -> Path:
    """Return the path of a stack's file in the current folder, whether its name is the short or the full one."""
    return Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml")


def outputs(stack: str) -> dict[str, Any]:
    """Read the outputs of a stack, its secrets in plain text."""
    return _asked(["stack", "output", "--json", "--show-secrets", "--stack", stack])


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
