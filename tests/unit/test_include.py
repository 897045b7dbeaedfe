"""Stack files that have something in common: what they become, and what is said of a mistake in either file."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from fleet.cli import app
from settings import FleetError, from_file

from .stack_texts import problems

SHAPE = "Write what stands below promfleet:fleet in a stack file."
BESIDE = "Write the path of a file beside the stack file: shared/fleet.yaml."
SHARED = """\
images: {registry: mirror.acme.example}
scrape: {interval: 30s, timeout: 10s, keep: [kube_pod_labels, kube_node_labels]}
clusters: {eu1: {externalLabels: {tier: prod}}}
"""
FLEET = """\
include: [shared.yaml]
clusters: {eu1: {context: a, externalLabels: {region: eu}}}
agents: {eu1: {hub: {stack: o/p/hub}}}
"""


@pytest.fixture(autouse=True)
def shared(tmp_path: Path) -> Path:
    file = tmp_path / "shared.yaml"
    file.write_text(SHARED)
    return file


def stack(folder: Path, fleet: str) -> Path:
    file = folder / "Pulumi.eu1.yaml"
    file.write_text(yaml.safe_dump({"config": {"promfleet:fleet": yaml.safe_load(fleet)}}))
    return file


class TestMerge:
    def test_is_by_key_and_the_stack_file_comes_last(self, tmp_path: Path) -> None:
        """
        What is written again replaces, a list too; the rest of a mapping stays.
        """
        fleet = from_file(stack(tmp_path, FLEET + "scrape: {interval: 15s, keep: [up]}"))

        assert fleet.images.registry == "mirror.acme.example"
        assert (fleet.scrape.interval, fleet.scrape.timeout, fleet.scrape.keep) == ("15s", "10s", ("up",))
        assert dict(fleet.clusters["eu1"].external_labels) == {"tier": "prod", "region": "eu"}

    def test_is_in_the_order_of_the_files(self, tmp_path: Path) -> None:
        """
        The later one wins, and a pattern's files have the order of their names.
        """
        for name, interval in {"b": "45s", "a": "20s"}.items():
            (tmp_path / f"more-{name}.yaml").write_text(f"scrape: {{interval: {interval}}}")

        fleet = from_file(stack(tmp_path, FLEET.replace("[shared.yaml]", "[shared.yaml, more-*.yaml]")))

        assert fleet.scrape.interval == "45s"

    def test_null_removes(self, tmp_path: Path) -> None:
        """
        What all others have one stack may be without.
        """
        fleet = from_file(stack(tmp_path, FLEET + "images: null"))

        assert fleet.images.registry is None


class TestMistakes:
    @pytest.mark.parametrize(
        ("shared_text", "fleet", "said"),
        [
            (
                SHARED.replace("30s", "30"),
                FLEET,
                "include.shared.yaml.scrape.interval: 30 is a number without a unit or quotes. Write the unit: 30s.",
            ),
            (
                "scrape: {intervall: 30s}",
                FLEET,
                'include.shared.yaml.scrape.intervall: unknown key. Did you mean "interval"?',
            ),
            (
                SHARED,
                FLEET + "scrape: {interval: 15}",
                "scrape.interval: 15 is a number without a unit or quotes. Write the unit: 15s.",
            ),
            (
                "include: [other.yaml]",
                FLEET,
                "include.shared.yaml.include: is in a file that is included itself. Write it into the stack file.",
            ),
            (
                "config: {}",
                FLEET,
                f"include.shared.yaml.config: is of a stack file, and this one is included. {SHAPE}",
            ),
            (
                "[]",
                FLEET,
                f"include.shared.yaml: is not a mapping. {SHAPE}",
            ),
            ("&a {clusters: *a}", FLEET, "include: leads to what is nested too deeply. Remove the alias."),
            (
                SHARED,
                FLEET.replace("[shared.yaml]", "[sharde.yaml]"),
                f'include[0]: "sharde.yaml" matches no file. {BESIDE}',
            ),
            (
                SHARED,
                FLEET.replace("[shared.yaml]", "shared.yaml"),
                'include: "shared.yaml" is not a list. Write [a, b].',
            ),
        ],
        ids=["value", "key", "own", "nested", "stack file", "list", "loop", "no file", "no list"],
    )
    def test_are_said_of_the_file_in_which_they_are(
        self, tmp_path: Path, shared: Path, shared_text: str, fleet: str, said: str
    ) -> None:
        """
        With the path there, and in the stack file's own words where it is the stack file's.
        """
        shared.write_text(shared_text)

        assert problems(tmp_path, fleet) == [said]

    def test_a_file_that_is_no_yaml(self, tmp_path: Path, shared: Path) -> None:
        shared.write_text("a: [")

        with pytest.raises(FleetError, match=r"shared\.yaml\.line 1"):
            from_file(stack(tmp_path, FLEET))


class TestExplain:
    def test_shows_where_each_setting_comes_from(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Those of the stack file have no name behind them.
        """
        monkeypatch.chdir(tmp_path)
        stack(tmp_path, FLEET + "scrape: {interval: 15s}")

        result = CliRunner().invoke(app, ["explain", "--stack", "o/p/eu1"])

        assert result.exit_code == 0
        lines = result.output.splitlines()
        assert 'scrape.interval: "15s"' in lines
        assert 'scrape.timeout: "10s"  # shared.yaml' in lines
        assert 'clusters.eu1.externalLabels.tier: "prod"  # shared.yaml' in lines
        assert 'clusters.eu1.externalLabels.region: "eu"' in lines
