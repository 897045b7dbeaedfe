import json
import runpy
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from fleet.check import unknown_alerts
from fleet.cli import app
from settings.read_files import ReadFiles

from .builders import HUB, fleet

GOOD = "config: {promfleet:fleet: {clusters: {eu1: {context: a}}, agents: {eu1: {hub: {stack: o/p/hub}}}}}\n"
BAD = GOOD.replace("o/p/hub", "hub")
SAID = (
    'promfleet:fleet in Pulumi.bad.yaml has 1 problem:\n  agents.eu1.hub.stack: "hub" is not the full name of a stack. '
    "Write organization/project/stack: organization/promfleet/hub.\n"
)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


class TestRoutes:
    @pytest.mark.parametrize(
        ("matcher", "instead"),
        [
            ("alertname = KubePodCrashLoopin", 'Did you mean "KubePodCrashLooping"?'),
            ('alertname=~"Watchdog|ShopDown|OtherDown"', "Remove it, unless somebody else sends such alerts."),
            ('alertname="ShopDown"', None),
            ('alertname=~"Kube.+"', None),
            ('alertname!="OtherDown"', None),
            ('team="OtherDown"', None),
        ],
    )
    def test_alerts_that_nobody_has_are_warned_of(self, matcher: str, instead: str | None) -> None:
        """
        Who comes from elsewhere has routes for alerts that are called otherwise here.
        """
        rules = {
            "groups": [
                {"name": "shop", "rules": [{"alert": "ShopDown", "expr": "shop == 0", "labels": {"severity": "info"}}]}
            ]
        }
        routes = [{"receiver": "sre", "teams": ["shop"], "routes": [{"receiver": "sre", "matchers": [matcher]}]}]
        described = fleet(
            hub=HUB,
            alertmanager={"receivers": {"sre": {}}, "default": "sre", "routes": routes},
            alerts={"team": "shop", "ruleFiles": [{"files": [ReadFiles({"rules/shop.yaml": [rules]})]}]},
        )

        found = [*unknown_alerts(described)]

        assert [problem.path for problem in found] == (
            [("alertmanager", "routes", 0, "routes", 0, "matchers", 0)] if instead else []
        )
        assert [problem.instead for problem in found] == ([instead] if instead else [])

    def test_inhibitions_ask_for_alerts_too(self) -> None:
        """
        One of an alert that nobody has mutes nothing.
        """
        inhibition = {
            "source_matchers": ["alertname=NodeDown"],
            "target_matchers": ["alertname=Watchdog"],
            "equal": ["cluster"],
        }
        described = fleet(
            hub=HUB, alertmanager={"receivers": {"sre": {}}, "default": "sre", "inhibitRules": [inhibition]}
        )

        [problem] = unknown_alerts(described)

        assert problem.path == ("alertmanager", "inhibitRules", 0, "source_matchers", 0)

    def test_alerts_may_be_of_prometheus_rules(self) -> None:
        """
        Those in the cluster of a server with an operator nobody knows here.
        """
        routes = [{"receiver": "sre", "matchers": ["alertname=OtherDown"]}]
        described = fleet(
            clusters={"hub": {"context": "hub", "operator": {}}},
            hub=HUB,
            alertmanager={"receivers": {"sre": {}}, "default": "sre", "routes": routes},
        )

        assert [*unknown_alerts(described)] == []


