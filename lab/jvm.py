"""A Java program with Micrometer's metrics, and the part of the machine's JDK that it runs on, for an image."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from .debian import libraries
from .node import run
from .toolchains import CACHE, BuildError
from .tools import find_tool

SHOP = Path(__file__).with_name("shop")
"""The program, and what it takes from Maven Central."""
RUNTIME, CLASSES = "/usr/lib/shop", "/opt/shop"
COMMAND = (
    f"{RUNTIME}/bin/java",
    *("-XX:+UseSerialGC", "-Xmx48m", "-XX:-UsePerfData"),
    *("-cp", f"{CLASSES}:{CLASSES}/*", "Shop"),
)
_MODULES = "java.base,java.logging,java.management,jdk.httpserver,jdk.management"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"


def files() -> dict[str, Path]:
    """Return what an image of the program holds: path in it -> file."""
    home = _built()
    found = {
        f"{folder}/{file.relative_to(home / part)}": file
        for part, folder in {"runtime": RUNTIME, "classes": CLASSES}.items()
        for file in sorted((home / part).rglob("*"))
        if file.is_file()
    }
    linked = [file for file in found.values() if file.suffix == ".so" or file.name == "java"]
    system = {path: one for file in linked for path, one in libraries(file, home) if not one.is_relative_to(home)}
    return found | system


def _built() -> Path:
    """Compile the program, and link the modules that it takes into a runtime, once per recipe."""
    texts = [file.read_bytes() for file in sorted(SHOP.iterdir())]
    recipe = hashlib.sha256(b"".join([*texts, run([find_tool("jlink"), "--version"]).encode()]))
    home = CACHE / f"shop-{recipe.hexdigest()[:12]}"
    if not home.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix=".building-") as folder:
            made = Path(folder) / "made"
            _take_jars(made / "classes")
            run([find_tool("javac"), "-cp", f"{made}/classes/*", "-d", f"{made}/classes", f"{SHOP}/Shop.java"])
            options = ["--strip-java-debug-attributes", "--no-header-files", "--no-man-pages"]
            run([find_tool("jlink"), *options, "--add-modules", _MODULES, "--output", f"{made}/runtime"])
            shutil.rmtree(made / "runtime" / "legal")  # links to what other modules have, too
            if not home.exists():  # by another process meanwhile
                made.rename(home)
    return home


def _take_jars(folder: Path) -> None:
    """Have Maven copy the jars into a folder; BuildError where one is not what it was when somebody looked at it."""
    run([find_tool("mvn"), "--batch-mode", "--quiet", f"--file={SHOP}/pom.xml", _COPY, f"-DoutputDirectory={folder}"])
    lines = (SHOP / "sha256sums").read_text(encoding="utf-8").splitlines()
    known = {name: digest for digest, name in map(str.split, lines)}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.iterdir()}
    if other := sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name)):
        raise BuildError(
            f"Maven's jars are not those of {SHOP / 'sha256sums'}: {', '.join(other)}. "
            "After a change of pom.xml write their hashes anew; otherwise somebody has published them anew."
        )
