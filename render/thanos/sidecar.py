"""The sidecar of Thanos, which uploads what a Prometheus has stored."""

from settings import Thanos

from ..prometheus.flags import DATA, LISTEN
from .names import PORTS
from .objstore import objstore


def sidecar_flags(thanos: Thanos) -> list[str]:
    """Uploads the blocks of the Prometheus beside it, and answers for what is not uploaded yet."""
    return [
        "sidecar",
        *PORTS,
        f"--prometheus.url=http://{LISTEN}",
        f"--tsdb.path={DATA}",
        f"--objstore.config={objstore(thanos.storage)}",
        *(["--shipper.ignore-unequal-block-size"] if thanos.compaction == "delayed" else []),
    ]
