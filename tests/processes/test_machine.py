"""A watcher's machine: a real systemd, the install script as it is written, and archives as upstream packs them."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from fleet.folder import put
from lab import pki
from lab.node import wait
from render.machine import ClusterCredentials, Login, machine_files, releases
from settings import Fleet

from .machine import Machine, archives, machine

SAID: dict[str, Any] = {
    "clusters": {"eu1": {"context": "eu1"}},
    "watcher": {"clusters": {"eu1": {"route": "apiserver"}}},
    "alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet"},
}
DIRECTORY, ARCHIVES = "srv/watcher", "srv/archives"
RULES = "prometheus/rules/inventory.yml"
CONFIG = "prometheus/prometheus.yml"
FIRST, SECOND = "token-of-eu1-0", "token-of-eu1-1"
PASSWORD = "correct horse battery staple"


def fleet(**more: Any) -> Fleet:
    """The stack file of the machine, with other sections where a test says so; None leaves one out."""
    return Fleet.model_validate({key: value for key, value in {**SAID, **more}.items() if value is not None})


def identities(token: str) -> dict[str, ClusterCredentials]:
    """Of a cluster that does not answer."""
    return {"eu1": ClusterCredentials("https://127.0.0.1:6443", "", token)}


class Watcher:
    """A machine, and the directory that lies on it."""

    def __init__(self, host: Machine) -> None:
        self.host = host
        self.directory = host.root / DIRECTORY

    def write(self, described: Fleet, token: str = FIRST, **given: Any) -> None:
        """Have the directory as `fleet watcher write` would leave it."""
        put(
            self.directory,
            "watcher",
            machine_files(described, identities(token), given.get("secrets", {}), given.get("own")),
        )

    def change(self, path: str, change: Callable[[str], str]) -> None:
        """Edit a file of the directory."""
        file = self.directory / path
        file.write_text(change(file.read_text()))

    def install(self) -> tuple[int, list[str]]:
        """Run the script; its exit code, and the lines that it prints."""
        done = self.host.run(f"/{DIRECTORY}/install.sh", "--archives", f"/{ARCHIVES}")
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def pid(self, service: str = "prometheus") -> str:
        return self.host.property(service, "MainPID")

    def wait(self) -> None:
        """Wait until Prometheus runs and has read its configuration; it replays its log first."""
        ready = ("curl", "--silent", "--fail", "http://127.0.0.1:9090/-/ready")
        wait(lambda: self.host.run(*ready).returncode == 0, "Prometheus is not ready", seconds=120)

    def asked(self, path: str) -> Any:
        """Give what the API of Prometheus answers."""
        return json.loads(self.host.said("curl", "--silent", "--fail", f"http://127.0.0.1:9090/api/v1/{path}"))["data"]

    def installed(self, path: str) -> str:
        """Give a file of the configuration in use."""
        return self.host.said("cat", f"/etc/promfleet-watcher/{path}")


def pack(host: Machine, described: Fleet, instead: Mapping[str, str] | None = None) -> None:
    """Put the archives that a stack file asks for onto a machine."""
    (host.root / ARCHIVES).mkdir(exist_ok=True)
    archives(host.root / ARCHIVES, releases(described), instead)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with everything that the stack file asks for."""
    with machine(tmp_path_factory.mktemp("machine")) as started:
        pack(started, fleet())
        yield started


@pytest.fixture
def watcher(host: Machine) -> Watcher:
    """The watcher of the stack file, installed."""
    found = Watcher(host)
    found.write(fleet())
    code, said = found.install()
    assert code == 0, said
    return found


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Watcher]:
    """A machine that has nothing but the directory."""
    with machine(tmp_path / "machine") as started:
        found = Watcher(started)
        found.write(fleet())
        yield found


