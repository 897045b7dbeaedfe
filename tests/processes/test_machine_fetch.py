"""A watcher's VM: its startup script and what fetches, on a real systemd, against a stand-in for Google Cloud."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fleet.folder import put
from lab.node import wait
from render.instance import Packed, machine_secret, payloads, startup_script
from render.machine import OPT, machine_files, releases
from tests import ROOT

from .machine import Machine, archives, machine
from .test_machine import ARCHIVES, FIRST, SECOND, fleet, identities

NAME = "promfleet-watcher"
MACHINE = machine_secret(NAME)
PORT = 8099
DROP_IN = f"""[Service]
Environment=GCE_METADATA_HOST=127.0.0.1:{PORT}
Environment=CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER=http://127.0.0.1:{PORT}/
StandardOutput=truncate:/srv/fetch.log
"""
TOKEN = "/etc/promfleet-watcher/prometheus/clusters/eu1/token"


class Vm:
    """A machine that Google Cloud started, and the secrets that it may read."""

    def __init__(self, host: Machine, folder: Path) -> None:
        self.host, self.folder = host, folder
        self.secrets = host.root / "srv/google"

    def startup(self) -> None:
        """Run the startup script, with a file system in memory in place of the disk, for which there is no device."""
        script = startup_script("acme-monitoring", NAME)
        line = "$DISK $DATA ext4 discard,nofail,x-systemd.makefs,x-systemd.growfs 0 2"
        assert line in script
        (self.host.root / "srv/startup.sh").write_text(script.replace(line, "data $DATA tmpfs nofail 0 0"))
        self.host.said("bash", "/srv/startup.sh")

    def upload(self, token: str) -> Mapping[str, bytes]:
        """Have the secrets as `fleet watcher upload` leaves them."""
        put(self.folder, "watcher", machine_files(fleet(), identities(token), {}))
        files = [file for file in self.folder.rglob("*") if file.is_file()]
        packed = {str(f.relative_to(self.folder)): Packed(f.read_bytes(), f.stat().st_mode & 0o777) for f in files}
        found = payloads(NAME, packed)
        for secret, content in found.items():
            self.add(secret, content)
        return found

    def add(self, secret: str, content: bytes) -> None:
        """Make a version of a secret."""
        (self.secrets / secret).mkdir(exist_ok=True)
        number = len([*(self.secrets / secret).iterdir()]) + 1
        (self.secrets / secret / str(number)).write_bytes(content)

    def fetch(self) -> tuple[int, list[str]]:
        """Have systemd fetch; the exit code of systemctl, and what the run said."""
        code = self.host.run("systemctl", "start", "promfleet-fetch.service").returncode
        return code, (self.host.root / "srv/fetch.log").read_text().splitlines()

    def pid(self) -> str:
        return self.host.property("prometheus", "MainPID")


@pytest.fixture(scope="module")
def vm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vm]:
    """A VM whose image has the programs, and whose secrets have no version yet."""
    with machine(tmp_path_factory.mktemp("machine")) as host:
        packs = host.root / ARCHIVES
        packs.mkdir()
        archives(packs, releases(fleet()))
        for program, version in releases(fleet()).items():
            home = f"{OPT}/{program}-{version}"
            host.said("mkdir", "-p", home)
            archive = next(packs.glob(f"{program}-{version}.linux-*.tar.gz")).name
            host.said("tar", "-xzf", f"/{ARCHIVES}/{archive}", "-C", home, "--strip-components=1")
        found = Vm(host, tmp_path_factory.mktemp("written"))
        found.secrets.mkdir()
        (host.root / "srv/google.py").write_text((ROOT / "tests/google.py").read_text())
        host.said("systemd-run", "--unit=google", "/usr/bin/python3", "/srv/google.py", "/srv/google", str(PORT))
        drop_ins = host.root / "etc/systemd/system/promfleet-fetch.service.d"
        drop_ins.mkdir()
        (drop_ins / "google.conf").write_text(DROP_IN)
        found.upload(FIRST)
        found.startup()
        yield found


@pytest.fixture
def running(vm: Vm) -> Vm:
    """The VM with its first configuration, as its timer installed it."""
    active = ("systemctl", "is-active", "promfleet-prometheus", "promfleet-alertmanager")
    wait(lambda: vm.host.run(*active).returncode == 0, "the timer installs nothing", seconds=120)
    wait((vm.host.root / "var/lib/promfleet-fetch/installed").exists, "it is not done", seconds=120)
    return vm


@pytest.fixture
def by_hand(running: Vm) -> Vm:
    """The VM without its timer, which would fetch while a test prepares what is to be fetched."""
    running.host.said("systemctl", "stop", "promfleet-fetch.timer")
    state = ("systemctl", "show", "--property", "ActiveState", "--value", "promfleet-fetch.service")
    wait(lambda: running.host.said(*state) in ("inactive", "failed"), "it still fetches", seconds=60)
    return running


class TestStartup:
    def test_has_everything_installed_without_anybody(self, running: Vm) -> None:
        """
        The timer starts at once; samples and silences are on the disk, and no copy of a token is left.
        """
        assert running.host.said("stat", "--format", "%a %U", TOKEN) == "600 prometheus"
        assert running.host.said("ls", "/var/lib/promfleet-fetch") == "installed"
        assert running.host.said("stat", "--format", "%a %U", "/var/lib/promfleet-fetch") == "700 root"
        assert "wal" in running.host.said("ls", "/srv/promfleet/prometheus").split()
        for service in ("prometheus", "alertmanager"):
            mounts = running.host.said("findmnt", "--noheadings", "--output", "TARGET", f"/var/lib/promfleet-{service}")
            assert mounts == f"/var/lib/promfleet-{service}"
            assert f"x2d{service}.mount" in running.host.property(service, "Requires")

    def test_at_the_next_boot_changes_nothing(self, running: Vm) -> None:
        """
        Google's guest agent runs it every time.
        """
        before = (running.host.root / "etc/fstab").read_text(), running.pid()

        running.startup()

        assert ((running.host.root / "etc/fstab").read_text(), running.pid()) == before
        assert running.host.said("systemctl", "is-active", "promfleet-fetch.timer") == "active"


class TestFetch:
    def test_does_nothing_where_nothing_changed(self, by_hand: Vm) -> None:
        """
        The same processes go on.
        """
        before = by_hand.pid()

        assert by_hand.fetch() == (0, ["nothing to change"])
        assert by_hand.pid() == before

    def test_brings_a_renewed_token(self, by_hand: Vm) -> None:
        """
        Nothing is restarted for it.
        """
        before = by_hand.pid()
        by_hand.upload(SECOND)

        code, said = by_hand.fetch()

        assert code == 0, said
        assert (by_hand.pid(), by_hand.host.said("cat", TOKEN)) == (before, SECOND)

    @pytest.mark.parametrize("secret", [MACHINE, f"{NAME}-cluster-eu1"])
    def test_leaves_the_old_configuration_where_it_fails(self, by_hand: Vm, secret: str) -> None:
        """
        A damaged secret installs nothing, Prometheus goes on, and the next upload puts it right.
        """
        before = by_hand.pid(), by_hand.host.said("cat", TOKEN)
        content = by_hand.upload("token-that-is-never-installed")[secret]
        by_hand.add(secret, content[:-9])

        code, said = by_hand.fetch()

        assert code == 1
        assert said[-1].startswith(f"promfleet-fetch: secret {secret}")
        assert (by_hand.pid(), by_hand.host.said("cat", TOKEN)) == before
        by_hand.upload(before[1])
        assert by_hand.fetch()[0] == 0
