"""A past that the lab never had: a month of blocks, as a sidecar would have uploaded them."""

import json
import subprocess
from pathlib import Path

from lab.build import command

DAY = 86400
STEP = 60
"""Seconds between two samples."""
SERIES = 4
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def write_blocks(folder: Path, cluster: str, start: int, end: int) -> list[Path]:
    """Make blocks of `history_value`, each sample of which is 1, of a cluster, between two Unix times."""
    lines = ["# TYPE history_value gauge"]
    lines += [f'history_value{{n="{n}"}} 1 {at}' for n in range(SERIES) for at in range(start, end, STEP)]
    text = folder / "history.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    blocks = folder / "blocks"
    subprocess.run(
        [command("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=48h", text, blocks],
        check=True,
        capture_output=True,
    )
    return [described(meta.parent, cluster) for meta in sorted(blocks.glob("*/meta.json"))]


def described(block: Path, cluster: str) -> Path:
    """Give a block the labels of a sidecar, and the age of its samples: a compactor waits with fresh ones."""
    meta = json.loads((block / "meta.json").read_text())
    ulid = aged(block.name, meta["maxTime"])
    meta["ulid"], meta["compaction"]["sources"] = ulid, [ulid]
    meta["thanos"] = {
        "version": 1,
        "labels": {"cluster": cluster, "replica": f"prometheus-{cluster}-0"},
        "downsample": {"resolution": 0},
        "source": "sidecar",
    }
    (block / "meta.json").write_text(json.dumps(meta))
    return block.rename(block.with_name(ulid))


def aged(ulid: str, milliseconds: int) -> str:
    """The ULID of a block as if it had been made at a Unix time: that is its first ten characters."""
    moment = "".join(_ALPHABET[milliseconds >> shift & 31] for shift in range(45, -1, -5))
    return moment + ulid[10:]
