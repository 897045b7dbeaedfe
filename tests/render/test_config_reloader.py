"""How soon the Prometheus Operator's config-reloader finds what the kubelet has written, with the command it gets."""

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.k8s.operated import RELOADER
from lab.build import command
from tests.http_server import Handler, HttpServer
from tests.lab.processes import free_port

from .alertmanager import PATIENCE, until

pytestmark = pytest.mark.render


class Volume:
    """A Secret in a pod, which the kubelet replaces as a whole: a link leads from one folder to the next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._number = 0
        self.write("0")
        (folder / "prometheus.yaml.gz").symlink_to(Path("..data") / "prometheus.yaml.gz")

    def write(self, text: str) -> None:
        """Put another configuration there, as the kubelet's AtomicWriter does."""
        before, self._number = self._number, self._number + 1
        made = self.folder / f"..{self._number}"
        made.mkdir()
        (made / "prometheus.yaml.gz").write_bytes(gzip.compress(text.encode()))
        link = self.folder / "..data_tmp"
        link.symlink_to(made.name)
        link.rename(self.folder / "..data")
        if before:
            (self.folder / f"..{before}" / "prometheus.yaml.gz").unlink()
            (self.folder / f"..{before}").rmdir()


class Prometheus(HttpServer):
    """Remembers what the file said whenever it was told to reload it."""

    def __init__(self, file: Path) -> None:
        self.loaded: list[str] = []
        prometheus = self

        class Answering(Handler):
            def do_POST(self) -> None:
                prometheus.loaded.append(file.read_text())
                self.answer()

        super().__init__(Answering)


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path / "config")


@pytest.fixture
def prometheus(tmp_path: Path, volume: Volume) -> Iterator[Prometheus]:
    """Prometheus beside a reloader with our command and the arguments that the operator gives it."""
    file = tmp_path / "prometheus.env.yaml"
    server = Prometheus(file)
    _, *ours = RELOADER
    operators = [
        f"--listen-address=127.0.0.1:{free_port()}",
        f"--reload-url=http://{server.host}/-/reload",
        f"--config-file={volume.folder}/prometheus.yaml.gz",
        f"--config-envsubst-file={file}",
    ]
    here = [flag.replace("/etc/prometheus/config", str(volume.folder)) for flag in ours]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [str(command("prometheus-config-reloader")), *here, *operators],
            stderr=log,
            env={"POD_NAME": "prom-agent-prometheus-agent-0"},
        )
    try:
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)
        server.server_close()


def test_every_change_is_loaded_at_once(volume: Volume, prometheus: Prometheus) -> None:
    """
    The first one and each after it, though the kubelet replaces the file that the reloader began to watch.

    With the operator's arguments alone, the second one takes three minutes.
    """
    until("the configuration is loaded", lambda: "0" in prometheus.loaded)
    for text in ("1", "2", "3"):
        volume.write(text)
        until(f"configuration {text} is loaded", lambda text=text: text in prometheus.loaded)
