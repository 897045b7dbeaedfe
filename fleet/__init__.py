"""The command `fleet`."""

__version__ = "0.1.0"
"""Of the whole program; `pyproject.toml` reads it here, so that it is known where nothing is installed."""
