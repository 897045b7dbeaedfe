"""How the clusters' API servers are reached: by kr8s, which needs a hand with two things."""

import atexit
import shutil
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from typing import Any, TypedDict

from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs


class Options(TypedDict):
    """What `kr8s.api` is called with."""

    context: str
    kubeconfig: Any
    """A path, or what such a file says."""
    namespace: str


def client_options(context: str, kubeconfig: str | None) -> Options:
    """
    Give what a client of a context is made with.

    A namespace is said because kr8s would take that of the current context, which a kubeconfig need not have. It gets
    what the kubeconfigs say of this context alone: it would parse all of them for every client, for seconds where they
    have a hundred contexts.
    """
    _forget_keys()
    # kr8s warns of every Kubernetes release that is newer than itself; what is used of it here is as old as both.
    warnings.filterwarnings("ignore", message="Kubernetes version .* is not supported")
    only = None
    with suppress(KubeconfigError):  # kr8s says what is wrong with it
        only = Kubeconfigs().only(context, kubeconfig)
    return {"context": context, "kubeconfig": only or kubeconfig, "namespace": "default"}


@cache
def _forget_keys() -> None:
    """Give this process temporary files of its own: kr8s writes the keys of kubeconfigs to such, and leaves them."""
    tempfile.tempdir = tempfile.mkdtemp(prefix="promfleet-")
    atexit.register(shutil.rmtree, tempfile.tempdir, ignore_errors=True)
