"""Command line of Thanos bucket web."""

from settings import Thanos

from ..auth_proxy import AuthProxy
from .names import HTTP
from .objstore import objstore

WEB_LISTEN = f"127.0.0.1:{HTTP}"
_PATHS = ("/", "/blocks", "/loaded", "/favicon.ico", "/static/*/*", "/api/v1/blocks", "/api/v1/status/flags")
BROWSE = AuthProxy("buckets", "browse", WEB_LISTEN, 8443, 8643, ("get",), _PATHS)


def web_flags(thanos: Thanos) -> list[str]:
    """Flags of bucket web, for the bucket of `storage`."""
    return ["tools", "bucket", "web", f"--http-address={WEB_LISTEN}", f"--objstore.config={objstore(thanos.storage)}"]
