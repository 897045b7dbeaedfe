"""The VM of a watcher: what is made for it, what is in its secrets, and what fetches them on the VM."""

import json
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tarfile import TarFile, TarInfo
from typing import Any

import pulumi
import pytest
from typer.testing import CliRunner, Result

from fleet.cli import app
from fleet.exits import Exit
from fleet.folder import put
from fleet.watcher import head
from render import fetch
from render.instance import LARGEST_SECRET, Packed, TooLargeError, payloads, startup_script
from render.machine import ClusterCredentials, File, machine_files
from settings import Fleet
from stacks import deploy
from tests.google import TOKEN, Google, server
from tests.http_server import POLL
from tests.unit.builders import fleet
from tests.unit.conftest import Engine, plain
from tests.unit.kinds import DISK, FIREWALL, INSTANCE, RESERVED_ADDRESS, SECRET_MANAGER_MEMBER, SECRET_MANAGER_SECRET

CLUSTERS = {name: {"context": name} for name in ("eu1", "us1")}
VM = {"project": "acme-monitoring", "zone": "europe-west1-b"}
NAME, MACHINE = "promfleet-watcher", "promfleet-watcher-machine"
ACCOUNT = "promfleet-watcher@acme-monitoring.iam.gserviceaccount.com"
EXPOSE = {"host": "watcher.example", "port": 9443, "users": ["alice"]}
GOOGLE = "gcp:"
FIRST = "token-of-us1"


def described(vm: dict[str, Any] | None = None, **watcher: Any) -> Fleet:
    section = {"clusters": [*CLUSTERS], "storage": "200Gi", "instance": {**VM, **(vm or {})}, **watcher}
    return fleet(clusters=CLUSTERS, watcher=section)


def exposed(**vm: Any) -> Fleet:
    return described({"sourceRanges": ["203.0.113.0/24"], **vm}, expose=EXPOSE)


@pytest.fixture
def made(kubeconfig: None) -> Engine:
    """What a stack with nothing but the necessary settings makes."""
    return Engine().deploy(lambda: deploy(described()))