class TestFirstInstall:
    def test_starts_what_the_directory_says(self, fresh: Watcher) -> None:
        """
        Both programs run and answer, started by their units at boot too, and every line says what was done.
        """
        pack(fresh.host, fleet())

        code, said = fresh.install()

        assert code == 0, said
        assert {line.partition(":")[0] for line in said} == {
            "prometheus 3.15.0",
            "alertmanager 0.31.0",
            "user prometheus",
            "user alertmanager",
            "prometheus",
            "alertmanager",
        }
        assert [line for line in said if line.endswith("started")] == ["alertmanager: started", "prometheus: started"]
        for service in ("prometheus", "alertmanager"):
            assert fresh.host.said("systemctl", "is-active", f"promfleet-{service}") == "active"
            assert fresh.host.said("systemctl", "is-enabled", f"promfleet-{service}") == "enabled"
        [alertmanager] = fresh.asked("alertmanagers")["activeAlertmanagers"]
        assert alertmanager["url"] == "http://127.0.0.1:9093/api/v2/alerts"

    def test_installs_nothing_of_an_archive_with_another_checksum(self, fresh: Watcher) -> None:
        """
        Neither a program, a user, a unit nor a configuration is left of it.
        """
        pack(fresh.host, fleet())
        [archive] = (fresh.host.root / ARCHIVES).glob("prometheus-*.tar.gz")
        archive.write_bytes(archive.read_bytes() + b"\0")

        code, said = fresh.install()

        assert (code, said) == (1, [f"install.sh: {archive.name} has another checksum than sha256sums.txt says"])
        assert fresh.host.said("find", "/opt/promfleet-watcher", "/etc/promfleet-watcher", "-mindepth", "1") == ""
        assert fresh.host.run("getent", "passwd", "alertmanager").returncode == 2
        assert fresh.host.said("find", "/etc/systemd/system", "-name", "promfleet-*") == ""

    def test_needs_each_archive(self, fresh: Watcher) -> None:
        """
        On a closed network the missing file is named.
        """
        (fresh.host.root / ARCHIVES).mkdir()

        code, said = fresh.install()

        assert code == 1
        assert "/srv/archives lacks" in said[-1]


class TestSecondRun:
    def test_changes_nothing_and_says_so(self, watcher: Watcher) -> None:
        """
        The processes stay.
        """
        before = watcher.pid(), watcher.pid("alertmanager")

        assert watcher.install() == (0, ["nothing to change"])
        assert (watcher.pid(), watcher.pid("alertmanager")) == before

    def test_starts_what_was_stopped(self, watcher: Watcher) -> None:
        """
        A service that somebody stopped is part of what the directory says.
        """
        watcher.host.said("systemctl", "stop", "promfleet-alertmanager")

        assert watcher.install() == (0, ["alertmanager: started"])


class TestProcess:
    def test_reads_its_secrets_and_nobody_else_does(self, watcher: Watcher) -> None:
        """
        The token is the user's who runs Prometheus, and no other user's.
        """
        token = "/etc/promfleet-watcher/prometheus/clusters/eu1/token"

        assert watcher.host.said("stat", "--format", "%a %U %G", token) == "600 prometheus prometheus"
        other = watcher.host.run(
            "setpriv", "--reuid=alertmanager", "--regid=alertmanager", "--clear-groups", "cat", token
        )
        assert other.returncode == 1
        assert "Permission denied" in other.stderr

    def test_writes_nowhere_but_in_its_folder(self, watcher: Watcher) -> None:
        """
        The sandbox of the unit holds for the process: no capability, no new privileges, system calls filtered.
        """
        status = dict(
            line.split(":\t", 1)
            for line in watcher.host.said("cat", f"/proc/{watcher.pid()}/status").splitlines()
            if ":\t" in line
        )

        assert {name: int(status[name], 16) for name in ("CapEff", "CapBnd", "CapAmb")} == {
            "CapEff": 0,
            "CapBnd": 0,
            "CapAmb": 0,
        }
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        inside = ("nsenter", "--target", watcher.pid(), "--mount", "--", "touch")
        assert watcher.host.run(*inside, "/var/lib/promfleet-prometheus/probe").returncode == 0
        for place in ("/var/lib/probe", "/etc/probe", "/opt/promfleet-watcher/probe"):
            assert "Read-only file system" in watcher.host.run(*inside, place).stderr

    def test_knows_when_it_was_started_and_how_much_memory_it_has(self, watcher: Watcher) -> None:
        """
        Alerts compute with the first; Go's garbage collector with the second.
        """
        metrics = dict(
            line.rsplit(" ", 1)
            for line in watcher.host.said("curl", "--silent", "http://127.0.0.1:9090/metrics").splitlines()
            if not line.startswith("#")
        )

        assert abs(float(metrics["process_start_time_seconds"]) - datetime.now(UTC).timestamp()) < 3600
        most = int(watcher.host.property("prometheus", "MemoryMax"))
        assert float(metrics["go_gc_gomemlimit_bytes"]) == pytest.approx(0.9 * most, rel=0.01)

    def test_comes_back_when_it_is_killed(self, watcher: Watcher) -> None:
        """
        Systemd starts it again.
        """
        before = watcher.pid()
        watcher.host.said("kill", "-9", before)

        wait(lambda: watcher.pid() not in (before, "0"), "Prometheus is not started again", seconds=120)
        watcher.wait()


