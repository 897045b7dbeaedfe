"""What a shell or a test needs to work with the lab."""

import os
import shlex
import sys
from pathlib import Path

from .cluster import state
from .links import has_official_engine, user_folder


def backend() -> Path:
    """Give the folder of the engine's states."""
    return state() / "pulumi"


def temporary() -> Path:
    """Give the folder of temporary files, for its owner alone: the Kubernetes provider leaves credentials there."""
    folder = state() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def engine_home() -> Path:
    """
    Give the folder of the engine's own files, where it keeps no logs.

    Since release 3.254 it logs the properties of every operation in `logs`, which takes half of a preview's CPU. A file
    of this name is what keeps it from that.
    """
    folder = state() / "pulumi-home"
    folder.mkdir(parents=True, exist_ok=True)
    if not (logs := folder / "logs").exists():
        logs.touch()
    return folder


def environment() -> dict[str, str]:
    """
    Give the variables by name.

    The passphrase is empty: a lab has no secrets worth one. An official engine keeps its own home and its plugins.
    """
    backend().mkdir(parents=True, exist_ok=True)
    variables = {
        "PATH": _path(),
        "KUBECONFIG": str(state() / "kubeconfig"),
        "TMPDIR": str(temporary()),
        "PULUMI_BACKEND_URL": f"file://{backend()}?metadata=skip",  # a file beside each, broken by a kill
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_PARALLEL": "32",  # by default four per core: on two, what waits for its pods would hold all of them
    }
    if not has_official_engine():
        variables |= {
            "PULUMI_HOME": str(engine_home()),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
    return variables


def exports() -> str:
    """Give the same as lines for `eval`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment().items())


def _path() -> str:
    """Put this interpreter's folder first; the lab's tools come last, so that a user's own kubectl stays theirs."""
    interpreter = str(Path(sys.executable).parent)
    own = (interpreter, str(user_folder()))
    rest = [place for place in os.environ.get("PATH", "").split(os.pathsep) if place and place not in own]
    return os.pathsep.join([interpreter, *rest, str(user_folder())])
