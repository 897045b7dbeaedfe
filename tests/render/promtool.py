"""promtool of the release that is deployed."""

import shutil
import subprocess
from pathlib import Path

from lab.build import CACHE


class Promtool:
    """Judges files; a verdict against one fails the test with promtool's own words."""

    def __init__(self) -> None:
        built = sorted(CACHE.glob("prometheus-v*/promtool"))
        command = str(built[-1]) if built else shutil.which("promtool")
        assert command, "There is no promtool. Run `make setup` and `fleet lab up`, or put it on the PATH."
        self._command = command

    def accepts(self, *arguments: str | Path) -> None:
        done = subprocess.run([self._command, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
