"""A program of the machine's Debian with the libraries that it needs, for images; nothing is installed or started."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .node import run
from .toolchains import CACHE


def program(package: str, path: str) -> dict[str, Path]:
    """Give a program of a package and its libraries: path in an image -> file."""
    root = _unpacked(package)
    binary = root / path.strip("/")
    return {f"/usr/local/bin/{binary.name}": binary, **dict(libraries(binary, root))}


def _unpacked(package: str) -> Path:
    """
    Unpack a package, and those that it depends on and the machine lacks, into a folder of the cache.

    An installation would start the package's service.
    """
    root = CACHE / "debian" / package
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent) as folder:
            archives, unfinished = Path(folder, "archives"), Path(folder, "root")
            (archives / "partial").mkdir(parents=True)
            run(["apt-get", "update", "-qq"])
            options = ["--no-install-recommends", "--reinstall", "--download-only", "-qq", "-y"]
            run(["apt-get", "install", *options, "-o", f"Dir::Cache::archives={archives}", package])
            for archive in archives.glob("*.deb"):
                run(["dpkg", "-x", str(archive), str(unfinished)])
            shutil.move(unfinished, root)
    return root


def libraries(binary: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Ask the loader which files a binary takes, and put those of a folder where it looks for them in an image."""
    folders = {str(file.parent) for file in root.rglob("*.so.*")}
    for found in re.findall(
        r"(/\S+) \(0x", run(["ldd", str(binary)], environment={"LD_LIBRARY_PATH": ":".join(folders)})
    ):
        library = Path(found)
        yield f"/{library.relative_to(root)}" if library.is_relative_to(root) else found, library
