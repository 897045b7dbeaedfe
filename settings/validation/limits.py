"""Rules on limits of scrapes: what is above one from the start would never be scraped."""

from collections.abc import Iterator

from ..errors import Problem
from ..scrape import FEWEST_LABELS
from .partial import PartialFleet


def probes_are_within_limits(partial: PartialFleet) -> Iterator[Problem]:
    """A probe is a job, and above its limit of targets Prometheus asks for none."""
    allowed = partial.scrape.limits.targets if partial.scrape else 0
    for name, probe in partial.probes.items():
        if probe and allowed and len(probe.targets) > allowed:
            found = f"has {len(probe.targets)} targets, and a probe may have {allowed}"
            instead = "Divide it into several probes, or raise scrape.limits.targets."
            yield Problem(("probes", name, "targets"), f"{found}: Prometheus would ask for none of them", instead)


def external_labels_leave_room(partial: PartialFleet) -> Iterator[Problem]:
    """They count as labels of each series."""
    if not partial.scrape:
        return
    allowed, of_stack = partial.scrape.limits.labels, partial.external_labels
    places = {
        ("externalLabels",): of_stack,
        **{
            ("clusters", name, "externalLabels"): {**of_stack, **cluster.external_labels}
            for name, cluster in partial.clusters.items()
            if cluster and cluster.external_labels
        },
    }
    for path, labels in places.items():
        if (left := allowed - len(labels)) < FEWEST_LABELS:
            rule = (
                f"are {len(labels)}{' with those of the stack' if len(path) > 1 else ''}, which leaves {left} of the "
                f"{allowed} labels that a series may have; promfleet's own may need {FEWEST_LABELS}"
            )
            yield Problem(path, rule, "Write fewer, or raise scrape.limits.labels.")
