"""The app.kubernetes.io labels that every object carries, and the metadata that they are part of."""

import pulumi
import pulumi_kubernetes as k8s

from settings.object_labels import INSTANCE, NAME, PART_OF, VERSION

_LONGEST = 63
"""Characters of a label's value; a tag may have 128."""


def selector(app: str, instance: str) -> dict[str, str]:
    """Labels of a selector, which never change in the life of a workload."""
    return {NAME: app, INSTANCE: instance}


def pods_of_app(app: str) -> dict[str, str]:
    """Labels by which Services and NetworkPolicies find the pods of an app, whoever runs them; these may change."""
    return {INSTANCE: app}


def labels(app: str, instance: str, image: str) -> dict[str, str]:
    """
    All labels of an object; the version is the image's tag, and missing where the image has only a digest.

    A label's value begins and ends with a letter or digit, so that a tag is truncated and trimmed to such a value.
    """
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    value = tag.lstrip("._-")[:_LONGEST].rstrip("._-")
    version = {VERSION: value} if value else {}
    return {**selector(app, instance), **version, **PART_OF}


def metadata_of(app: str, namespace: pulumi.Input[str], image: str = "") -> k8s.meta.v1.ObjectMetaArgsDict:
    """Return the metadata of an app's objects: name, namespace and labels; without an image it runs in no pod."""
    return {"name": app, "namespace": namespace, "labels": labels(app, app, image)}
