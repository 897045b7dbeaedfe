"""What a hub spends on its rules, as it says itself."""

import os
import time
from typing import NamedTuple

from fleet.client import PrometheusClient, open_prometheus
from fleet.stack import outputs
from lab.environment import environment

WINDOW = 600
"""Seconds that the hub is watched for."""


class Group(NamedTuple):
    """One group of rules, or all."""

    name: str
    rules: int
    share: float
    """Of its interval, 1 is all."""


def shares() -> list[Group]:
    """Ask the lab's hub, once it has evaluated for as long as the window; the last row is the sum."""
    os.environ |= environment()
    with open_prometheus(outputs("dev"), 2 * WINDOW) as hub:
        wait(hub)
        average = "avg_over_time(prometheus_rule_group_last_duration_seconds[10m])"
        found = {
            sample.labels["rule_group"].rpartition(";")[2]: sample.value
            for sample in hub.query(f"{average} / prometheus_rule_group_interval_seconds")
        }
        sizes = {group["name"]: len(group["rules"]) for group in hub.get("/api/v1/rules").json()["data"]["groups"]}
    groups = [Group(name, sizes[name], found[name]) for name in sorted(found, key=found.__getitem__, reverse=True)]
    return [*groups, Group("all", sum(sizes.values()), sum(found.values()))]


def wait(hub: PrometheusClient) -> None:
    """Wait until the hub runs for as long as the window: what it does at its start is not what it does."""
    while True:
        [age] = hub.query('time() - process_start_time_seconds{job="prometheus", instance="prometheus-hub"}')
        if age.value > WINDOW:
            return
        time.sleep(5)
