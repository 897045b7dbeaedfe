"""What holds of this repository, and how that is seen."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The repository."""
