"""Versions of secrets in Google Cloud's Secret Manager, through gcloud, with whose login they are read and written."""

import base64
import json
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

_ENABLED, _DESTROYED = "ENABLED", "DESTROYED"
_INSTALL = "https://cloud.google.com/sdk/docs/install"
_ROLES = "roles/secretmanager.secretVersionManager and roles/secretmanager.secretAccessor"
"""Add, list and destroy; read the newest version, which is compared with what is to be uploaded."""


class SecretManagerError(Exception):
    """What gcloud could not do, and what to do about it."""


class Secret(NamedTuple):
    """A secret that exists; a stack makes it."""

    project: str
    name: str

    def upload(self, content: bytes) -> bool:
        """Add a version unless the newest has this content; tell whether one was added."""
        versions = self._versions()
        newest = max(versions, default=0)
        if versions.get(newest) == _ENABLED and self._content(newest) == content:
            return False
        self._run(["add", self.name, "--data-file=-"], content)
        return True

    def destroy_old(self) -> int:
        """Destroy all versions but the newest, and count those that were not destroyed before."""
        versions = self._versions()
        old = [number for number, state in versions.items() if number < max(versions) and state != _DESTROYED]
        for number in old:
            self._run(["destroy", str(number), f"--secret={self.name}"])
        return len(old)

    def _versions(self) -> dict[int, str]:
        """State of each version by its number."""
        found: list[dict[str, Any]] = json.loads(self._run(["list", self.name, "--format=json(name,state)"]))
        return {int(version["name"].rpartition("/")[2]): version["state"] for version in found}

    def _content(self, number: int) -> bytes:
        # Without a format gcloud prints what it takes for UTF-8, which the content is not.
        said = self._run(["access", str(number), f"--secret={self.name}", "--format=get(payload.data)"])
        return base64.urlsafe_b64decode(said.strip())

    def _run(self, arguments: Sequence[str], content: bytes | None = None) -> bytes:
        """Run gcloud; what is uploaded goes through its standard input, not through a file or its arguments."""
        command = ["gcloud", "secrets", "versions", *arguments, f"--project={self.project}", "--quiet"]
        try:
            done = subprocess.run(command, input=content, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise SecretManagerError(
                f"gcloud is not on the path. Install it ({_INSTALL}), and run `gcloud auth login`."
            ) from error
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())
            raise SecretManagerError(
                f"gcloud can't {arguments[0]} versions of secret {self.name} in project {self.project}: "
                f"{said.rstrip('.')}. Its account needs {_ROLES} there; "
                "run `pulumi up` first if the secret does not exist."
            )
        return done.stdout
