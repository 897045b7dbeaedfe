"""The programs that are measured, which nobody looks at between two measurements."""

from tests.bench.__main__ import program_of
from tests.bench.measure import run


class TestProgram:
    def test_runs_without_a_network(self, tmp_path):
        """
        A hub and an agent, in clusters that nobody can ask; a failed process is an error that quotes it.
        """
        cost = run(program_of(2, tmp_path))

        assert cost.cpu > 0
