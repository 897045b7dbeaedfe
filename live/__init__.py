"""The live state of clusters, the reasons why pods and volumes are not ready, and tokens that the user requests."""

from .call import Resource, call
from .client import client_options, free_port, reason
from .look import UnreachableError, look
from .token import SHORTEST, Token, TokenError, request_token, token_of
from .troubles import Object, troubles

__all__ = [
    "SHORTEST",
    "Object",
    "Resource",
    "Token",
    "TokenError",
    "UnreachableError",
    "call",
    "client_options",
    "free_port",
    "look",
    "reason",
    "request_token",
    "token_of",
    "troubles",
]
