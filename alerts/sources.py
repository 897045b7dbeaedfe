"""Which job brings a metric, as a matcher: targets of other people's may have metrics of the same names."""

STATE, NODE = 'job="kube-state-metrics"', 'job="node-exporter"'
_OF_PODS = "(/.+)?/kubelet/(pods|plugins)/.+|/var/lib/kubelet/.+|/run/.*"
DISK = f'{NODE}, fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|fuse.*", mountpoint!~"{_OF_PODS}"'
"""Filesystems that fill up, each once: not what is in memory, and not the mounts of pods."""
WINDOWS = 'job="windows-exporter"'
APISERVERS = 'job="apiserver"'
ALERTMANAGERS, NAME_SERVERS = 'job="alertmanager"', 'job="coredns"'
KUBELETS, CADVISOR, PROBES = 'job="kubelet"', 'job="cadvisor"', 'job="blackbox"'
SCRAPERS = 'job="prometheus"'
"""Hubs and agents."""
SENDERS = 'job=~"prometheus|thanos-ruler"'
"""Whoever writes to a hub or to Receive."""
STORAGES = 'job=~"prometheus|thanos-(receive|ruler)"'
"""Whatever has Prometheus' own storage."""
PUSHED = 'job!~"pods|services"'
"""What was pushed keeps its own job; annotated targets could bring the same names."""

KSM = ("kube-state-metrics",)
"""The `jobs` of an alert on the metrics of kube-state-metrics."""
