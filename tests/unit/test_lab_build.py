import json
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lab import build
from lab.binaries import BINARIES, PULUMI, Binary

UPSTREAM = {
    "Go": "1.25.0",
    "Replace": [
        {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
        {"Old": {"Path": "a.example/b", "Version": "v1.0.0"}, "New": {"Path": "c.example/b", "Version": "v1.0.1"}},
    ],
}
KUBE = Binary(module="k8s.io/kubernetes", version="v1.36.3", seconds=250, commands={"kube": ""})
NEIGHBOUR = Binary(module="a.example/b", version="v1.0.0", seconds=1, commands={"b": ""})


@pytest.fixture
def go_mod(monkeypatch):
    """Give the lines of the throw-away module for binaries, without asking Go: their upstreams are as given."""

    def lines(*graph, upstreams=(UPSTREAM,)):
        monkeypatch.setattr(build, "_go", lambda *arguments: json.dumps(upstreams[int(arguments[-1])]))
        return build._go_mod(graph, [Path(str(number)) for number in range(len(graph))]).splitlines()

    return lines


@pytest.fixture
def said():
    """What was said while something was built."""
    return []


@pytest.fixture
def built(monkeypatch, tmp_path, said):
    """
    Build rows into a new cache; `compiler` is what happens instead.

    The rows are the only ones that there are.
    """
    monkeypatch.setattr(build, "CACHE", tmp_path)

    monkeypatch.setattr(build, "go", lambda: "go")

    def run(*rows, compiler=lambda binary: None, every=30):
        monkeypatch.setattr(build, "BINARIES", rows)

        def make(binary):
            compiler(binary)
            build._home(binary).mkdir()

        monkeypatch.setattr(build, "_build", make)
        build.build(rows, lambda name, step: said.append(f"{name}: {step}"), every)

    return run


def row(name, seconds=60, **other):
    return Binary(module=f"{name}.example", version="v1.0.0", seconds=seconds, commands={name: ""}, **other)


class TestBuild:
    def test_what_is_to_be_done_is_said_first(self, built, said, tmp_path):
        """
        How much, where it is kept, and how long one waits: two are built at once.
        """
        built(row("a"), row("b"), row("c"), row("d"))

        assert said[0] == f"builds: 4 to do, kept in {tmp_path}; about 2 min on two cores"

    def test_nothing_is_said_of_what_is_there(self, built, said):
        """
        A warm cache costs neither time nor words.
        """
        built(row("a"))
        said.clear()

        built(row("a"))

        assert said == []

    def test_what_is_under_way_is_told_while_it_is(self, built, said):
        """
        Which of how many, how long it has taken and how long it usually takes.
        """
        many = 6

        def compiler(binary):
            while len(said) < many:
                time.sleep(0.01)

        built(row("a"), compiler=compiler, every=0.01)

        assert re.fullmatch(r"builds: a \(1 of 1\), \d+ s, usually 60 s", said[1])
        assert re.fullmatch(r"builds: a \(1 of 1\), \d+ s, usually 60 s", said[many - 1])
        assert said[-2].startswith("builds: a done after ")

    def test_the_longest_is_begun_first(self, built, said):
        """
        At the end it would be alone, with a core to spare.
        """
        built(row("a", seconds=1), row("b", seconds=60), row("c", seconds=9))

        assert re.fullmatch(r"builds: b \(1 of 3\), .*; c \(2 of 3\), .*", said[1])

    def test_two_are_built_at_once(self, built):
        """
        Each would wait for ever for the other if it were not.
        """
        both = threading.Barrier(2, timeout=10)

        built(row("a"), row("b"), compiler=lambda _: both.wait())

        assert not both.broken

    def test_neighbours_are_built_one_after_the_other(self, built):
        """
        At the same time they would compile their libraries twice; others go first.
        """
        under_way, together = set(), []

        def compiler(binary):
            under_way.add(binary.name)
            time.sleep(0.1)
            together.append(set(under_way))
            under_way.remove(binary.name)

        built(row("a", beside=("b",)), row("b", beside=("a",)), row("c"), compiler=compiler)

        assert not [names for names in together if names >= {"a", "b"}]
        assert {"a", "c"} in together

    def test_after_a_failure_no_other_is_begun(self, built, tmp_path):
        """
        What was under way is finished and kept, and the compiler's words are the error.
        """

        def compiler(binary):
            if binary.name == "a":
                raise build.BuildError("no such package")
            time.sleep(0.1)

        with pytest.raises(build.BuildError, match="no such package"):
            built(row("a"), row("b"), row("c"), compiler=compiler)

        assert [home.name[0] for home in tmp_path.iterdir()] == ["b"]


class TestGoMod:
    def test_replacements_are_kept(self, go_mod):
        """
        A fork that upstream builds with is built with here, for the version it names.
        """
        assert "replace a.example/b v1.0.0 => c.example/b v1.0.1" in go_mod(KUBE)

    def test_folders_become_published_versions(self, go_mod):
        """
        What upstream replaces by its own folders is taken under the version that is published.
        """
        assert "replace k8s.io/api => k8s.io/api v0.36.3" in go_mod(replace(KUBE, staging="v0.36.3"))

    def test_folders_without_a_version_are_left_out(self, go_mod):
        """
        A folder of upstream's repository can't be replaced by nothing.
        """
        assert not [line for line in go_mod(KUBE) if "k8s.io/api" in line]

    def test_the_module_is_required_in_its_version(self, go_mod):
        """
        The version that is listed is the version that is built.
        """
        assert go_mod(KUBE)[:3] == ["module build", "go 1.25.0", "require k8s.io/kubernetes v1.36.3"]

    def test_a_graph_has_the_modules_and_replacements_of_all(self, go_mod):
        """
        Then Go selects for each of them the newest library that any asks for.
        """
        lines = go_mod(NEIGHBOUR, KUBE, upstreams=({"Go": "1.9"}, UPSTREAM))

        assert lines == [
            "module build",
            "go 1.25.0",
            "require a.example/b v1.0.0",
            "require k8s.io/kubernetes v1.36.3",
            "replace a.example/b v1.0.0 => c.example/b v1.0.1",
        ]


class TestPackages:
    def test_a_command_is_a_package_of_its_module(self, tmp_path):
        """
        The module's root has no name of its own.
        """
        binary = replace(NEIGHBOUR, commands={"b": "", "c": "cmd/c"})

        assert build._packages(tmp_path, binary, {}) == {"b": "a.example/b", "c": "a.example/b/cmd/c"}

    def test_a_main_of_our_own_lies_in_a_folder_of_its_own(self, tmp_path):
        """
        So there is room for more than one in a graph; what a main embeds lies beside it.
        """
        (tmp_path / "own.go").write_text("package main")
        (tmp_path / "upstream").mkdir()
        (tmp_path / "upstream" / "facts.json").write_text("{}")
        binary = replace(NEIGHBOUR, main=tmp_path / "own.go", files={"embedded.json": "facts.json"})

        assert build._packages(tmp_path, binary, {"Dir": str(tmp_path / "upstream")}) == {"b": "./b"}
        assert sorted(file.name for file in (tmp_path / "b").iterdir()) == ["embedded.json", "main.go"]


class TestOverlay:
    def test_our_file_stands_in_a_copy_of_the_library(self, monkeypatch, tmp_path):
        """
        The rest of the library stays as it is published, and is what the throw-away module takes.
        """
        library = tmp_path / "library"
        (library / "inner").mkdir(parents=True)
        for name in ("one.go", "two.go"):
            (library / "inner" / name).write_text("theirs")
        (library / "inner").chmod(0o555)  # as Go's cache has it
        (tmp_path / "own.go").write_text("ours")
        asked = []
        monkeypatch.setattr(build, "_go", lambda *words: asked.append(words) or json.dumps({"Dir": str(library)}))

        build._overlay(tmp_path, replace(NEIGHBOUR, overlay={("l.example/l", "inner/two.go"): tmp_path / "own.go"}))

        copy = tmp_path / "overlay" / "l.example" / "l" / "inner"
        assert {file.name: file.read_text() for file in copy.iterdir()} == {"one.go": "theirs", "two.go": "ours"}
        assert copy.stat().st_mode & 0o200, "nobody but root could write there"
        assert asked[-1] == (tmp_path, "mod", "edit", "-replace=l.example/l=./overlay/l.example/l")


class TestRecipe:
    def test_our_own_files_are_part_of_it(self, tmp_path):
        """
        A main, or what stands for a library's file.
        """
        own = tmp_path / "own.go"
        binary = replace(NEIGHBOUR, overlay={("l.example/l", "two.go"): own})
        recipes = set()
        for text in ("package a", "package b"):
            own.write_text(text)
            recipes.add(build._recipe(binary))

        assert len(recipes) == 2

    def test_what_builds_its_pages_is_part_of_it(self, monkeypatch):
        """
        With another pnpm they are built anew.
        """
        recipes = set()
        for text in ("10.0.0", "10.0.1"):
            monkeypatch.setattr(build.web_ui, "recipe", lambda text=text: text)
            recipes |= {build._recipe(replace(NEIGHBOUR, web_ui=has_pages)) for has_pages in (False, True)}

        assert len(recipes) == 3

    @pytest.mark.parametrize("change", [{"version": "v1.1.0"}, {"staging": "v0.1.1"}])
    def test_the_neighbours_are_part_of_it(self, monkeypatch, change):
        """
        Libraries come with them.
        """
        binary = Binary(module="c.example/d", version="v1.0.0", seconds=1, commands={"d": ""}, beside=("b",))
        recipes = set()
        for neighbour in (NEIGHBOUR, replace(NEIGHBOUR, **change)):
            monkeypatch.setattr(build, "BINARIES", (neighbour, binary))
            recipes.add(build._recipe(binary))

        assert len(recipes) == 2

    def test_every_neighbour_is_a_binary(self):
        """
        A name that nothing has would be left out in silence.
        """
        assert {name for binary in BINARIES for name in binary.beside} <= {binary.name for binary in BINARIES}

    def test_a_graph_has_its_neighbours_graphs_in_it(self):
        """
        With only some of their modules the versions are others, and nothing is shared.
        """
        graphs = {binary.name: {binary.name, *binary.beside} for binary in BINARIES}
        for binary in BINARIES:
            for name in binary.beside:
                assert graphs[name] <= graphs[binary.name]


class TestSums:
    def test_have_every_module_that_is_built(self):
        """
        Whoever changes a row renews them.
        """
        known = {tuple(line.split()[:2]) for line in build.SUMS.read_text().splitlines()}
        rows = {(binary.module, binary.version) for binary in BINARIES}

        assert rows - known == set(), "make lock"
        assert ("github.com/pulumi/pulumi/sdk/v3", PULUMI) in known

    def test_a_module_that_nobody_has_looked_at_is_refused(self, monkeypatch, tmp_path):
        """
        The message names it, and what to do.
        """
        monkeypatch.setattr(build, "SUMS", tmp_path / "go.sum")
        build.SUMS.write_text("a.example/a v1.0.0 h1:a=\n")

        build._refuse_unknown("a", ["a.example/a v1.0.0 h1:a="])
        with pytest.raises(build.BuildError, match=r"^a takes modules .* b\.example/b v1\.0\.0\. .*`make lock`"):
            build._refuse_unknown("a", ["a.example/a v1.0.0 h1:a=", "b.example/b v1.0.0 h1:b="])

    def test_a_module_that_was_published_anew_is_refused(self, monkeypatch, tmp_path):
        """
        Its release is known, its hash is another.
        """
        monkeypatch.setattr(build, "SUMS", tmp_path / "go.sum")
        build.SUMS.write_text("a.example/a v1.0.0 h1:a=\n")

        with pytest.raises(build.BuildError, match="published them anew"):
            build._refuse_unknown("a", ["a.example/a v1.0.0 h1:other="])


class TestAlone:
    def test_the_same_is_built_by_one_at_a_time(self, monkeypatch, tmp_path):
        """
        Tests and `fleet lab up` may want the same program at the same time; the second finds what the first has built.
        """
        monkeypatch.setattr(build, "CACHE", tmp_path)
        entered = threading.Event()

        def enter():
            with build._alone(row("a")):
                entered.set()

        with build._alone(row("a")):
            second = threading.Thread(target=enter)
            second.start()
            assert not entered.wait(0.2)
        second.join(10)

        assert entered.is_set()
