"""A node with a node_exporter of its own: a real systemd, and the files that are written for it."""

from collections.abc import Iterator

import bcrypt
import pytest

from fleet.folder import put
from lab import pki
from render.node_exporter import NodeTls, node_exporter_files
from settings.exporters import HostService
from settings.images import NODE_EXPORTER, release

from .machine import RELEASES, Machine, archives, machine

DIRECTORY, ARCHIVES = "srv/node-exporter", "srv/archives"
TLS = NodeTls("/etc/ssl/node/tls.crt", "/etc/ssl/node/tls.key")
PASSWORD = "correct horse battery staple"
USERS = {"prometheus": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}
VERSION = release(NODE_EXPORTER) or ""
LOGIN = ("--user", f"prometheus:{PASSWORD}")


class Node:
    """A machine, and what was copied to it."""

    def __init__(self, host: Machine) -> None:
        self.host = host

    def write(self, port: int = 9100, tls: NodeTls | None = TLS) -> None:
        """Have the directory as `fleet node-exporter write` leaves it."""
        described = HostService.model_validate({"port": port, "client": {"scheme": "https"} if tls else {}})
        put(self.host.root / DIRECTORY, "node", node_exporter_files(described, VERSION, tls, USERS if tls else {}))

    def install(self) -> tuple[int, list[str]]:
        """Run the script; its exit code, and the lines that it prints."""
        done = self.host.run(f"/{DIRECTORY}/install.sh", "--archives", f"/{ARCHIVES}")
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def answered(self, url: str, *options: str) -> str:
        """Give the code that a question is answered with."""
        asked = ("curl", "--silent", "--cacert", "/etc/ssl/node/ca.crt", "--output", "/dev/null")
        return self.host.said(*asked, "--write-out", "%{http_code}", *options, url)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("node")) as started:
        folder = started.root / ARCHIVES
        folder.mkdir(parents=True)
        archives(folder, {"node_exporter": RELEASES["node_exporter"]})
        yield started


@pytest.fixture
def node(host: Machine) -> Node:
    """A node whose certificate the service may read, and the files of the stack file beside it."""
    authority = pki.authority("acme")
    tls = host.root / "etc/ssl/node"
    if not tls.exists():
        pki.issue(authority, "node", hosts=["localhost"]).write(tls, "tls")
        (tls / "ca.crt").write_bytes(authority.certificate)
        tls.chmod(0o755)
    found = Node(host)
    found.write()
    return found


class TestInstall:
    def test_asks_for_a_password_over_tls(self, node: Node) -> None:
        """
        A key that its user can't read is named before anything starts; then the service runs, also after a reboot.
        """
        code, said = node.install()
        assert code == 1
        assert said[-1] == (
            "install.sh: nothing was replaced, since the user node-exporter can't read /etc/ssl/node/tls.key"
        )
        node.host.said("chgrp", "node-exporter", TLS.key)
        node.host.said("chmod", "640", TLS.key)

        code, said = node.install()

        assert code == 0, said
        assert said[-1] == "node-exporter: started"
        assert node.host.said("systemctl", "is-enabled", "promfleet-node-exporter") == "enabled"
        assert node.answered("https://localhost:9100/metrics") == "401"
        assert node.answered("https://localhost:9100/metrics", *LOGIN) == "200"
        assert node.install() == (0, ["nothing to change"])

    def test_measures_the_node_and_not_a_sandbox(self, node: Node) -> None:
        """
        What can be written to outside of the service is not read-only for it, and every collector succeeds.
        """
        said = node.host.said(
            "curl", "--silent", "--cacert", "/etc/ssl/node/ca.crt", *LOGIN, "https://localhost:9100/metrics"
        )
        lines = said.splitlines()

        [run] = [line for line in lines if line.startswith("node_filesystem_readonly{") and 'mountpoint="/run"' in line]
        assert run.endswith(" 0")
        for collector in ("cpu", "filesystem", "meminfo", "netdev", "timex"):
            assert f'node_scrape_collector_success{{collector="{collector}"}} 1' in lines

    def test_has_another_port(self, node: Node) -> None:
        """
        The service is restarted, and answers where it did not before.
        """
        node.write(port=9200)

        code, said = node.install()

        assert code == 0, said
        assert said[-2:] == ["node-exporter: changed promfleet-node-exporter.service", "node-exporter: restarted"]
        assert node.answered("https://localhost:9200/metrics", *LOGIN) == "200"

    def test_that_does_not_start_is_taken_back(self, node: Node) -> None:
        """
        A certificate that is none: the old files are in use again.
        """
        node.install()
        (node.host.root / "etc/ssl/node/broken.crt").write_text("no certificate")
        node.write(tls=TLS._replace(certificate="/etc/ssl/node/broken.crt"))

        code, said = node.install()

        assert code == 1
        assert said[-1] == (
            "install.sh: node-exporter did not start with the new files; it runs again with the old ones. "
            "See journalctl --unit promfleet-node-exporter.service"
        )
        assert node.answered("https://localhost:9100/metrics", *LOGIN) == "200"
