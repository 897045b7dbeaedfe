import hashlib
from pathlib import Path

import pytest

from lab import debian, jvm
from lab.images import IMAGES, SHOP
from lab.toolchains import BuildError
from lab.tools import FOR_LONG_TESTS

LOADED = """
	libjli.so => {home}/runtime/lib/libjli.so (0x00007f1fce5dd000)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1fcde1e000)
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Stand in for Maven, the JDK and ldd; gives the commands that were run."""
    jars = {"micrometer.jar": b"micrometer", "model.jar": b"model"}
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "Shop.java").touch()
    (shop / "sha256sums").write_text(
        "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in jars.items())
    )
    ran = []

    def run(command, **_):
        ran.append(command)
        match Path(command[0]).name:
            case "mvn":
                [folder] = [Path(one.partition("=")[2]) for one in command if one.startswith("-DoutputDirectory=")]
                folder.mkdir(parents=True)
                for name, content in jars.items():
                    (folder / name).write_bytes(content)
            case "javac":
                (Path(command[command.index("-d") + 1]) / "Shop.class").touch()
            case "jlink" if "--output" in command:
                for file in ("bin/java", "lib/libjli.so", "lib/modules", "legal/java.base/LICENSE"):
                    path = Path(command[-1]) / file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
            case "ldd":
                return LOADED.format(home=next(tmp_path.glob("shop-*")))
        return "17.0"

    monkeypatch.setattr(jvm, "SHOP", shop)
    monkeypatch.setattr(jvm, "CACHE", tmp_path)
    monkeypatch.setattr(jvm, "find_tool", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(jvm, "run", run)
    monkeypatch.setattr(debian, "run", run)
    return jars, ran


class TestFiles:
    def test_are_program_jars_runtime_and_what_it_loads(self, machine):
        """
        A library of the runtime stands once, where the program looks for it.
        """
        found = jvm.files()

        assert sorted(found) == [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/opt/shop/Shop.class",
            "/opt/shop/micrometer.jar",
            "/opt/shop/model.jar",
            "/usr/lib/shop/bin/java",
            "/usr/lib/shop/lib/libjli.so",
            "/usr/lib/shop/lib/modules",
        ]
        assert jvm.COMMAND[0] in found

    def test_are_made_once(self, machine):
        """
        A lab that comes up again asks no repository, until the program or the JDK is another one.
        """
        _, ran = machine
        jvm.files()
        jvm.files()
        assert len([command for command in ran if "mvn" in command[0]]) == 1

        (jvm.SHOP / "Shop.java").write_text("// changed")
        jvm.files()
        assert len([command for command in ran if "mvn" in command[0]]) == 2

    @pytest.mark.parametrize("change", [{"model.jar": b"other"}, {"more.jar": b"more"}], ids=["changed", "more"])
    def test_jars_that_nobody_has_looked_at_are_refused(self, machine, change):
        """
        What a repository serves under a version may change; its hash is in the lab's files.
        """
        jars, _ = machine
        jars |= change

        with pytest.raises(BuildError, match=next(iter(change))):
            jvm.files()
        assert list(jvm.CACHE.glob("shop-*")) == []


def test_the_image_begins_with_the_program():
    """
    No lab has it unless somebody asks for the part.
    """
    [image] = [image for image in IMAGES if image.reference == SHOP]

    assert (image.part, image.entrypoint) == ("java", jvm.COMMAND)
    assert {"javac", "jlink", "mvn"} <= FOR_LONG_TESTS.keys()
