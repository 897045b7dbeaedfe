import json
import re

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from settings import Agent, Cluster, Fleet, Receiver, from_file
from settings.hub import Writer
from settings.loading.load import KEY, merged_file
from settings.loading.schema import FILE, stack_file_schema, text
from settings.validation.capacity import written_series
from tests import MIGRATIONS, ROOT, SHIPPED, name_of
from tests.unit.stack_texts import BOTH, CLUSTER, HUB, REMOTE_AGENT, loaded, problems

STACK_FILES = [*SHIPPED, *MIGRATIONS]


class TestFleet:
    def test_defaults(self, tmp_path):
        """
        A hub needs a cluster, a host and a certificate; the rest has defaults that are written down here once.
        """
        fleet = loaded(tmp_path, HUB % "")

        assert fleet.hub
        assert (fleet.namespace, fleet.scrape.interval, fleet.scrape.timeout) == ("promfleet", "1m", "10s")
        assert (fleet.hub.retention, fleet.hub.storage, fleet.hub.expose.via) == ("42d", "50Gi", "loadBalancer")
        assert fleet.clusters["hub"].series == 30_000
        assert fleet.agents == {}

    def test_an_agent_survives_six_hours_by_default(self, tmp_path):
        """
        The promise of the design page.
        """
        assert loaded(tmp_path, REMOTE_AGENT % "").agents["eu1"].outage == "6h"

    def test_camel_case_on_disk(self, tmp_path):
        """
        Keys of two words are written in camelCase and read in Python's spelling.
        """
        fleet = loaded(tmp_path, CLUSTER % ", kubelet: {insecureSkipVerify: true}" + "rolloutTimeout: 10m")

        assert fleet.clusters["eu1"].kubelet.insecure_skip_verify
        assert fleet.rollout_timeout == "10m"

    def test_python_spelling_in_python(self):
        """
        Programs and tests build sections with Python's names.
        """
        assert Agent(storage_class="fast").storage_class == "fast"

    def test_rules_hold_in_python_too(self):
        """
        A fleet that breaks a rule cannot be built at all.
        """
        with pytest.raises(ValidationError, match="deploys no Prometheus"):
            Fleet(clusters={"eu1": Cluster(context="a")})

    def test_anchors(self, tmp_path):
        """
        What several clusters share may be written once.
        """
        fleet = loaded(
            tmp_path,
            "clusters:\n"
            "  eu1: &eu {context: a, series: 5000}\n"
            "  eu2: {<<: *eu, context: b}\n"
            "agents: {eu1: &there {hub: {stack: o/p/hub}}, eu2: *there}\n",
        )

        assert fleet.clusters["eu2"] == Cluster(context="b", series=5000)

    def test_local_agents_write_to_this_hub(self, tmp_path):
        """
        An agent with a receiver of its own is no writer of this stack's hub.
        """
        here = loaded(tmp_path, BOTH % ("", ""))
        there = loaded(tmp_path, BOTH % ("", "hub: {url: 'https://x.example/w'}"), ["eu1Token"])

        assert here.local_agents == ("eu1",)
        assert there.local_agents == ()

    def test_series_of_all_writers_add_up(self, tmp_path):
        """
        The hub is planned for its own cluster, this stack's agents, and a usual cluster for each agent of another.
        """
        fleet = loaded(
            tmp_path, (BOTH % (", agents: [us1, us2, eu1]", "")).replace("context: b", "context: b, series: 5000")
        )

        assert fleet.server_series == 30_000 + 5000 + 2 * 30_000

    def test_agents_elsewhere_are_a_list_or_a_table(self, tmp_path):
        """
        A list says the same as a table that says nothing of anybody.
        """
        names = loaded(tmp_path, HUB % ", agents: [us1, us2]")
        table = loaded(tmp_path, HUB % ", agents: {us1: {}, us2: {}}")

        assert names == table
        assert names.hub
        assert names.hub.agents["us1"] == Writer(series=30_000, labels={}, rotation=0)

    def test_series_elsewhere_count_at_the_hub_and_at_receive(self, tmp_path):
        """
        Where another stack has the cluster, the hub's section has the number.
        """
        fleet = loaded(tmp_path, HUB % ", retention: 7d, agents: {us1: {series: 300000}, us2: {}}")

        assert written_series(fleet.partial) == 300_000 + 30_000
        assert fleet.server_series == 30_000 + written_series(fleet.partial)

    @pytest.mark.parametrize("receive", ["", ", ruler: {}, receive: {expose: {host: receive.example}}"])
    def test_series_in_the_bucket_are_those_of_every_cluster_once(self, tmp_path, receive):
        """
        Whether the hub uploads what agents write or Receive does, so that Stores need the same memory.
        """
        thanos = f"thanos: {{storage: {{filesystem: {{claim: blocks}}}}{receive}}}\n"

        fleet = loaded(tmp_path, HUB % ", agents: [us1, us2]" + thanos)

        assert fleet.stored_series == 3 * 30_000