class TestChange:
    def test_of_a_rule_is_loaded_by_the_running_process(self, watcher: Watcher) -> None:
        """
        Nothing is restarted for it.
        """
        before = watcher.pid()
        watcher.change(RULES, lambda text: text.replace("promfleet_cluster_watched", "promfleet_cluster_seen"))

        assert watcher.install() == (0, ["prometheus: changed rules/inventory.yml", "prometheus: reloaded"])
        assert watcher.pid() == before
        names = {rule["name"] for group in watcher.asked("rules")["groups"] for rule in group["rules"]}
        assert "promfleet_cluster_seen" in names
        assert "promfleet_cluster_watched" not in names

    def test_of_a_token_touches_nothing_else(self, watcher: Watcher) -> None:
        """
        A rotation is a changed file of one cluster.
        """
        before = watcher.pid()
        watcher.write(fleet(), SECOND)

        assert watcher.install() == (0, ["prometheus: changed clusters/eu1/token", "prometheus: reloaded"])
        assert (watcher.pid(), watcher.installed("prometheus/clusters/eu1/token")) == (before, SECOND)

    def test_of_routing_is_taken_by_alertmanager(self, watcher: Watcher) -> None:
        """
        Prometheus is left alone.
        """
        before = watcher.pid(), watcher.pid("alertmanager")
        watcher.write(fleet(alertmanager={"receivers": {"sre": {}}, "default": "sre"}))

        assert watcher.install() == (0, ["alertmanager: changed alertmanager.yml", "alertmanager: reloaded"])
        assert (watcher.pid(), watcher.pid("alertmanager")) == before

    def test_of_sections_adds_and_removes_services(self, watcher: Watcher) -> None:
        """
        What the stack file no longer has is stopped and removed; the prober, without a user of its own, is started.
        """
        changed = fleet(alertmanager=None, probes={"shop": {"module": "tcp", "targets": ["127.0.0.1:9090"]}})
        pack(watcher.host, changed)
        watcher.write(changed)

        code, said = watcher.install()

        assert code == 0, said
        assert "alertmanager: removed promfleet-alertmanager.service; what it stored below /var/lib stays" in said
        assert "blackbox-exporter: started" in said
        assert watcher.host.run("systemctl", "is-active", "promfleet-alertmanager").stdout.strip() == "inactive"
        assert watcher.host.said("ls", "/etc/promfleet-watcher") == "blackbox-exporter\nprometheus"
        probe = "http://127.0.0.1:9115/probe?module=tcp&target=127.0.0.1:9090"
        assert "probe_success 1" in watcher.host.said("curl", "--silent", "--fail", probe).splitlines()

    def test_of_what_an_earlier_copy_left_is_none(self, watcher: Watcher) -> None:
        """
        A rule that the directory no longer lists is not loaded again, though `scp` does not remove its file.
        """
        (watcher.directory / "prometheus/rules/stale.yml").write_text("groups: []\n")

        assert watcher.install() == (0, ["nothing to change"])

    def test_of_half_a_copy_is_refused(self, watcher: Watcher) -> None:
        """
        A listed file that is missing stops the script before anything is replaced.
        """
        (watcher.directory / RULES).unlink()

        code, said = watcher.install()

        assert (code, said[-1]) == (1, "install.sh: the directory lacks files that it lists; copy it again")


