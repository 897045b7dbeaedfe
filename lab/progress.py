"""How it is told what the lab is doing; who shows it, and where, is no affair of those who do it."""

from collections.abc import Callable

Progress = Callable[[str, str], None]
"""Takes whom it is about (a cluster's name, say) and what happens there."""


def plainly(name: str, step: str) -> None:
    """Print a line."""
    print(f"{name}: {step}", flush=True)
