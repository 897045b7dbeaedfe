"""What is in the clusters at this moment, and what is wrong with it."""

from .client import client_options
from .look import AwayError, look
from .troubles import OURS, Object, troubles

__all__ = ["OURS", "AwayError", "Object", "client_options", "look", "troubles"]
