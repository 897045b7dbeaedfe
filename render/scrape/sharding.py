"""Which of the targets that all shards of an agent discover is scraped by which of them."""

from .relabel import Rule, keep

_HASH = "__tmp_hash"


def kept_by(shard: int, shards: int) -> list[Rule]:
    """
    Return the rules, the last of a job, that keep the targets of one shard; without shards there are none.

    All shards discover the same targets, so that each target is kept by exactly one. It is known by its address, and
    behind a prober, which has one address for all, by what is probed: as with the Prometheus Operator.
    """
    if shards == 1:
        return []
    hashed = {
        "source_labels": ["__address__", "__param_target"],
        "target_label": _HASH,
        "modulus": shards,
        "action": "hashmod",
    }
    return [hashed, keep([_HASH], str(shard))]
