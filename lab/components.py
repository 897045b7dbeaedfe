"""What runs on a node: each component's command line, and the configuration files that go with it."""

import json
from pathlib import Path
from string import Template
from typing import Any

import yaml

from . import cgroups
from .cluster import Cluster, state
from .links import METADATA_SERVER
from .tools import find_tool


def binaries() -> str:
    """Name the folder of links to all that was built."""
    return str(state() / "bin")


def environment() -> dict[str, str]:
    """Give what the components need to find each other's helpers, Debian's nft and runc, and this package."""
    return {
        "PATH": f"{binaries()}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }


def etcd(cluster: Cluster) -> list[str]:
    client = "http://127.0.0.1:2379"
    return _command(
        "etcd",
        data_dir=cluster.home / "etcd",
        listen_client_urls=client,
        advertise_client_urls=client,
        listen_peer_urls="http://127.0.0.1:2380",
        listen_metrics_urls=f"http://{cluster.node}:2381",
        unsafe_no_fsync="true",  # a lab may lose its data in a power cut, and shares its disk with two others
        log_level="warn",
    )


def apiserver(cluster: Cluster) -> list[str]:
    pki = cluster.pki
    return _command(
        "kube-apiserver",
        etcd_servers="http://127.0.0.1:2379",
        bind_address="0.0.0.0",  # noqa: S104
        advertise_address=cluster.node,
        service_cluster_ip_range=cluster.services,
        client_ca_file=pki / "ca.crt",
        tls_cert_file=pki / "apiserver.crt",
        tls_private_key_file=pki / "apiserver.key",
        service_account_issuer="https://kubernetes.default.svc.cluster.local",
        service_account_key_file=pki / "service-accounts.pub",
        service_account_signing_key_file=pki / "service-accounts.key",
        anonymous_auth="false",
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        kubelet_client_certificate=pki / "admin.crt",
        kubelet_client_key=pki / "admin.key",
        kubelet_certificate_authority=pki / "ca.crt",
        # The node's name is in no DNS.
        kubelet_preferred_address_types="InternalIP",
        allow_privileged="true",
        profiling="false",
    )


def controllers(cluster: Cluster) -> list[str]:
    return _command(
        "kube-controller-manager",
        kubeconfig=cluster.pki / "kube-controller-manager.kubeconfig",
        service_account_private_key_file=cluster.pki / "service-accounts.key",
        root_ca_file=cluster.pki / "ca.crt",
        cluster_signing_cert_file=cluster.pki / "ca.crt",
        cluster_signing_key_file=cluster.pki / "ca.key",
        allocate_node_cidrs="true",
        cluster_cidr=cluster.pods,
        node_cidr_mask_size=cluster.pods.prefixlen,
        service_cluster_ip_range=cluster.services,
        use_service_account_credentials="true",
        leader_elect="false",
        **_metrics(cluster.pki / "kube-controller-manager.kubeconfig"),
        profiling="false",
    )


def scheduler(cluster: Cluster) -> list[str]:
    return _command(
        "kube-scheduler",
        kubeconfig=cluster.pki / "kube-scheduler.kubeconfig",
        leader_elect="false",
        **_metrics(cluster.pki / "kube-scheduler.kubeconfig"),
        # The only certificate of the cluster's authority that names the node's address.
        tls_cert_file=cluster.pki / "kubelet.crt",
        tls_private_key_file=cluster.pki / "kubelet.key",
        profiling="false",
    )


def containerd(cluster: Cluster) -> list[str]:
    return [f"{binaries()}/containerd", "--config", str(cluster.home / "containerd.toml")]


def kubelet(cluster: Cluster) -> list[str]:
    return _command(
        "kubelet",
        config=cluster.home / "kubelet.yaml",
        kubeconfig=cluster.pki / "node.kubeconfig",
        hostname_override=cluster.name,
        node_ip=cluster.node,
    )


def proxy(cluster: Cluster) -> list[str]:
    return _command(
        "kube-proxy",
        kubeconfig=cluster.pki / "kube-proxy.kubeconfig",
        proxy_mode="nftables",
        cluster_cidr=cluster.pods,
        hostname_override=cluster.name,
        metrics_bind_address="0.0.0.0:10249",
        # The table of connections is the machine's, not the node's to size.
        conntrack_max_per_core="0",
    )


def metadata_server(cluster: Cluster) -> list[str]:
    """Give the command of a Python that goes by the server's name, so that it is told from others."""
    return [f"{binaries()}/{METADATA_SERVER}", "-m", "lab.gcp.metadata", cluster.name]


def kubelet_configuration(cluster: Cluster) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(cluster.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(cluster.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(cluster.pki / "kubelet.key"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.root(cluster),
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [cluster.dns],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "resolvConf": str(cluster.home / "resolv.conf"),
        "maxPods": 60,
        "syncFrequency": "10s",  # a changed ConfigMap is in its pods so soon, not within a minute
        # The disk is the machine's: nothing is evicted or collected for its sake.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
        "localStorageCapacityIsolation": False,
    }


def network_configuration(cluster: Cluster) -> dict[str, Any]:
    ranges = [[{"subnet": str(cluster.pods)}]]
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "ipMasqBackend": "nftables",
        "hairpinMode": True,
        # Leases on addresses end with the node, like the pods that hold them.
        "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/cni"},
    }
    ports = {"type": "portmap", "backend": "nftables", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "lab", "plugins": [bridge, ports]}


def write_files(cluster: Cluster) -> None:
    """Lay down the files that the command lines name, and the folders that must exist."""
    home = cluster.home
    for folder in ("cni", "log", "kubelet", "etcd", "containerd", "registries/_default"):
        (home / folder).mkdir(mode=0o700 if folder == "etcd" else 0o755, parents=True, exist_ok=True)
    for file in ("holder.sh", "containerd.toml"):
        (home / file).write_text(_template(file, cluster))
    (home / "kubelet.yaml").write_text(yaml.safe_dump(kubelet_configuration(cluster)))
    (home / "cni" / "10-lab.conflist").write_text(json.dumps(network_configuration(cluster)))
    # Nothing is pulled: who asks for an image that was not imported hears so at once.
    (home / "registries" / "_default" / "hosts.toml").write_text('server = "http://127.0.0.1:1"\n')
    # Pods ask the cluster's DNS, which knows the cluster only: nothing outside has a name here.
    (home / "resolv.conf").write_text("")


def _template(file: str, cluster: Cluster) -> str:
    text = Path(__file__).with_name(file).read_text()
    if not file.endswith(".toml"):
        return text
    return Template(text).substitute(home=cluster.home, binaries=binaries(), runc=find_tool("runc"))


def _metrics(kubeconfig: Path) -> dict[str, object]:
    """Flags by which a component serves its metrics to whom the API server lets read them, as kubeadm sets them."""
    return {
        "bind_address": "0.0.0.0",  # noqa: S104
        "authentication_kubeconfig": kubeconfig,
        "authentication_skip_lookup": "true",  # of authorities: who asks shows a token
        "authorization_kubeconfig": kubeconfig,
    }


def _command(name: str, **flags: object) -> list[str]:
    return [f"{binaries()}/{name}", *(f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items())]
