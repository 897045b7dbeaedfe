"""The app.kubernetes.io labels that every object carries."""

PART_OF = {"app.kubernetes.io/part-of": "promfleet"}


def selector(app: str, instance: str) -> dict[str, str]:
    """Labels that never change for the life of a workload."""
    return {"app.kubernetes.io/name": app, "app.kubernetes.io/instance": instance}


def labels(app: str, instance: str, image: str) -> dict[str, str]:
    """All labels of an object; the version is the image's tag, and missing where only a digest pins it."""
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    version = {"app.kubernetes.io/version": tag} if tag else {}
    return selector(app, instance) | version | PART_OF
