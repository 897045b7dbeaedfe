import json
import re
import shutil
from math import ceil
from textwrap import dedent

import promql_parser
import pulumi
import pytest
import yaml

import components
from alerts import ALERTS, MAINTENANCE, WATCHDOG
from lab.binaries import BINARIES
from render.prometheus.wal import wal_plan
from settings import Fleet, from_file, memory, seconds
from settings.loading.load import KEY
from settings.promql import selectors
from settings.validation.capacity import BYTES_PER_SAMPLE, USABLE_PERCENT
from stacks import deploy
from tests import ROOT
from tests.promql import is_named
from tests.unit.builders import EVERYTHING
from tests.unit.conftest import RELEASES, SCHEMAS
from tests.unit.kinds import DEPLOYMENT, STATEFUL_SET
from tests.unit.shipped import deploy_shipped

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
EVERY_SECTION = {"alerts", "alertmanager", "grafana", "pushgateway", "probes"}
SHAPES = ("hub.md", "operator.md", "standalone.md", "thanos.md", "watcher.md")
"""The pages that describe what a stack file can deploy as a whole."""
OWNERS = "Alertmanager|Container|Kube|Kubelet|Node|Prometheus|Promfleet|Target|Thanos"
"""What the names of alerts begin with."""


def blocks(page):
    """The language and text of each fenced block of a page, also of those inside lists."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [(language, dedent(text)) for _, language, text in found]


EXAMPLES = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(text for language, text in blocks(page) if language == "yaml")
]


def anchors(text):
    """The names that a page's headings have in links."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


class TestExamples:
    @pytest.mark.parametrize("example", EXAMPLES)
    def test_load(self, tmp_path, stack_files, example):
        """
        Every YAML example is a whole stack file, and a correct one for the program and for editors.
        """
        shutil.copytree(ROOT / "docs" / "examples", tmp_path, dirs_exist_ok=True)
        file = tmp_path / "Pulumi.example.yaml"
        file.write_text(example, encoding="utf-8")

        assert from_file(file).clusters
        stack_files.validate(yaml.safe_load(example))

    def test_show_every_section(self):
        """
        The page on the stack file has an example of each section beside the hub.
        """
        page = (ROOT / "docs" / "stack-file.md").read_text(encoding="utf-8")
        shown = [yaml.safe_load(text)["config"][KEY] for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)]

        assert {section for fleet in shown for section in fleet} >= EVERY_SECTION


class TestShapes:
    @pytest.mark.parametrize("name", SHAPES)
    def test_begin_with_a_diagram_and_a_stack_file(self, name):
        """
        The page of a shape shows first what is deployed, and then a stack file that deploys it.
        """
        (first, _), (second, text), *_ = blocks(ROOT / "docs" / name)

        assert (first, second) == ("mermaid", "yaml")
        described = yaml.safe_load(text)["config"][KEY]
        keys = {key for cluster in described["clusters"].values() for key in cluster}
        assert name.removesuffix(".md") in {*described, *keys}


