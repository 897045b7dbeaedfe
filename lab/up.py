"""Brings clusters up, and repairs those that are: every step asks first whether there is anything to do."""

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template

import psutil

from . import api, cgroups, components, credentials, images, network, store, tools
from .build import build
from .cluster import Cluster, enrol, known, state
from .connect import connect
from .environment import temporary
from .gcp import objectstore
from .kubectl import apply
from .links import link, needed
from .locks import alone, lift_dead
from .node import LabError, ensure, hold, in_namespaces, node_holder, run, tail, wait
from .parts import remember, wanted
from .progress import Progress, plainly

IMPORTED = "imported"
"""Names the file of a cluster that lists the archives whose images its containerd has."""


def up(
    names: Iterable[str], parts: Collection[str] = (), report: Progress = plainly, every: float = 30
) -> list[Cluster]:
    """
    Build what is missing, start what doesn't run, connect the clusters; hub, or else the first one, is the hub.

    `parts` come on top of what this lab has; a build under way is told of after `every` so many seconds.
    """
    tools.check()
    parts = wanted(parts)
    built = build(needed(parts), report, every)
    with alone(report):
        return _up(names, built, parts, report)


def _up(names: Iterable[str], built: Mapping[str, Path], parts: Collection[str], report: Progress) -> list[Cluster]:
    link(built)
    remember(parts)
    archives = images.archives(built, parts)
    for stack in lift_dead():
        report(stack, "unlocked: the pulumi that had locked it was killed")
    clusters = enrol(names)
    for cluster in clusters:
        credentials.prepare(cluster)
    file = credentials.write_kubeconfig(known())
    temporary()  # a shell may know it of a lab before
    bridge = network.wire()
    if objectstore.SERVER in built:
        objectstore.start()
    if new := [cluster for cluster in clusters if _is_new(cluster)]:
        basic = images.archives(built)
        made = store.store(components.binaries(), basic, report)
        for cluster in new:
            store.place(made, cluster.home / "containerd")
            _remember(cluster, basic)
    with ThreadPoolExecutor(len(clusters)) as pool:
        list(pool.map(lambda cluster: start(cluster, bridge, archives, report), clusters))
    everyone = sorted((cluster.name for cluster in known()), key=lambda name: name != "hub")
    connect(everyone, file)
    return clusters


def start(cluster: Cluster, bridge: psutil.Process, archives: Iterable[Path], report: Progress) -> None:
    """Bring one cluster to the point where pods can be deployed; LabError says what did not come up."""
    began = time.monotonic()
    report(cluster.name, "starting")
    node = _node(cluster, bridge)
    first = [components.etcd, components.apiserver, components.containerd]
    started = [ensure(node, make(cluster), components.environment(), cluster.logs) for make in first]
    _import(cluster, node, archives, report)
    report(cluster.name, "waiting for the API server")
    log = cluster.logs / "kube-apiserver.log"
    wait(lambda: api.is_serving(cluster), f"{cluster.name}: the API server is not ready", log, seconds=90)
    rest = [components.controllers, components.scheduler, components.kubelet, components.proxy]
    rest += [components.metadata_server]
    started += [ensure(node, make(cluster), components.environment(), cluster.logs) for make in rest]
    apply(manifests(cluster), context=cluster.name, kubeconfig=state() / "kubeconfig")
    report(cluster.name, "waiting for the node")
    log = cluster.logs / "kubelet.log"
    wait(lambda: api.is_node_ready(cluster), f"{cluster.name}: the node is not ready", log, seconds=90)
    report(cluster.name, "waiting for DNS and storage")
    _await_addons(cluster)
    report(cluster.name, f"ready after {time.monotonic() - began:.0f} s" if any(started) else "runs")


def manifests(cluster: Cluster) -> str:
    """Give the lab's own add-ons as YAML, with this cluster's addresses and folders."""
    files = sorted((Path(__file__).parent / "manifests").glob("*.yaml"))
    facts = {"dns": cluster.dns, "home": cluster.home, "objectstore": objectstore.ADDRESS}
    return "\n---\n".join(Template(file.read_text()).substitute(facts) for file in files)


def _node(cluster: Cluster, bridge: psutil.Process) -> psutil.Process:
    cgroups.prepare(cluster)
    components.write_files(cluster)
    log = cluster.logs / "holder.log"
    node = hold(node_holder(cluster), log)
    ready = Path(f"/proc/{node.pid}/root/run/ready")
    wait(ready.exists, f"{cluster.name}: the node's namespaces are not ready", log, seconds=10)
    network.plug(cluster, node, bridge)
    return node


def _import(cluster: Cluster, node: psutil.Process, archives: Iterable[Path], report: Progress) -> None:
    """Import the images that containerd has not; what it has is remembered by the archives' names."""
    imported = cluster.home / IMPORTED
    had = set(imported.read_text().split()) if imported.exists() else set()
    missing = [archive for archive in archives if archive.name not in had]
    if not missing:
        return
    ctr = [f"{components.binaries()}/ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io"]
    socket = Path(f"/proc/{node.pid}/root/run/containerd/containerd.sock")
    wait(socket.exists, f"{cluster.name}: containerd does not listen", cluster.logs / "containerd.log", seconds=30)
    for number, archive in enumerate(missing, 1):
        report(cluster.name, f"importing images ({number}/{len(missing)})")
        run(in_namespaces(node, *ctr, "images", "import", str(archive)))
    _remember(cluster, archives)


def _is_new(cluster: Cluster) -> bool:
    """Tell whether the cluster's containerd has never run."""
    folder = cluster.home / "containerd"
    return not folder.exists() or not any(folder.iterdir())


def _remember(cluster: Cluster, archives: Iterable[Path]) -> None:
    (cluster.home / IMPORTED).write_text("\n".join(archive.name for archive in archives))


def _await_addons(cluster: Cluster) -> None:
    try:
        wait(lambda: not api.unavailable(cluster), f"{cluster.name}: the add-ons are not available", seconds=120)
    except LabError as error:
        raise LabError(f"{error}: {', '.join(api.unavailable(cluster))}{tail(cluster.logs / 'kubelet.log')}") from None