class TestImmutability:
    def test_fields(self, tmp_path):
        """
        Nobody changes the facts after they were checked.
        """
        with pytest.raises(ValidationError, match="frozen"):
            loaded(tmp_path, HUB % "").namespace = "other"  # ty: ignore[invalid-assignment]

    def test_tables(self, tmp_path):
        """
        Not in a mapping either, given or default.
        """
        fleet = loaded(tmp_path, HUB % "")

        for table in (fleet.clusters, fleet.agents, fleet.clusters["hub"].labels):
            with pytest.raises(TypeError, match="does not support item assignment"):
                table["x"] = "y"  # ty: ignore[invalid-assignment]

    def test_lists(self, tmp_path):
        """
        Nor in a list.
        """
        fleet = loaded(tmp_path, HUB % ", agents: [us1]")

        assert fleet.hub
        assert tuple(fleet.hub.agents) == ("us1",)
        with pytest.raises(TypeError, match="does not support item assignment"):
            fleet.hub.agents["us2"] = Writer()  # ty: ignore[invalid-assignment]

    def test_a_dump_reads_back(self, tmp_path):
        """
        A fleet can be written as JSON and is the same when read again.
        """
        fleet = loaded(tmp_path, BOTH % (", agents: {us1: {rotation: 2, labels: {region: us}}}", "outage: 2h"))

        again = Fleet.model_validate(json.loads(fleet.model_dump_json(by_alias=True, exclude_unset=True)))

        assert fleet == again


class TestBoundaries:
    @pytest.mark.parametrize(
        "fleet",
        [
            REMOTE_AGENT % ", outage: 10m",
            REMOTE_AGENT % ", outage: 48h",
            REMOTE_AGENT % ", outage: 1m" + "scrape: {interval: 5s, timeout: 5s}",
            HUB % ", retention: 2h",
            CLUSTER % ", series: 1000",
            # 500 samples/s, of 2 bytes each, fill 80 % of 100Gi in 23,860 hours and some minutes.
            HUB % ", retention: 23860h, storage: 100Gi",
            BOTH % (", agents: {eu1: {rotation: 1}}", "token: true"),
            "clusters: {eu1: {context: a}, us1: {context: a, kubeconfig: other}}\n"
            "agents: {eu1: &there {hub: {stack: o/p/hub}}, us1: *there}\n",
        ],
    )
    def test_just_right(self, tmp_path, fleet):
        """
        What is exactly at a limit is inside it.
        """
        assert loaded(tmp_path, fleet).clusters

    def test_one_hour_more_does_not_fit(self, tmp_path):
        """
        The other side of the retention's limit; the message names the retention that fits.
        """
        assert problems(tmp_path, HUB % ", retention: 23861h, storage: 100Gi") == [
            'hub.retention: "23861h" does not fit in storage: 100Gi at 500 samples/s. '
            "Write storage: 101Gi, or retention: 994d."
        ]

    def test_what_the_message_proposes_is_right(self, tmp_path):
        """
        Who follows the message is not told of the next problem.
        """
        crowded = ", agents: [us1, us2], retention: %s, storage: %s"

        assert "storage: 111Gi, or retention: 33d" in problems(tmp_path, HUB % (crowded % ("1y", "10Gi")))[0]
        assert loaded(tmp_path, HUB % (crowded % ("1y", "111Gi")))
        assert loaded(tmp_path, HUB % (crowded % ("33d", "10Gi")))


