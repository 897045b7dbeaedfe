"""Outputs of a deployed stack."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any


class StackError(Exception):
    """A stack whose outputs can't be read, or that has no Prometheus server."""


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
