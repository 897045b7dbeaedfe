"""prometheus.yml of an agent."""

from typing import Any

from settings import Fleet, Limits
from settings.agent import shard_name
from settings.destinations import MESSAGE_1, MESSAGE_2
from settings.memory import QUEUE
from settings.scrape import RECEIVED

from ..scrape.job import scrape_configs
from ..scrape.jobs import jobs, self_scrape
from ..scrape.relabel import MOVED, forced
from ..scrape.sharding import kept_by
from ..scrape.user_jobs import user_configs
from ..yaml import to_yaml
from .destinations import FROM_ENVIRONMENT, destination_entries
from .global_config import global_section

PROTOCOL_1, PROTOCOL_2 = "1.0", "2.0"
"""Versions of remote write, as the stack output `hub` names that of the endpoint."""


def agent_config(
    fleet: Fleet, cluster: str, url: str | None, shard: int = 0, *, own: bool, ca_file: str | None, token_file: str
) -> str:
    """
    The text of an agent's prometheus.yml, or of one of its shards, which writes to `url`, and to its destinations.

    Without `url` these are all, and the other arguments say nothing. `own` is true for a promfleet hub, which supports
    remote write 2.0; without `ca_file` the public authorities are trusted.
    """
    document: dict[str, Any] = {
        "global": global_section(fleet, cluster),
        "scrape_configs": agent_scrape_configs(fleet, cluster, shard),
        "remote_write": agent_remote_write(fleet, cluster, url, own=own, ca_file=ca_file, token_file=token_file),
    }
    return to_yaml(document)


def agent_scrape_configs(fleet: Fleet, cluster: str, shard: int = 0) -> list[dict[str, Any]]:
    """Return the section `scrape_configs` of an agent, or of one of its shards, each of which scrapes itself."""
    [itself] = scrape_configs([self_scrape(shard_name(shard))], fleet, cluster)
    divided = [*scrape_configs(jobs(fleet, cluster), fleet, cluster), *user_configs(fleet, cluster)]
    kept = kept_by(shard, fleet.agents[cluster].shards)
    return [itself, *({**config, "relabel_configs": [*config["relabel_configs"], *kept]} for config in divided)]


def agent_remote_write(
    fleet: Fleet, cluster: str, url: str | None, *, own: bool, ca_file: str | None, token_file: str
) -> list[dict[str, Any]]:
    """Return the section `remote_write` of an agent, which sends series of its own cluster only."""
    relabel = [*forced("cluster", cluster), *MOVED]
    proxied = fleet.has_proxy(cluster)
    found = destination_entries(fleet.destinations_of(cluster), relabel, proxied=proxied)
    if url is None:
        return found
    hub = remote_write(fleet, url, own=own, ca_file=ca_file, token_file=token_file)
    return [{**hub, **(FROM_ENVIRONMENT if proxied else {}), "write_relabel_configs": relabel}, *found]


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


_VERSION_1 = {"protobuf_message": MESSAGE_1}
_VERSION_2 = {
    "protobuf_message": MESSAGE_2,
    "metadata_config": {"send": False},  # a separate message of 1.0; in 2.0 metadata is sent with the series
}


def queue(limits: Limits) -> dict[str, Any]:
    """
    The `queue_config` of remote write: a request is never larger than a hub accepts, whatever labels its series have.

    A hub finally rejects a request that is too large, with all its samples.

    There is no `sample_age_limit`: it applies to retries only, does not keep the WAL from being truncated before
    samples are sent, and was seen to corrupt the batch that it touched.
    """
    return {
        "min_shards": 1,
        "max_shards": QUEUE["max_shards"],
        "max_samples_per_send": min(QUEUE["max_samples_per_send"], RECEIVED // limits.largest_series),
        "capacity": QUEUE["capacity"],
        "min_backoff": "1s",
        "max_backoff": "5s",  # the longest wait once the hub is up again
        "retry_on_http_429": True,
    }
