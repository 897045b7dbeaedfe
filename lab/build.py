"""Builds the commands of published Go modules into the user's cache, once per recipe."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import web_ui
from .binaries import BINARIES, TOOLS, Binary
from .progress import Progress, plainly
from .toolchains import CACHE, BuildError, go, run

SUMS = Path(__file__).with_name("go.sum")
"""The hash of every module that any build takes, by which Go holds what it fetches; `make lock` renews it."""
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-buildvcs=false -mod=mod",
    "GOGC": "400",  # the compiler spends less time on looking for garbage
    "GOTOOLCHAIN": "go1.26.10+auto",  # the newest that a module asks for: only one compiler's packages are shared
}
LEAN = ("-gcflags", "all=-dwarf=false")
"""The compiler need not write what `-s -w` makes the linker drop; that is a fifth of its time."""
AT_ONCE = 2
"""Builds: while one is linked or waits for the network, most cores have time for another."""


@dataclass(frozen=True)
class Started:
    """A build under way."""

    binary: Binary
    place: str
    began: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def __str__(self) -> str:
        return f"{self.binary.name} ({self.place}), {self.seconds:.0f} s, usually {self.binary.seconds} s"


def build(binaries: Iterable[Binary], report: Progress = plainly, every: float = 30) -> dict[str, Path]:
    """
    Build what the cache lacks and return the path of every command by its name.

    Each module is built in a throw-away module that requires it and keeps its replacements, which a plain
    `go install module@version` refuses. Statically, so that the results run in images made of nothing else.
    What is under way is told every so many seconds.
    """
    binaries = list(binaries)
    missing = [binary for binary in binaries if not _home(binary).exists()]
    if missing:
        began, minutes = time.monotonic(), round(sum(binary.seconds for binary in missing) / AT_ONCE / 60)
        report("builds", f"{len(missing)} to do, kept in {CACHE}; about {minutes or 1} min on two cores")
        _build_all(missing, report, every)
        report("builds", f"all done after {time.monotonic() - began:.0f} s")
    return {command: _home(binary) / command for binary in binaries for command in binary.commands}


def command(name: str) -> Path:
    """Give the path of one command, building the module that brings it if need be."""
    return build([binary for binary in (*BINARIES, *TOOLS) if name in binary.commands])[name]


def fetch(module: str, version: str) -> Path:
    """Give the folder of a published module's source."""
    CACHE.mkdir(parents=True, exist_ok=True)
    found = json.loads(_go(CACHE, "mod", "download", "-json", f"{module}@{version}"))
    _refuse_unknown(module, [f"{module} {version} {found['Sum']}"])
    return Path(found["Dir"])


def _build_all(missing: Sequence[Binary], report: Progress, every: float) -> None:
    """
    Build two at once, the longest first, so that none is left alone for long at the end.

    When one fails, no more are begun, and the error comes when the other one is done.
    """
    waiting = sorted(missing, key=lambda binary: -binary.seconds)
    running, failures = dict[Future[None], Started](), list[BuildError]()
    go()  # installed by one, not by both
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            while len(running) < AT_ONCE and (binary := _next(waiting, [each.binary for each in running.values()])):
                waiting.remove(binary)
                place = f"{len(missing) - len(waiting)} of {len(missing)}"
                running[pool.submit(_build, binary)] = Started(binary, place, time.monotonic())
            if not running:
                break
            report("builds", "; ".join(map(str, running.values())))
            for future in wait(running, every, FIRST_COMPLETED).done:
                started = running.pop(future)
                try:
                    future.result()
                    report("builds", f"{started.binary.name} done after {started.seconds:.0f} s")
                except BuildError as error:
                    report("builds", f"{started.binary.name} failed")
                    failures.append(error)
                    waiting.clear()
    if failures:
        raise failures[0]


def _next(waiting: Iterable[Binary], running: Collection[Binary]) -> Binary | None:
    """Give the first that has no neighbour under way, with which it would compile the same at the same time."""
    for binary in waiting:
        if not any(binary.name in other.beside or other.name in binary.beside for other in running):
            return binary
    return None


def _home(binary: Binary) -> Path:
    return CACHE / f"{binary.name}-{binary.version}-{_recipe(binary)}"


def _recipe(binary: Binary) -> str:
    text = repr((binary.commands, binary.files, binary.staging, binary.stamps))
    own = _own(binary) + (web_ui.recipe() if binary.web_ui else "")
    neighbours = "".join(
        f"{other.module} {other.version}{other.staging}{_own(other)}" for other in graph_of(binary) if other != binary
    )
    return hashlib.sha256((text + own + binary.tags + neighbours).encode()).hexdigest()[:8]


def _own(binary: Binary) -> str:
    """Give the text of all that is ours in a binary."""
    return "".join(file.read_text() for file in (binary.main, *binary.overlay.values()) if file)


def graph_of(binary: Binary) -> list[Binary]:
    """List the binaries whose modules are required together, in the same order for each of them."""
    return [other for other in (*BINARIES, *TOOLS) if other.name in (binary.name, *binary.beside)]


