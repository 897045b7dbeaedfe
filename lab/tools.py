"""What the lab needs from the machine, asked before anything is started."""

import os
import platform
import shutil
import sys
from collections.abc import Iterable

from .node import LabError

PACKAGES = {
    "busybox": "busybox-static",
    "ip": "iproute2",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "setsid": "util-linux",
    "unshare": "util-linux",
}
"""Tool -> the Debian package that brings it."""
FOR_TESTS = {
    "chromedriver": "chromium-driver",
    "chromium": "chromium",
    "curl": "curl",
    "python3": "python3",
    "systemd-analyze": "systemd",
    "useradd": "passwd",
}
"""Those that only tests need: of pages, and of a watcher's machine."""
FOR_LONG_TESTS = {"javac": "default-jdk-headless", "jlink": "default-jdk-headless", "mvn": "maven"}
"""Those that only tests need that are marked `long`, for a Java program."""
_GROUPS = {"--tests": FOR_TESTS, "--long": FOR_LONG_TESTS}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find_tool(name: str) -> str:
    """Give the path of one of the machine's tools; those of administrators are often not on a user's path."""
    found = shutil.which(name, path=PATH)
    if not found:
        raise LabError(missing([name]))
    return found


def check() -> None:
    """LabError with the one thing to do when the machine can't carry a lab."""
    if platform.system() != "Linux":
        raise LabError(
            f"the lab's clusters need Linux, and this is {platform.system()}; "
            "point contexts named hub, eu1 and us1 at kind, minikube or k3d and run `fleet lab connect`"
        )
    if os.geteuid():
        raise LabError("the lab makes namespaces and mounts, which needs root; run it as root, or with `sudo -E`")
    if lacking := absent():
        raise LabError(missing(lacking))


def missing(tools: Iterable[str]) -> str:
    """Say which tools are missing, and the command that brings them."""
    return f"missing on this machine: {', '.join(tools)}; run `apt-get install -y {packages(tools)}`"


def packages(tools: Iterable[str]) -> str:
    """Name the Debian packages that bring tools."""
    known = PACKAGES | FOR_TESTS | FOR_LONG_TESTS
    return " ".join(sorted({known[tool] for tool in tools}))


def absent(tools: Iterable[str] = PACKAGES) -> list[str]:
    """List the tools that this machine lacks."""
    return [tool for tool in tools if not shutil.which(tool, path=PATH)]


if __name__ == "__main__":
    print(packages(absent([*PACKAGES, *(tool for group in sys.argv[1:] for tool in _GROUPS[group])])))
