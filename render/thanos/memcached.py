"""Memcached's command line, and Thanos' descriptions of it, the one place where they are written."""

from settings import Quantity, in_bytes

from ..yaml import to_json

MEMCACHED = "thanos-memcached"
PORT = 11211
PORT_NAME = "memcached"
"""The port's name in the Service, with which its SRV record begins."""
LARGEST = 5
"""
MiB of the largest item, for server and clients alike.

One label's list of a million series, or a day's answer, is larger than the 1 MiB that both take by default.
"""

_CLIENT = {
    # By SRV record a pod keeps its name when its address changes, and with its name its keys.
    "addresses": [f"dnssrvnoa+_{PORT_NAME}._tcp.{MEMCACHED}"],
    "max_item_size": f"{LARGEST}MiB",
}
# Thousands of keys in one request take longer than its time-out of 500 ms. And where it goes to several pods, one that
# is away makes the client forget what the others said.
_STORE = {**_CLIENT, "max_get_multi_batch_size": 100}

# A question may read 100000 series: each is an item, of some hundred bytes, that waits to be written.
INDEX_CACHE = to_json({"type": "MEMCACHED", "config": {**_STORE, "max_async_buffer_size": 100000}})
"""The value of a Store's `--index-cache.config`."""
ANSWER_CACHE = to_json({"type": "MEMCACHED", "config": _CLIENT})
"""The value of both flags of a Query Frontend: what was asked is in the key, so that they can share it."""


def bucket_cache(bucket: str) -> str:
    """
    The value of a Store's `--store.caching-bucket.config`.

    All keys have a block's id in them but that of the list of blocks, which is a hash of this text: were it the same
    for two buckets, their Stores would take each other's blocks for their own. Items are of 16 kB, so that for
    memory's sake no more than the default of 10000 may wait.
    """
    return f"{to_json({'type': 'MEMCACHED', 'config': _STORE})} # {bucket}"


def server_flags(memory: Quantity) -> list[str]:
    """Each Store keeps up to 200 connections, so that the default of 1024 is soon reached."""
    return [f"--memory-limit={in_bytes(memory) // 2**20}", f"--max-item-size={LARGEST}m", "--conn-limit=8192"]
