"""One stack as a user runs it: the pulumi command, the files of this repository, the lab's clusters."""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from lab.locks import lift_dead

ROOT = Path(__file__).parents[2]
LONGEST = 600
"""Seconds that a command may take."""
STATE_AT_THE_END = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""
Has the engine write its state once.

Otherwise it writes all of it before and after each operation, which takes half of the time of an update or a destroy,
and matters only to one that is killed.
"""


def project(folder: Path) -> Path:
    """Make this project anew in a folder, without its stack files, which a new stack's salt is written to."""
    for entry in ROOT.iterdir():
        if not entry.match("Pulumi.*.yaml"):
            (folder / entry.name).symlink_to(entry)
    return folder


def end(running: psutil.Popen) -> list[str]:
    """Kill an engine and all that it started, and name the stacks that it had locked."""
    for process in (running, *running.children(recursive=True)):
        process.kill()
    running.wait()
    return lift_dead()


class Stack:
    """One stack of a project, this repository's if left out; its stack file lies there under its name."""

    def __init__(self, name: str, environment: dict[str, str], root: Path = ROOT) -> None:
        self.name = name
        self.environment = environment
        self.root = root
        self.is_changed = False
        """Whether anything was done to it but looked at, since whoever sets this knew what it has."""
        self._outputs: dict[str, Any] = {}
        self.pulumi("stack", "select", "--create", name, stack=False)

    def pulumi(self, *arguments: str, stack: bool = True, fails: bool = False) -> str:
        """Run pulumi and return all it printed; it must succeed, or with `fails` must not. A preview has details."""
        if arguments[0] in ("up", "destroy", "state"):
            self.is_changed, self._outputs = True, {}
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        if arguments[0] == "preview":
            command.append("--diff")
        if stack:
            command += ["--stack", self.name]
        with self._own_temporary_files() as environment:
            running = psutil.Popen(
                command,
                cwd=self.root,
                env=environment | STATE_AT_THE_END,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                said, _ = running.communicate(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                end(running)
                raise
        assert bool(running.returncode) == fails, f"{' '.join(command)} answered {running.returncode}:\n{said}"
        return said

    def keep_secrets(self, secrets: Mapping[str, str]) -> None:
        """Put secrets of the program's into the stack file, as a user does."""
        pairs = [part for name, value in secrets.items() for part in ("--secret", f"promfleet:{name}={value}")]
        if pairs:
            self.pulumi("config", "set-all", *pairs)

    def up(self, *, fails: bool = False) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", fails=fails)

    def destroy(self) -> str:
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def kill(self, command: str, *, after: int) -> None:
        """Begin an update, or a destroy, and kill all of it after so many operations."""
        self.is_changed, self._outputs = True, {}
        arguments = [command, "--yes", "--skip-preview", "--non-interactive", "--color", "never", "--stack", self.name]
        with self._own_temporary_files() as environment:
            running = psutil.Popen(
                ["pulumi", *arguments], cwd=self.root, env=environment, stdout=subprocess.PIPE, text=True
            )
            done = 0
            for line in running.stdout:
                done += bool(re.search(r" (created|updated|deleted)\b", line))
                if done == after:
                    break
            assert done == after, f"{command} ended after {done} operations"
            locked = end(running)
        assert locked == [self.name]

    @property
    def outputs(self) -> dict[str, Any]:
        """What the last update gave, secrets in plain text."""
        if not self._outputs:
            self._outputs = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
        return self._outputs

    def resources(self, cluster: str) -> list[dict[str, Any]]:
        """Whatever the state has in one cluster."""
        state = json.loads(self.pulumi("stack", "export"))["deployment"]
        return [r for r in state.get("resources", []) if f"::{cluster}::" in r.get("provider", "")]

    def objects(self, cluster: str) -> set[str]:
        """URNs in the state that stand in one cluster."""
        return {resource["urn"] for resource in self.resources(cluster)}

    @contextmanager
    def _own_temporary_files(self) -> Generator[dict[str, str]]:
        """Give the environment of one run, whose temporary files go with it: some have a kubeconfig's credentials."""
        with tempfile.TemporaryDirectory(dir=self.environment["TMPDIR"], ignore_cleanup_errors=True) as folder:
            yield self.environment | {"TMPDIR": folder}


def eventually(check: Callable[[], None], seconds: float = 90) -> None:
    """
    Repeat a check until its assertions hold; fail with the last one's words when the time is over.

    A server that does not answer yet counts as an assertion that does not hold.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except (AssertionError, httpx.HTTPError):
            if time.monotonic() > deadline:
                raise
        time.sleep(1)