class TestVm:
    def test_can_read_its_own_secrets_and_nothing_else(self, made: Engine) -> None:
        """
        It has a service account of its own, with one role on each of its secrets and none on the project.
        """
        instance = made.all(INSTANCE)[0].inputs

        assert instance["serviceAccount"] == {
            "email": ACCOUNT,
            "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        }
        secrets = {f"{NAME}-{suffix}" for suffix in ("machine", "cluster-eu1", "cluster-us1")}
        assert {secret.inputs["secretId"] for secret in made.all(SECRET_MANAGER_SECRET)} == secrets
        assert {
            (member.inputs["secretId"], member.inputs["role"], member.inputs["member"])
            for member in made.all(SECRET_MANAGER_MEMBER)
        } == {(secret, "roles/secretmanager.secretAccessor", f"serviceAccount:{ACCOUNT}") for secret in secrets}
        granting = {item.typ for item in made.resources if "iam" in item.typ.lower() and item.typ.startswith(GOOGLE)}
        assert granting == {SECRET_MANAGER_MEMBER}

    def test_is_told_no_secret(self, made: Engine) -> None:
        """
        No token, authority or password is in anything that Google Cloud is asked to make; secrets have no version.
        """
        text = json.dumps([plain(item.inputs) for item in made.resources if item.typ.startswith(GOOGLE)])

        assert "issued-by-the-cluster" not in text
        assert "certificate-of-the-cluster" not in text
        assert not [item for item in made.resources if item.typ.endswith(":SecretVersion")]

    def test_is_reached_by_nobody(self, made: Engine) -> None:
        """
        It has no public address, no firewall rule admits anybody, and keys of the project open nothing.
        """
        instance = made.all(INSTANCE)[0].inputs

        assert made.all(FIREWALL) == []
        assert [(a.inputs["addressType"]) for a in made.all(RESERVED_ADDRESS)] == ["INTERNAL"]
        [interface] = instance["networkInterfaces"]
        assert interface.get("accessConfigs", []) == []
        assert interface["subnetwork"] == "projects/acme-monitoring/regions/europe-west1/subnetworks/default"
        given = {key: text for key, text in instance["metadata"].items() if key != "startup-script"}
        assert given == {"block-project-ssh-keys": "TRUE", "enable-oslogin": "TRUE", "serial-port-enable": "FALSE"}

    def test_boots_nothing_that_is_not_signed(self, made: Engine) -> None:
        """
        Shielded VM, all of it.
        """
        assert made.all(INSTANCE)[0].inputs["shieldedInstanceConfig"] == {
            "enableSecureBoot": True,
            "enableVtpm": True,
            "enableIntegrityMonitoring": True,
        }

    @pytest.mark.parametrize("protect", [True, False])
    def test_keeps_its_samples_on_a_disk_of_their_own(self, kubeconfig: None, protect: bool) -> None:  # noqa: FBT001
        """
        The disk has the size of `storage`, and is not deleted unless the stack file says that volumes may be.
        """
        described_ = fleet(
            clusters=CLUSTERS,
            watcher={"clusters": [*CLUSTERS], "storage": "512Gi", "instance": VM},
            protect=protect,
        )
        engine = Engine().deploy(lambda: deploy(described_))

        [disk] = engine.all(DISK)
        assert disk.inputs["size"] == 512
        assert ("Disk", protect) in [kind for kind in engine.protected if kind[0] == "Disk"]
        [attached] = engine.all(INSTANCE)[0].inputs["attachedDisks"]
        assert attached["deviceName"] == "promfleet-data"

    def test_keeps_its_secrets_in_its_region(self, made: Engine) -> None:
        """
        Tokens are stored nowhere else.
        """
        for secret in made.all(SECRET_MANAGER_SECRET):
            assert secret.inputs["replication"] == {"userManaged": {"replicas": [{"location": "europe-west1"}]}}

    def test_admits_clients_where_it_is_exposed(self, kubeconfig: None) -> None:
        """
        From the ranges of the stack file to the port of Prometheus on this VM, and nothing else.
        """
        engine = Engine().deploy(lambda: deploy(exposed()))

        [rule] = engine.all(FIREWALL)
        assert rule.inputs["allows"] == [{"protocol": "tcp", "ports": ["9443"]}]
        assert rule.inputs["sourceRanges"] == ["203.0.113.0/24"]
        assert rule.inputs["targetServiceAccounts"] == [ACCOUNT]
        assert rule.inputs["network"] == "projects/acme-monitoring/global/networks/default"

    def test_admits_ssh_through_the_proxy_of_google_where_asked(self, kubeconfig: None) -> None:
        """
        From the addresses of Identity-Aware Proxy only.
        """
        engine = Engine().deploy(lambda: deploy(described({"ssh": True})))

        [rule] = engine.all(FIREWALL)
        assert rule.inputs["allows"] == [{"protocol": "tcp", "ports": ["22"]}]
        assert rule.inputs["sourceRanges"] == ["35.235.240.0/20"]

    def test_is_in_the_network_of_another_project(self, kubeconfig: None) -> None:
        """
        Firewall rules belong to the project of the network, as a Shared VPC needs it.
        """
        shared = {
            "network": "projects/acme-net/global/networks/prod",
            "subnetwork": "projects/acme-net/regions/europe-west1/subnetworks/monitoring",
            "ssh": True,
            "publicAddress": True,
        }
        engine = Engine().deploy(lambda: deploy(described(shared)))

        [rule] = engine.all(FIREWALL)
        assert (rule.inputs["project"], rule.inputs["network"]) == ("acme-net", shared["network"])
        [interface] = engine.all(INSTANCE)[0].inputs["networkInterfaces"]
        assert interface["subnetwork"] == shared["subnetwork"]
        assert len(interface["accessConfigs"]) == 1

    def test_is_not_made_without_the_setting(self, kubeconfig: None) -> None:
        """
        A machine of one's own needs nothing of Google Cloud.
        """
        own = fleet(clusters=CLUSTERS, watcher={"clusters": [*CLUSTERS], "storage": "200Gi"})
        engine = Engine().deploy(lambda: deploy(own))

        assert not [item for item in engine.resources if item.typ.startswith(GOOGLE)]

    def test_is_exported_with_its_secrets(self, kubeconfig: None) -> None:
        """
        `fleet watcher upload` finds there where to upload to.
        """
        exported: dict[str, Any] = {}
        seen: list[Any] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulumi, "export", exported.__setitem__)
            Engine().deploy(lambda: deploy(described()))

            @pulumi.runtime.test
            def look() -> pulumi.Output[None]:
                return pulumi.Output.from_input(exported["instance"]).apply(seen.append)

            look()

        [found] = seen
        assert found["secrets"] == [f"{NAME}-cluster-eu1", f"{NAME}-cluster-us1", MACHINE]
        assert {key: found[key] for key in ("name", "project", "zone", "publicAddress")} == {
            "name": NAME,
            **VM,
            "publicAddress": None,
        }


