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
    **dict.fromkeys(("clusterLabel", "clusterLabelName", "clusterName", "cluster_label"), _OF_CLUSTERS),
    "externalLabels": "Write it in externalLabels of the stack, or in clusters.<name>.externalLabels.",
    "global": "Write images: {registry: …} and workloads: {imagePullSecrets: [{name: …}]}.",
    "imageRegistry": "Write images: {registry: …}.",
    "podMetadata": "Write workloads: {podLabels: {…}, podAnnotations: {…}}.",
    **dict.fromkeys(("additionalRemoteWrite", "remoteWrite", "remote_write"), _OF_WRITERS),
    **dict.fromkeys(
        ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "httpProxy", "httpsProxy", "noProxy", "proxyUrl"),
        "Write workloads: {proxy: {url: http://proxy.acme.example:3128, noProxy: [10.0.0.0/8]}}.",
    ),
    "resources": _OF_COMPONENTS,
}
"""Unknown key -> what to write instead, wherever it stands; where a section has such a key, it is known there."""
