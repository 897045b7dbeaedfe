"""The command `fleet`."""

__version__ = "0.1.0"
"""Version of the whole program; `pyproject.toml` reads it from here, so that it works without an installation."""
