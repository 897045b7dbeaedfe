"""What is written as YAML, as readers of it take it."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.manifests import text
from render.yaml import to_yaml

AWKWARD = [
    "",
    " ",
    "on",
    "no",
    "null",
    "~",
    "1e3",
    "0x1f",
    "010",
    "1_000",
    "12:30",
    "2026-11-27",
    "<<",
    "=",
    "- a",
    "a: b",
]
"""Strings that are something else without quotes."""
LINES = ["a\nb", "a\nb\n", "\n", " a\nb", "a \nb", "a\n\n", "\ta\nb", "a: b\n# c\n", "x" * 300, "x " * 300]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from([*AWKWARD, *LINES])
    | st.text()
)
DOCUMENTS = st.dictionaries(
    st.text(), st.recursive(SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=8)
)


@pytest.mark.parametrize("write", [to_yaml, text])
class TestYaml:
    @given(document=DOCUMENTS)
    def test_is_read_as_what_was_written(self, write, document):
        """
        A string stays one, however it looks, and lines stay lines.
        """
        assert yaml.load(write(document), yaml.CSafeLoader) == document

    def test_has_no_aliases(self, write):
        """
        Prometheus would read them, and people would not.
        """
        shared = {"names": ["default"]}

        assert write({"a": shared, "b": shared}) == "a:\n  names:\n  - default\nb:\n  names:\n  - default\n"
