"""Compositions: settings in, components out."""

from .deploy import deploy
from .issuers import with_issuers

__all__ = ["deploy", "with_issuers"]
