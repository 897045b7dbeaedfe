"""The house rules that a type checker can't see."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "alerts": set(),
    "settings": {"alerts"},
    "prometheus": {"alerts", "settings"},
    "dashboards": {"alerts", "settings", "prometheus"},
    "components": {"settings", "prometheus", "dashboards"},
    "stacks": {"settings", "prometheus", "dashboards", "components"},
}
"""Layer -> the layers below it; arrows go one way."""
KNOWS_PULUMI = {"settings/stack.py"}
"""The one loader below the components that reads Pulumi's configuration."""


def imports(file: Path) -> set[str]:
    """Top-level names of what a file imports by absolute name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("layer", MAY_IMPORT)
class TestLayers:
    def test_import_only_what_lies_below(self, layer):
        """
        No layer knows one above it.
        """
        files = sorted((ROOT / layer).glob("*.py"))
        layers = {*MAY_IMPORT, "fleet", "lab", "tests"}

        assert files
        wrong = {f.name: found for f in files if (found := imports(f) & layers - MAY_IMPORT[layer] - {layer})}
        assert wrong == {}

    def test_pulumi_begins_with_the_components(self, layer):
        """
        All that decides what Prometheus does is tested without an engine.
        """
        knows = {str(f.relative_to(ROOT)) for f in (ROOT / layer).glob("*.py") if "pulumi" in imports(f)}

        if layer in ("alerts", "settings", "prometheus", "dashboards"):
            assert knows <= KNOWS_PULUMI
        else:
            assert knows


def test_the_program_is_thirty_lines_at_most():
    """
    What is deployed is decided below it.
    """
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 30


@pytest.mark.parametrize("file", sorted((ROOT / "components").glob("*.py")), ids=lambda file: file.name)
def test_components_keep_their_annotations(file):
    """
    Pulumi reads the types of a component's arguments, which the future import turns into texts.
    """
    assert "__future__" not in imports(file)