class TestBroken:
    BROKEN = "global: {scrape_interval: soon}\n"

    def test_files_are_refused_by_the_script(self, watcher: Watcher) -> None:
        """
        Promtool's words are in the last line; the process and its configuration stay, and so does the copy on disk.
        """
        before = watcher.pid(), watcher.installed(CONFIG)
        watcher.change(CONFIG, lambda _: self.BROKEN)

        code, said = watcher.install()

        assert code == 1
        assert said[-1].startswith("install.sh: nothing was replaced, since the new configuration is wrong: ")
        assert 'not a valid duration string: "soon"' in said[-1]
        assert (watcher.pid(), watcher.installed(CONFIG)) == before
        assert (
            watcher.host.said("find", "/etc/promfleet-watcher", "-maxdepth", "1", "-type", "d", "-name", ".*.*").count(
                "\n"
            )
            == 1
        )

    def test_files_put_there_by_hand_are_not_loaded(self, watcher: Watcher) -> None:
        """
        A reload fails, and the process goes on with what it has.
        """
        before = watcher.pid(), watcher.asked("status/config")
        (watcher.host.root / "etc/promfleet-watcher/prometheus/prometheus.yml").write_text(self.BROKEN)

        assert watcher.host.run("systemctl", "reload", "promfleet-prometheus").returncode == 1
        assert (watcher.pid(), watcher.asked("status/config")) == before

    def test_files_put_there_by_hand_keep_it_from_starting(self, watcher: Watcher) -> None:
        """
        A restart ends the process first: Prometheus is down until the file is right, and then starts by itself.
        """
        file = watcher.host.root / "etc/promfleet-watcher/prometheus/prometheus.yml"
        right = file.read_text()
        file.write_text(self.BROKEN)

        assert watcher.host.run("systemctl", "restart", "promfleet-prometheus").returncode == 1
        assert watcher.pid() == "0"
        log = watcher.host.said("journalctl", "--unit", "promfleet-prometheus", "--output", "cat", "--lines", "20")
        assert 'not a valid duration string: "soon"' in log

        file.write_text(right)
        watcher.wait()

    def test_files_put_there_by_hand_are_replaced(self, watcher: Watcher) -> None:
        """
        The directory says what is right, also after Prometheus was told to read the wrong file and refused it.
        """
        watcher.wait()
        before = watcher.pid()
        (watcher.host.root / f"etc/promfleet-watcher/{CONFIG}").write_text(self.BROKEN)
        watcher.host.said("kill", "-HUP", before)
        refused = "prometheus_config_last_reload_successful 0"
        metrics = ("curl", "--silent", "http://127.0.0.1:9090/metrics")
        wait(lambda: refused in watcher.host.run(*metrics).stdout.splitlines(), "nothing is refused", seconds=120)

        assert watcher.install() == (0, ["prometheus: changed prometheus.yml", "prometheus: reloaded"])
        assert watcher.pid() == before
        assert refused not in watcher.host.said(*metrics).splitlines()


