"""What a watcher costs beside a hub and agents that scrape the same clusters, one after the other in the same lab."""

import re
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.lab.clusters import Lab
from tests.lab.fleets import AGENTS, DEV, WATCHER, WATCHER_STACK
from tests.lab.stack import eventually
from tests.lab.stacks import Stacks
from tests.lab.watching import Watching, watching_machine

WINDOW = 300
"""Seconds that figures are averages of."""
LISTENS = 9090
"""Port of Prometheus in its pod, on loopback."""
WARM_UP = 120
"""Seconds before: discovery, the first scrapes, and rules that look back."""
ALONE = WATCHER.changed({"watcher": {"hub": None}})
SELF = '{job="prometheus"}'
_SENT = re.compile(r"^prometheus_remote_storage_bytes_total\b.* (\S+)$", re.MULTILINE)
_STARTED = re.compile(r"^process_start_time_seconds (\S+)$", re.MULTILINE)
Ask = Callable[[str, str], Mapping[str, float]]
"""PromQL and a label -> values by that label."""


class Figures(NamedTuple):
    """Of one Prometheus, or of several."""

    series: float
    memory: float
    """MiB, the largest in the window."""
    cpu: float
    """Cores."""
    network: float
    """kB/s from the clusters to the server; nan where that crosses no cluster's border."""


class Compared(NamedTuple):
    """Both shapes in one run."""

    servers: dict[str, Figures]
    scrapes: dict[str, dict[str, float]]
    """Cluster -> who scrapes -> mean duration of a scrape in ms, over all targets."""


def compare() -> Compared:
    """Deploy the dev stack and then a watcher of its agents' clusters; the dev stack stands again at the end."""
    lab = Lab()
    servers: dict[str, Figures] = {}
    scrapes: dict[str, dict[str, float]] = {cluster: {} for cluster in AGENTS}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as at_end:
        stacks = Stacks(lab, Path(folder))
        [dev] = stacks.deploy({"dev": DEV})
        at_end.callback(lambda: stacks.deploy({"dev": DEV}))
        with stacks.open_prometheus(dev) as hub:

            def ask_hub(promql: str, label: str) -> Mapping[str, float]:
                return {sample.labels.get(label, ""): sample.value for sample in hub.query(promql)}

            wait(ask_hub)
            for cluster, known in figures(ask_hub).items():
                sent = sent_by_agent(lab, cluster) if cluster in AGENTS else float("nan")
                servers[f"agent {cluster}" if cluster in AGENTS else "hub"] = known._replace(network=sent)
            note(scrapes, "agent", ask_hub)
        stacks.deploy({})
        stacks.update(WATCHER_STACK, ALONE)
        with watching_machine(lab, stacks.stacks[WATCHER_STACK], Path(folder) / "machine") as watching:

            def ask_watcher(promql: str, label: str) -> Mapping[str, float]:
                return {known: value for (known,), value in watching.by(promql, label).items()}

            wait(ask_watcher)
            [alone] = figures(ask_watcher, cluster="watcher").values()
            servers["watcher"] = alone._replace(network=received_by(watching))
            note(scrapes, "watcher", ask_watcher)
        stacks.deploy({})
    both = [known for name, known in servers.items() if name != "watcher"]
    agents = [servers[f"agent {cluster}"] for cluster in AGENTS]
    together = Figures(*(sum(values) for values in zip(*both, strict=True)))._replace(
        network=sum(agent.network for agent in agents)
    )
    return Compared({"hub and agents": together, **servers}, scrapes)


def wait(ask: Ask) -> None:
    """Wait until each Prometheus is as old as the window and the time before it."""

    def assert_old() -> None:
        ages = ask(f"time() - max by (cluster) (process_start_time_seconds{SELF})", "cluster")
        assert ages
        assert min(ages.values()) > WARM_UP + WINDOW

    eventually(assert_old, 2 * (WARM_UP + WINDOW))


def figures(ask: Ask, cluster: str = ".+") -> dict[str, Figures]:
    """Ask what each Prometheus says of itself, by cluster."""
    mine = f'{{job="prometheus", cluster=~"{cluster}"}}'
    series = ask(f"max by (cluster) (prometheus_tsdb_head_series{mine})", "cluster")
    memory = ask(f"max by (cluster) (max_over_time(process_resident_memory_bytes{mine}[{WINDOW}s])) / 2^20", "cluster")
    cpu = ask(f"max by (cluster) (rate(process_cpu_seconds_total{mine}[{WINDOW}s]))", "cluster")
    return {name: Figures(series.get(name, 0), memory[name], cpu[name], float("nan")) for name in sorted(memory)}


def note(scrapes: dict[str, dict[str, float]], who: str, ask: Ask) -> None:
    """Add the mean duration of a scrape in each of the agents' clusters, but for that of Prometheus itself."""
    asked = f'avg by (cluster) (avg_over_time(scrape_duration_seconds{{job!="prometheus"}}[{WINDOW}s])) * 1000'
    found = ask(asked, "cluster")
    for cluster, sides in scrapes.items():
        sides[who] = found[cluster]


def sent_by_agent(lab: Lab, cluster: str) -> float:
    """Return what an agent sends since it started, in kB/s."""
    with lab.forwarded("prometheus-agent-0", LISTENS, cluster) as port:
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
    now = time.time()
    [sent], [started] = _SENT.findall(told), _STARTED.findall(told)
    return float(sent) / (now - float(started)) / 1000


def received_by(watching: Watching) -> float:
    """Return what a machine receives since its Prometheus started, in kB/s."""
    device = Path(f"/proc/{watching.machine.process.pid}/net/dev").read_text()
    received = sum(
        int(line.split(":")[1].split()[0]) for line in device.splitlines()[2:] if line.split(":")[0].strip() != "lo"
    )
    [age] = watching.by(f"time() - max(process_start_time_seconds{SELF})").values()
    return received / age / 1000
