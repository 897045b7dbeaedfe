"""prometheus.yml of an agent."""

from typing import Any

from settings import Fleet, Limits
from settings.scrape import RECEIVED

from ..scrape.job import scrape_configs
from ..scrape.jobs import jobs, self_scrape
from ..scrape.relabel import MOVED, force_cluster_label
from ..yaml import to_yaml
from .flags import MAX_SHARDS
from .global_config import global_section


def agent_config(fleet: Fleet, cluster: str, url: str, *, own: bool, ca_file: str | None, token_file: str) -> str:
    """
    The text of an agent's prometheus.yml, which ships everything to `url`.

    `own` is true for a promfleet hub, which is known to speak remote write 2.0; without `ca_file` the public
    authorities are trusted.
    """
    document: dict[str, Any] = {
        "global": global_section(fleet, cluster),
        "scrape_configs": scrape_configs(
            [self_scrape("prometheus-agent"), *jobs(fleet, cluster)], fleet.scrape, cluster
        ),
        "remote_write": [
            {
                **remote_write(fleet, url, own=own, ca_file=ca_file, token_file=token_file),
                "write_relabel_configs": [*force_cluster_label(cluster), *MOVED],
            }
        ],
    }
    return to_yaml(document)


def remote_write(fleet: Fleet, url: str, *, own: bool, ca_file: str | None, token_file: str) -> dict[str, Any]:
    """Return an entry of `remote_write`, without what is done to the labels."""
    return {
        "name": "hub" if own else "receiver",
        "url": url,
        **(_VERSION_2 if own else _VERSION_1),
        "send_exemplars": True,
        "send_native_histograms": True,
        "follow_redirects": False,
        "authorization": {"type": "Bearer", "credentials_file": token_file},
        **({"tls_config": {"ca_file": ca_file}} if ca_file else {}),
        "queue_config": queue(fleet.scrape.limits),
    }


_VERSION_1 = {"protobuf_message": "prometheus.WriteRequest"}
_VERSION_2 = {
    "protobuf_message": "io.prometheus.write.v2.Request",
    "metadata_config": {"send": False},  # a 1.0 message of its own; in 2.0 metadata travels with the series
}


_MOST_AT_ONCE = 2000
"""Samples of a request whose series are small: upstream's default."""


def queue(limits: Limits) -> dict[str, Any]:
    """
    How samples wait and are sent: never more at once than a hub takes, whatever labels they carry.

    A hub refuses what is too large for good, and with it the samples of all others that are in the same request.

    Without `sample_age_limit`: it drops only what is sent again, does not keep the log from being cut under the sender,
    and was seen to corrupt the batch that it touched.
    """
    return {
        "min_shards": 1,
        "max_shards": MAX_SHARDS,
        "max_samples_per_send": min(_MOST_AT_ONCE, RECEIVED // limits.largest_series),
        "capacity": 10_000,
        "min_backoff": "1s",
        "max_backoff": "5s",  # the longest wait after the hub's return
        "retry_on_http_429": True,
    }
