import json
import subprocess
import sys

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from fleet import cluster_problems, status
from fleet.cli import app
from fleet.client import PrometheusClient, open_prometheus
from fleet.stack import StackError
from fleet.status import QUESTIONS
from live import UnreachableError
from tests import ROOT
from tests.unit.test_troubles import PORT_TAKEN, READY, pod

WELL = {"up": 1, "series": 4000, "pods": 9, "down": 0, "age": 3}
FILE = """
config:
  promfleet:fleet:
    clusters: {hub: {context: gke_hub}, eu1: {context: gke_eu1}}
    hub: {cluster: hub, expose: {host: hub.example, via: clusterIP, tls: {secret: hub-tls}}, agents: [eu1]}
    agents: {eu1: {}}
"""
TAKEN = (
    "pod promfleet/prometheus-hub-0: 0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod "
    "ports."
)


class Prometheus(httpx.BaseTransport):
    """Answers the questions of `fleet status`, cluster by cluster."""

    def __init__(self, **clusters):
        self.clusters = clusters

    def handle_request(self, request):
        query = request.url.params["query"]
        name = next((name for name, asked in QUESTIONS.items() if asked == query), None)
        values = {cluster: knows.get(name, 1) for cluster, knows in self.clusters.items()}
        heard = {cluster: value for cluster, value in values.items() if value is not None}
        found = [{"metric": {"cluster": cluster}, "value": [0, str(value)]} for cluster, value in heard.items()]
        return httpx.Response(200, json={"data": {"result": found}})


@pytest.fixture
def lifetimes():
    """Of the tokens that were requested, in seconds."""
    return []


