"""Command line of the Thanos sidecar."""

from settings import Thanos

from ..prometheus.flags import DATA, LISTEN
from .names import ADDRESS_FLAGS
from .objstore import objstore


def sidecar_flags(thanos: Thanos) -> list[str]:
    """Flags of the sidecar, which uploads the blocks of its Prometheus, and serves its data to Query."""
    return [
        "sidecar",
        *ADDRESS_FLAGS,
        f"--prometheus.url=http://{LISTEN}",
        f"--tsdb.path={DATA}",
        f"--objstore.config={objstore(thanos.storage)}",
        *(["--shipper.ignore-unequal-block-size"] if thanos.compaction == "delayed" else []),
    ]