class TestStackFiles:
    @pytest.mark.parametrize("file", STACK_FILES, ids=name_of)
    def test_is_right(self, file):
        """
        Every stack file of this repository is one that a user may copy.
        """
        assert from_file(file).clusters

    @pytest.mark.parametrize("file", STACK_FILES, ids=name_of)
    def test_editors_know_its_schema(self, stack_files, file):
        """
        Each names the schema, and the schema finds nothing wrong with it, together with what it includes.
        """
        content = file.read_text(encoding="utf-8")

        written = yaml.safe_load(content)
        stack_files.validate(written | {"config": written["config"] | {KEY: merged_file(file).fleet}})
        [schema] = re.findall(r"^# yaml-language-server: \$schema=(.+)$", content, re.M)
        assert (file.parent / schema).samefile(FILE)

    def test_the_agents_write_to_the_hub_example(self):
        """
        The two examples belong together.
        """
        hub = from_file(ROOT / "Pulumi.hub.yaml").hub
        agent = from_file(ROOT / "Pulumi.eu1.yaml").agents["eu1"]

        assert hub
        assert "eu1" in hub.agents
        assert agent.hub == Receiver(stack="organization/promfleet/hub")


class TestProject:
    def test_its_name_is_the_keys(self):
        """
        Pulumi reads `promfleet:fleet` for the project promfleet only.
        """
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))

        assert project["name"] == KEY.split(":")[0]


class TestSchema:
    def test_is_current(self):
        """
        `python -m settings.loading.schema` was run after the last change of a model.
        """
        assert FILE.read_text(encoding="utf-8") == text()

    def test_every_field_is_described(self):
        """
        An editor shows what each key is for.
        """
        undescribed = [
            f"{section}.{key}"
            for section, definition in stack_file_schema()["$defs"].items()
            for key, field in definition["properties"].items()
            if not field.get("description")
        ]

        assert undescribed == []

    def test_knows_that_clusters_may_be_in_an_included_file(self, stack_files):
        """
        Without one, they are missing in an editor too.
        """
        stack = {"config": {"promfleet:fleet": {"include": ["clusters.yaml"], "agents": {"eu1": {"outage": "6h"}}}}}

        stack_files.validate(stack)
        del stack["config"]["promfleet:fleet"]["include"]
        with pytest.raises(jsonschema.ValidationError):
            stack_files.validate(stack)

    @pytest.mark.parametrize("place", [(), ("components", "prometheus")], ids=["workloads", "component"])
    def test_has_the_fields_of_pods_once(self, stack_files, place):
        """
        Wherever they are written, editors judge them by one definition.
        """
        stack = yaml.safe_load((ROOT / "Pulumi.eu1.yaml").read_text(encoding="utf-8"))
        workloads = stack["config"]["promfleet:fleet"]["workloads"] = {}
        for key in place:
            workloads = workloads.setdefault(key, {})
        workloads["tolerations"] = [{"key": "dedicated", "operator": "Exists"}]

        stack_files.validate(stack)
        workloads["tolerations"][0]["operater"] = "Exists"
        with pytest.raises(jsonschema.ValidationError, match="operater"):
            stack_files.validate(stack)
        assert text().count('"podAntiAffinity"') == 1

    def test_refuses_a_misspelt_key(self, stack_files):
        """
        Editors underline what the program would refuse.
        """
        stack = yaml.safe_load((ROOT / "Pulumi.eu1.yaml").read_text(encoding="utf-8"))
        stack["config"]["promfleet:fleet"]["agents"]["eu1"]["outtage"] = "6h"

        with pytest.raises(jsonschema.ValidationError, match="outtage"):
            stack_files.validate(stack)
