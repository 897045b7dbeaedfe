"""node_exporter as a service of the nodes: the stack file, the scrape job, and the files for a node."""

import subprocess
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from pydantic import ValidationError
from typer.testing import CliRunner

import render
from fleet.cli import app
from fleet.exits import Exit
from settings import Fleet
from settings.images import NODE_EXPORTER, release

from .relabelling import relabel

CLIENT = {
    "scheme": "https",
    "basic_auth": {"username": "prometheus", "password": {"secret": {"name": "nodes", "key": "password"}}},
    "tls_config": {"ca": {"configMap": {"name": "nodes", "key": "ca.crt"}}},
}
STACK = {"config": {"promfleet:fleet": {"clusters": {"eu1": {"context": "eu1", "nodeExporter": {"host": {}}}}}}}
PASSWORD = "correct horse"
NODE = "__meta_kubernetes_node"


def fleet(**host: Any) -> Fleet:
    return Fleet.model_validate(
        {
            "clusters": {"eu1": {"context": "eu1", "nodeExporter": {"host": host}}},
            "agents": {"eu1": {"hub": {"stack": "o/p/hub"}}},
        }
    )


def job(described: Fleet) -> dict[str, Any]:
    config = render.agent_config(described, "eu1", "https://hub/api/v1/write", own=True, ca_file=None, token_file="/t")
    [found] = [one for one in yaml.safe_load(config)["scrape_configs"] if one["job_name"] == "node-exporter"]
    return found


class TestJob:
    @pytest.mark.parametrize(
        ("address", "asked"), [("10.0.0.7", "10.0.0.7:9101"), ("fd00::7", "[fd00::7]:9101")], ids=["IPv4", "IPv6"]
    )
    def test_asks_each_node_at_its_own_address(self, address, asked):
        """
        With the labels that the exporter in a pod gives.
        """
        target = {
            "__address__": "node-a:10250",
            f"{NODE}_name": "node-a",
            f"{NODE}_address_InternalIP": address,
            f"{NODE}_label_kubernetes_io_os": "linux",
        }

        found = relabel(target, job(fleet(port=9101))["relabel_configs"])

        assert found is not None
        assert {name: value for name, value in found.items() if not name.startswith("__meta")} == {
            "__address__": asked,
            "node": "node-a",
            "instance": "node-a",
            "host_ip": address,
            "cluster": "eu1",
        }

    @pytest.mark.parametrize(
        "labels",
        [
            {f"{NODE}_address_InternalIP": "10.0.0.7", f"{NODE}_label_kubernetes_io_os": "windows"},
            {f"{NODE}_address_InternalIP": "10.0.0.7", f"{NODE}_label_type": "virtual-kubelet"},
            {f"{NODE}_label_kubernetes_io_os": "linux"},
        ],
        ids=["Windows", "no machine", "no internal address"],
    )
    def test_asks_no_node_without_such_a_service(self, labels):
        """
        A node whose address is not known would be asked at its kubelet, with the password of the exporter.
        """
        target = {"__address__": "node-a:10250", f"{NODE}_name": "node-a", **labels}

        assert relabel(target, job(fleet())["relabel_configs"]) is None

    def test_shows_what_the_client_says(self):
        """
        Its Secret and its ConfigMap are mounted, and read as files.
        """
        described = fleet(client=CLIENT)

        found = job(described)

        assert found["scheme"] == "https"
        assert found["basic_auth"] == {
            "username": "prometheus",
            "password_file": "/etc/prometheus/jobs/secret/nodes/password",
        }
        assert found["tls_config"] == {"ca_file": "/etc/prometheus/jobs/configMap/nodes/ca.crt"}
        assert [(one.kind, one.name) for one in render.mounted_files(described, "eu1")] == [
            ("configMap", "nodes"),
            ("secret", "nodes"),
        ]


def test_a_client_that_no_file_can_hold_is_refused():
    """
    Half of a surrogate pair, which the configuration of Prometheus could not be written with.
    """
    with pytest.raises(ValidationError, match="holds half of a character"):
        fleet(client={"basic_auth": {"username": "\ud800"}})


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Run `fleet node-exporter write` beside a stack file with this host; gives its result."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("no engine is needed"))

    def write(host: dict[str, Any], *options: str):
        fleet = {
            "clusters": {"eu1": {"context": "eu1", "nodeExporter": {"host": host}}},
            "agents": {"eu1": {"hub": {"stack": "o/p/hub"}}},
        }
        (tmp_path / "Pulumi.agents.yaml").write_text(yaml.safe_dump({"config": {"promfleet:fleet": fleet}}))
        return CliRunner().invoke(
            app, ["node-exporter", "write", "nodes", "--stack", "agents", "--cluster", "eu1", *options]
        )

    return write


SECURE = ("--certificate", "/etc/ssl/node.crt", "--key", "/etc/ssl/node.key", "--password-file", "password")


class TestWrite:
    def test_writes_what_a_node_installs(self, written):
        """
        The password is there as its hash only, in a file that only its owner reads.
        """
        result = written({"port": 9101, "client": CLIENT}, *SECURE)

        assert result.exit_code == 0, result.output
        web = Path("nodes/node-exporter/web.yml")
        said = yaml.safe_load(web.read_text())
        assert bcrypt.checkpw(PASSWORD.encode(), said["basic_auth_users"]["prometheus"].encode())
        assert said["tls_server_config"]["key_file"] == "/etc/ssl/node.key"
        assert web.stat().st_mode & 0o777 == 0o600
        assert "--web.listen-address=:9101" in Path("nodes/units/promfleet-node-exporter.service").read_text()
        assert Path("nodes/releases").read_text() == f"node_exporter={release(NODE_EXPORTER)}\n"
        assert not any(PASSWORD in file.read_text() for file in Path("nodes").rglob("*") if file.is_file())

    def test_writes_nothing_twice(self, written):
        """
        The hash stays while the password does.
        """
        written({"client": CLIENT}, *SECURE)

        assert "5 files unchanged" in written({"client": CLIENT}, *SECURE).output

    def test_says_what_is_open(self, written):
        """
        Plain HTTP without a password is what most have, and is not passed over in silence.
        """
        result = written({})

        assert result.exit_code == 0
        assert "whoever reaches port 9100 of a node reads its metrics" in result.output

    @pytest.mark.parametrize(
        ("client", "options", "said"),
        [
            (CLIENT, (), "client has scheme: https. Write --certificate with an absolute path on the nodes."),
            (CLIENT, SECURE[:4], "client has basic_auth. Write --password-file with the password that its Secret has."),
            (
                {},
                SECURE[:4],
                "--certificate and --key have no effect without client: {scheme: https}. Write that.",
            ),
            (
                {},
                SECURE[4:],
                "--password-file has no effect without client: {basic_auth: {username: …}}. Write that.",
            ),
        ],
        ids=["no certificate", "no password", "a certificate for nothing", "a password for nothing"],
    )
    def test_refuses_what_the_stack_file_does_not_say(self, written, client, options, said):
        """
        Prometheus would ask in another way than the node answers.
        """
        result = written({"client": client}, *options)

        assert result.exit_code == Exit.USAGE
        assert said in result.output
        assert not Path("nodes").exists()
