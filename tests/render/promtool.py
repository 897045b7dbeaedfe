"""promtool of the release that is deployed."""

import subprocess
from pathlib import Path

from .tools import tool


class Promtool:
    """Runs promtool on files; a file that it refuses fails the test with its output."""

    def __init__(self) -> None:
        self.command = tool("promtool")

    def accepts(self, *arguments: str | Path) -> None:
        done = subprocess.run([self.command, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
