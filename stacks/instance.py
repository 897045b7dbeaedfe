"""The VM of a watcher, where the stack makes it."""

import pulumi
import pulumi_gcp as gcp
from pulumi import Alias, ResourceOptions

from components.watcher_instance import WatcherInstance, WatcherInstanceArgs
from render.instance import cluster_secret, machine_secret, startup_script
from settings import Fleet, Watcher, in_bytes
from settings.instance import Instance

_GI = 2**30


def deploy_instance(fleet: Fleet, watcher: Watcher, instance: Instance) -> None:
    """Make the VM, and export where it is and which secrets `fleet watcher upload` writes."""
    provider = gcp.Provider("gcp", project=instance.project)
    args = instance_args(fleet, watcher, instance)
    # Not after the watcher, whose name may be edited: what is made has the name of the VM.
    opts = ResourceOptions(provider=provider, aliases=[Alias(name=watcher.name)])
    component = WatcherInstance("watcher", args, opts)
    pulumi.export(
        "instance",
        {
            "name": instance.name,
            "project": instance.project,
            "zone": instance.zone,
            "address": component.address,
            "publicAddress": component.public_address,
            "secrets": [
                *(cluster_secret(instance.name, cluster) for cluster in watcher.clusters),
                machine_secret(instance.name),
            ],
        },
    )


def instance_args(fleet: Fleet, watcher: Watcher, instance: Instance) -> WatcherInstanceArgs:
    """Return the arguments of the VM."""
    args: WatcherInstanceArgs = {
        "name": instance.name,
        "project": instance.project,
        "zone": instance.zone,
        "machine_type": instance.machine_type,
        "image": instance.image,
        "disk_type": instance.disk_type,
        "storage": -(-in_bytes(watcher.storage) // _GI),
        "network": instance.network,
        "subnetwork": instance.subnetwork or instance.network.rpartition("/")[2],
        "startup_script": startup_script(instance.project, instance.name),
        "clusters": [*watcher.clusters],
        "public_address": instance.public_address,
        "ssh": instance.ssh,
        "protect": fleet.protect,
    }
    if watcher.expose:
        args["port"] = watcher.expose.port
        args["source_ranges"] = instance.source_ranges
    return args