class TestIndex:
    def test_lists_every_page(self):
        """
        No page is left out of the list of all pages.
        """
        links = set(re.findall(r"\]\(([\w-]+\.md)", (ROOT / "docs" / "index.md").read_text(encoding="utf-8")))

        assert links == {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"}


class TestOutputs:
    def test_are_those_that_stacks_export(self, engine, kubeconfig, monkeypatch):
        """
        A command that reads an output of a stack finds it.
        """
        exported = {}
        monkeypatch.setattr(pulumi, "export", exported.__setitem__)
        engine.stand_in()
        engine.deploy(lambda: deploy(Fleet.model_validate(EVERYTHING)))

        named = {
            name
            for page in PAGES
            for name in re.findall(r"pulumi stack output (\w+)", page.read_text(encoding="utf-8"))
        }

        assert named
        assert named <= exported.keys()


class TestAlerts:
    def test_are_those_of_the_catalogue(self):
        """
        Whoever searches the catalogue for an alert that a page names finds it; the changelog has former names too.
        """
        known = {name.partition("/")[0] for name in (*ALERTS, MAINTENANCE, WATCHDOG)}
        named = {
            name
            for page in PAGES
            if page.name != "CHANGELOG.md"
            for name in re.findall(rf"`((?:{OWNERS})[A-Z]\w+)`", page.read_text(encoding="utf-8"))
            if name not in components.__all__
        }

        assert named
        assert named <= known

    def test_that_replace_others_exist(self):
        """
        The names by which the changelog replaces former ones are those of the catalogue.
        """
        known = {name.partition("/")[0] for name in ALERTS}
        changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        rows = re.findall(r"^  \| [A-Z]\w+(?:, …?\w+)* \| ([A-Z]\w+(?:, [A-Z]\w+)*)", changelog, re.M)

        assert len(rows) > 20
        assert {name for row in rows for name in row.split(", ")} <= known


class TestLinks:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
    def test_lead_to_what_is_there(self, page):
        """
        Each file that a page links to exists, and so does the heading.
        """
        links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        for file, _, anchor in (link.partition("#") for link in links if "://" not in link):
            target = (page.parent / file).resolve() if file else page
            assert target.exists(), file
            assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{file}#{anchor}"


def queries(text):
    """What is PromQL among the code in a page's sentences, and more than a metric's name."""
    for code in re.findall(r"`([^`\n]+)`", text):
        if re.search(r"[a-z_]\(|{\w+[=!]", code):
            try:
                yield promql_parser.parse(code)
            except ValueError:
                continue


class TestQueries:
    def test_name_the_job_that_brings_what_they_ask_for(self):
        """
        Whoever copies a query from a page or a runbook counts nobody else's series.
        """
        pages = [*PAGES, *sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
        asked = [tree for page in pages for tree in queries(page.read_text(encoding="utf-8"))]

        assert len(asked) >= 10
        assert [str(selector) for tree in asked for selector in selectors(tree) if not is_named(selector)] == []


class TestSizing:
    def test_the_table_has_what_the_program_makes_of_a_number_of_series(self):
        """
        Memory, logs and the hub's volume are those that are deployed, and that `fleet check` asks for.
        """
        page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| (\d+) \|(.*)\|$", page, re.M)

        assert len(rows) == 5
        for number, row in rows:
            series = int(number)
            agent, hub = memory.agent_memory(series), memory.server_memory(series)
            days = ceil(BYTES_PER_SAMPLE * series / 15 * seconds("42d") * 100 / USABLE_PERCENT / 2**30)

            assert [cell.strip() for cell in row.split("|")] == [
                " to ".join(agent),
                wal_plan(seconds("6h"), series, 15).volume,
                " to ".join(hub),
                f"{days}Gi",
            ]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """What each stack file makes. It is deployed once, so tests only read it."""
    return deploy_shipped(tmp_path_factory.mktemp("kube"))


class TestQuota:
    @pytest.mark.parametrize("file", ["Pulumi.hub.yaml", "Pulumi.thanos.yaml"])
    def test_the_page_has_the_number_of_containers_that_a_stack_file_makes(self, shipped, file):
        """
        A ResourceQuota by these numbers holds every container of the namespace of the Prometheus server.
        """
        page = (ROOT / "docs" / "stack-file.md").read_text(encoding="utf-8")
        server = from_file(ROOT / file).server
        assert server
        specs = [
            r.inputs["spec"]
            for kind in (STATEFUL_SET, DEPLOYMENT)
            for r in shipped[file].all(kind)
            if r.inputs["metadata"]["annotations"]["promfleet.io/owner"].endswith(f"/{server.cluster}")
        ]
        made = sum(int(spec["replicas"]) * len(spec["template"]["spec"]["containers"]) for spec in specs)

        assert re.search(rf"\b{made}\b(?: containers)? with\s`{re.escape(file)}`", page)


class TestKubernetesVersions:
    PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")

    def test_are_those_that_are_checked(self):
        """
        The page promises the releases whose schemas the stack files are held against, and names the lab's.
        """
        lab = next(binary.version for binary in BINARIES if binary.module == "k8s.io/kubernetes")

        assert f"Kubernetes {RELEASES[0]} to {RELEASES[-1]} are supported" in self.PAGE
        assert f"| {RELEASES[0]} to {RELEASES[-1]} |" in self.PAGE
        assert f"| {'.'.join(lab.removeprefix('v').split('.')[:2])} | real clusters" in self.PAGE

    @pytest.mark.parametrize("kind", sorted(file.stem for file in SCHEMAS.glob("*.json")))
    def test_of_custom_resources_are_those_of_the_schemas(self, kind):
        """
        The release that the page names for a kind is the one that its schema was taken from.
        """
        [line] = re.findall(rf"^\|.*\b{kind}\b.*$", self.PAGE, re.M)
        version = json.loads((SCHEMAS / f"{kind}.json").read_text())["source"].partition("@v")[2]

        assert line.split("|")[3].strip() == ".".join(version.split(".")[:2])
