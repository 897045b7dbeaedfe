"""The files of a watcher's machine, judged by what reads them there."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from fleet.folder import put
from lab import pki
from lab.tools import find_tool
from render.instance import fetch_service, fetch_timer, startup_script
from render.machine import OPT, ClusterCredentials, Login, ReceiverCredentials, machine_files
from settings import Fleet, from_file
from tests import ROOT

from .promtool import Promtool
from .tools import tool

pytestmark = pytest.mark.render

FILES = ROOT / "render"
PAGE = (ROOT / "docs/watcher.md").read_text(encoding="utf-8")
HASH = bcrypt.hashpw(b"a password", bcrypt.gensalt(4)).decode()


def everything(tls: Path) -> Fleet:
    """A watcher with all that its machine can run."""
    said: dict[str, Any] = {
        "clusters": {name: {"context": name} for name in ("eu1", "us1")},
        "watcher": {
            "clusters": {"eu1": {}, "us1": {"route": "apiserver"}},
            "expose": {
                "host": "watcher.example",
                "users": ["alice"],
                "tls": {"certificate": f"{tls}/tls.crt", "key": f"{tls}/tls.key"},
            },
            "hub": {"stack": "organization/promfleet/hub"},
        },
        "alertmanager": {"receivers": {"sre": {"webhook": {}, "slack": {"channel": "#sre"}}}, "default": "sre"},
        "probes": {"shop": {"targets": ["https://shop.example"]}},
    }
    return Fleet.model_validate(said)


@pytest.fixture(scope="module", params=["everything", "shipped"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `fleet watcher write` leaves."""
    folder = tmp_path_factory.mktemp("machine")
    authority = pki.authority("acme")
    pki.issue(authority, "watcher", hosts=["watcher.example"]).write(folder / "tls", "tls")
    ca = authority.certificate.decode()
    fleet = from_file(ROOT / "Pulumi.watcher.yaml") if request.param == "shipped" else everything(folder / "tls")
    assert fleet.watcher
    clusters = {name: ClusterCredentials("https://10.0.0.1:6443", ca, "a-token") for name in fleet.watcher.clusters}
    secrets = {"alicePasswordHash": HASH, "sreWebhook": "https://hook.example", "sreSlack": "https://slack.example"}
    receiver = ReceiverCredentials("https://hub.example/api/v1/write", own=True, ca=ca, token="a-token")
    own = Login("a password", HASH) if fleet.watcher.expose else None
    put(folder / "written", "x", machine_files(fleet, clusters, secrets, own, receiver if fleet.watcher.hub else None))
    return folder / "written"


def analyzed(*arguments: str | Path) -> str:
    """What systemd-analyze says; a verdict against a unit fails the test with its words."""
    command = [find_tool("systemd-analyze"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class TestConfiguration:
    def test_is_accepted_by_the_programs(self, directory: Path, promtool: Promtool) -> None:
        """
        With every rule file and credential that it names, from wherever the directory is.
        """
        promtool.accepts("check", "config", directory / "prometheus/prometheus.yml")
        subprocess.run([tool("amtool"), "check-config", directory / "alertmanager/alertmanager.yml"], check=True)
        if (prober := directory / "blackbox-exporter/config.yml").exists():
            subprocess.run([tool("blackbox_exporter"), "--config.check", f"--config.file={prober}"], check=True)
        if (web := directory / "prometheus/web.yml").exists():
            promtool.accepts("check", "web-config", web)

    def test_lacks_nothing_that_promtool_would_miss(self, directory: Path, tmp_path: Path) -> None:
        """
        Promtool looks for the files of tokens: the check before a start finds one that is not there.
        """
        copy = tmp_path / "copy"
        subprocess.run(["cp", "-R", directory, copy], check=True)
        (copy / "prometheus/clusters/us1/token").unlink()

        done = subprocess.run(
            [tool("promtool"), "check", "config", copy / "prometheus/prometheus.yml"], capture_output=True, check=False
        )

        assert done.returncode == 1
        assert b"clusters/us1/token" in done.stderr


class TestUnits:
    def test_are_understood_by_systemd(self, directory: Path, tmp_path: Path) -> None:
        """
        No directive is unknown or ignored, and each command is an absolute path.
        """
        units = []
        for unit in sorted((directory / "units").iterdir()):
            text = unit.read_text().replace(OPT, str(tmp_path))
            for program in re.findall(rf"=({tmp_path}/\S+)", text):
                Path(program).parent.mkdir(exist_ok=True)
                Path(program).touch(0o755)
            (tmp_path / unit.name).write_text(text)
            units.append(tmp_path / unit.name)

        assert units
        assert analyzed("verify", "--man=no", *units) == ""

    def test_are_exposed_as_little_as_the_page_says(self, directory: Path) -> None:
        """
        The figure of each unit is that of the page, or a lower one.
        """
        for unit in (directory / "units").iterdir():
            assert exposure(unit) <= said_exposure(unit.name)


class TestVm:
    def test_units_are_understood_by_systemd(self, tmp_path: Path) -> None:
        """
        The one that fetches, with a program that is there, and its timer; it may do what the page says.
        """
        text = fetch_service("acme-monitoring", "promfleet-watcher")
        [program] = re.findall(r"^ExecStart=(\S+) acme-monitoring promfleet-watcher-machine$", text, re.M)
        service, timer = tmp_path / "promfleet-fetch.service", tmp_path / "promfleet-fetch.timer"
        service.write_text(text.replace(program, str(tmp_path / "fetch")))
        (tmp_path / "fetch").touch(0o755)
        timer.write_text(fetch_timer())

        assert analyzed("verify", "--man=no", service, timer) == ""
        assert exposure(service) <= said_exposure(service.name)

    def test_startup_script_has_no_trap(self, tmp_path: Path) -> None:
        """
        As it is rendered, with what it puts onto the VM.
        """
        script = tmp_path / "startup.sh"
        script.write_text(startup_script("acme-monitoring", "promfleet-watcher"))

        test_scripts_have_no_trap(script)


def exposure(unit: Path) -> float:
    """What systemd says of a unit."""
    said = analyzed("security", "--offline=true", unit)
    [measured] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    return float(measured)


def said_exposure(unit: str) -> float:
    """What the page says of it."""
    [figure] = re.findall(rf"^\| `{unit}`[^|]* \| ([\d.]+) \|", PAGE, re.M)
    return float(figure)


@pytest.mark.parametrize(
    "script",
    [FILES / "install.sh", FILES / "startup.sh", ROOT / "tests/processes/machine.sh"],
    ids=lambda path: path.name,
)
def test_scripts_have_no_trap(script: Path) -> None:
    """
    Shellcheck finds nothing that a shell would take for something else.
    """
    done = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
