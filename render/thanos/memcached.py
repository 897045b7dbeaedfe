"""Command line of memcached, and the cache configurations of Thanos that refer to it."""

from settings import Quantity, in_bytes

from ..yaml import to_json

MEMCACHED = "thanos-memcached"
PORT = 11211
PORT_NAME = "memcached"
"""Name of the port in the Service, with which its SRV record begins."""
LARGEST = 5
"""
MiB of the largest item, for server and clients alike.

One label's list of a million series, or a day's answer, is larger than the 1 MiB that both take by default.
"""

_CLIENT = {
    # With an SRV record a pod keeps its name, and therefore its keys, when its address changes.
    "addresses": [f"dnssrvnoa+_{PORT_NAME}._tcp.{MEMCACHED}"],
    "max_item_size": f"{LARGEST}MiB",
}
# Thousands of keys in one request exceed its timeout of 500 ms. And if one of several pods is down, the client discards
# the items of the others.
_STORE = {**_CLIENT, "max_get_multi_batch_size": 100}

# A query may read 100000 series, each an item of some hundred bytes in the queue of writes.
INDEX_CACHE = to_json({"type": "MEMCACHED", "config": {**_STORE, "max_async_buffer_size": 100000}})
"""The value of a Store's `--index-cache.config`."""
ANSWER_CACHE = to_json({"type": "MEMCACHED", "config": _CLIENT})
"""The value of both flags of a Query Frontend; keys contain the query, so that they can share a cache."""


def bucket_cache(bucket: str) -> str:
    """
    The value of a Store's `--store.caching-bucket.config`.

    Every key contains the id of a block, except that of the list of blocks, which is a hash of this text: if the text
    were equal for two buckets, their Stores would use each other's list. Items have 16 kB, so that the queue keeps its
    default of 10000, to limit memory.
    """
    return f"{to_json({'type': 'MEMCACHED', 'config': _STORE})} # {bucket}"


def memcached_flags(memory: Quantity) -> list[str]:
    """Flags of memcached; each Store has up to 200 connections, so that the default of 1024 would be reached."""
    return [f"--memory-limit={in_bytes(memory) // 2**20}", f"--max-item-size={LARGEST}m", "--conn-limit=8192"]
