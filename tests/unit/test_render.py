from pathlib import Path

import pytest
import yaml
from pulumi.runtime.proto import resource_pb2
from typer.testing import CliRunner, Result

from fleet.cli import app
from fleet.folder import FolderError
from fleet.manifests import LeftOut, Manifests, Need, manifests, text
from fleet.render import README, rendering, write, written_by
from settings import from_file
from stacks import offline
from tests import ROOT
from tests.unit.conftest import OWN_STACK, plain
from tests.unit.shipped import OTHER_STACK, deploy_shipped, known

SHIPPED = sorted(file.name for file in ROOT.glob("Pulumi.*.yaml"))
ONLY_LIVE = "promfleet.io/cluster-uid"
"""The annotation whose value the cluster knows."""
HUB = """
config:
  promfleet:devopsSlack: {secure: v1:encrypted}
  promfleet:grafanaAdmin: {secure: v1:encrypted}
  promfleet:fleet:
    clusters: {hub: {context: gke_hub}}
    hub: {cluster: hub, expose: {host: hub.example, tls: {secret: hub-tls, caConfigMap: hub-ca}}, agents: [eu1]}
    alertmanager: {receivers: {devops: {slack: {channel: "#devops"}}}, default: devops}
    grafana: {}
"""
AGENT = """
config:
  promfleet:fleet:
    clusters: {eu1: {context: gke_eu1}}
    agents: {eu1: {token: true, hub: {stack: organization/promfleet/hub}}}
"""
STACK = "organization/promfleet/dev"
OWN = f"# {written_by(STACK)}\nkind: Service\n"
FILES = {README: f"<!-- {written_by(STACK)} -->\n", "hub/service-a.b.yaml": OWN}
FROM_THE_HUB = "key token of Secret promfleet/writer-eu1-token-0 in cluster hub"


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A project that knows no cluster."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    return tmp_path


def render(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["render", *arguments])


def outputs(known):
    """A stack's outputs as the engine has them."""
    message = resource_pb2.ReadResourceResponse().properties
    message.update(known)
    return message


def placed(cluster, item):
    return cluster, item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """What the program registers for each stack file."""
    return deploy_shipped(tmp_path_factory.mktemp("kubeconfigs"))


@pytest.fixture(scope="module")
def rendered(engines) -> dict[str, Manifests]:
    """Each stack file's objects, with what the other stack is known to export."""
    others = {"organization/promfleet/hub": outputs(OTHER_STACK)}
    return {
        name: manifests(offline.run(known(from_file(ROOT / name)), OWN_STACK, others).resources) for name in engines
    }


class TestShipped:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_objects_are_those_of_an_update(self, engines, rendered, name):
        """
        Whatever `pulumi up` would make is a file, to the last value, or a Secret that has to exist.
        """
        registered = {}
        for resource in engines[name].resources:
            if resource.typ.startswith("kubernetes:"):
                item = plain(resource.inputs)
                item["metadata"]["annotations"].pop(ONLY_LIVE, None)
                registered[placed(resource.provider.split("::")[3], item)] = item
        secrets = {need[:4] for need in rendered[name].needs if need.kind == "Secret"} & registered.keys()

        files = {placed(path.split("/")[0], item): item for path, item in rendered[name].files.items()}

        assert files == {place: item for place, item in registered.items() if place not in secrets}

    @pytest.mark.parametrize("name", SHIPPED)
    def test_whatever_is_mounted_is_there_or_listed(self, rendered, name):
        """
        No pod waits for an object of which nobody was told.
        """
        made = {placed(path.split("/")[0], item) for path, item in rendered[name].files.items()}
        known = made | {need[:4] for need in rendered[name].needs}
        for path, item in rendered[name].files.items():
            if item["kind"] in ("DaemonSet", "Deployment", "StatefulSet"):
                cluster, namespace = path.split("/")[0], item["metadata"]["namespace"]
                for volume in item["spec"]["template"]["spec"].get("volumes", []):
                    for kind, key, field in (("Secret", "secret", "secretName"), ("ConfigMap", "configMap", "name")):
                        if key in volume:
                            assert (cluster, kind, namespace, volume[key][field]) in known

    @pytest.mark.parametrize("name", SHIPPED)
    def test_namespaces_are_applied_first(self, rendered, name):
        """
        `kubectl apply --recursive` goes by the alphabet of file names.
        """
        kinds = [
            (path.split("/")[0], item["kind"] == "Namespace") for path, item in sorted(rendered[name].files.items())
        ]

        assert kinds == sorted(kinds, key=lambda found: (found[0], not found[1]))

    @pytest.mark.parametrize("name", SHIPPED)
    def test_are_read_as_they_were_written(self, rendered, name):
        """
        YAML loses nothing of long texts, numbers and certificates.
        """
        for item in rendered[name].files.values():
            assert yaml.safe_load(text(item)) == item

    def test_google_cloud_is_listed(self, rendered):
        """
        Buckets and identities are in no cluster.
        """
        listed = rendered["Pulumi.thanos.yaml"].elsewhere

        assert "gcp:storage/bucket:Bucket thanos-bucket" in listed
        assert not any(line.startswith("kubernetes:") for line in listed)
        account = rendered["Pulumi.thanos.yaml"].files["hub/01-serviceaccount-promfleet.thanos-compactor.yaml"]
        assert account["metadata"]["annotations"]["iam.gke.io/gcp-service-account"].endswith(
            "-compactor@acme-monitoring.iam.gserviceaccount.com"
        )


