"""Authentication of components of Thanos at auth proxies."""

from typing import Any

from settings import Server

from ..auth_proxy import AuthProxy
from .names import OWN_CERTIFICATE

REMOTE_WRITE_LISTEN = "127.0.0.1:19291"
TENANT_HEADER = "THANOS-TENANT"
"""
Set by the write auth proxy to who came, over what the writer wrote there.

A writer can have it dropped on the way (`Connection: THANOS-TENANT`) and would write as nobody: see `hashring`.
"""
WRITE = AuthProxy(
    "receivers", "write", REMOTE_WRITE_LISTEN, 8443, 8643, ("create",), ("/api/v1/receive",), user_header=TENANT_HEADER
)
"""Auth proxy for remote write to Receive."""


def credentials(server: Server, token_file: str) -> dict[str, Any]:
    """Return the HTTP client settings for an auth proxy of the stack: token, CA, server name."""
    return {
        "bearer_token_file": token_file,
        "tls_config": {"ca_file": f"{OWN_CERTIFICATE}/tls.crt", "server_name": server.expose.host},
    }
