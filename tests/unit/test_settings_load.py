import json
import subprocess
import sys
from collections.abc import Iterable, Mapping

import pulumi
import pytest
import yaml
from pulumi.runtime import config

from settings import FleetError, from_file
from settings.loading.stack import from_stack
from tests.unit.stack_texts import BOTH, HUB, loaded


@pytest.fixture
def said(tmp_path):
    """Write a whole file and return what is wrong with it."""

    def said(content: str | bytes) -> str:
        file = tmp_path / "Pulumi.test.yaml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(FleetError) as caught:
            from_file(file)
        [problem] = caught.value.problems
        return str(problem)

    return said


FILES = {
    "two clusters of one name": (
        "config:\n  promfleet:fleet:\n    clusters:\n      eu1: {context: a}\n      eu1: {context: b}\n",
        'line 5: the key "eu1" is a duplicate of the one in line 4. Remove or rename one of the two.',
    ),
    "two equal keys in one line": (
        "config: {promfleet:fleet: {clusters: {eu1: {context: a, context: b}}}}\n",
        'line 1: the key "context" is a duplicate of the one in line 1. Remove or rename one of the two.',
    ),
    "one name with and without quotes": (
        "config: {promfleet:fleet: {clusters: {1: {context: a}, '1': {context: b}}}}\n",
        'line 1: the key "1" is a duplicate of the one in line 1. Remove or rename one of the two.',
    ),
    "two fleets": (
        "config:\n  promfleet:fleet: {}\n  promfleet:fleet: {}\n",
        'line 3: the key "promfleet:fleet" is a duplicate of the one in line 2. Remove or rename one of the two.',
    ),
    "an unclosed bracket": (
        "config:\n  promfleet:fleet: {clusters: {\n",
        "line 3: expected the node content, but found '<stream end>'. Correct the YAML.",
    ),
    "a tab": (
        "config:\n\tpromfleet:fleet: {}\n",
        "line 2: found character '\\t' that cannot start any token. Correct the YAML.",
    ),
    "an anchor that nobody set": (
        "config: *gone\n",
        "line 1: found undefined alias 'gone'. Correct the YAML.",
    ),
    "a template without quotes": (
        "config: {text: {{ .CommonLabels.alertname }}}\n",
        "line 1: found unhashable key. Put the text in quotes.",
    ),
    "a star without quotes": (
        "config: {pods: [*]}\n",
        "line 1: expected alphabetic or numeric character, but found ']'. Put the text in quotes.",
    ),
    "a regular expression in double quotes": (
        'config: {regex: "\\d+"}\n',
        "line 1: found unknown escape character 'd'. Put the text in single quotes.",
    ),
    "an object of Python": (
        "config: !!python/object/apply:os.getcwd []\n",
        "line 1: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'. "
        "Remove the tag: it is another program's.",
    ),
    "an empty file": (
        "",
        "config: is missing or not a mapping. Write a stack file: config, and in it promfleet:fleet.",
    ),
    "a list": (
        "- config\n",
        "config: is missing or not a mapping. Write a stack file: config, and in it promfleet:fleet.",
    ),
    "a config without a fleet": (
        "config: {other:key: 1}\n",
        "promfleet:fleet: is missing. Write clusters, and hub, standalone, watcher or agents.",
    ),
    "a fleet under another name": (
        "config: {promfleet:flet: {}}\n",
        'promfleet:fleet: is missing. Did you mean "promfleet:fleet" instead of "promfleet:flet"?',
    ),
    "a fleet of nothing": (
        "config:\n  promfleet:fleet:\n",
        "promfleet:fleet: is not a mapping. Write clusters, and hub, standalone, watcher or agents.",
    ),
    "a control character": (
        b"config: \x00\n",
        "promfleet:fleet: is not YAML. Remove characters that are not text.",
    ),
    "a day that does not exist": (
        "config: {promfleet:fleet: {since: 2026-13-01}}\n",
        "promfleet:fleet: holds a date or number that does not exist. Put it in quotes if it is a string.",
    ),
    "another encoding": (
        b"config: \xff\xfe\n",
        "promfleet:fleet: can't be read: it is not UTF-8. Save it as UTF-8.",
    ),
}


class TestFromFile:
    @pytest.mark.parametrize(("content", "expected"), FILES.values(), ids=FILES.keys())
    def test_what_is_no_stack_file(self, said, content, expected):
        """
        A file that holds no fleet is answered in one line, with the line of the file where there is one.
        """
        assert said(content) == expected

    def test_a_broken_line_is_not_quoted(self, said):
        """
        The line may hold a secret, and a report ends in logs.
        """
        assert "swordfish" not in said("config:\n  promfleet:token: 'swordfish\n")

    def test_no_file(self, tmp_path):
        """
        A missing file is a problem like any other.
        """
        with pytest.raises(FleetError, match="can't be read: No such file or directory"):
            from_file(tmp_path / "Pulumi.none.yaml")

    def test_without_pulumi(self):
        """
        Reading a file does not load Pulumi, which takes longer than all the rest.
        """
        code = "import sys, settings, fleet.check; sys.exit('pulumi' in sys.modules)"

        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


