"""Renews the hashes of all Go modules that the lab is built from, and of pnpm: `python -m lab.lock`, or `make lock`."""

import tempfile
from pathlib import Path

from . import operator_crds, web_ui
from .binaries import BINARIES, TOOLS
from .build import SUMS, graph_of, prepare
from .toolchains import CACHE

ARCHITECTURES = ("amd64", "arm64")
"""Those of the machines that build; some modules are for one of them only."""


def lock() -> None:
    """Let Go find what each graph takes; what it has not had before it asks of the public log of hashes."""
    CACHE.mkdir(parents=True, exist_ok=True)
    sums = set[str]()
    graphs = {frozenset((binary.name, *binary.beside)): graph_of(binary) for binary in (*BINARIES, *TOOLS)}
    for graph in graphs.values():
        for architecture in ARCHITECTURES:
            with tempfile.TemporaryDirectory(dir=CACHE, prefix=".locking-") as folder:
                prepare(Path(folder), graph, architecture)
                sums |= set((Path(folder) / "go.sum").read_text(encoding="utf-8").splitlines())
        print(f"{', '.join(binary.name for binary in graph)}: {len(sums)} hashes")
    SUMS.write_text("".join(f"{line}\n" for line in sorted(sums)), encoding="utf-8")
    web_ui.lock()
    operator_crds.lock()


if __name__ == "__main__":
    lock()
