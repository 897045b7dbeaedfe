"""The house rules that a type checker can't see."""

import ast
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest

from tests import ROOT

MAY_IMPORT = {
    "alerts": set(),
    "settings": {"alerts"},
    "render": {"alerts", "settings"},
    "dashboards": {"alerts", "settings"},
    "components": {"settings", "render"},
    "live": {"settings"},
    "stacks": {"live", "settings", "render", "dashboards", "components"},
    "lab": {"settings"},
    "fleet": {"live", "settings", "render", "dashboards", "stacks", "lab"},
}
"""Layer -> the layers below it; arrows go one way, and none leads to the tests."""
KNOW_PULUMI = {"settings/loading/stack.py", "lab/gcp", "components", "stacks"}
"""The loader of Pulumi's configuration, what stands in for its providers, and what is deployed."""
COMPONENTS = sorted((ROOT / "components").rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Top-level names of what a file imports by absolute name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def forbidden_imports(root: Path, layer: str) -> dict[str, set[str]]:
    """Each file of a layer, in whichever folder, that knows a layer that is not below -> those it knows."""
    forbidden = {*MAY_IMPORT, "tests"} - MAY_IMPORT[layer] - {layer}
    files = sorted((root / layer).rglob("*.py"))
    return {str(file.relative_to(root)): found for file in files if (found := imports(file) & forbidden)}


def knowing_pulumi(root: Path, layer: str) -> list[Path]:
    """The files of a layer, in whichever folder, that import Pulumi or one of its providers' packages."""
    files = sorted((root / layer).rglob("*.py"))
    return [file.relative_to(root) for file in files if any(name.startswith("pulumi") for name in imports(file))]


@pytest.mark.parametrize("layer", MAY_IMPORT)
class TestLayers:
    def test_import_only_what_lies_below(self, layer):
        """
        No layer knows one above it.
        """
        assert list((ROOT / layer).rglob("*.py"))
        assert forbidden_imports(ROOT, layer) == {}

    def test_pulumi_begins_with_the_components(self, layer):
        """
        All that decides what Prometheus does is tested without an engine.
        """
        knowing = knowing_pulumi(ROOT, layer)

        assert [file for file in knowing if not any(file.is_relative_to(place) for place in KNOW_PULUMI)] == []
        for place in (place for place in KNOW_PULUMI if Path(place).is_relative_to(layer)):
            assert any(file.is_relative_to(place) for file in knowing)

    def test_have_what_they_offer(self, layer):
        """
        Each name in the `__all__` of a layer is there; a type checker looks for none that nobody imports.
        """
        package = import_module(layer)

        assert [name for name in getattr(package, "__all__", ()) if not hasattr(package, name)] == []

    def test_are_looked_at_in_every_folder(self, layer, tmp_path):
        """
        A module breaks the rules however deep it lies.
        """
        file = tmp_path / layer / "folder/within/module.py"
        file.parent.mkdir(parents=True)
        file.write_text("def late():\n    from tests.unit import conftest\n    import pulumi_kubernetes\n")

        assert forbidden_imports(tmp_path, layer) == {f"{layer}/folder/within/module.py": {"tests"}}
        assert knowing_pulumi(tmp_path, layer) == [file.relative_to(tmp_path)]


def test_the_program_is_thirty_lines_at_most():
    """
    What is deployed is decided below it.
    """
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 30


@pytest.mark.parametrize("file", COMPONENTS, ids=lambda file: file.name)
def test_components_keep_their_annotations(file):
    """
    Pulumi reads the types of a component's arguments, which the future import turns into texts.
    """
    assert "__future__" not in imports(file)


def classes(file: Path) -> list[ast.ClassDef]:
    """The component resources that a file defines."""
    nodes = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ClassDef)]
    return [node for node in nodes if any(ast.unparse(base).endswith("ComponentResource") for base in node.bases)]


@pytest.mark.parametrize("component", [*chain(*map(classes, COMPONENTS))], ids=lambda component: component.name)
def test_components_are_made_alike(component):
    """
    Each takes a name, its own arguments and Pulumi's options, and nothing else.
    """
    [init] = [node for node in component.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]

    signature = f"self, name: str, args: {component.name}Args, opts: ResourceOptions | None=None"
    assert ast.unparse(init.args) == signature
