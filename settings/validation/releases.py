"""Rules on releases of images, which must know the flags that promfleet gives them."""

import re
from collections.abc import Iterator, Mapping

from pydantic.alias_generators import to_camel

from ..errors import Problem
from .partial import PartialFleet

Release = tuple[int, int]
_RELOADS: Mapping[str, tuple[Release, str]] = {
    "prometheus": ((3, 12), "--config.auto-reload"),
    "blackbox_exporter": ((0, 28), "--config.enable-auto-reload"),
}
"""Image -> the first release that knows a flag with which it is always started in a pod."""
_OF_DELAYED_COMPACTION: Release = (0, 41)
"""First release of Thanos in which Prometheus delays compaction until the sidecar has uploaded."""


def releases_know_their_flags(partial: PartialFleet) -> Iterator[Problem]:
    """With a flag that it does not know a program does not start. An operator gives Prometheus flags of its own."""
    if not partial.images:
        return
    scraped = [name for name in (partial.server_cluster, *partial.agents) if name is not None]
    clusters = [cluster for name in scraped if (cluster := partial.clusters.get(name))]
    runs = {
        "prometheus": any(not cluster.operator for cluster in clusters),
        "blackbox_exporter": bool(scraped) and "probes" in partial.present,
    }
    for name, (least, flag) in _RELOADS.items():
        image = getattr(partial.images, name)
        if runs[name] and _is_before(image, least):
            needed = ".".join(map(str, least))
            rule = f"does not know {flag}, with which promfleet starts it"
            yield Problem(("images", to_camel(name)), rule, f"Write a release from v{needed} on.", image)


def releases_know_delayed_compaction(partial: PartialFleet) -> Iterator[Problem]:
    """Thanos knows `compaction: delayed`; each Prometheus that is new enough to start does."""
    if not partial.thanos or not partial.images or partial.thanos.compaction != "delayed":
        return
    if _is_before(image := partial.images.thanos, _OF_DELAYED_COMPACTION):
        needed = ".".join(map(str, _OF_DELAYED_COMPACTION))
        instead = f"Write a release from v{needed} on, or thanos.compaction: classic."
        yield Problem(("images", "thanos"), "does not support delayed compaction", instead, image)


def _is_before(image: str, least: Release) -> bool:
    """Whether the tag of an image names an earlier release; of other tags nothing is known."""
    release = re.search(r":v?(\d+)\.(\d+)", image)
    return release is not None and (int(release[1]), int(release[2])) < least