class TestRelease:
    def test_that_does_not_start_is_taken_back(self, watcher: Watcher) -> None:
        """
        The old program runs again, with the old unit and configuration.
        """
        bad = fleet(images={"prometheus": "quay.io/prometheus/prometheus:v3.99.0"})
        pack(watcher.host, bad, {"prometheus": '#!/bin/sh\n[ "$1" = --version ]\n'})
        watcher.write(bad)

        code, said = watcher.install()

        assert code == 1
        assert said[-1] == (
            "install.sh: prometheus did not start with the new files; it runs again with the old ones. "
            "See journalctl --unit promfleet-prometheus.service"
        )
        assert "/prometheus-3.15.0/" in watcher.host.said("cat", f"/proc/{watcher.pid()}/cmdline")
        assert watcher.asked("status/config")
        watcher.write(fleet())
        assert watcher.install() == (0, ["nothing to change"])

    def test_is_installed_beside_the_old_one(self, watcher: Watcher) -> None:
        """
        A restart is needed, and the samples stay.
        """
        new = fleet(images={"prometheus": "quay.io/prometheus/prometheus:v3.15.1"})
        pack(watcher.host, new)
        watcher.write(new)
        wait(lambda: watcher.asked("query?query=up")["result"], "no sample", seconds=120)
        before = watcher.asked("query?query=min(timestamp(up))")["result"]

        code, said = watcher.install()

        assert code == 0, said
        assert said[-2:] == ["prometheus: changed promfleet-prometheus.service", "prometheus: restarted"]
        assert "/prometheus-3.15.1/" in watcher.host.said("cat", f"/proc/{watcher.pid()}/cmdline")
        assert watcher.host.said("ls", "/opt/promfleet-watcher/prometheus-3.15.0")
        at = before[0]["value"][1]
        assert watcher.asked(f"query?query=up&time={at}")["result"]


class TestExposed:
    HOST = "watcher.acme.example"

    def test_asks_for_a_password_over_tls(self, watcher: Watcher) -> None:
        """
        A user of the stack file is let in and nobody else, but for Prometheus itself and the script.
        """
        section = {**SAID["watcher"], "expose": {"host": self.HOST, "port": 9443, "users": ["alice"]}}
        secrets = {"alicePasswordHash": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}
        own = Login("own", bcrypt.hashpw(b"own", bcrypt.gensalt(4)).decode())
        watcher.write(fleet(watcher=section), secrets=secrets, own=own)
        code, said = watcher.install()
        assert code == 1
        assert "/etc/promfleet-watcher/tls/tls.crt: no such file" in said[-1]

        authority = pki.authority("acme")
        pair = pki.issue(authority, "watcher", hosts=[self.HOST, "127.0.0.1"])
        tls = watcher.host.root / "etc/promfleet-watcher/tls"
        pki.Pair(pair.certificate + authority.certificate, pair.key).write(tls, "tls")
        tls.chmod(0o755)
        watcher.host.said("chgrp", "prometheus", "/etc/promfleet-watcher/tls/tls.key")
        watcher.host.said("chmod", "640", "/etc/promfleet-watcher/tls/tls.key")

        code, said = watcher.install()

        assert code == 0, said
        url = f"https://{self.HOST}:9443/api/v1/query?query=up%7Bjob%3D%22prometheus%22%7D"
        curl = (
            "curl",
            "--silent",
            "--cacert",
            "/etc/promfleet-watcher/tls/tls.crt",
            "--connect-to",
            "::127.0.0.1:",
            url,
        )

        def answered(*more: str) -> str:
            return watcher.host.said(*curl, "--output", "/dev/null", "--write-out", "%{http_code}", *more)

        assert answered() == "401"
        assert answered("--user", "alice:wrong") == "401"
        assert answered("--user", f"alice:{PASSWORD}") == "200"
        old = watcher.host.run(*curl, "--user", f"alice:{PASSWORD}", "--tls-max", "1.2")
        assert old.returncode == 35  # no agreement on a version
        lifecycle = watcher.host.said(
            *curl[:-1], f"https://{self.HOST}:9443/-/reload", "--request", "POST", "--user", f"alice:{PASSWORD}"
        )
        assert "Lifecycle API is not enabled" in lifecycle

        def scraped() -> bool:
            found = json.loads(watcher.host.said(*curl, "--user", f"alice:{PASSWORD}"))["data"]["result"]
            return {series["value"][1] for series in found} == {"1"}

        wait(scraped, "Prometheus does not scrape itself", seconds=120)
        assert watcher.install() == (0, ["nothing to change"])
