"""The tools that judge rendered files, of the releases that a fleet deploys."""

import shutil
from functools import cache

from fleet.judges import is_of
from lab.build import command
from settings.images import ALERTMANAGER, PROMETHEUS

IMAGES = {"promtool": PROMETHEUS, "amtool": ALERTMANAGER, "alertmanager": ALERTMANAGER}


@cache
def tool(name: str) -> str:
    """Give a tool: the path's where it is of the release, or else the lab's, which is built if it has to be."""
    found = shutil.which(name)
    return found if found and is_of(found, IMAGES[name]) else str(command(name))
