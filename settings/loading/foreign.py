"""Keys of other tools, such as the values of kube-prometheus-stack, and what they are called here."""

from collections.abc import Mapping

_OF_PODS = "Write it in workloads of the stack, in clusters.<name>.workloads, or in workloads.components.<component>."
_OF_COMPONENTS = "Write workloads: {components: {<component>: {resources: …}}}."
_OF_CLUSTERS = (
    "Write it beside the label cluster, which can't be renamed: clusters: {eu1: {externalLabels: {clusterName: eu1}}}."
)
_OF_WRITERS = "Write destinations: {<name>: {url: …}}, in an agent, or in the section of the server."

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("affinity", "dnsConfig", "dnsPolicy", "hostAliases", "imagePullSecrets", "nodeSelector"),
            *("podAnnotations", "podLabels", "priorityClassName", "tolerations", "topologySpreadConstraints"),
        ),
        _OF_PODS,
    ),
    "admissionWebhooks": "Write clusters.<name>.operator: {webhook: {issuer: <ClusterIssuer>}}.",
    **dict.fromkeys(("clusterLabel", "clusterLabelName", "clusterName", "cluster_label"), _OF_CLUSTERS),
    "externalLabels": "Write it in externalLabels of the stack, or in clusters.<name>.externalLabels.",
    "global": "Write images: {registry: …} and workloads: {imagePullSecrets: [{name: …}]}.",
    "imageRegistry": "Write images: {registry: …}.",
    "podMetadata": "Write workloads: {podLabels: {…}, podAnnotations: {…}}.",
    **dict.fromkeys(("additionalRemoteWrite", "remoteWrite", "remote_write"), _OF_WRITERS),
    "resources": _OF_COMPONENTS,
    **dict.fromkeys(
        ("kubeControllerManager", "kubeEtcd", "kubeScheduler"),
        "Write clusters.<name>.controlPlane: {scheduler: {…}, controllerManager: {…}, etcd: {…}, kubeProxy: {…}}.",
    ),
    "kubeProxy": "Write clusters.<name>.controlPlane: {kubeProxy: {…}}.",
    "shards": "Write it in agents.<cluster>: what is divided is an agent.",
}
"""Unknown key -> what to write instead, wherever it stands; where a section has such a key, it is known there."""
