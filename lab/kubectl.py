"""Speaks to clusters with kubectl: the lab's own, or the one on the path for clusters that aren't the lab's."""

import json
import shutil
from pathlib import Path
from typing import Any

from .cluster import state
from .node import LabError, run

MANAGER = "fleet-lab"


def kubectl(*arguments: str, context: str, kubeconfig: Path | None = None, given: str = "") -> str:
    """Run kubectl against a context of a kubeconfig (by default: where kubectl looks for it)."""
    own = state() / "bin" / "kubectl"
    command = str(own) if own.exists() else shutil.which("kubectl")
    if not command:
        raise LabError("kubectl is neither built nor on the path; `fleet lab up` builds it")
    where = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    return run([command, f"--context={context}", *where, *arguments], given=given)


def apply(manifests: str, *, context: str, kubeconfig: Path | None = None) -> None:
    """Apply manifests on the server's side: only the fields they name become the lab's."""
    arguments = ("apply", "--server-side", f"--field-manager={MANAGER}", "--force-conflicts", "--filename=-")
    kubectl(*arguments, context=context, kubeconfig=kubeconfig, given=manifests)


def get(kind: str, *where: str, context: str, kubeconfig: Path | None = None) -> dict[str, Any]:
    """List objects, of one namespace or where `where` says."""
    return json.loads(kubectl("get", kind, *where, "--output=json", context=context, kubeconfig=kubeconfig))
