"""Paths of files that people's documents name: whether there is such a file in a pod, or on a watcher's machine."""

from collections.abc import Collection

_AUTHORITIES = "/etc/ssl/certs/"
"""Folder of the public authorities in the images of Prometheus and Alertmanager."""


def not_in_pod(path: object, instead: str, known: Collection[str] = ()) -> tuple[str, str] | None:
    """Say what is wrong with a path in a pod, which has the public authorities, `known` files, and what is mounted."""
    if isinstance(path, str) and (path in known or (path.startswith(_AUTHORITIES) and ".." not in path)):
        return None
    return "is the path of a file that is not in the pod", instead


def not_on_machine(path: object, instead: str) -> tuple[str, str] | None:
    """Say what is wrong with a path on a machine, of whose files nothing is known."""
    if isinstance(path, str) and path.startswith("/"):
        return None
    return "is not the absolute path of a file", instead
