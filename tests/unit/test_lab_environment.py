from pathlib import Path

import pytest

from lab.environment import environment


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """A lab of nothing but its folder."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path / "lab"))
    return tmp_path / "lab"


class TestTemporaryFiles:
    def test_lie_within_the_lab(self, lab):
        """
        With the lab's folder goes what the Kubernetes provider leaves: kubeconfigs with their credentials.
        """
        folder = Path(environment()["TMPDIR"])

        assert folder.is_dir()
        assert folder.is_relative_to(lab)

    def test_are_for_their_owner_alone(self, lab):
        """
        Whoever else has an account on the machine can't list them, also where the folder was there before.
        """
        (lab / "tmp").mkdir(parents=True, mode=0o755)

        assert Path(environment()["TMPDIR"]).stat().st_mode & 0o777 == 0o700


class TestEngine:
    def test_keeps_no_logs(self, lab):
        """
        Half of a preview's CPU would go into them: `mkdir` of their folder fails, and the engine does without.
        """
        logs = Path(environment()["PULUMI_HOME"]) / "logs"

        assert logs.is_file()
