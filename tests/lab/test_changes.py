"""What a change of the stack file does to a fleet that runs."""

import base64
from pathlib import Path

import pytest

from alerts import WATCHDOG

from .fleets import FLEET
from .stack import eventually

pytestmark = pytest.mark.lab


@pytest.fixture
def change(stacks, notifying, alone):
    """Write the fleet's stack file with changes, and give its stack."""
    return lambda changes: stacks.write("dev", notifying.changed(changes))


def running(lab):
    """Identity and restarts of every pod of ours, in every cluster."""
    columns = "jsonpath={range .items[*]}{.metadata.uid}/{.status.containerStatuses[*].restartCount} {end}"
    return {
        cluster: set(lab.kubectl(cluster, "-n", "promfleet", "get", "pods", "-o", columns).split())
        for cluster in FLEET["clusters"]
    }


class TestPreview:
    def test_shows_no_changes_to_another_user(self, unchanged):
        """
        Whose kubeconfig lies elsewhere, and in several files.
        """
        assert "unchanged" in unchanged.result()

    def test_changes_objects_of_another_host_in_place(self, change):
        """
        What would be made anew under their names would be deleted afterwards.
        """
        said = change({"pushgateway": {"expose": {"host": "elsewhere.promfleet-lab.svc.cluster.local"}}}).pulumi(
            "preview"
        )

        assert "unchanged" in said
        assert "to create" not in said
        assert "to delete" not in said


class TestState:
    def test_holds_no_token_in_plain_text(self, deployed):
        """
        Neither a token nor its base64 stands in what the backend stores.
        """
        state = deployed.pulumi("stack", "export")

        tokens = [deployed.outputs[f"{who}Token"] for who in ("pusher", "cleaner")]
        assert all(len(token) > 100 for token in tokens)
        written = [form for token in tokens for form in (token, base64.b64encode(token.encode()).decode())]
        assert [form for form in written if form in state] == []

    def test_of_an_agent_there_is_no_token_but_in_its_pod(self, lab, deployed):
        """
        State, outputs, Secrets, ConfigMaps, pods and logs have none, encrypted or not.
        """
        token = lab.shown_token("eu1")
        assert len(token) > 100
        listed = ("get", "secrets,configmaps,pods", "-A", "-o", "json")
        searched = [
            deployed.pulumi("stack", "export", "--show-secrets"),
            *(lab.kubectl(cluster, *listed) for cluster in FLEET["clusters"]),
            lab.kubectl("hub", "-n", "promfleet", "logs", "prometheus-hub-0", "--all-containers"),
            lab.kubectl("eu1", "-n", "promfleet", "logs", "prometheus-agent-0"),
        ]

        assert all(len(text) > 100 for text in searched)
        written = (token, base64.b64encode(token.encode()).decode())
        assert [form for form in written for text in searched if form in text] == []
        assert deployed.outputs["writerTokens"] == {}

    def test_holds_no_path_of_the_user_who_deployed_it(self, lab, deployed):
        """
        The next one has another home.
        """
        assert str(lab.kubeconfig.parent) not in deployed.pulumi("stack", "export")


class TestTemporaryFiles:
    def test_are_taken_away_with_each_run(self, lab, change, tmp_path):
        """
        Where a kubeconfig is written out the provider leaves copies of it, with its credentials.
        """
        copied = tmp_path / "kubeconfig"
        copied.write_bytes(lab.kubeconfig.read_bytes())

        change({"clusters": {"us1": {"kubeconfig": str(copied)}}}).pulumi("preview")

        assert list(Path(lab.env["TMPDIR"]).rglob("kubeconfig*")) == []


class TestWrongKubeconfig:
    def test_a_context_that_does_not_exist_is_refused_before_anything(self, change):
        """
        The message names the place in the stack file, the contexts that exist and what to do.
        """
        said = change({"clusters": {"us1": {"context": "us9"}}}).pulumi("preview", fails=True)

        assert 'clusters.us1.context: "us9" is in no kubeconfig' in said
        assert "eu1, hub, us1" in said
        assert "Traceback" not in said

    def test_a_file_that_is_no_kubeconfig_is_named(self, change, tmp_path):
        """
        The message names the file.
        """
        wrong = tmp_path / "kubeconfig"
        wrong.write_text("- this\n- is a list\n")

        said = change({"clusters": {"us1": {"kubeconfig": str(wrong)}}}).pulumi("preview", fails=True)

        assert f"{wrong} is not a kubeconfig" in said
        assert "Traceback" not in said


@pytest.fixture(scope="module")
def pods_before(lab, stacks, notifying, webhook, alone):
    """Update everything that running servers read again; give the pods that ran before, as `running` does."""
    stacks.deploy({"dev": notifying})
    before = running(lab)
    changes = {
        "scrape": {"interval": "20s"},
        "clusters": {"us1": {"labels": {"region": "apac"}}},
        "hub": {"retention": "5d"},
    }
    secrets = {**notifying.secrets, "heartWebhook": webhook.url("elsewhere")}
    stacks.write("dev", notifying.changed(changes)._replace(secrets=secrets)).up()
    return before


class TestUpdate:
    def test_settings_of_prometheus_restart_no_pod(self, lab, stacks, pods_before):
        """
        Interval, rules and retention are files, which the running servers read again.
        """
        for cluster in FLEET["clusters"]:
            lab.update_mounts(cluster)

        def assert_in_force():
            with stacks.open_prometheus(stacks.stacks["dev"]) as hub:
                expected = {s.labels["cluster"]: s.labels["region"] for s in hub.query("promfleet_cluster_expected")}
                retention = hub.query("prometheus_tsdb_retention_limit_seconds")
                intervals = hub.query('count by (cluster) (prometheus_target_interval_length_seconds{interval="20s"})')
            assert expected["us1"] == "apac"
            assert [s.value for s in retention] == [5 * 86400]
            assert {s.labels["cluster"] for s in intervals} == set(FLEET["clusters"])

        eventually(assert_in_force, seconds=240)
        assert running(lab) == pods_before

    def test_a_secret_is_used_without_a_restart(self, lab, pods_before, webhook):
        """
        A receiver's URL is changed in the stack file, and no pod is replaced for it.
        """

        def assert_beats_elsewhere():
            assert "/elsewhere" in {n.path for n in webhook.told("firing", alertname=WATCHDOG)}

        eventually(assert_beats_elsewhere, seconds=240)
        assert running(lab) == pods_before

    def test_a_change_of_the_hubs_pod_rolls_it_once(self, lab, change):
        """
        More memory for the hub is a new pod of the hub, and of no other cluster.
        """
        before = running(lab)

        change({"clusters": {"hub": {"series": FLEET["clusters"]["hub"]["series"] + 100}}}).up()

        after = running(lab)
        assert {cluster: after[cluster] for cluster in ("eu1", "us1")} == {c: before[c] for c in ("eu1", "us1")}
        assert len(after["hub"] - before["hub"]) == 1