class TestCheck:
    def test_a_right_file(self, here):
        """
        A right file is summed up on stdout.
        """
        (here / "Pulumi.good.yaml").write_text(GOOD)

        result = check("Pulumi.good.yaml")

        assert (result.exit_code, result.stdout, result.stderr) == (0, "Pulumi.good.yaml: ok: 1 cluster, 1 agent\n", "")

    def test_without_being_installed(self, here, monkeypatch, capsys):
        """
        `python -m fleet`, for whom only `pulumi install` has run, is the same command.
        """
        (here / "Pulumi.good.yaml").write_text(GOOD)
        monkeypatch.setattr(sys, "argv", ["fleet", "check"])

        with pytest.raises(SystemExit) as end:
            runpy.run_module("fleet", run_name="__main__")

        assert (end.value.code, capsys.readouterr().out) == (0, "Pulumi.good.yaml: ok: 1 cluster, 1 agent\n")

    def test_a_wrong_file(self, here):
        """
        A wrong file is reported on stderr and fails the command.
        """
        (here / "Pulumi.bad.yaml").write_text(BAD)

        result = check("Pulumi.bad.yaml")

        assert (result.exit_code, result.stdout, result.stderr) == (1, "", SAID)

    def test_every_stack_file_by_default(self, here):
        """
        Without arguments all stack files here are checked, after a wrong one too; the project file is none of them.
        """
        (here / "Pulumi.yaml").write_text("name: promfleet\n")
        (here / "Pulumi.bad.yaml").write_text(BAD)
        (here / "Pulumi.good.yaml").write_text(GOOD)

        result = check()

        assert (
            result.exit_code,
            result.stdout,
            result.stderr,
        ) == (1, "Pulumi.good.yaml: ok: 1 cluster, 1 agent\n", SAID)

    def test_nothing_to_check(self, here):
        """
        A check of nothing is no success.
        """
        result = check()

        assert (result.exit_code, result.stderr) == (2, "no Pulumi.*.yaml in this folder\n")

    def test_as_json(self, here):
        """
        Every file with all its problems, for programs; nothing is said beside.
        """
        (here / "Pulumi.bad.yaml").write_text(BAD)
        (here / "Pulumi.good.yaml").write_text(GOOD)

        result = check("--json")

        problem = {
            "path": "agents.eu1.hub.stack",
            "value": '"hub"',
            "rule": "is not the full name of a stack",
            "instead": "Write organization/project/stack: organization/promfleet/hub.",
        }
        assert (result.exit_code, result.stderr) == (1, "")
        assert json.loads(result.stdout) == {
            "files": [
                {"file": "Pulumi.bad.yaml", "ok": False, "summary": None, "problems": [problem], "warnings": []},
                {
                    "file": "Pulumi.good.yaml",
                    "ok": True,
                    "summary": "1 cluster, 1 agent",
                    "problems": [],
                    "warnings": [],
                },
            ],
            "error": None,
        }

    def test_what_is_probably_not_meant_is_no_mistake(self, here, monkeypatch):
        """
        It is said beside, as text and in JSON.
        """
        monkeypatch.setenv("PATH", "")
        hub = "hub: {cluster: eu1, expose: {host: h.example, tls: {secret: s}}}"
        alerts = "alerts: {ruleFiles: [r.yaml], ruleTests: [t.yaml]}"
        sections = f"clusters: {{eu1: {{context: a}}}}, {hub}, {alerts}"
        (here / "Pulumi.good.yaml").write_text(f"config: {{promfleet:fleet: {{{sections}}}}}")
        (here / "r.yaml").write_text("groups: [{name: a, rules: [{record: b, expr: coredns_panics}]}]")
        (here / "t.yaml").write_text("rule_files: [r.yaml]")

        text, data = check(), check("--json")

        assert (text.exit_code, text.stdout) == (0, "Pulumi.good.yaml: ok: 1 cluster, 1 hub, 1 rule file\n")
        assert text.stderr == (
            "  warning: alerts.ruleFiles[0].r.yaml.a.b.expr: asks for coredns_panics, which is not kept by promfleet's "
            "own jobs. Add coredns_panics to scrape.keep.\n"
            "  warning: promfleet:fleet: has parts that only promtool can judge: alerts.ruleFiles. Put promtool of "
            "quay.io/prometheus/prometheus:v3.15.0 into the path.\n"
            "  warning: alerts.ruleTests: were not run. Put promtool of quay.io/prometheus/prometheus:v3.15.0 into the "
            "path.\n"
        )
        [file] = json.loads(data.stdout)["files"]
        assert (file["ok"], len(file["warnings"])) == (True, 3)

    def test_as_json_contains_no_secret(self, here):
        """
        What the text does not show, it does not either.
        """
        (here / "Pulumi.bad.yaml").write_text(
            GOOD.replace("{stack: o/p/hub}", "{url: 'https://user:hunter2@hub.example/api/v1/write'}")
        )

        result = check("--json")

        assert result.exit_code == 1
        assert '"(not shown)"' in result.stdout
        assert "hunter2" not in result.stdout

    def test_nothing_to_check_as_json(self, here):
        """
        An error is JSON as well.
        """
        result = check("--json")

        assert (result.exit_code, result.stderr) == (2, "")
        assert json.loads(result.stdout) == {"files": [], "error": "no Pulumi.*.yaml in this folder"}

    def test_the_hub_counts(self, here):
        """
        The summary names what the stack runs.
        """
        hub = "hub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}}"
        clusters = "clusters: {hub: {context: a}, eu1: {context: b}, eu2: {context: c}}"
        (here / "Pulumi.dev.yaml").write_text(
            f"config: {{promfleet:fleet: {{{clusters}, {hub}, agents: {{eu1: {{}}, eu2: {{}}}}}}}}\n"
        )

        assert check().stdout == "Pulumi.dev.yaml: ok: 3 clusters, 1 hub, 2 agents\n"

    def test_receivers_and_probes_count(self, here):
        """
        The summary also says how many are told, and what is asked from outside.
        """
        hub = "clusters: {hub: {context: a}}, hub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}}"
        others = (
            "alertmanager: {receivers: {sre: {}}, default: sre}, probes: {shop: {targets: ['https://shop.example']}}"
        )
        (here / "Pulumi.hub.yaml").write_text(f"config: {{promfleet:fleet: {{{hub}, {others}}}}}\n")

        assert check().stdout == "Pulumi.hub.yaml: ok: 1 cluster, 1 hub, 1 receiver, 1 probe\n"

    def test_contexts_of_one_api_server(self, here, monkeypatch):
        """
        Where this machine has the kubeconfig, two names for one cluster are seen before anything is deployed.
        """
        contexts = [{"name": name, "context": {"cluster": "c"}} for name in ("a", "b")]
        clusters = [{"name": "c", "cluster": {"server": "https://c.example"}}]
        (here / "kubeconfig").write_text(yaml.safe_dump({"contexts": contexts, "clusters": clusters}))
        monkeypatch.setenv("KUBECONFIG", "kubeconfig")
        both = GOOD.replace("eu1: {context: a}", "eu1: {context: a}, us1: {context: b}")
        (here / "Pulumi.both.yaml").write_text(
            both.replace("{stack: o/p/hub}}", "{stack: o/p/hub}}, us1: {hub: {stack: o/p/hub}}")
        )

        result = check()

        assert result.exit_code == 1
        assert '"b" is of the API server https://c.example, which is that of eu1 too.' in result.stderr

    @pytest.mark.parametrize(
        ("agents", "said"),
        [
            ("agents: [eu2]", "has a hub without eu1 in hub.agents. Add eu1 to hub.agents in Pulumi.hub.yaml"),
            ("agents: {eu1: {}}", ""),
        ],
    )
    def test_an_agent_that_its_hub_does_not_know(self, here, agents, said):
        """
        Files that are checked together are compared; the hub's would refuse to tell such an agent its token.
        """
        hub = f"hub: {{cluster: hub, expose: {{host: h.example, tls: {{secret: s}}}}, {agents}}}"
        (here / "Pulumi.hub.yaml").write_text(
            f"config: {{promfleet:fleet: {{clusters: {{hub: {{context: b}}}}, {hub}}}}}\n"
        )
        (here / "Pulumi.eu1.yaml").write_text(GOOD.replace("o/p/hub", "o/promfleet/hub"))

        result = check()

        assert result.exit_code == int(bool(said))
        assert said in result.stderr

    def test_a_watcher_that_its_hub_does_not_know(self, here):
        """
        It writes by its own name, and needs a token as an agent does.
        """
        hub = "hub: {cluster: hub, expose: {host: h.example, tls: {secret: s}}, agents: [eu1]}"
        (here / "Pulumi.hub.yaml").write_text(
            f"config: {{promfleet:fleet: {{clusters: {{hub: {{context: b}}}}, {hub}}}}}\n"
        )
        watcher = "watcher: {clusters: [eu1], hub: {stack: o/promfleet/hub}}"
        (here / "Pulumi.watcher.yaml").write_text(
            f"config: {{promfleet:fleet: {{clusters: {{eu1: {{context: a}}}}, {watcher}}}}}\n"
        )

        said = check().stderr

        assert 'watcher.hub.stack: "o/promfleet/hub" has a hub without watcher in hub.agents.' in said
        assert "Add watcher to hub.agents in Pulumi.hub.yaml" in said

    def test_a_hub_that_is_none(self, here):
        """
        A stack of that name may have agents only.
        """
        (here / "Pulumi.hub.yaml").write_text(GOOD)
        (here / "Pulumi.eu1.yaml").write_text(GOOD.replace("o/p/hub", "o/promfleet/hub"))

        assert 'agents.eu1.hub.stack: "o/promfleet/hub" has no hub.' in check().stderr
