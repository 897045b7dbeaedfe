"""Pulumi component resources that programs compose, each with the signature `(name, args, opts)`."""

from .admission_webhook import AdmissionWebhook, AdmissionWebhookArgs
from .agent_prometheus import AgentPrometheus, AgentPrometheusArgs
from .alertmanager import Alertmanager, AlertmanagerArgs
from .application import Application, ApplicationArgs
from .blackbox_exporter import BlackboxExporter, BlackboxExporterArgs
from .cluster_access import ClusterAccess, ClusterAccessArgs
from .exposure import Exposure, ExposureArgs
from .grafana import Grafana, GrafanaArgs
from .hub_prometheus import HubPrometheus, HubPrometheusArgs
from .kube_state_metrics import KubeStateMetrics, KubeStateMetricsArgs
from .namespace import Namespace, NamespaceArgs
from .node_exporter import NodeExporter, NodeExporterArgs
from .prometheus_operator import PrometheusOperator, PrometheusOperatorArgs
from .prometheus_server import PrometheusServer, PrometheusServerArgs
from .pushgateway import Pushgateway, PushgatewayArgs
from .thanos.bucket_web import ThanosBucketWeb, ThanosBucketWebArgs
from .thanos.compactor import ThanosCompactor, ThanosCompactorArgs
from .thanos.memcached import ThanosMemcached, ThanosMemcachedArgs
from .thanos.query import ThanosQuery, ThanosQueryArgs
from .thanos.receive import ThanosReceive, ThanosReceiveArgs
from .thanos.ruler import ThanosRuler, ThanosRulerArgs
from .thanos.stack import ThanosStack, ThanosStackArgs
from .thanos.store import ThanosStore, ThanosStoreArgs

__all__ = [
    "AdmissionWebhook",
    "AdmissionWebhookArgs",
    "AgentPrometheus",
    "AgentPrometheusArgs",
    "Alertmanager",
    "AlertmanagerArgs",
    "Application",
    "ApplicationArgs",
    "BlackboxExporter",
    "BlackboxExporterArgs",
    "ClusterAccess",
    "ClusterAccessArgs",
    "Exposure",
    "ExposureArgs",
    "Grafana",
    "GrafanaArgs",
    "HubPrometheus",
    "HubPrometheusArgs",
    "KubeStateMetrics",
    "KubeStateMetricsArgs",
    "Namespace",
    "NamespaceArgs",
    "NodeExporter",
    "NodeExporterArgs",
    "PrometheusOperator",
    "PrometheusOperatorArgs",
    "PrometheusServer",
    "PrometheusServerArgs",
    "Pushgateway",
    "PushgatewayArgs",
    "ThanosBucketWeb",
    "ThanosBucketWebArgs",
    "ThanosCompactor",
    "ThanosCompactorArgs",
    "ThanosMemcached",
    "ThanosMemcachedArgs",
    "ThanosQuery",
    "ThanosQueryArgs",
    "ThanosReceive",
    "ThanosReceiveArgs",
    "ThanosRuler",
    "ThanosRulerArgs",
    "ThanosStack",
    "ThanosStackArgs",
    "ThanosStore",
    "ThanosStoreArgs",
]
