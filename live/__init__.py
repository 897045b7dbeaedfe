"""The live state of clusters, and the reasons why pods and volumes are not ready."""

from .call import Resource, call
from .client import client_options, reason
from .look import UnreachableError, look
from .troubles import OURS, Object, troubles

__all__ = ["OURS", "Object", "Resource", "UnreachableError", "call", "client_options", "look", "reason", "troubles"]
