"""What a change of the stack file does to a fleet that runs."""

import base64
import copy

import pytest

from .stack import DEV, eventually, stack_file

pytestmark = pytest.mark.lab
FLEET = DEV["config"]["promfleet:fleet"]


@pytest.fixture
def changed(deployed, tmp_path):
    """Update to the dev stack's fleet with changes, and back again at the end."""
    original = deployed.config

    def change(edit):
        fleet = copy.deepcopy(FLEET)
        edit(fleet)
        deployed.config = stack_file(tmp_path / "Pulumi.changed.yaml", fleet)
        return deployed.up()

    yield change
    deployed.config = original
    deployed.up()


def running(lab):
    """Identity and restarts of every pod of ours, in every cluster."""
    columns = "jsonpath={range .items[*]}{.metadata.uid}/{.status.containerStatuses[*].restartCount} {end}"
    return {
        cluster: set(lab.kubectl(cluster, "-n", "promfleet", "get", "pods", "-o", columns).split())
        for cluster in FLEET["clusters"]
    }


class TestPreview:
    def test_shows_no_changes_after_an_update(self, deployed):
        """
        The program and the clusters agree at once.
        """
        assert "unchanged" in deployed.pulumi("preview", "--expect-no-changes")


class TestState:
    def test_holds_no_token_in_plain_text(self, deployed):
        """
        Neither a token nor its base64 stands in what the backend stores.
        """
        state = deployed.pulumi("stack", "export")

        outputs = deployed.outputs
        tokens = [*outputs["identities"].values(), *(outputs[who] for who in ("reader", "operator", "pusher"))]
        assert all(len(token) > 100 for token in tokens)
        written = [form for token in tokens for form in (token, base64.b64encode(token.encode()).decode())]
        assert [form for form in written if form in state] == []


class TestReload:
    def test_settings_of_prometheus_restart_no_pod(self, lab, hub, deployed, changed):
        """
        Interval, rules and retention are files, which the running servers read again.
        """
        before = running(lab)

        def edit(fleet):
            fleet["scrape"]["interval"] = "20s"
            fleet["clusters"]["us1"]["labels"]["region"] = "apac"
            fleet["hub"]["retention"] = "5d"

        changed(edit)

        def assert_in_force():
            expected = {s.labels["cluster"]: s.labels["region"] for s in hub.query("promfleet_cluster_expected")}
            assert expected["us1"] == "apac"
            assert [s.value for s in hub.query("prometheus_tsdb_retention_limit_seconds")] == [5 * 86400]
            intervals = hub.query('count by (cluster) (prometheus_target_interval_length_seconds{interval="20s"})')
            assert {s.labels["cluster"] for s in intervals} == set(FLEET["clusters"])

        eventually(assert_in_force, seconds=240)
        assert running(lab) == before

    def test_a_change_of_the_hubs_pod_rolls_it_once(self, lab, deployed, changed):
        """
        More memory for the hub is a new pod of the hub, and of no other cluster.
        """
        before = running(lab)

        changed(lambda fleet: fleet["clusters"]["hub"].update(series=FLEET["clusters"]["hub"]["series"] + 100))

        after = running(lab)
        assert {cluster: after[cluster] for cluster in ("eu1", "us1")} == {c: before[c] for c in ("eu1", "us1")}
        assert len(after["hub"] - before["hub"]) == 1