def _build(binary: Binary) -> None:
    with _alone(binary), tempfile.TemporaryDirectory(dir=CACHE, prefix=".building-") as folder:
        if _home(binary).exists():
            return
        work, graph = Path(folder), graph_of(binary)
        shutil.copyfile(SUMS, work / "go.sum")
        packages = prepare(work, graph)
        _refuse_unknown(binary.name, (work / "go.sum").read_text(encoding="utf-8").splitlines())
        for each in graph:
            _overlay(work, each)
        if binary.web_ui:
            web_ui.embed(_copy(work, binary.module), work)
        built = work / "built"
        stamps = " ".join(f"-X {variable}={text}" for variable, text in binary.stamps.items())
        flags = ["-trimpath", "-tags", binary.tags, *LEAN, "-ldflags", f"-s -w {stamps}"]
        for name, package in packages[binary.name].items():
            _go(work, "build", *flags, "-o", str(built / name), package)
        built.rename(_home(binary))


def prepare(work: Path, graph: Sequence[Binary], architecture: str = "") -> dict[str, dict[str, str]]:
    """
    Make the throw-away module of a graph, and let Go find all that it takes, for this machine if not said otherwise.

    Returns by the name of each binary its commands' packages.
    """
    sources = {each.name: _source(work, each) for each in graph}
    (work / "go.mod").write_text(_go_mod(graph, [Path(source["GoMod"]) for source in sources.values()]))
    packages = {each.name: _packages(work, each, sources[each.name]) for each in graph}
    # Go selects versions for the packages that it is asked for: for all of the graph they are the same each time.
    everything = [package for commands in packages.values() for package in commands.values()]
    tags = ",".join(each.tags for each in graph if each.tags)
    _go(work, "list", "-deps", "-tags", tags, *everything, **({"GOARCH": architecture} if architecture else {}))
    return packages


def _refuse_unknown(name: str, sums: Iterable[str]) -> None:
    """Raise BuildError where a build takes a module whose hash nobody has looked at."""
    known = set(SUMS.read_text(encoding="utf-8").splitlines())
    if unknown := sorted(" ".join(line.split()[:2]) for line in set(sums) - known):
        raise BuildError(
            f"{name} takes modules that are not in {SUMS}: {', '.join(unknown[:5])}. "
            "After a change of a row in lab/binaries.py run `make lock`; otherwise somebody has published them anew."
        )


@contextmanager
def _alone(binary: Binary) -> Generator[None]:
    """Wait while another process builds the same; its lock goes with it."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{_home(binary).name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _packages(work: Path, binary: Binary, source: Mapping[str, str]) -> dict[str, str]:
    """Give the package of each command; a main of our own is copied into a folder of the throw-away module."""
    if not binary.main:
        return {name: f"{binary.module}/{path}".rstrip("/") for name, path in binary.commands.items()}
    place = work / binary.name
    place.mkdir()
    shutil.copy(binary.main, place / "main.go")
    for name, path in binary.files.items():
        shutil.copyfile(Path(source["Dir"]) / path, place / name)
    return dict.fromkeys(binary.commands, f"./{binary.name}")


def _overlay(work: Path, binary: Binary) -> None:
    """Let our own files stand for some of a library's."""
    for (module, path), own in binary.overlay.items():
        shutil.copyfile(own, _copy(work, module) / path)


def _copy(work: Path, module: str) -> Path:
    """Give a module's folder that may be changed, and is built instead: Go takes changes nowhere else."""
    copy = work / "overlay" / module
    if not copy.exists():
        published = json.loads(_go(work, "list", "-m", "-json", module))["Dir"]
        shutil.copytree(published, copy, copy_function=shutil.copyfile)
        for folder, _, _ in os.walk(copy):
            Path(folder).chmod(0o755)  # Go's are read-only
        _go(work, "mod", "edit", f"-replace={module}=./{copy.relative_to(work)}")
    return copy


def _go_mod(graph: Sequence[Binary], upstream: Sequence[Path]) -> str:
    """Require all modules of a graph, whose own go.mod files are given, and keep what they replace."""
    facts = [json.loads(_go(file.parent, "mod", "edit", "-json", str(file))) for file in upstream]
    newest = max((each["Go"] for each in facts), key=lambda version: [int(number) for number in version.split(".")])
    lines = ["module build", f"go {newest}"]
    lines += [f"require {binary.module} {binary.version}" for binary in graph]
    for binary, each in zip(graph, facts, strict=True):
        lines += _replacements(binary, each.get("Replace") or [])
    return "\n".join(lines) + "\n"


def _replacements(binary: Binary, upstream: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for replace in upstream:
        old, new = replace["Old"], replace["New"]
        if new["Path"].startswith("."):
            if not binary.staging:
                continue
            new = {"Path": old["Path"], "Version": binary.staging}
        before = " ".join(filter(None, (old["Path"], old.get("Version"))))
        yield f"replace {before} => {new['Path']} {new['Version']}"


def _source(work: Path, binary: Binary) -> dict[str, str]:
    """Fetch a module; `Dir` is where its source lies, `GoMod` its go.mod."""
    try:
        return json.loads(_go(work, "mod", "download", "-json", f"{binary.module}@{binary.version}"))
    except BuildError:
        if not binary.main:
            raise
    # Some versions are published without the metadata that `download` asks for; importing them needs none.
    (work / "go.mod").write_text(f"module build\ngo 1.25\nrequire {binary.module} {binary.version}\n")
    package = re.findall(rf'"({re.escape(binary.module)}/[^"]+)"', binary.main.read_text())[0]
    return json.loads(_go(work, "list", "-e", "-json=Module", package))["Module"]


def _go(folder: Path, *arguments: str, **variables: str) -> str:
    return run(folder, [go(), *arguments], ENVIRONMENT | variables)
