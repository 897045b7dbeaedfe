"""prometheus.yml of an agent."""

from typing import Any

from settings import Fleet

from . import render
from .common import global_section
from .flags import MAX_SHARDS
from .jobs import alone, jobs
from .relabel import pinned


def agent_config(fleet: Fleet, cluster: str, url: str, *, own: bool, ca_file: str | None, token_file: str) -> str:
    """
    The text of an agent's prometheus.yml, which ships everything to `url`.

    `own` is true for a promfleet hub, which is known to speak remote write 2.0; without `ca_file` the public
    authorities are trusted.
    """
    document: dict[str, Any] = {
        "global": global_section(fleet, cluster),
        "scrape_configs": jobs(fleet, cluster, alone("prometheus-agent")),
        "remote_write": [
            {
                "name": "hub" if own else "receiver",
                "url": url,
                **(_VERSION_2 if own else _VERSION_1),
                "send_exemplars": True,
                "send_native_histograms": True,
                "follow_redirects": False,
                "authorization": {"type": "Bearer", "credentials_file": token_file},
                **({"tls_config": {"ca_file": ca_file}} if ca_file else {}),
                "queue_config": QUEUE,
                "write_relabel_configs": pinned(cluster),
            }
        ],
    }
    return render.text(document)


_VERSION_1 = {"protobuf_message": "prometheus.WriteRequest"}
_VERSION_2 = {
    "protobuf_message": "io.prometheus.write.v2.Request",
    "metadata_config": {"send": False},  # a 1.0 message of its own; in 2.0 metadata travels with the series
}


QUEUE = {
    "min_shards": 1,
    "max_shards": MAX_SHARDS,
    "max_samples_per_send": 2000,
    "capacity": 10_000,
    "min_backoff": "1s",
    "max_backoff": "5s",  # the longest wait after the hub's return
    "retry_on_http_429": True,
}
"""
Without `sample_age_limit`: it drops only what is sent again, does not keep the log from being cut under the sender, and
was seen to corrupt the batch that it touched.
"""