def directory(folder: Path, token: str = FIRST, clusters: int = 2, install: str | None = None) -> Path:
    """What `fleet watcher write` writes; `install` is a script instead of the real one."""
    names = ["eu1", "us1", *(f"c{number}" for number in range(3, clusters + 1))]
    said = fleet(
        clusters={name: {"context": name} for name in names},
        watcher={"clusters": names, "storage": "9000Gi"},
    )
    known = {name: ClusterCredentials("https://a.example", "ca", f"token-of-{name}") for name in names}
    known["us1"] = known["us1"]._replace(token=token)
    files = dict(machine_files(said, known, {}))
    if install:
        files["install.sh"] = File(install, 0o755)
    put(folder, head("watcher"), files)
    return folder


def packed(folder: Path) -> dict[str, Packed]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(f.relative_to(folder)): Packed(f.read_bytes(), f.stat().st_mode & 0o777) for f in files}


class TestPayloads:
    def test_have_each_clusters_credentials_apart(self, tmp_path: Path) -> None:
        """
        Whoever may read one cluster's secret has no other cluster's token.
        """
        found = payloads(NAME, packed(directory(tmp_path / "d")))
        fetch.unpack(found[f"{NAME}-cluster-eu1"], tmp_path / "eu1")

        assert [*found] == [f"{NAME}-cluster-eu1", f"{NAME}-cluster-us1", MACHINE]
        files = {str(f.relative_to(tmp_path / "eu1")) for f in (tmp_path / "eu1").rglob("*") if f.is_file()}
        assert files == {"prometheus/clusters/eu1/token", "prometheus/clusters/eu1/ca.crt"}

    def test_become_the_directory_again(self, tmp_path: Path) -> None:
        """
        With every file and mode, whichever is unpacked first.
        """
        before = directory(tmp_path / "d")
        for content in payloads(NAME, packed(before)).values():
            fetch.unpack(content, tmp_path / "again")
        (tmp_path / "again" / fetch.SUMS).unlink()

        assert packed(tmp_path / "again") == packed(before)

    def test_differ_only_where_the_files_do(self, tmp_path: Path) -> None:
        """
        A renewed token is a new version of its cluster's secret and of the sums; the time of writing is none.
        """
        first = payloads(NAME, packed(directory(tmp_path / "1")))
        again = payloads(NAME, packed(directory(tmp_path / "2")))
        renewed = payloads(NAME, packed(directory(tmp_path / "3", token="renewed")))

        assert again == first
        assert {name for name in first if renewed[name] != first[name]} == {f"{NAME}-cluster-us1", MACHINE}

    def test_of_fifty_clusters_leave_room_for_as_many_more(self, tmp_path: Path) -> None:
        """
        The page has the figures; Secret Manager takes 64 KiB.
        """
        found = payloads(NAME, packed(directory(tmp_path / "d", clusters=50)))

        assert max(map(len, found.values())) < LARGEST_SECRET * 0.6

    def test_are_refused_before_google_refuses_them(self) -> None:
        """
        The secret and its size are named.
        """
        with pytest.raises(TooLargeError, match=rf"{MACHINE} would have \d+ bytes, and Secret Manager takes 65536"):
            payloads(NAME, {"prometheus/rules/noise.yml": Packed(os.urandom(LARGEST_SECRET), 0o644)})


