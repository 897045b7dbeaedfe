"""blackbox_exporter of the release that is deployed, before an endpoint with a certificate of a private authority."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from lab import pki
from live import free_port
from render.blackbox import blackbox_config
from tests.http_server import Handler, HttpServer

from .alertmanager import PATIENCE, until
from .tools import tool

pytestmark = pytest.mark.render

DAY = 24 * 3600


class Endpoint(Handler):
    """Something that answers."""

    def do_GET(self) -> None:
        self.answer()


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a server that also sends the certificate of an old authority, which ends in three days."""
    signer = pki.authority("new")
    server = pki.issue(signer, "shop", hosts=["localhost"])
    monkeypatch.setattr(pki, "LIFETIME", timedelta(days=3))
    old = pki.authority("old")
    signer.write(tmp_path, "ca")
    (tmp_path / "chain.crt").write_bytes(server.certificate + old.certificate)
    (tmp_path / "tls.key").write_bytes(server.key)
    with HttpServer(Endpoint, "localhost", (tmp_path / "chain.crt", tmp_path / "tls.key")) as listening:
        yield f"https://localhost:{listening.server_port}"


@pytest.fixture
def exporter(tmp_path: Path) -> Iterator[httpx.Client]:
    """A blackbox_exporter on loopback that trusts the new authority."""
    config = tmp_path / "blackbox.yml"
    config.write_text(blackbox_config(), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [tool("blackbox_exporter"), f"--config.file={config}", f"--web.listen-address={address}"]
    trusted = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "ca.crt")}
    process = subprocess.Popen(command, env=trusted, stderr=subprocess.DEVNULL)
    client = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE)

    def answers() -> bool:
        try:
            return client.get("/-/healthy").is_success
        except httpx.TransportError:
            return False

    try:
        until("blackbox_exporter starts", answers)
        yield client
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_a_certificate_ends_with_the_chain_that_verifies_it(endpoint: str, exporter: httpx.Client) -> None:
    """
    Nobody notices when a certificate ends that a server sends besides.
    """
    said = exporter.get("/probe", params={"module": "http", "target": endpoint}).text

    [end] = re.findall(r"^probe_ssl_last_chain_expiry_timestamp_seconds (\S+)", said, re.MULTILINE)
    [earliest] = re.findall(r"^probe_ssl_earliest_cert_expiry (\S+)", said, re.MULTILINE)
    assert float(earliest) - time.time() < 4 * DAY
    assert float(end) - time.time() > 300 * DAY