@pytest.fixture
def run(monkeypatch, tmp_path, lifetimes):
    """Run `fleet status` where a stack file lies; `clusters` hold these objects or can't be asked."""
    (tmp_path / "Pulumi.hub.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)

    def run(clusters, prometheus=None, *more):
        async def look(cluster, namespaces):
            assert namespaces == ("promfleet", "promfleet-node-exporter")
            if isinstance(answer := clusters[cluster.context], UnreachableError):
                raise answer
            return answer

        class Opened:
            def __enter__(self):
                if not prometheus:
                    raise StackError("this stack has no hub")
                return PrometheusClient(
                    httpx.Client(transport=prometheus, base_url="https://hub.example"), "hub.example"
                )

            def __exit__(self, *_):
                pass

        monkeypatch.setattr(cluster_problems, "look", look)
        monkeypatch.setattr(status, "outputs", lambda stack: {})
        monkeypatch.setattr(
            status, "open_prometheus", lambda described, lifetime: lifetimes.append(lifetime) or Opened()
        )
        return CliRunner().invoke(app, ["status", "--wait", "0", *more])

    return run


class TestStatus:
    def test_of_a_fleet_that_is_well_is_a_table(self, run):
        """
        There is nothing to say of any cluster.
        """
        result = run({"gke_hub": [pod(READY)], "gke_eu1": []}, Prometheus(hub=WELL, eu1=WELL))

        assert result.exit_code == 0
        assert "gke" not in result.output
        assert "pod promfleet" not in result.output

    def test_says_what_is_not_there_yet(self, run):
        """
        Below the table, whatever the hub thinks of the cluster: it knows of samples only.
        """
        result = run({"gke_hub": [pod(PORT_TAKEN)], "gke_eu1": []}, Prometheus(hub=WELL, eu1=WELL))

        assert result.output.endswith(f"hub: {TAKEN}\n")

    def test_needs_no_hub_to_say_it(self, run):
        """
        After an update that failed there are no outputs, and a hub that does not start answers nothing.
        """
        result = run({"gke_hub": [pod(PORT_TAKEN)], "gke_eu1": []})

        assert result.exit_code == 3
        assert result.stdout == f"hub: {TAKEN}\n"
        assert result.stderr == "fleet status: this stack has no hub\n"

    def test_a_cluster_that_can_t_be_asked_is_named_where_it_matters(self, run):
        """
        Whoever may only ask the hub is not told so for each cluster that is well.
        """
        away = {name: UnreachableError("no answer within 15 s") for name in ("gke_hub", "gke_eu1")}

        result = run(away, Prometheus(hub=WELL, eu1=WELL | {"up": 0}))

        assert result.exit_code == 1
        assert "eu1: can't be reached with context gke_eu1: no answer within 15 s\n" in result.output
        assert "gke_hub" not in result.output

    def test_as_json(self, run):
        """
        The same for programs; what the hub has not heard is null.
        """
        silent = {"up": None, "series": None, "pods": None, "down": None, "age": None}

        result = run({"gke_hub": [], "gke_eu1": [pod(PORT_TAKEN)]}, Prometheus(hub=WELL, eu1=silent), "--json")

        assert (result.exit_code, result.stderr) == (1, "")
        hub = {
            "cluster": "hub",
            "healthy": True,
            "agent": "up",
            "series": 4000,
            "pods": 9,
            "targetsDown": 0,
            "sampleAge": 3,
        }
        eu1 = {"cluster": "eu1", "healthy": False, "agent": "silent", **dict.fromkeys(["series", "pods"])}
        eu1 |= dict.fromkeys(["targetsDown", "sampleAge"])
        assert json.loads(result.stdout) == {"clusters": [eu1, hub], "troubles": [f"eu1: {TAKEN}"], "error": None}

    def test_as_json_without_a_hub(self, run):
        """
        An error is JSON as well.
        """
        result = run({"gke_hub": [pod(PORT_TAKEN)], "gke_eu1": []}, None, "--json")

        assert (result.exit_code, result.stderr) == (3, "")
        assert json.loads(result.stdout) == {
            "clusters": [],
            "troubles": [f"hub: {TAKEN}"],
            "error": "this stack has no hub",
        }

    @pytest.mark.parametrize(("wait", "seconds"), [(0, 600), (120, 600), (3600, 3600)])
    def test_its_token_outlives_the_waiting(self, run, lifetimes, wait, seconds):
        """
        It is the shortest that there is, or as long as one waits.
        """
        run({"gke_hub": [], "gke_eu1": []}, Prometheus(hub=WELL), "--wait", str(wait))

        [lifetime] = lifetimes
        assert seconds <= lifetime <= max(600, 2 * wait)

    @pytest.mark.parametrize("stack", ["elsewhere", "organization/promfleet/elsewhere"])
    def test_needs_no_stack_file(self, run, stack):
        """
        The hub may be asked from anywhere.
        """
        result = run({}, Prometheus(hub=WELL), "--stack", stack)

        assert result.exit_code == 0


class TestOpenHub:
    @pytest.mark.parametrize(
        ("user", "context", "said"),
        [
            ({"token": "t"}, "gke_hub", "All connection attempts failed"),
            ({"token": "t"}, "gke_away", "No such context gke_away"),
            (
                {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}},
                "gke_hub",
                "no-",
            ),
        ],
        ids=["nobody listens", "no context", "no plugin"],
    )
    def test_a_cluster_that_can_t_be_reached_is_no_traceback(self, tmp_path, user, context, said):
        """
        Also by a kubeconfig that has no current context.
        """
        file = tmp_path / "config"
        kubeconfig = {
            "contexts": [{"name": "gke_hub", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": user}],
        }
        file.write_text(yaml.safe_dump(kubeconfig))
        server = {"context": context, "kubeconfig": str(file), "namespace": "promfleet"}
        described = {"prometheus": {**server, "readUrl": "https://hub.example"}}

        with (
            pytest.raises(StackError, match=f"no access to the server in context {context}: .*{said}"),
            open_prometheus(described),
        ):
            pass

    def test_a_watcher_is_asked_on_its_machine(self):
        """
        No cluster leads to it; the message says what does.
        """
        with pytest.raises(StackError, match="ssh -L 9090:"), open_prometheus({"watcher": {}}):
            pass


class TestKeys:
    def test_of_a_kubeconfig_are_not_left_behind(self, tmp_path):
        """
        The client library writes them to temporary files, and does not remove them.
        """
        program = (
            "import tempfile\n"
            "from live import client_options\n"
            "client_options('a', None)\n"
            "with tempfile.NamedTemporaryFile(delete=False) as file:\n"
            "    file.write(b'key')\n"
            "print(file.name)\n"
        )

        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stdout.startswith(str(tmp_path))
        assert list(tmp_path.iterdir()) == []
