"""blackbox_exporter: probes endpoints for the Prometheus server, and for no other client."""

from posixpath import basename, dirname
from typing import TypedDict

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from render.blackbox import APP, CONFIG_FILE, FLAGS, LISTEN, PROBE

from .k8s import auth_proxy
from .k8s.labels import metadata_of
from .k8s.probes import exec_probes
from .k8s.security import POD_RESTRICTED, RESTRICTED
from .k8s.service_account import bind_role, service_account
from .k8s.timeouts import timeouts
from .k8s.workload import deployment, pod_defaults, resources


class BlackboxExporterArgs(TypedDict):
    namespace: pulumi.Input[str]
    """Namespace of the Deployment."""
    prefix: str
    """Begins the names of its cluster-wide objects."""
    config: str
    """Text of its configuration file."""
    scraper: str
    """App, and ServiceAccount, of the Prometheus that scrapes its probes."""
    tls_secret: pulumi.Input[str]
    """Secret of type kubernetes.io/tls with the auth proxy's certificate."""
    image: str
    """Image of blackbox_exporter."""
    auth_proxy_image: str
    """Image of kube-rbac-proxy."""
    rollout_timeout: int
    """Seconds until a Deployment that does not become ready fails the update."""


class BlackboxExporter(pulumi.ComponentResource):
    """Probes the targets of the Prometheus server's scrape jobs."""

    def __init__(self, name: str, args: BlackboxExporterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("promfleet:index:BlackboxExporter", name, {}, opts)
        child_opts = ResourceOptions(parent=self)
        await_opts = ResourceOptions(parent=self, custom_timeouts=timeouts(args))
        metadata = metadata_of(APP, args["namespace"], args["image"])
        account = service_account(f"{name}-account", metadata, child_opts)
        proxies = auth_proxy.auth_proxies(
            name,
            [PROBE.called_by(args["scraper"])],
            image=args["auth_proxy_image"],
            metadata=metadata,
            account=account,
            tls_secret=args["tls_secret"],
            prefix=args["prefix"],
            await_opts=await_opts,
        )
        scraper: k8s.meta.v1.ObjectMetaArgsDict = {**metadata, "name": f"{APP}-scraper"}
        bind_role(f"{name}-scraper", scraper, proxies.roles[PROBE.name], args["scraper"], child_opts)
        file = basename(CONFIG_FILE)
        config = k8s.core.v1.ConfigMap(
            f"{name}-config", metadata=metadata, data={file: args["config"]}, opts=child_opts
        )
        deployment(name, APP, metadata, pod(args, account.metadata.name, proxies, config.metadata.name), await_opts)
        self.register_outputs({})


def pod(
    args: BlackboxExporterArgs, account: pulumi.Input[str], proxies: auth_proxy.AuthProxies, config: pulumi.Input[str]
) -> k8s.core.v1.PodSpecArgsDict:
    """The exporter on loopback, and its auth proxy."""
    server: k8s.core.v1.ContainerArgsDict = {
        "name": APP,
        "image": args["image"],
        "args": list(FLAGS),
        "resources": resources("10m", "24Mi", "128Mi"),
        "security_context": RESTRICTED,
        "volume_mounts": [{"name": "config", "mount_path": dirname(CONFIG_FILE), "read_only": True}],
        **exec_probes(LISTEN),
    }
    return {
        **pod_defaults(account, POD_RESTRICTED),
        "containers": [server, *proxies.containers],
        "volumes": [{"name": "config", "config_map": {"name": config}}, *proxies.volumes],
    }
