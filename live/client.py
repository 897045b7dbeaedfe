"""Options of kr8s, the client of API servers, and its temporary files."""

import atexit
import json
import shutil
import socket
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from typing import Any, TypedDict

from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs

LIMIT = 15
"""Timeout in seconds of all that is asked of a cluster at once; clients of kr8s have none."""


class Options(TypedDict):
    """Arguments of `kr8s.api`."""

    context: str
    kubeconfig: Any
    """Path of a kubeconfig, or its content."""
    namespace: str


def client_options(context: str, kubeconfig: str | None) -> Options:
    """
    Return the arguments of a client for a context.

    `namespace` is set because kr8s would take that of the current context, which a kubeconfig need not have. It gets a
    kubeconfig with this context only: it would parse the whole one for every client, which takes seconds for a hundred
    contexts.
    """
    _forget_keys()
    # kr8s warns of every Kubernetes release that is newer than itself; the calls here exist in all of them.
    warnings.filterwarnings("ignore", message="Kubernetes version .* is not supported")
    only = None
    with suppress(KubeconfigError):  # kr8s reports the error
        only = Kubeconfigs().only(context, kubeconfig)
    return {"context": context, "kubeconfig": only or kubeconfig, "namespace": "default"}


def free_port() -> int:
    """
    Find a port of this machine to forward.

    That which kr8s finds by itself may belong to a client: it asks whether somebody listens there.
    """
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def reason(error: Exception) -> str:
    """Say on one line why a cluster could not be asked; some errors have no text, or one that says nothing."""
    if isinstance(error, json.JSONDecodeError):
        return f"the API server, or the plugin of the kubeconfig, answers something else than JSON ({error})"
    unsaid = f"no answer within {LIMIT} s" if isinstance(error, TimeoutError) else type(error).__name__
    said = " ".join(str(error).split()) or unsaid
    # A server may have written it, and moves no cursor.
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in said)


@cache
def _forget_keys() -> None:
    """Use a temporary folder that is deleted at exit: kr8s writes keys of kubeconfigs to files, and leaves them."""
    tempfile.tempdir = tempfile.mkdtemp(prefix="promfleet-")
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
