"""Keys of other tools, such as the values of kube-prometheus-stack, and what they are called here."""

from collections.abc import Mapping

_OF_PODS = "Write it in workloads of the stack, in clusters.<name>.workloads, or in workloads.components.<component>."
_OF_COMPONENTS = "Write workloads: {components: {<component>: {resources: …}}}."
_OF_CLUSTERS = (
    "Write it beside the label cluster, which can't be renamed: clusters: {eu1: {externalLabels: {clusterName: eu1}}}."
)
_OF_OWN_JOBS = (
    "Write it in a job of scrape.jobs. Of promfleet's own jobs, scrape.builtin.<job>.keep and drop choose metrics."
)
_OF_JOBS = "Write scrape: {jobs: [jobs/*.yaml]} in the stack."
_OF_RULES = "Write alerts: {ruleFiles: [rules/*.yaml]}."
_OF_WRITERS = "Write destinations: {<name>: {url: …}}, in an agent, or in the section of the server."
_SELECTED = ("podMonitor", "probe", "rule", "scrapeConfig", "serviceMonitor")

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("affinity", "dnsConfig", "dnsPolicy", "hostAliases", "imagePullSecrets", "nodeSelector"),
            *("podAnnotations", "podAntiAffinity", "podLabels", "priorityClassName", "tolerations"),
            "topologySpreadConstraints",
        ),
        _OF_PODS,
    ),
    "admissionWebhooks": "Write clusters.<name>.operator: {webhook: {issuer: <ClusterIssuer>}}.",
    **dict.fromkeys(("clusterLabel", "clusterLabelName", "clusterName", "cluster_label"), _OF_CLUSTERS),
    **dict.fromkeys(
        ("externalLabels", "external_labels"),
        "Write it in externalLabels of the stack, or in clusters.<name>.externalLabels.",
    ),
    "global": "Write images: {registry: …} and workloads: {imagePullSecrets: [{name: …}]}.",
    "imageRegistry": "Write images: {registry: …}.",
    "annotations": "Write expose: {annotations: {…}}; those of pods are workloads: {podAnnotations: {…}}.",
    "podMetadata": "Write workloads: {podLabels: {…}, podAnnotations: {…}}.",
    **dict.fromkeys(("additionalRemoteWrite", "remoteWrite", "remote_write"), _OF_WRITERS),
    **dict.fromkeys(
        ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "httpProxy", "httpsProxy", "noProxy", "proxyUrl"),
        "Write workloads: {proxy: {url: http://proxy.acme.example:3128, noProxy: [10.0.0.0/8]}}.",
    ),
    "resources": _OF_COMPONENTS,
    "enabled": "Remove the section if it is false, or else the key: a section takes effect by being written.",
    "disabled": "Write rules: {<alert>: {enabled: false}} for those that you do not want.",
    **dict.fromkeys(("imagePullPolicy", "pullPolicy"), "Remove it: images are pinned, and it is not offered."),
    **dict.fromkeys(("imagePullSecret", "pullSecrets"), "Write workloads: {imagePullSecrets: [{name: mirror}]}."),
    **dict.fromkeys(
        ("containerSecurityContext", "podSecurityContext", "securityContext"),
        "Remove it: pods run without privileges, and as a user of promfleet's.",
    ),
    **dict.fromkeys(
        ("serviceAccount", "serviceAccountName", "serviceAccounts"),
        "Write workloads: {components: {prometheus: {serviceAccountAnnotations: {…}}}}; promfleet makes the account.",
    ),
    **dict.fromkeys(
        (
            *("containers", "env", "envFrom", "extraContainers", "extraSecretMounts", "hostNetwork", "initContainers"),
            *("sidecars", "volumeMounts", "volumes"),
        ),
        "Remove it: containers, volumes and variables of yours are not offered.",
    ),
    "serviceAccountAnnotations": "Write it in workloads.components.prometheus or alertmanager.",
    "image": "Write it in images of the stack: {prometheus: mirror.acme.example/prometheus:v3.15.0}.",
    "existingSecret": "Write secret: {name: …, key: …}.",
    "apiServer": (
        "Remove it: the context has it. The machine of a watcher may have another way to it: "
        "watcher.clusters.<name>.apiServer."
    ),
    "serviceMonitor": "Remove it: what promfleet deploys is scraped.",
    **dict.fromkeys(
        (
            *("enableFeatures", "enableRemoteWriteReceiver", "outOfOrderTimeWindow", "out_of_order_time_window"),
            *("walCompression", "disableCompaction"),
        ),
        "Remove it: it is set where it is needed.",
    ),
    **dict.fromkeys(("extraArgs", "extraFlags", "additionalArgs"), "Remove it: flags are not offered."),
    **dict.fromkeys(
        ("kubeControllerManager", "kubeEtcd", "kubeScheduler"),
        "Write clusters.<name>.controlPlane: {scheduler: {…}, controllerManager: {…}, etcd: {…}, kubeProxy: {…}}.",
    ),
    "kubeProxy": "Write clusters.<name>.controlPlane: {kubeProxy: {…}}.",
    "shards": "Write it in agents.<cluster>: what is divided is an agent.",
    **dict.fromkeys(("additionalScrapeConfigs", "scrapeConfigs", "scrape_configs"), _OF_JOBS),
    **dict.fromkeys(("additionalServiceMonitors", "additionalPodMonitors"), f"{_OF_JOBS} Or write applications."),
    **dict.fromkeys(("additionalPrometheusRules", "ruleFiles", "rule_files"), _OF_RULES),
    **dict.fromkeys(
        (
            f"{kind}{selector}"
            for kind in _SELECTED
            for selector in ("Selector", "NamespaceSelector", "SelectorNilUsesHelmValues")
        ),
        "Write clusters: {<name>: {operator: {select: {labels: {…}, namespaces: […]}}}}.",
    ),
    **dict.fromkeys(
        ("additionalAlertManagerConfigs", "alerting", "alertingEndpoints", "alertmanagers"),
        "Write alerts: {alertmanagers: [{url: …}]}.",
    ),
    "inhibitRules": "Write it in alertmanager.",
    "defaultRules": "Write alerts: {rules: {<alert>: {enabled: false}}} for those that you do not want.",
    **dict.fromkeys(("scrapeInterval", "scrape_interval"), "Write scrape: {interval: 1m} in the stack."),
    **dict.fromkeys(("scrapeTimeout", "scrape_timeout"), "Write scrape: {timeout: 10s} in the stack."),
    **dict.fromkeys(
        (
            *("drop", "honorLabels", "honor_labels", "labeldrop", "metricRelabelings", "metric_relabel_configs"),
            *("relabelings", "relabel_configs"),
        ),
        _OF_OWN_JOBS,
    ),
    "prober": "Remove it: promfleet runs the blackbox_exporter of probes.",
    **dict.fromkeys(
        ("evalInterval", "evaluationInterval", "evaluation_interval"),
        "Remove it: rules are evaluated every scrape.interval, and groups of yours may have an interval.",
    ),
    **dict.fromkeys(
        ("prometheus", "prometheusSpec"), "Write hub, standalone or agents, with scrape and alerts beside."
    ),
    **dict.fromkeys(("kubeStateMetrics", "kube-state-metrics"), "Write clusters: {<name>: {kubeStateMetrics: {…}}}."),
    **dict.fromkeys(("nodeExporter", "prometheus-node-exporter"), "Write clusters: {<name>: {nodeExporter: {…}}}."),
    **dict.fromkeys(
        ("prometheus-windows-exporter", "windowsMonitoring"),
        "Write clusters: {<name>: {windowsExporter: {existing: {namespace: …, service: …}}}}.",
    ),
    "hostPort": "Write port: 9101.",
    "prometheusOperator": "Write clusters: {<name>: {operator: {install: true}}}.",
    "metricLabelsAllowlist": "Write labels: {pods: [app]}.",
    "retentionSize": "Remove it: samples use at most 80 % of storage.",
    **dict.fromkeys(
        ("persistence", "storageSpec", "volumeClaimTemplate", "volumeClaimTemplates"),
        "Write storage: 50Gi, and storageClass.",
    ),
    **dict.fromkeys(
        ("existingObjstoreSecret", "objectStorageConfig", "objstoreConfig"),
        "Write thanos: {storage: {gcs: {…}}}, or s3, or azure.",
    ),
    **dict.fromkeys(
        ("cachingBucketConfig", "indexCacheConfig", "queryRangeResponseCacheConfig"),
        "Write thanos: {memcached: {}}.",
    ),
    "storegateway": "Write store.",
    "stores": "Write endpoints: [{address: …, tlsSecret: …}].",
    **dict.fromkeys(("replicaLabel", "replicaLabels"), "Remove it: the label is replica."),
    **dict.fromkeys(
        (f"retentionResolution{name}" for name in ("Raw", "5m", "1h")),
        "Write retention: {raw: 90d, fiveMinutes: 1y, oneHour: 5y}.",
    ),
    "alertmanagerSpec": "Write its fields here, and those of pods into workloads: {components: {alertmanager: {…}}}.",
    **dict.fromkeys(
        (
            *("alertmanagerConfigMatcherStrategy", "alertmanagerConfigNamespaceSelector", "alertmanagerConfigSelector"),
            "alertmanagerConfiguration",
        ),
        "Remove it: AlertmanagerConfigs are not read. Write their receivers and routes here.",
    ),
    **dict.fromkeys(
        ("resolveTimeout", "resolve_timeout"), "Remove it: Prometheus says with each alert how long it is valid."
    ),
    "ingress": "Write expose: {host: …}; the server's says via: ingress.",
    **dict.fromkeys(
        ("externalUrl", "listenLocal", "portName", "routePrefix", "webRoutePrefix"),
        "Remove it: it follows from expose.",
    ),
    "overlays": "Write include: [shared/fleet.yaml].",
    **dict.fromkeys(
        ("enableAdminAPI", "logLevel", "remoteRead", "remote_read", "tracingConfig"), "Remove it: it is not offered."
    ),
}
"""Unknown key -> what to write instead, wherever it stands; where a section has such a key, it is known there."""