INSTALL = """#!/bin/sh
here=$(dirname "$0")
cat "$here/prometheus/clusters/us1/token" >>"$LOG"
echo " $(stat --format %a "$here")" >>"$LOG"
exit "${CODE:-0}"
"""


class Vm:
    """Runs what fetches as the VM does, against a stand-in for Google Cloud."""

    def __init__(self, folder: Path, google: Google, port: int) -> None:
        self.folder, self.google = folder, google
        self.log = folder / "log"
        (folder / "state").mkdir(mode=0o700)
        self.env = {
            "GCE_METADATA_HOST": f"127.0.0.1:{port}",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": f"http://127.0.0.1:{port}/",
            "STATE_DIRECTORY": str(folder / "state"),
            "LOG": str(self.log),
            "PATH": os.environ["PATH"],
        }

    def upload(self, token: str) -> dict[str, bytes]:
        """Have the secrets as an upload leaves them."""
        folder = directory(self.folder / "written", token, install=INSTALL)
        found = dict(payloads(NAME, packed(folder)))
        for secret, content in found.items():
            (self.google.folder / secret).mkdir(exist_ok=True)
            self.google.add(secret, content)
        return found

    def fetch(self, **env: str) -> tuple[int, str]:
        """Exit code and what is printed."""
        command = [sys.executable, fetch.__file__, "acme-monitoring", MACHINE]
        done = subprocess.run(command, env=self.env | env, capture_output=True, text=True, check=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    @property
    def installed(self) -> list[str]:
        """The token of each installation, and the mode of the folder that it came from."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def google(tmp_path: Path) -> Google:
    """Google Cloud without any secret."""
    (tmp_path / "google").mkdir()
    return Google(tmp_path / "google")


@pytest.fixture
def vm(tmp_path: Path, google: Google) -> Iterator[Vm]:
    """A VM in it."""
    with server(google) as running:
        threading.Thread(target=running.serve_forever, args=[POLL], daemon=True).start()
        yield Vm(tmp_path, google, running.server_port)
        running.shutdown()


class TestFetch:
    def test_installs_what_was_uploaded(self, vm: Vm) -> None:
        """
        From a folder that nobody else reads, and of which nothing is left.
        """
        vm.upload("first")

        assert vm.fetch() == (0, "")
        assert vm.installed == ["first 700"]
        assert [file.name for file in (vm.folder / "state").iterdir()] == ["installed"]

    def test_does_nothing_where_nothing_changed(self, vm: Vm) -> None:
        """
        One secret is read to find that out.
        """
        vm.upload("first")
        vm.fetch()
        vm.google.asked.clear()

        assert vm.fetch() == (0, "nothing to change")
        assert vm.installed == ["first 700"]
        assert vm.google.asked == [f"{MACHINE}/versions/latest:access"]

    def test_installs_a_renewed_token(self, vm: Vm) -> None:
        """
        A rotation is an upload.
        """
        vm.upload("first")
        vm.fetch()
        vm.upload("second")

        assert vm.fetch() == (0, "")
        assert vm.installed == ["first 700", "second 700"]

    def test_tries_again_what_was_not_installed(self, vm: Vm) -> None:
        """
        The exit code of install.sh decides; the version before counts as installed until then.
        """
        vm.upload("first")

        assert vm.fetch(CODE="1") == (
            1,
            "promfleet-fetch: install.sh ended with exit code 1; it is tried again",
        )
        assert vm.fetch() == (0, "")
        assert vm.installed == ["first 700", "first 700"]

    def test_refuses_half_an_upload(self, vm: Vm) -> None:
        """
        A cluster's secret that belongs to another upload than the machine's is not installed.
        """
        vm.upload("first")
        vm.fetch()
        other = payloads(NAME, packed(directory(vm.folder / "other", "second")))
        vm.google.add(MACHINE, other[MACHINE])

        code, said = vm.fetch()

        assert code == 1
        assert f"secret {NAME}-cluster-us1 has another version than was uploaded with {MACHINE}" in said
        assert vm.installed == ["first 700"]

    @pytest.mark.parametrize("secret", [MACHINE, f"{NAME}-cluster-us1"])
    @pytest.mark.parametrize("damage", ["cut", "changed", "replaced"])
    def test_refuses_what_is_damaged(self, vm: Vm, secret: str, damage: str) -> None:
        """
        Nothing of it is installed, and the secret is named.
        """
        vm.upload("first")
        vm.fetch()
        content = vm.upload("second")[secret]
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        vm.google.add(secret, {"cut": content[:-7], "changed": flipped, "replaced": b"something else"}[damage])

        code, said = vm.fetch()

        assert code == 1
        assert said.startswith(f"promfleet-fetch: secret {secret}")
        assert said.endswith("run `fleet watcher upload` again")
        assert vm.installed == ["first 700"]

    def test_says_what_to_do_about_a_refusal(self, vm: Vm) -> None:
        """
        Whether a right is missing, or nothing was uploaded yet.
        """
        (vm.google.folder / MACHINE).mkdir()
        empty = vm.fetch()
        vm.upload("first")
        vm.google.refused.add(MACHINE)
        forbidden = vm.fetch()

        assert empty == (1, f"promfleet-fetch: secret {MACHINE}: it has no version; run `fleet watcher upload`")
        assert forbidden[0] == 1
        assert "the VM's service account may not read it; run `pulumi up`" in forbidden[1]
        assert vm.installed == []

    @pytest.mark.parametrize("variable", ["GCE_METADATA_HOST", "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"])
    def test_leaves_all_as_it_is_where_google_is_away(self, vm: Vm, variable: str) -> None:
        """
        Neither the metadata server nor Secret Manager is needed for what is installed.
        """
        vm.upload("first")
        vm.fetch()
        vm.upload("second")
        away = {"GCE_METADATA_HOST": "127.0.0.1:9"}.get(variable, "http://127.0.0.1:9/")

        code, said = vm.fetch(**{variable: away})

        assert code == 1
        assert "Connection refused" in said
        assert TOKEN not in said
        assert vm.installed == ["first 700"]

    @pytest.mark.parametrize("path", ["/etc/cron.d/x", "../x", "a/../../x"])
    def test_writes_nowhere_else(self, tmp_path: Path, path: str) -> None:
        """
        A path that leads out of the folder is refused.
        """
        archive = BytesIO()
        with TarFile(fileobj=archive, mode="w") as made:
            made.addfile(TarInfo(path), BytesIO())

        with pytest.raises(fetch.FetchError, match="is no file of the machine's directory"):
            fetch.unpack(lzma.compress(archive.getvalue()), tmp_path / "folder")

    def test_takes_no_more_than_fits(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Few bytes may unpack to many.
        """
        monkeypatch.setattr(fetch, "LARGEST", 2**16)

        with pytest.raises(fetch.FetchError, match="unpacks to more than it may"):
            fetch.unpack(lzma.compress(bytes(2**20)), tmp_path)


class TestStartupScript:
    def test_is_small_enough_for_metadata(self) -> None:
        """
        Google takes 256 KB.
        """
        assert len(startup_script("acme-monitoring", NAME).encode()) < 256_000

    def test_has_what_fetches_as_it_is(self) -> None:
        """
        The program that is tested above is what the VM gets.
        """
        assert f"<<'END-OF-FILE'\n{Path(fetch.__file__).read_text()}END-OF-FILE\n" in startup_script("p", NAME)


class Gcloud:
    """Answers as `gcloud secrets versions` does, from the secrets of a folder."""

    def __init__(self, google: Google) -> None:
        self.google = google
        self.commands: list[list[str]] = []
        self.error = ""
        self.refused: list[str] = []
        """First words of what fails."""

    def __call__(self, command: list[str], **given: Any) -> subprocess.CompletedProcess[Any]:
        if command[0] == "pulumi":
            output = {"name": NAME, **VM, "secrets": [f"{NAME}-cluster-eu1", f"{NAME}-cluster-us1", MACHINE]}
            return subprocess.CompletedProcess(command, 0, json.dumps({"instance": output}), "")
        assert command[:3] == ["gcloud", "secrets", "versions"]
        assert command[-2:] == ["--project=acme-monitoring", "--quiet"]
        self.commands.append(command[3:-2])
        if self.error or (self.refused and command[3:5] == self.refused):
            return subprocess.CompletedProcess(command, 1, b"", self.error.encode())
        verb, what, *_ = command[3:]
        secret = next((flag.partition("=")[2] for flag in command if flag.startswith("--secret=")), what)
        if verb == "add":
            self.google.add(secret, given["input"])
            return subprocess.CompletedProcess(command, 0, b"", b"")
        if verb == "list":
            return subprocess.CompletedProcess(
                command, 0, json.dumps(self.google._list(secret).get("versions", [])).encode(), b""
            )
        if verb == "destroy":
            self.google._destroy(secret, what)
            return subprocess.CompletedProcess(command, 0, b"", b"")
        said = self.google._access(secret, what)["payload"]["data"].replace("+", "-").replace("/", "_")
        return subprocess.CompletedProcess(command, 0, f"{said}\n".encode(), b"")


class TestUpload:
    @pytest.fixture
    def gcloud(self, google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gcloud:
        """The secrets of a deployed stack, without a version, and the folder of its machine."""
        for secret in (f"{NAME}-cluster-eu1", f"{NAME}-cluster-us1", MACHINE):
            (google.folder / secret).mkdir()
        directory(tmp_path / "out")
        monkeypatch.chdir(tmp_path)
        answering = Gcloud(google)
        monkeypatch.setattr(subprocess, "run", answering)
        return answering

    def upload(self) -> Result:
        return CliRunner().invoke(app, ["watcher", "upload", "--stack", "watcher", "out"])

    def test_gives_each_secret_its_content(self, gcloud: Gcloud, tmp_path: Path) -> None:
        """
        The machine's comes last, since it names the sums of the others; nothing secret is an argument or printed.
        """
        result = self.upload()

        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == [
            f"uploaded {NAME}-cluster-eu1",
            f"uploaded {NAME}-cluster-us1",
            f"uploaded {MACHINE}",
            "out: 3 uploaded, 0 unchanged, 0 old versions destroyed",
        ]
        for secret, content in payloads(NAME, packed(tmp_path / "out")).items():
            assert gcloud.google.versions(secret)[1].read_bytes() == content
        assert "token-of" not in json.dumps(gcloud.commands) + result.output

    def test_adds_nothing_twice(self, gcloud: Gcloud) -> None:
        """
        A second run only compares.
        """
        self.upload()

        assert self.upload().stdout == "out: 0 uploaded, 3 unchanged, 0 old versions destroyed\n"
        assert [*gcloud.google.versions(MACHINE)] == [1]

    def test_destroys_the_token_before(self, gcloud: Gcloud, tmp_path: Path) -> None:
        """
        A rotation leaves nothing readable of the version before, and other clusters' secrets alone.
        """
        self.upload()
        directory(tmp_path / "out", token="renewed")

        result = self.upload()

        assert result.stdout.splitlines() == [
            f"uploaded {NAME}-cluster-us1",
            f"uploaded {MACHINE}",
            "out: 2 uploaded, 1 unchanged, 2 old versions destroyed",
        ]
        states = [version["state"] for version in gcloud.google._list(f"{NAME}-cluster-us1")["versions"]]
        assert states == ["DESTROYED", "ENABLED"]
        assert [*gcloud.google.versions(f"{NAME}-cluster-eu1")] == [1]

    def test_destroys_nothing_before_all_is_there(self, gcloud: Gcloud, tmp_path: Path) -> None:
        """
        Where the machine's secret can't be written, the upload before stays whole.
        """
        self.upload()
        directory(tmp_path / "out", token="renewed")
        gcloud.refused = ["add", MACHINE]

        assert self.upload().exit_code == Exit.FAILED
        assert not [command for command in gcloud.commands if command[0] == "destroy"]

    def test_says_what_gcloud_says_and_which_rights_it_needs(self, gcloud: Gcloud) -> None:
        """
        With exit code 3.
        """
        gcloud.error = "ERROR: (gcloud.secrets.versions.list) PERMISSION_DENIED:\n  no right"

        result = self.upload()

        assert result.exit_code == Exit.FAILED
        assert result.stderr == (
            f"fleet watcher: gcloud can't list versions of secret {NAME}-cluster-eu1 in project acme-monitoring: "
            "ERROR: (gcloud.secrets.versions.list) PERMISSION_DENIED: no right. Its account needs "
            "roles/secretmanager.secretVersionManager and roles/secretmanager.secretAccessor there; run `pulumi up` "
            "first if the secret does not exist.\n"
        )

    def test_needs_gcloud(self, gcloud: Gcloud, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Where to get it is said.
        """

        def run(command: list[str], **given: Any) -> subprocess.CompletedProcess[Any]:
            if command[0] == "gcloud":
                raise FileNotFoundError(command[0])
            return gcloud(command, **given)

        monkeypatch.setattr(subprocess, "run", run)

        result = self.upload()

        assert result.exit_code == Exit.FAILED
        assert "gcloud is not on the path. Install it (https://cloud.google.com/sdk/docs/install)" in result.stderr

    @pytest.mark.parametrize("folder", ["missing", "another stack's", "incomplete"])
    def test_takes_no_other_folder(self, gcloud: Gcloud, tmp_path: Path, folder: str) -> None:
        """
        Nothing is uploaded of a folder that `fleet watcher write` did not write for this stack, or only in part.
        """
        if folder == "incomplete":
            (tmp_path / "out/prometheus/prometheus.yml").unlink()
        else:
            (tmp_path / "out").rename(tmp_path / "gone")
        if folder == "another stack's":
            put(tmp_path / "out", head("other"), {"a": File("a")})

        result = self.upload()

        assert result.exit_code == Exit.USAGE
        assert gcloud.commands == []

    def test_needs_the_clusters_that_were_deployed(self, gcloud: Gcloud, tmp_path: Path) -> None:
        """
        A folder of three clusters has a secret that the stack has not made yet.
        """
        directory(tmp_path / "out", clusters=3)

        result = self.upload()

        assert result.exit_code == Exit.FAILED
        assert (
            f"other clusters than stack watcher was deployed with: {NAME}-cluster-c3. Run `pulumi up" in result.stderr
        )
        assert gcloud.commands == []

    def test_is_of_no_use_to_a_machine_of_ones_own(self, gcloud: Gcloud, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A stack without watcher.instance has nowhere to upload to.
        """
        monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, "{}", ""))

        result = self.upload()

        assert result.exit_code == Exit.FAILED
        assert "has no output instance. Write watcher.instance into its file and run `pulumi up" in result.stderr
