"""The rules on what runs on a watcher's machine, where there are no containers."""

from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from ..errors import Problem
from ..images import Images, release
from .partial import PartialFleet


def machines_install_releases(partial: PartialFleet) -> Iterator[Problem]:
    """Which archive is installed follows from the tag of the image that a cluster would run."""
    if "watcher" not in partial.present or not partial.images:
        return
    programs = {
        "prometheus": True,
        "alertmanager": partial.alertmanager,
        "blackbox_exporter": "probes" in partial.present,
    }
    for field in (name for name, runs in programs.items() if runs):
        image = getattr(partial.images, field)
        if not release(image):
            usual = getattr(Images(), field)
            instead = f"Write a tag with the release, before a digest if there is one: {usual}."
            rule = "names no release, of which the watcher's machine installs an archive"
            yield Problem(("images", to_camel(field)), rule, instead, image)


def machines_have_no_kubernetes_secrets(partial: PartialFleet) -> Iterator[Problem]:
    """Alertmanager on a machine has its secrets from the stack."""
    if "watcher" not in partial.present or not partial.alertmanager:
        return
    for receiver, contact in partial.alertmanager.receivers.items():
        for name, integration in contact.integrations.items():
            if integration.secret:
                path = ("alertmanager", "receivers", receiver, to_camel(name), "secret")
                rule = "is in a cluster, and Alertmanager on the watcher's machine"
                yield Problem(path, rule, "Remove it, and keep the secret in the stack.")
