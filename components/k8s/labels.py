"""The app.kubernetes.io labels that every object carries, and the metadata that they are part of."""

import pulumi
import pulumi_kubernetes as k8s

_LONGEST = 63
"""Characters of a label's value; a tag may have 128."""

PART_OF = {"app.kubernetes.io/part-of": "promfleet"}


def selector(app: str, instance: str) -> dict[str, str]:
    """Labels that never change for the life of a workload."""
    return {"app.kubernetes.io/name": app, "app.kubernetes.io/instance": instance}


def labels(app: str, instance: str, image: str) -> dict[str, str]:
    """
    All labels of an object; the version is the image's tag, and missing where only a digest pins it.

    A value begins and ends with a letter or digit, so that such a tag is cut and trimmed.
    """
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    value = tag.lstrip("._-")[:_LONGEST].rstrip("._-")
    version = {"app.kubernetes.io/version": value} if value else {}
    return selector(app, instance) | version | PART_OF


def metadata_of(app: str, namespace: pulumi.Input[str], image: str = "") -> k8s.meta.v1.ObjectMetaArgsDict:
    """Return name, namespace and labels of what belongs to an app; without an image nothing of it runs in a pod."""
    return {"name": app, "namespace": namespace, "labels": labels(app, app, image)}
