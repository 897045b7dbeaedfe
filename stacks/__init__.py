"""Compositions: settings in, components out."""

from .deploy import deploy

__all__ = ["deploy"]
