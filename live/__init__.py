"""What is in the clusters at this moment, and what is wrong with it."""

from .look import AwayError, look
from .troubles import OURS, Object, troubles

__all__ = ["OURS", "AwayError", "Object", "look", "troubles"]
