"""The files of a watcher's machine, and the command that writes them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from fleet import folder as folder_module
from fleet import watcher as module
from fleet.cli import app
from fleet.exits import Exit
from fleet.folder import LIST, put
from fleet.stack import StackError
from render import machine
from render.machine import ClusterCredentials, File, Login, ReceiverCredentials, machine_files
from render.systemd import Service, unit
from settings import Fleet
from settings.images import release

CLUSTERS = {
    "eu1": ClusterCredentials("https://eu1.example:6443", "ca-of-eu1", "token-of-eu1"),
    "us1": ClusterCredentials("https://us1.example:6443", "ca-of-us1", "token-of-us1"),
}
OWN = Login("password-of-prometheus", "hash-of-prometheus")
RECEIVER = ReceiverCredentials("https://hub.example/api/v1/write", own=True, ca="ca-of-hub", token="token-of-hub")
SECRETS = {"alicePasswordHash": "hash-of-alice", "sreWebhook": "https://hooks.example/of-sre"}
SECRET = {
    "token-of-eu1",
    "token-of-us1",
    "token-of-hub",
    "password-of-prometheus",
    "hash-of-prometheus",
    "hash-of-alice",
    "https://hooks.example/of-sre",
}
SAID: dict[str, Any] = {
    "clusters": {name: {"context": name, "series": 50_000} for name in CLUSTERS},
    "watcher": {
        "clusters": [*CLUSTERS],
        "storage": "500Gi",
        "expose": {"host": "watcher.example", "port": 9443, "users": ["alice"]},
        "hub": {"stack": "organization/promfleet/hub"},
    },
    "alertmanager": {"receivers": {"sre": {"webhook": {}}}, "default": "sre"},
    "probes": {"shop": {"targets": ["https://shop.example"]}},
}
STACK = """
config:
  promfleet:alicePasswordHash: {secure: v1:encrypted}
  promfleet:fleet:
    clusters: {eu1: {context: a}, us1: {context: b}}
    watcher: {clusters: [eu1, us1], storage: 100Gi, expose: {host: watcher.example, users: [alice]}}
"""
INSTALL = Path(machine.__file__).with_name("install.sh").read_text()
"""The script, of which a test runs a function with the machine's answers in place of systemd's and Prometheus'."""
STARTED = """
property() { case $2 in MainPID) echo 1 ;; NRestarts) echo 0 ;; *) echo active ;; esac; }
metric() { %s; }
is_started prometheus
"""


def files(**more: Any) -> dict[str, File]:
    described = Fleet.model_validate({**SAID, **more})
    own = OWN if described.watcher and described.watcher.expose else None
    return dict(machine_files(described, CLUSTERS, SECRETS, own, RECEIVER))


def unexposed(**more: Any) -> dict[str, Any]:
    return {"watcher": {"clusters": [*CLUSTERS], "storage": "500Gi", **more}}


