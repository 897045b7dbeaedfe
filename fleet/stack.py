"""Outputs of a deployed stack."""

import json
import subprocess
from typing import Any


class StackError(Exception):
    """A stack whose outputs can't be read, or that has no Prometheus server."""


def outputs(stack: str) -> dict[str, Any]:
    """Read the outputs of a stack, its secrets in plain text."""
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise StackError('pulumi is not on the path. In the lab, run: eval "$(fleet lab env)"') from error
    if done.returncode:
        raise StackError(done.stderr.strip())
    return json.loads(done.stdout)