class TestSecrets:
    def test_are_left_out_and_named(self, here):
        """
        Of each that holds a value it is said which keys it must have, and where their values are.
        """
        (here / "Pulumi.hub.yaml").write_text(HUB)

        result = render("--stack", "hub", "out")

        assert result.exit_code == 0, result.output
        assert (
            "hub: Secret promfleet/alertmanager-receivers with devopsSlack: secret promfleet:devopsSlack of stack hub\n"
        ) in result.stdout
        assert "hub: Secret promfleet/grafana-admin with password: secret promfleet:grafanaAdmin of stack hub\n" in (
            result.stdout
        )
        assert "hub: Secret promfleet/hub-tls with tls.crt, tls.key: named in the stack file\n" in result.stdout
        readme = (here / "out" / README).read_text()
        assert (
            "- hub: Secret promfleet/grafana-admin with password: secret promfleet:grafanaAdmin of stack hub\n"
            in readme
        )
        written = [yaml.safe_load(file.read_text()) for file in sorted((here / "out").rglob("secret-*.yaml"))]
        assert [secret["metadata"]["name"] for secret in written if "data" in secret or "stringData" in secret] == []
        assert "writer-eu1-token-0" in [secret["metadata"]["name"] for secret in written]  # which the cluster fills
        assert not [file for file in (here / "out").rglob("*.yaml") if "secret promfleet:" in file.read_text()]

    @pytest.mark.parametrize(("stack", "text", "cluster"), [("hub", HUB, "hub"), ("eu1", AGENT, "eu1")])
    def test_of_scrape_jobs_are_named(self, here, stack, text, cluster):
        """
        They have to be in each cluster whose Prometheus reads them.
        """
        own = (
            "{job_name: a, static_configs: [{targets: [a:1]}], basic_auth: {password: {secret: {name: db, key: pass}}}}"
        )
        (here / f"Pulumi.{stack}.yaml").write_text(f"{text.rstrip()}\n    scrape: {{jobs: [jobs/*.yaml]}}\n")
        (here / "jobs").mkdir()
        (here / "jobs/db.yaml").write_text(f"- {own}\n")

        result = render("--stack", stack, "out")

        assert result.exit_code == 0, result.output
        assert f"{cluster}: Secret promfleet/db with pass: named in the stack file\n" in result.stdout

    def test_what_is_copied_from_another_cluster_is_named(self, here):
        """
        The file of the hub's stack tells everything of it but the token.
        """
        (here / "Pulumi.hub.yaml").write_text(HUB)
        (here / "Pulumi.eu1.yaml").write_text(AGENT)

        result = render("--stack", "eu1", "out")

        assert f"eu1: Secret promfleet/prometheus-agent-token with token: {FROM_THE_HUB}\n" in result.stdout
        assert "eu1: ConfigMap promfleet/hub-ca: named in the stack file\n" in result.stdout
        config = yaml.safe_load((here / "out/eu1/configmap-promfleet.prometheus-agent.yaml").read_text())
        assert "url: https://hub.example:8443/api/v1/write\n" in config["data"]["prometheus.yml"]

    def test_certificates_are_none(self, rendered):
        """
        A Secret in which an Ingress controller finds an authority holds what the stack file has in plain text.
        """
        trusted = rendered["Pulumi.hub.yaml"].files["hub/secret-promfleet.prometheus-hub-trust.yaml"]

        assert trusted["stringData"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----\n")

    def test_files_for_the_operator_are_none(self, rendered):
        """
        The operator reads scrape jobs in a Secret, in which credentials are paths: nobody has to create it by hand.
        """
        files = rendered["Pulumi.operator.yaml"].files["hub/secret-promfleet.prometheus-hub-files.yaml"]["stringData"]

        jobs = [job["job_name"] for job in yaml.safe_load(files["scrape-configs.yaml"])]
        assert "kubelet" in jobs
        assert all("\n" not in str(need) for need in rendered["Pulumi.operator.yaml"].needs)


class TestUnknown:
    def test_what_another_stack_knows_is_named(self, here):
        """
        Without the file of the hub's stack an agent's configuration is not half written.
        """
        (here / "Pulumi.eu1.yaml").write_text(AGENT)

        result = render("--stack", "eu1", "out")

        assert result.exit_code == 0, result.output
        said = "eu1: ConfigMap promfleet/prometheus-agent is left out, whose data.prometheus.yml is known later\n"
        assert said in result.stdout
        assert "eu1: Secret promfleet/prometheus-agent-token: known when the stack is deployed\n" in result.stdout
        assert not (here / "out/eu1/configmap-promfleet.prometheus-agent.yaml").exists()

    def test_an_annotation_costs_no_object(self, rendered):
        """
        The UID of a cluster is the cluster's own.
        """
        left = rendered["Pulumi.eu1.yaml"].left_out

        assert LeftOut("eu1", "Namespace", "", "promfleet", ("metadata", "annotations", ONLY_LIVE), whole=False) in left
        assert "eu1/00-namespace-promfleet.yaml" in rendered["Pulumi.eu1.yaml"].files

    def test_an_account_comes_before_the_secret_of_its_token(self, rendered):
        """
        Kubernetes deletes such a Secret if it is first; kubectl applies files in the order of their names.
        """
        for one in rendered.values():
            order = {(item["kind"], item["metadata"]["name"]): place for place, item in enumerate(one.files.values())}
            for item in one.files.values():
                account = item["metadata"].get("annotations", {}).get("kubernetes.io/service-account.name")
                if item["kind"] == "Secret" and account:
                    assert order["ServiceAccount", account] < order["Secret", item["metadata"]["name"]]


class TestMistakes:
    def test_in_the_stack_file_are_those_of_check(self, here):
        """
        In the words of `fleet check`.
        """
        (here / "Pulumi.eu1.yaml").write_text(AGENT.replace("organization/promfleet/hub", "hub"))

        result = render("--stack", "eu1", "out")

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == CliRunner().invoke(app, ["check", "Pulumi.eu1.yaml"]).stderr
        assert not (here / "out").exists()

    def test_a_stack_without_a_file(self, here):
        """
        It says which file it looked for.
        """
        result = render("--stack", "eu1", "out")

        assert result.exit_code == 1
        assert "promfleet:fleet in Pulumi.eu1.yaml has 1 problem:\n" in result.stderr

    def test_what_an_update_would_refuse(self, here):
        """
        An agent that its hub does not know has no token anywhere.
        """
        (here / "Pulumi.hub.yaml").write_text(HUB.replace("agents: [eu1]", "agents: [us1]"))
        (here / "Pulumi.eu1.yaml").write_text(AGENT)

        result = render("--stack", "eu1", "out")

        assert result.exit_code == 1
        assert result.stderr.startswith(
            "Pulumi.eu1.yaml: eu1: the hub of stack organization/promfleet/hub has no token of this writer"
        )
        assert not (here / "out").exists()


class TestFiles:
    def test_two_runs_are_equal(self):
        """
        Registrations come in no order; files do.
        """
        fleet = from_file(ROOT / "Pulumi.dev.yaml")

        first, second = (rendering(fleet, "organization/promfleet/dev", ROOT)[1] for _ in range(2))

        assert first == second
        assert [*first] == [*second] == [README, *sorted(first.keys() - {README})]

    @pytest.mark.parametrize("name", SHIPPED)
    def test_what_comes_first_is_no_chance(self, rendered, name):
        """
        Neither in lists nor in objects, below what everybody expects at the top.
        """

        def assert_sorted(value):
            if isinstance(value, dict):
                assert [*value] == sorted(value)
            for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                assert_sorted(item)

        found = rendered[name]
        assert [found.needs, found.elsewhere] == [sorted(found.needs), sorted(found.elsewhere)]
        for item in found.files.values():
            assert [*item] == [
                "apiVersion",
                "kind",
                "metadata",
                *sorted(item.keys() - {"apiVersion", "kind", "metadata"}),
            ]
            assert_sorted([*item.values()])

    @pytest.mark.parametrize("value", ["1e3", "0o7", "1_000", "08:00", "yes", "no", "n", "~", "null", "10", "", ".5"])
    def test_no_text_is_taken_for_another_kind(self, value):
        """
        Not by a reader of YAML 1.2 either, such as the one of Kubernetes.
        """
        assert text({"value": value}).rstrip() in (f'value: "{value}"', f"value: '{value}'")

    def test_text_of_several_lines_is_readable(self):
        """
        As somebody reviews it.
        """
        assert (
            text({"data": {"prometheus.yml": "global:\n  a: 1\n"}})
            == "data:\n  prometheus.yml: |\n    global:\n      a: 1\n"
        )

    def test_two_objects_of_one_name_are_refused(self):
        """
        None is lost in silence.
        """
        item = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"}}
        one = offline.Registered("kubernetes:core/v1:Service", "a", "hub", item)

        with pytest.raises(ValueError, match=r"two objects would be written to hub/service-b\.a\.yaml"):
            manifests([one, one])


class TestFolder:
    def test_what_no_longer_exists_is_removed(self, tmp_path):
        """
        With the folder of a cluster that was taken out; what somebody put beside stays.
        """
        more = {**FILES, "eu1/service-a.b.yaml": OWN, "hub/service-a.c.yaml": OWN}
        write(tmp_path / "out", STACK, more)
        (tmp_path / "out/hub/kustomization.yaml").write_text("resources: [service-a.b.yaml]\n")

        write(tmp_path / "out", STACK, FILES)

        left = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*"))
        assert left == [README, "hub", "hub/kustomization.yaml", "hub/service-a.b.yaml"]

    def test_of_others_is_refused(self, tmp_path):
        """
        Nothing is written, and nothing lost.
        """
        (tmp_path / "notes.txt").write_text("mine")

        with pytest.raises(
            FolderError, match=r"not rendered for stack .*/dev: notes.txt\. Use a new or an empty folder"
        ):
            write(tmp_path, STACK, FILES)

        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_of_another_stack_is_refused(self, tmp_path):
        """
        One would remove the objects of the other.
        """
        write(tmp_path, STACK, FILES)

        with pytest.raises(FolderError, match=r"has files that were not rendered for stack organization/promfleet/hub"):
            write(tmp_path, "organization/promfleet/hub", FILES)

    def test_a_file_in_the_way_is_refused(self, tmp_path):
        """
        Whoever wrote it is asked.
        """
        write(tmp_path, STACK, FILES)
        (tmp_path / "hub/service-a.b.yaml").write_text("kind: Service # mine\n")

        with pytest.raises(FolderError, match=r"other files where objects are to be written: hub/service-a\.b\.yaml"):
            write(tmp_path, STACK, FILES)

    def test_that_is_a_file_is_refused(self, tmp_path):
        """
        As by any program.
        """
        (tmp_path / "out").write_text("")

        with pytest.raises(FolderError, match="is a file"):
            write(tmp_path / "out", STACK, FILES)

    def test_refusing_is_wrong_usage(self, here):
        """
        The command says it in a line.
        """
        (here / "Pulumi.eu1.yaml").write_text(AGENT)

        result = render("--stack", "eu1", ".")

        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            ".: has files that were not rendered for stack organization/promfleet/eu1: Pulumi.eu1.yaml. "
            "Use a new or an empty folder.\n"
        )


def test_a_need_is_one_line():
    """
    Also of what has no namespace and no keys.
    """
    assert str(Need("eu1", "Namespace", "", "promfleet", (), "as said")) == "eu1: Namespace promfleet: as said"
