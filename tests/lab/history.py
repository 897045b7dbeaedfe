"""A past that the lab never had: a month of blocks, as a sidecar would have uploaded them."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from lab import cloud, objectstore
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


SNI = {"sni_hostname": objectstore.HOST}


def client(ca: Path, email: str = cloud.OPERATOR) -> httpx.Client:
    """Speak to the object store as an account; by default as whoever runs the lab's cloud, who may do all."""
    headers = {"Authorization": f"Bearer {cloud.token(email)}", "Host": objectstore.HOST}
    return httpx.Client(base_url=f"https://{objectstore.ADDRESS}", headers=headers, verify=str(ca), timeout=60)


def upload(bucket: str, block: Path, ca: Path) -> None:
    """Put a block's files into a bucket."""
    with client(ca) as operator:
        for file in filter(Path.is_file, block.rglob("*")):
            name = quote(str(file.relative_to(block.parent)), safe="")
            path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
            operator.post(path, content=file.read_bytes(), extensions=SNI).raise_for_status()


def read(bucket: str, ca: Path, name: str) -> list[dict[str, Any]]:
    """Give what the files of this name say, of every block in a bucket; those that are no JSON are left out."""
    found = objectstore.ask("GET", f"/storage/v1/b/{bucket}/o") or {}
    paths = [quote(item["name"], safe="") for item in found.get("items", []) if item["name"].endswith(f"/{name}")]
    with client(ca) as operator:
        answers = [operator.get(f"/storage/v1/b/{bucket}/o/{path}?alt=media", extensions=SNI) for path in paths]
    said = []
    for answer in answers:
        if answer.status_code == httpx.codes.OK:  # else the compactor was quicker
            with suppress(ValueError):
                said.append(answer.json())
    return said
