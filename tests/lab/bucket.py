"""The lab's bucket as its operator sees it, who may do all."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from lab.connect import authority_file
from lab.gcp import cloud, objectstore
from lab.node import LabError

from .fleets import BUCKET

OBJECTS = f"/storage/v1/b/{BUCKET}/o"
SNI = {"sni_hostname": objectstore.HOST}


def client(email: str = cloud.OPERATOR) -> httpx.Client:
    """Speak to the object store as an account."""
    headers = {"Authorization": f"Bearer {cloud.token(email)}", "Host": objectstore.HOST}
    return httpx.Client(
        base_url=f"https://{objectstore.ADDRESS}", headers=headers, verify=str(authority_file()), timeout=60
    )


def path(name: str) -> str:
    """Give where the JSON API has an object."""
    return f"{OBJECTS}/{quote(name, safe='')}"


def names() -> list[str]:
    """Name everything in the bucket; nothing where there is no bucket, or no object store."""
    if not objectstore.is_serving():
        return []
    found = objectstore.ask("GET", OBJECTS) or {}
    return [item["name"] for item in found.get("items", [])]


def empty() -> None:
    """Delete everything in the bucket."""
    for name in names():
        with suppress(LabError):  # its owner was quicker
            objectstore.ask("DELETE", path(name))


def upload(block: Path) -> None:
    """Put a block's files into the bucket."""
    with client() as operator:
        for file in filter(Path.is_file, block.rglob("*")):
            name = quote(str(file.relative_to(block.parent)), safe="")
            where = f"/upload{OBJECTS}?uploadType=media&name={name}"
            operator.post(where, content=file.read_bytes(), extensions=SNI).raise_for_status()


def read(file: str) -> list[dict[str, Any]]:
    """Give what the files of this name say, of every block; those that are no JSON are left out."""
    with client() as operator:
        answers = [
            operator.get(f"{path(name)}?alt=media", extensions=SNI) for name in names() if name.endswith(f"/{file}")
        ]
    said = []
    for answer in answers:
        if answer.status_code == httpx.codes.OK:  # else the compactor was quicker
            with suppress(json.JSONDecodeError):
                said.append(answer.json())
    return said
