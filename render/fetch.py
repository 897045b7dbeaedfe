#!/usr/bin/python3
"""
Installs what Secret Manager holds for the VM of a watcher: promfleet-fetch PROJECT SECRET.

SECRET is the secret of the machine. Its newest version names the secrets of the watched clusters and the SHA-256 sum of
each: all were uploaded together, or nothing is installed. Nothing is done where that version is installed already.
Exit codes: 0 the newest version is installed; 1 it is not, and the last line says why.

It is copied to the VM as it is and needs Python 3.9 there, and no package.
"""

import base64
import hashlib
import io
import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

METADATA = f"http://{os.environ.get('GCE_METADATA_HOST', 'metadata.google.internal')}/computeMetadata/v1"
SECRET_MANAGER = os.environ.get(
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", "https://secretmanager.googleapis.com/"
).rstrip("/")
SUMS = "secrets.sha256"
"""File of the machine's secret: a line for each other secret, with its SHA-256 sum, two spaces and its name."""
LARGEST = 64 * 2**20
"""Bytes that a secret may unpack to; the configuration of 300 clusters has 12 MiB."""
PATIENCE = 30
"""Seconds that an answer may take."""


class FetchError(Exception):
    """Why nothing was installed, and what to do about it."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Shows the token to nobody but who was asked."""

    def http_error_302(self, req, fp, code, msg, headers):
        raise urllib.error.HTTPError(req.full_url, code, msg, headers, fp)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def asked(url: str, headers: dict[str, str], *handlers: urllib.request.BaseHandler) -> dict:
    """Give the JSON object that a GET answers."""
    opener = urllib.request.build_opener(_NoRedirect(), *handlers)
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 — the schemes are those above
    with opener.open(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def access_token() -> str:
    """Give the token of the VM's service account, which the metadata server has and no proxy is asked for."""
    url = f"{METADATA}/instance/service-accounts/default/token"
    try:
        found = asked(url, {"Metadata-Flavor": "Google"}, urllib.request.ProxyHandler({}))
        return found["access_token"]
    except (OSError, ValueError, KeyError) as error:
        raise FetchError(f"the metadata server gives no token for the VM's service account: {error}") from error


def payload(project: str, secret: str, token: str) -> bytes:
    """Give the newest version of a secret."""
    url = f"{SECRET_MANAGER}/v1/projects/{project}/secrets/{secret}/versions/latest:access"
    try:
        answer = asked(url, {"Authorization": f"Bearer {token}"})
        return base64.urlsafe_b64decode(answer["payload"]["data"].replace("+", "-").replace("/", "_"))
    except urllib.error.HTTPError as error:
        reasons = {
            403: "the VM's service account may not read it; run `pulumi up`, and wait some minutes after the first one",
            404: "it has no version; run `fleet watcher upload`",
        }
        said = reasons.get(error.code, f"Secret Manager answers {error.code} {error.reason}")
        raise FetchError(f"secret {secret}: {said}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FetchError(f"secret {secret} can't be read: {error}") from error


def unpack(packed: bytes, folder: Path) -> None:
    """Write the files of a tar archive in xz format below a folder; FetchError where it is no whole archive."""
    try:
        decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        unpacked = decompressor.decompress(packed, max_length=LARGEST)
        if not decompressor.eof:
            raise FetchError("it is cut off, or unpacks to more than it may")
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for entry in archive:
                path = PurePosixPath(entry.name)
                contents = archive.extractfile(entry) if entry.isfile() else None
                if contents is None or path.is_absolute() or ".." in path.parts:
                    raise FetchError(f"{entry.name} is no file of the machine's directory")
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(contents.read())
                target.chmod(entry.mode & 0o777)
    except (lzma.LZMAError, tarfile.TarError, EOFError) as error:
        raise FetchError(f"it is no archive: {error}") from error


def fetch(project: str, secret: str, state: Path) -> None:
    """Install the newest version unless it is installed; `state` is a folder that nobody else reads."""
    installed = state / "installed"
    token = access_token()
    machine = payload(project, secret, token)
    newest = hashlib.sha256(machine).hexdigest()
    if installed.exists() and installed.read_text() == newest:
        print("nothing to change")
        return
    with tempfile.TemporaryDirectory(dir=state) as name:
        folder = Path(name)
        _unpack(secret, machine, folder)
        for line in (folder / SUMS).read_text().splitlines():
            expected, _, other = line.partition("  ")
            part = payload(project, other, token)
            if hashlib.sha256(part).hexdigest() != expected:
                raise FetchError(
                    f"secret {other} has another version than was uploaded with {secret}; if no upload is under way, "
                    "run `fleet watcher upload` again"
                )
            _unpack(other, part, folder)
        code = subprocess.run([folder / "install.sh"], check=False).returncode
        if code:
            raise FetchError(f"install.sh ended with exit code {code}; it is tried again")
    unfinished = state / "installed.new"
    unfinished.write_text(newest)
    unfinished.replace(installed)


def _unpack(secret: str, packed: bytes, folder: Path) -> None:
    try:
        unpack(packed, folder)
    except FetchError as error:
        raise FetchError(f"secret {secret}: {error}; run `fleet watcher upload` again") from error


def main() -> None:
    """Fetch as the command line says; systemd gives the folder."""
    if len(sys.argv) != 3:
        sys.exit("promfleet-fetch: needs a project and the secret of the machine")
    try:
        fetch(sys.argv[1], sys.argv[2], Path(os.environ["STATE_DIRECTORY"]))
    except FetchError as error:
        sys.exit(f"promfleet-fetch: {error}")


if __name__ == "__main__":
    main()
