"""A past that the lab never had: a month of blocks, as a sidecar would have uploaded them."""

import json
import subprocess
from pathlib import Path
from urllib.parse import quote

import httpx

from lab import cloud, objectstore
from lab.build import command

DAY = 86400
STEP = 60
"""Seconds between two samples."""
CLUSTER = "history"
SERIES = 4
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def write_blocks(folder: Path, start: int, end: int) -> list[Path]:
    """Make blocks of `history_value`, each sample of which is 1, between two Unix times."""
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
    return [described(meta.parent) for meta in sorted(blocks.glob("*/meta.json"))]


def described(block: Path) -> Path:
    """Give a block the labels of a sidecar, and the age of its samples: a compactor waits with fresh ones."""
    meta = json.loads((block / "meta.json").read_text())
    ulid = aged(block.name, meta["maxTime"])
    meta["ulid"], meta["compaction"]["sources"] = ulid, [ulid]
    meta["thanos"] = {
        "version": 1,
        "labels": {"cluster": CLUSTER, "replica": "prometheus-history-0"},
        "downsample": {"resolution": 0},
        "source": "sidecar",
    }
    (block / "meta.json").write_text(json.dumps(meta))
    return block.rename(block.with_name(ulid))


def aged(ulid: str, milliseconds: int) -> str:
    """The ULID of a block as if it had been made at a Unix time: that is its first ten characters."""
    moment = "".join(_ALPHABET[milliseconds >> shift & 31] for shift in range(45, -1, -5))
    return moment + ulid[10:]


def upload(bucket: str, block: Path, ca: Path, only: set[str] | None = None) -> None:
    """Put a block's files into a bucket, the meta.json last; `only` those of these names for one that broke off."""
    files = sorted((file for file in block.rglob("*") if file.is_file()), key=lambda file: file.name == "meta.json")
    with operator(ca) as client:
        for file in files:
            if only is None or file.name in only:
                name = quote(str(file.relative_to(block.parent)), safe="")
                path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
                client.post(path, content=file.read_bytes(), extensions=SNI).raise_for_status()


SNI = {"sni_hostname": objectstore.HOST}


def operator(ca: Path) -> httpx.Client:
    """Whoever runs the lab's cloud, and may do all."""
    headers = {"Authorization": f"Bearer {cloud.token(cloud.OPERATOR)}", "Host": objectstore.HOST}
    return httpx.Client(base_url=f"https://{objectstore.ADDRESS}", headers=headers, verify=str(ca), timeout=60)


def metas(bucket: str, ca: Path) -> list[dict]:
    """The meta.json of every block in a bucket."""
    found = objectstore.ask("GET", f"/storage/v1/b/{bucket}/o") or {}
    names = [item["name"] for item in found.get("items", []) if item["name"].endswith("/meta.json")]
    with operator(ca) as client:
        answers = [client.get(f"/storage/v1/b/{bucket}/o/{quote(n, safe='')}?alt=media", extensions=SNI) for n in names]
    return [answer.json() for answer in answers if answer.status_code == 200]
