"""Rules on clusters in which the Prometheus Operator runs Prometheus."""

from collections.abc import Iterator, Mapping

from ..destinations import NOT_OPERATED
from ..errors import Problem
from ..images import release
from ..operator import RELEASE
from ..scrape_credentials import REFERENCE, MountedFile
from .partial import PartialFleet


def operators_run_prometheus(partial: PartialFleet) -> Iterator[Problem]:
    """An operator's cluster has an agent or a server; a watcher is outside of all clusters."""
    if not partial.watcher:
        return
    for name, cluster in partial.clusters.items():
        if cluster and cluster.operator and name in partial.watcher.clusters and name not in partial.agents:
            rule = "has no effect: the watcher scrapes this cluster from outside, and reads no ServiceMonitors"
            yield Problem(("clusters", name, "operator"), rule, "Remove it.")


def webhooks_judge_rules_that_are_evaluated(partial: PartialFleet) -> Iterator[Problem]:
    """PrometheusRules are evaluated by a server; an agent has no use for them."""
    for name, cluster in partial.clusters.items():
        if cluster and cluster.operator and cluster.operator.webhook and name != partial.server_cluster:
            rule = "has no effect: an agent evaluates no PrometheusRules, which are what it judges"
            yield Problem(("clusters", name, "operator", "webhook"), rule, "Remove it.")


def operated_servers_are_alone(partial: PartialFleet) -> Iterator[Problem]:
    """Thanos, which replicas need, belongs to a server that the operator does not run."""
    cluster = partial.cluster_of_server
    if cluster and cluster.operator and "thanos" in partial.present:
        rule = f"is not supported with Thanos, whose sidecar this program adds to its own {partial.server_noun} only"
        instead = (
            "Remove thanos, or remove operator here and write targets into applications or scrape.jobs and rules into "
            "alerts.ruleFiles; agents of other clusters may have an operator."
        )
        yield Problem(("clusters", str(partial.server_cluster), "operator"), rule, instead)


def operators_know_their_images(partial: PartialFleet) -> Iterator[Problem]:
    """The operator is told the release of Prometheus, and is of the release of the definitions that come with it."""
    operated = [cluster.operator for cluster in partial.clusters.values() if cluster and cluster.operator]
    if not partial.images or not operated:
        return
    if release(partial.images.prometheus) is None:
        rule = "has no tag like v3.15.0, from which the operator knows what this Prometheus supports"
        instead = "Write the release as the tag; a digest may follow it."
        yield Problem(("images", "prometheus"), rule, instead, partial.images.prometheus)
    used = {
        "prometheusOperator": (partial.images.prometheus_operator, any(one.install for one in operated)),
        "admissionWebhook": (partial.images.admission_webhook, any(one.webhook for one in operated)),
    }
    for key, (image, runs) in used.items():
        if runs and release(image) not in {None, RELEASE}:
            rule = f"is not release {RELEASE}, whose custom resource definitions this program installs"
            yield Problem(("images", key), rule, f"Write an image of v{RELEASE}.", image)


def operators_take_destinations(partial: PartialFleet) -> Iterator[Problem]:
    """The custom resources take most of what Prometheus does, and user and password from Secrets only."""
    for path, name, destination in partial.destinations:
        cluster = partial.clusters.get(name)
        if not cluster or not cluster.operator:
            continue
        for field, instead in NOT_OPERATED.items():
            section = destination.config if len(field) == 1 else destination.config.get(field[0], {})
            if isinstance(section, Mapping) and field[-1] in section:
                rule = f"has no counterpart in the custom resources of the Prometheus Operator {RELEASE}"
                yield Problem((*path, *field), rule, instead)
        user = destination.config.get("basic_auth")
        if not isinstance(user, Mapping):
            continue
        for key in ("username", "password"):
            file = user.get(f"{key}_file")
            if (key in user or file) and not (isinstance(file, MountedFile) and file.kind == "secret"):
                rule = "is not from a Secret, from which alone the Prometheus Operator takes it"
                yield Problem((*path, "basic_auth", key), rule, f"Write {key}: {REFERENCE}.")
