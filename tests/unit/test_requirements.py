"""What is installed: by `pulumi install` for users, by `make setup` for whoever changes the program."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lab import toolchains
from tests import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
USERS, DEVELOPERS = "requirements.txt", "requirements-dev.txt"
GO, NODE, SCAN = "requirements-go.txt", "requirements-node.txt", "requirements-scan.txt"
OWN = {file.stem for file in ROOT.iterdir() if file.is_dir() or file.suffix == ".py"}
DRAWS = ROOT / "fleet" / "picture.py"
"""The one module whose needs are an extra."""
MODULES = [
    file
    for folder in PROJECT["tool"]["ty"]["src"]["include"]
    if folder != "tests"
    for file in ([ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py")))
    if file != DRAWS
]


def requirements(lines):
    """Name -> what a list of requirements asks of it."""
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def locked(file):
    """Name -> version and hashes, of each package that a lock file has."""
    text = (ROOT / file).read_text(encoding="utf-8")
    packages = [line for line in text.replace("\\\n", " ").splitlines() if not line.lstrip().startswith("#")]
    found = {}
    for line in packages:
        asked, *hashes = line.split("--hash=")
        requirement = Requirement(asked)
        found[canonicalize_name(requirement.name)] = (str(requirement.specifier).removeprefix("=="), hashes)
    return found


def imported(file):
    """The packages whose modules a file imports, early or late."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in names} - OWN - sys.stdlib_module_names


class TestUsers:
    def test_pulumi_installs_what_the_program_needs(self):
        """
        Pulumi's own Python toolchain, pip, reads one file, and makes an empty environment where there is none.
        """
        options = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["runtime"]["options"]
        pins = locked(USERS)

        assert options == {"toolchain": "pip", "virtualenv": ".venv"}
        for name, requirement in requirements(PROJECT["project"]["dependencies"]).items():
            assert requirement.specifier.contains(pins[name][0]), f"{requirement} in pyproject.toml: make lock"

    def test_have_all_that_the_program_imports(self):
        """
        What only tests and checks need is not asked for at run time.
        """
        owners, pins = packages_distributions(), locked(USERS)
        there = {name for name, packages in owners.items() if pins.keys() & set(map(canonicalize_name, packages))}

        assert len(MODULES) > 100
        assert [(file, absent) for file in MODULES if (absent := imported(file) - there)] == []

    def test_are_spared_the_tools_of_developers(self):
        """
        Nothing is installed for users that only whoever changes the program runs.
        """
        tools = requirements(PROJECT["dependency-groups"]["dev"]).keys() - {"packaging"}

        assert {"pytest", "ruff", "ty"} <= tools
        assert tools & locked(USERS).keys() == set()


class TestDevelopers:
    def test_have_what_users_have(self):
        """
        Tests run with the releases that users run.
        """
        assert locked(USERS).items() <= locked(DEVELOPERS).items()

    def test_have_their_tools(self):
        """
        The lock file is of the groups and extras that there are.
        """
        groups = [*PROJECT["dependency-groups"]["dev"], *PROJECT["project"]["optional-dependencies"]["snapshot"]]
        pins = locked(DEVELOPERS)

        for name, requirement in requirements(groups).items():
            assert requirement.specifier.contains(pins[name][0]), f"{requirement} in pyproject.toml: make lock"


class TestTools:
    def test_the_first_one_is_installed_by_its_hash_too(self, tmp_path):
        """
        Whoever installs all else by the lock file is itself in it; the recipe's own command finds it there.
        """
        recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
        [command] = re.findall(r"sed -n '[^']+' requirements-dev.txt", recipe)

        found = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True).stdout

        (tmp_path / "uv.txt").write_text(found)
        assert locked(tmp_path / "uv.txt") == {"uv": locked(DEVELOPERS)["uv"]}
        assert re.findall(r"pip install (?!.*--require-hashes)(?!.*--editable).*", recipe) == []

    @pytest.mark.parametrize(("group", "file"), [("go", GO), ("node", NODE), ("scan", SCAN)])
    def test_with_lock_files_of_their_own_are_what_is_asked_for(self, group, file):
        """
        Go and Node.js, whose releases the lab reads from there, and the scanner.
        """
        [(name, requirement)] = requirements(PROJECT["dependency-groups"][group]).items()

        assert requirement.specifier.contains(locked(file)[name][0]), f"{requirement} in pyproject.toml: make lock"
        assert (toolchains.GO, toolchains.NODE) == (ROOT / GO, ROOT / NODE)


@pytest.mark.parametrize("file", [USERS, DEVELOPERS, GO, NODE, SCAN])
def test_every_package_is_held_against_its_hash(file):
    """
    With the first hash pip asks for all of them, so that a single one that is missing stops the installation.
    """
    assert [name for name, (version, hashes) in locked(file).items() if not (version and hashes)] == []


def test_every_action_is_pinned_by_its_commit():
    """
    A tag can be moved to other code; the release stands beside the commit for people, and for what renews it.
    """
    workflows = (ROOT / ".github" / "workflows").glob("*.yaml")
    used = [line for file in workflows for line in re.findall(r"uses: *(.+)", file.read_text(encoding="utf-8"))]

    assert used
    assert [line for line in used if not re.match(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