WITH_GRAFANA = json.dumps(yaml.safe_load(HUB % "") | {"grafana": {}})
"""A fleet that takes one secret from its stack, as JSON, which is YAML too."""


class TestSecretsOfAFile:
    def test_encrypted(self, tmp_path):
        """
        What `pulumi config set --secret` writes is enough; nothing here decrypts it.
        """
        file = tmp_path / "Pulumi.test.yaml"
        file.write_text(f"config: {{promfleet:grafanaAdmin: {{secure: v1:abc}}, promfleet:fleet: {WITH_GRAFANA}}}\n")

        assert from_file(file).secrets == {"grafanaAdmin": ("grafana",)}

    @pytest.mark.parametrize("value", ["swordfish", "''", "0", "{secure: v1:abc, plain: swordfish}", "[swordfish]"])
    def test_plain_text(self, said, value):
        """
        A secret that anyone can read is refused with the command that mends it, and not repeated.
        """
        assert said(f"config: {{promfleet:grafanaAdmin: {value}, promfleet:fleet: {WITH_GRAFANA}}}\n") == (
            "grafana: has its secret promfleet:grafanaAdmin in plain text in the stack file. "
            "Replace it where it is used, and run `pulumi config set --secret promfleet:grafanaAdmin`."
        )

    def test_from_an_environment(self, tmp_path):
        """
        A file that names an environment of Pulumi's may have its secrets there.
        """
        file = tmp_path / "Pulumi.test.yaml"
        file.write_text(f"environment: [acme/monitoring]\nconfig: {{promfleet:fleet: {WITH_GRAFANA}}}\n")

        assert from_file(file).grafana


class TestFromStack:
    @pytest.fixture
    def configured(self, monkeypatch):
        """Set the stack's configuration, which arrives from the engine as JSON."""
        monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")

        def configured(fleet: str, others: Mapping[str, str] | None = None, secrets: Iterable[str] = ()) -> None:
            config.set_all_config({"promfleet:fleet": fleet, **(others or {})}, list(secrets))

        yield configured
        config.set_all_config({})

    def test_equals_the_file(self, configured, tmp_path):
        """
        The engine's JSON and the file give the same fleet; whole numbers stay whole.
        """
        fleet = loaded(tmp_path, BOTH % (", agents: {eu1: {rotation: 1}}", "token: true, outage: 2h"))
        configured(fleet.model_dump_json(by_alias=True, exclude_unset=True))

        assert from_stack() == fleet

    def test_its_jobs_may_be_in_files(self, configured, tmp_path, monkeypatch):
        """
        Pulumi runs the program in the project's folder, where the stack file is.
        """
        monkeypatch.chdir(tmp_path)
        (tmp_path / "etcd.yaml").write_text("- {job_name: etcd, static_configs: [{targets: [a:1]}]}\n")
        fleet = {"clusters": {"eu1": {"context": "a"}}, "agents": {"eu1": {"hub": {"stack": "o/p/hub"}}}}
        configured(json.dumps({**fleet, "scrape": {"jobs": ["etcd.yaml"]}}))

        assert [job.name for job in from_stack().scrape.jobs] == ["etcd"]

    def test_its_secrets_are_there(self, configured):
        """
        With the secret in the stack's configuration, encrypted, the fleet is read.
        """
        configured(WITH_GRAFANA, {"promfleet:grafanaAdmin": "swordfish"}, ["promfleet:grafanaAdmin"])

        assert from_stack().secrets == {"grafanaAdmin": ("grafana",)}

    @pytest.mark.parametrize(
        ("others", "said"),
        [
            ({}, "needs the secret promfleet:grafanaAdmin."),
            ({"promfleet:grafanaAdmin": "swordfish"}, "has its secret promfleet:grafanaAdmin in plain text"),
        ],
        ids=["missing", "plain"],
    )
    def test_a_secret_that_is_none(self, configured, others, said):
        """
        A secret that is missing or readable for all ends the program before it makes anything.
        """
        configured(WITH_GRAFANA, others)

        with pytest.raises(pulumi.RunError) as caught:
            from_stack()

        assert said in str(caught.value)
        assert "swordfish" not in str(caught.value)

    def test_a_mistake_ends_the_program_without_a_traceback(self, configured):
        """
        Pulumi shows the message of a RunError and nothing around it.
        """
        configured(json.dumps({"clusters": {"eu1": {"context": "a"}}, "agents": {"eu1": {"outage": 15}}}))

        with pytest.raises(pulumi.RunError) as caught:
            from_stack()

        assert str(caught.value).splitlines() == [
            "promfleet:fleet in the stack dev has 1 problem:",
            "  agents.eu1.outage: 15 is a number without a unit or quotes. Write the unit: 15s.",
        ]

    def test_no_fleet(self, configured):
        """
        A stack without the key is named by Pulumi itself, also without a traceback.
        """
        configured("null")

        with pytest.raises(pulumi.RunError, match="promfleet:fleet"):
            from_stack()