def directives(text: str, name: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


class TestFiles:
    def test_are_all_that_the_machine_needs(self) -> None:
        """
        Of every service a unit and its configuration, of every cluster a token and an authority.
        """
        written = files()

        assert {path for path in written if not path.startswith("prometheus/rules/")} == {
            "install.sh",
            "releases",
            "units/promfleet-prometheus.service",
            "units/promfleet-alertmanager.service",
            "units/promfleet-blackbox-exporter.service",
            "prometheus/prometheus.yml",
            "prometheus/web.yml",
            "prometheus/web.password",
            "prometheus/web.curl",
            "prometheus/clusters/eu1/token",
            "prometheus/clusters/eu1/ca.crt",
            "prometheus/clusters/us1/token",
            "prometheus/clusters/us1/ca.crt",
            "prometheus/receiver/token",
            "prometheus/receiver/ca.crt",
            "alertmanager/alertmanager.yml",
            "alertmanager/secrets/sreWebhook",
            "blackbox-exporter/config.yml",
        }
        assert any(path.startswith("prometheus/rules/") for path in written)
        assert written["install.sh"].mode == 0o755

    def test_of_sections_that_are_left_out_are_left_out(self) -> None:
        """
        A watcher alone is Prometheus alone, which asks nobody for a password.
        """
        written = files(alertmanager=None, probes={}, **unexposed())

        assert not any(path.startswith(("alertmanager", "blackbox", "units/promfleet-a")) for path in written)
        assert "prometheus/web.yml" not in written
        assert "prometheus/web.password" not in written
        assert written["releases"].text == "prometheus=3.15.0\n"

    def test_keep_secrets_to_their_owner(self) -> None:
        """
        No secret is in a file that others may read, and all are in one that only the owner may.
        """
        written = files()
        readable = "".join(file.text for file in written.values() if file.mode & 0o077)
        private = "".join(file.text for file in written.values() if not file.mode & 0o077)

        assert [secret for secret in SECRET if secret in readable] == []
        assert [secret for secret in SECRET if secret not in private] == []

    def test_name_each_other_where_they_are(self) -> None:
        """
        Each path in prometheus.yml begins at its folder, and is the path of a file.
        """
        written = files()
        config = yaml.safe_load(written["prometheus/prometheus.yml"].text)

        def named(value: Any) -> list[str]:
            if isinstance(value, dict):
                own = [v for k, v in value.items() if k.endswith("_file") and not v.startswith("/")]
                return [*own, *(path for item in value.values() for path in named(item))]
            return [path for item in value for path in named(item)] if isinstance(value, list) else []

        assert {f"prometheus/{path}" for path in named(config)} == {
            path for path in written if path.startswith(("prometheus/clusters/", "prometheus/receiver/"))
        } | {"prometheus/web.password"}

    def test_give_alertmanager_its_secrets_where_they_are_installed(self) -> None:
        """
        The webhook's URL is read from the folder of the machine.
        """
        config = yaml.safe_load(files()["alertmanager/alertmanager.yml"].text)
        [hook] = config["receivers"][1]["webhook_configs"]

        assert hook["url_file"] == "/etc/promfleet-watcher/alertmanager/secrets/sreWebhook"

    def test_admit_the_users_of_the_stack_file_over_tls(self) -> None:
        """
        Beside them only Prometheus itself, by a password of its own.
        """
        web = yaml.safe_load(files()["prometheus/web.yml"].text)

        assert web["basic_auth_users"] == {"prometheus": "hash-of-prometheus", "alice": "hash-of-alice"}
        assert web["tls_server_config"] == {
            "cert_file": "/etc/promfleet-watcher/tls/tls.crt",
            "key_file": "/etc/promfleet-watcher/tls/tls.key",
            "min_version": "TLS13",
        }

    def test_name_a_mirrors_release(self) -> None:
        """
        The archive is upstream's, whatever registry a cluster would pull the image from.
        """
        written = files(images={"prometheus": f"mirror.example/p8s:v3.14.2@sha256:{'0' * 64}"})

        assert "prometheus=3.14.2\n" in written["releases"].text
        [start] = directives(written["units/promfleet-prometheus.service"].text, "ExecStart")
        assert start.startswith("/opt/promfleet-watcher/prometheus-3.14.2/prometheus ")

    @pytest.mark.parametrize(
        ("image", "expected"),
        [("a/b:v1.2.3", "1.2.3"), ("a/b:v1.2.3-rc.0", "1.2.3-rc.0"), ("a/b:1.2.3", None), ("a/b@sha256:00", None)],
    )
    def test_know_a_release_by_the_tag(self, image: str, expected: str | None) -> None:
        """
        Another tag names no archive.
        """
        assert release(image) == expected


class TestUnits:
    def test_listen_where_people_are_told(self) -> None:
        """
        An exposed Prometheus asks for TLS and a password, another one is on loopback, and neither takes orders.
        """
        [exposed] = directives(files()["units/promfleet-prometheus.service"].text, "ExecStart")
        [local] = directives(files(**unexposed())["units/promfleet-prometheus.service"].text, "ExecStart")

        assert "--web.listen-address=:9443 --web.config.file=/etc/promfleet-watcher/prometheus/web.yml" in exposed
        assert "--web.listen-address=127.0.0.1:9090 " in local
        assert not any("enable-lifecycle" in flags or "admin-api" in flags for flags in (exposed, local))

    def test_have_memory_for_the_planned_series(self) -> None:
        """
        Of all watched clusters together.
        """
        few, many = (
            files(clusters={name: {"context": name, "series": series} for name in CLUSTERS})[
                "units/promfleet-prometheus.service"
            ].text
            for series in (50_000, 100_000)
        )

        assert directives(few, "MemoryMax") == [f"{512 + 100_000 * 12 // 1024}M"]
        assert directives(many, "MemoryMax") == [f"{512 + 200_000 * 12 // 1024}M"]

    def test_check_before_each_start_and_reload(self) -> None:
        """
        A process never gets a file that its own release refuses.
        """
        for path, file in files().items():
            if path.startswith("units/"):
                before, reload = directives(file.text, "ExecStartPre"), directives(file.text, "ExecReload")
                assert before
                assert reload == [*before, "/bin/kill -HUP $MAINPID"]

    @given(st.text(min_size=1, max_size=20))
    def test_run_the_words_that_they_are_given(self, word: str) -> None:
        """
        What systemd would take for several words is refused, and nothing is taken for a variable or a specifier.
        """
        service = Service("a", "https://a.example", ["/bin/a", word], "1M")
        if set(word) & set(" \"'\\;") or not word.isprintable():
            with pytest.raises(ValueError, match="needs quotes"):
                unit(service)
            return
        [start] = directives(unit(service), "ExecStart")
        assert start == f"/bin/a {word.replace('%', '%%').replace('$', '$$')}"


FILES = {"a/secret": File("1", 0o600), "b": File("2"), "c/d/e": File("3")}


class TestPut:
    def test_says_what_became_of_each_file(self, tmp_path: Path) -> None:
        """
        A second run has nothing to do, and a third only what differs.
        """
        folder = tmp_path / "made" / "here"

        assert put(folder, "x", FILES) == ([*FILES], [], [], 0)
        assert put(folder, "x", FILES) == ([], [], [], 3)
        changed = {"a/secret": File("1", 0o600), "b": File("changed"), "new": File("4")}
        assert put(folder, "x", changed) == (["new"], ["b"], ["c/d/e"], 1)
        assert not (folder / "c").exists()
        assert {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()} == {*changed, LIST}

    def test_lets_nobody_else_read(self, tmp_path: Path) -> None:
        """
        The folder is its owner's, and a mode that somebody changed is put right.
        """
        put(tmp_path / "d", "x", FILES)
        (tmp_path / "d/a/secret").chmod(0o644)
        (tmp_path / "d").chmod(0o755)

        assert put(tmp_path / "d", "x", FILES).changed == ["a/secret"]
        assert (tmp_path / "d").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "d/a/secret").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "d/b").stat().st_mode & 0o777 == 0o644

    def test_leaves_what_others_wrote(self, tmp_path: Path) -> None:
        """
        A note beside the files survives; one where a file is to be is named.
        """
        put(tmp_path / "d", "x", {"b": File("2")})
        (tmp_path / "d/notes.md").write_text("mine")

        put(tmp_path / "d", "x", {})
        assert (tmp_path / "d/notes.md").read_text() == "mine"
        with pytest.raises(
            folder_module.FolderError, match=r"files of yours where others are to be written: notes\.md"
        ):
            put(tmp_path / "d", "x", {"notes.md": File("ours")})

    @pytest.mark.parametrize("taken", ["a file", "somebody's folder", "another stack's folder"])
    def test_refuses_what_it_did_not_write(self, tmp_path: Path, taken: str) -> None:
        """
        Nothing is written there.
        """
        folder = tmp_path / "d"
        if taken == "a file":
            folder.write_text("mine")
        elif taken == "somebody's folder":
            folder.mkdir()
            (folder / "thesis.txt").write_text("mine")
        else:
            put(folder, "y", FILES)
        before = sorted(tmp_path.rglob("*"))

        with pytest.raises(folder_module.FolderError, match="Name a"):
            put(folder, "x", FILES)
        assert sorted(tmp_path.rglob("*")) == before

    def test_goes_on_after_an_interruption(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        What a run wrote that did not come to its end is no stranger's to the next.
        """
        replace = folder_module._replace

        def fail(path: Path, file: File) -> None:
            replace(path, file) if path.name != "b" else 1 / 0

        monkeypatch.setattr(folder_module, "_replace", fail)
        with pytest.raises(ZeroDivisionError):
            put(tmp_path / "d", "x", FILES)
        monkeypatch.undo()

        assert put(tmp_path / "d", "x", FILES) == (["b", "c/d/e"], [], [], 1)


class TestCommand:
    @pytest.fixture
    def stack(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """A stack that was deployed: what the engine answers, by the first words of the question."""
        (tmp_path / "Pulumi.watcher.yaml").write_text(STACK)
        monkeypatch.chdir(tmp_path)
        known: dict[str, Any] = {
            "stack output": {
                "watcher": {
                    "clusters": {
                        name: {"apiServer": one.api_server, "ca": one.ca, "token": one.token}
                        for name, one in CLUSTERS.items()
                    },
                    "receiver": None,
                }
            },
            "config": {"promfleet:alicePasswordHash": {"value": "hash-of-alice", "secret": True}},
        }

        def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            assert command[-2:] == ["--stack", "watcher"]
            assert "--show-secrets" in command  # without it each token is "[secret]"
            said = next(answer for asked, answer in known.items() if " ".join(command[1:]).startswith(asked))
            return subprocess.CompletedProcess(command, 0, json.dumps(said), "")

        monkeypatch.setattr(subprocess, "run", run)
        return known

    def write(self, *more: str) -> Result:
        return CliRunner().invoke(app, ["watcher", "write", "--stack", "watcher", "out", *more])

    def test_writes_what_the_stack_exports(self, stack: dict[str, Any]) -> None:
        """
        Every token is in its file, and every file is named.
        """
        result = self.write()

        assert result.exit_code == 0, result.output
        assert Path("out/prometheus/clusters/us1/token").read_text() == "token-of-us1"
        assert "added prometheus/clusters/us1/token\n" in result.stdout
        assert result.stdout.splitlines()[-1].startswith("out: ")
        assert not any(secret in result.output for secret in SECRET)

    def test_replaces_a_renewed_token_and_nothing_else(self, stack: dict[str, Any]) -> None:
        """
        The password that was made at the first run stays.
        """
        first = self.write()
        stack["stack output"]["watcher"]["clusters"]["eu1"]["token"] = "renewed"

        result = self.write()

        total = first.stdout.count("added ")
        assert result.stdout.splitlines() == [
            "changed prometheus/clusters/eu1/token",
            f"out: 0 added, 1 changed, 0 removed, {total - 1} files unchanged",
        ]

    def test_makes_a_password_for_prometheus(self, stack: dict[str, Any]) -> None:
        """
        It is the one whose hash web.yml has, of no use to whoever reads that, and another for each folder.
        """
        self.write()
        password = Path("out/prometheus/web.password").read_bytes()
        web = yaml.safe_load(Path("out/prometheus/web.yml").read_text())

        assert bcrypt.checkpw(password, web["basic_auth_users"]["prometheus"].encode())
        assert len(password) >= 32
        CliRunner().invoke(app, ["watcher", "write", "--stack", "watcher", "other"])
        assert Path("other/prometheus/web.password").read_bytes() != password

    def test_removes_the_files_of_a_cluster_that_is_gone(self, stack: dict[str, Any]) -> None:
        """
        No token stays behind.
        """
        self.write()
        del stack["stack output"]["watcher"]["clusters"]["us1"]
        text = STACK.replace(", us1: {context: b}", "").replace("[eu1, us1]", "[eu1]")
        Path("Pulumi.watcher.yaml").write_text(text)

        result = self.write()

        assert "removed prometheus/clusters/us1/token\n" in result.stdout
        assert not Path("out/prometheus/clusters/us1").exists()

    def test_needs_an_update_first(self, stack: dict[str, Any]) -> None:
        """
        Neither a stack that was never deployed nor one that was deployed with other clusters has all tokens.
        """
        del stack["stack output"]["watcher"]["clusters"]["us1"]
        other = self.write()
        stack["stack output"] = {}
        never = self.write()

        assert (other.exit_code, never.exit_code) == (Exit.FAILED, Exit.FAILED)
        assert (
            "was deployed with other clusters than its file names: us1. Run `pulumi up --stack watcher`" in other.stderr
        )
        assert never.stderr == (
            "fleet watcher: stack watcher has no output watcher. Run `pulumi up --stack watcher` first.\n"
        )
        assert not Path("out").exists()

    def test_needs_the_secrets(self, stack: dict[str, Any]) -> None:
        """
        The command that sets the missing one is said.
        """
        stack["config"] = {}

        result = self.write()

        assert result.exit_code == Exit.FAILED
        assert "`pulumi config set --secret promfleet:alicePasswordHash --stack watcher`" in result.stderr

    def test_needs_an_engine(self, stack: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Its own words are passed on.
        """

        def fail(stack: str, **_: bool) -> dict[str, Any]:
            raise StackError("no stack named 'watcher' found")

        monkeypatch.setattr(module, "outputs", fail)

        result = self.write()

        assert (result.exit_code, result.stderr) == (Exit.FAILED, "fleet watcher: no stack named 'watcher' found\n")

    def test_needs_a_watcher(self, stack: dict[str, Any]) -> None:
        """
        A stack without the section is a wrong name.
        """
        Path("Pulumi.watcher.yaml").write_text(
            "config: {promfleet:fleet: {clusters: {eu1: {context: a}}, agents: {eu1: {hub: {stack: o/p/hub}}}}}\n"
        )

        result = self.write()

        assert result.exit_code == Exit.USAGE
        assert "Pulumi.watcher.yaml has no section watcher" in result.stderr

    def test_reports_a_wrong_stack_file(self, stack: dict[str, Any]) -> None:
        """
        As `fleet check` does.
        """
        Path("Pulumi.watcher.yaml").write_text(STACK.replace("[eu1, us1]", "[]"))

        result = self.write()

        assert result.exit_code == Exit.FINDINGS
        assert "watcher.clusters: is empty" in result.stderr

    def test_leaves_a_folder_of_others(self, stack: dict[str, Any]) -> None:
        """
        It is named, and what stands in it.
        """
        Path("out").mkdir()
        Path("out/thesis.txt").write_text("mine")

        result = self.write()

        assert result.exit_code == Exit.USAGE
        assert result.stderr == (
            "fleet watcher: out was not written for this stack, and has thesis.txt. Name a new folder.\n"
        )


class TestStart:
    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            ("((SECONDS < 3)) && echo 0 || echo 1", 0),
            ("echo 0", 1),
            ("((SECONDS < 3)) && return 7 || echo 1", 1),
        ],
        ids=["replays", "replays for ever", "says nothing"],
    )
    def test_waits_longer_for_a_prometheus_that_reads_its_log(self, answer: str, code: int) -> None:
        """
        A large log takes more than the minutes in which any other service is started; no longer than an hour.
        """
        shorter = INSTALL.replace("PATIENCE=600", "PATIENCE=1").replace("REPLAY=3600", "REPLAY=4")
        functions = shorter.removesuffix('main "$@"\n')
        assert functions.count("PATIENCE=1 ") == 1
        assert functions.count("REPLAY=4 ") == 1
        assert functions != shorter

        done = subprocess.run(["bash", "-c", functions + STARTED % answer], check=False, timeout=60)

        assert done.returncode == code
