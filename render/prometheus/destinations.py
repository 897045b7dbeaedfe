"""Entries of `remote_write` for receivers beside the hub: what people wrote, with a name and bounds."""

from collections.abc import Mapping, Sequence
from typing import Any

from settings.destinations import Destination
from settings.memory import MAX_SHARDS

from ..scrape.relabel import Rule
from ..scrape.user_jobs import with_paths

FROM_ENVIRONMENT = {"proxy_from_environment": True}
"""Prometheus and Alertmanager use the environment's proxy only where they are told to."""
_OWN_PROXY = {"no_proxy", "proxy_from_environment", "proxy_url"}


def destination_entries(
    destinations: Mapping[str, Destination], ours: Sequence[Rule] = (), *, proxied: bool = False
) -> list[dict[str, Any]]:
    """
    Return the entries of all destinations; `proxied` is whether the pod's environment has a proxy for them.

    `ours` relabels before people's own rules, which therefore see the label `cluster`, and may change it.
    """
    return [_entry(name, destination, ours, proxied=proxied) for name, destination in destinations.items()]


def _entry(name: str, destination: Destination, ours: Sequence[Rule], *, proxied: bool) -> dict[str, Any]:
    written = {key: with_paths(value) for key, value in destination.config.items()}
    queue, rules = written.pop("queue_config", {}), written.pop("write_relabel_configs", [])
    relabel = [*ours, *rules]
    return {
        "name": name,
        "follow_redirects": False,
        **(FROM_ENVIRONMENT if proxied and not written.keys() & _OWN_PROXY else {}),
        **written,
        # Each shard has a buffer of its own, for which the memory is planned. Too many requests are not final: Mimir
        # and Grafana Cloud answer 429 beyond a limit of samples per second.
        "queue_config": {
            "max_shards": max(MAX_SHARDS, queue.get("min_shards", 1)),
            "retry_on_http_429": True,
            **queue,
        },
        **({"write_relabel_configs": relabel} if relabel else {}),
    }
