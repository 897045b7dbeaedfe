"""Where pods of this program run, how large they are, and what they carry: for all, for a cluster, for a component."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from .errors import Problem, RulesError
from .object_labels import INSTANCE, NAME, PART_OF, VERSION
from .pod_fields import PodField, consistent, named, spreadable, tolerable
from .section import Distinct, Section, Table
from .types import ADDRESS, HTTP_URL, AnnotationName, DnsName, ObjectLabel, ObjectLabelValue, Text, refused

_OF_CONTROLLERS = (
    *("controller-revision-hash", "pod-template-generation", "pod-template-hash"),
    *("apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"),
    *("app.kubernetes.io/managed-by", "operator.prometheus.io/name", "operator.prometheus.io/shard", "prometheus"),
)
TAKEN = frozenset({NAME, INSTANCE, VERSION, *PART_OF, *_OF_CONTROLLERS})
"""Labels of pods that this program or a controller sets; Services, NetworkPolicies and scrape jobs select by them."""
_OS = "kubernetes.io/os"
_SCRAPED, _OWN = "prometheus.io/", ("promfleet.io/", "pulumi.com/")


def _is_free(label: ObjectLabel) -> ObjectLabel:
    if label in TAKEN:
        raise refused(
            "is a label that pods have already", "Use another name: Services and policies select by this one."
        )
    return label


def _on_linux(selector: Mapping[ObjectLabel, ObjectLabelValue]) -> Mapping[ObjectLabel, ObjectLabelValue]:
    if selector.get(_OS, "linux") != "linux":
        rule = "leaves no node for pods of this program, whose images are for Linux"
        raise RulesError([Problem((_OS,), rule, "Write linux, or remove it.", selector[_OS])])
    return selector


def _says_nothing_of_ours(annotation: AnnotationName) -> AnnotationName:
    if annotation.startswith(_SCRAPED):
        raise refused("would have the pod scraped twice", "Remove it: each of these pods has a scrape job.")
    if annotation.startswith(_OWN):
        raise refused("is an annotation of this program", "Use another prefix.")
    return annotation


class Placement(Section):
    """Fields of pods, in Kubernetes' own words; `podLabels` and `podAnnotations` are those of their metadata."""

    node_selector: Annotated[Table[ObjectLabel, ObjectLabelValue], AfterValidator(_on_linux)] | None = None
    """Labels that a node must have; `kubernetes.io/os: linux` is always one of them."""
    tolerations: Annotated[list[Any], PodField("tolerations", tolerable)] | None = None
    """Taints of nodes that pods tolerate."""
    affinity: Annotated[dict[str, Any], PodField("affinity")] | None = None
    """Rules about nodes, and about other pods beside which they run."""
    topology_spread_constraints: Annotated[list[Any], PodField("topologySpreadConstraints", spreadable)] | None = None
    """How replicas are spread; without a `labelSelector`, one counts the pods of the same workload."""
    priority_class_name: DnsName | None = None
    """PriorityClass, which must exist in the cluster."""
    image_pull_secrets: Annotated[list[Any], PodField("imagePullSecrets", named)] | None = None
    """Secrets with credentials of the registry, in each namespace of this program."""
    pod_labels: Table[Annotated[ObjectLabel, AfterValidator(_is_free)], ObjectLabelValue] | None = None
    """Further labels of pods."""
    pod_annotations: Table[Annotated[AnnotationName, AfterValidator(_says_nothing_of_ours)], str] | None = None
    """Annotations of pods."""
    dns_policy: Annotated[str, PodField("dnsPolicy")] | None = None
    """How names are resolved."""
    dns_config: Annotated[dict[str, Any], PodField("dnsConfig")] | None = None
    """Name servers, search domains and options of the resolver."""
    host_aliases: Annotated[list[Any], PodField("hostAliases")] | None = None
    """Entries of /etc/hosts."""

    @property
    def written(self) -> Mapping[str, Any]:
        """The fields that the stack file has, by the name of their attribute."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}


_ALWAYS_EXEMPT = (
    *("$(KUBERNETES_SERVICE_HOST)", "localhost", "127.0.0.1", "::1", ".svc", ".cluster.local"),
    # Where clouds give pods their identity.
    *("169.254.0.0/16", "metadata.google.internal"),
)
ProxyUrl = Annotated[
    str,
    Text(HTTP_URL, "is not the URL of a proxy without user", "Write http://proxy.acme.example:3128."),
]
Exempt = Annotated[
    str,
    Text(
        rf"(?:\.?[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?|{ADDRESS})(?:/[0-9]{{1,3}})?",
        "is not a host, domain or range of addresses",
        "Write a host, .domain or range: prometheus.acme.example, .acme.internal, 10.0.0.0/8.",
    ),
]
"""An entry of NO_PROXY."""
Resources = Annotated[dict[str, Any], PodField("resources", consistent)]


class Container(Section):
    """A container that runs beside others in pods of several components."""

    resources: Resources | None = None
    """Requests and limits; what is left out stays as this program has it."""


class Component(Placement):
    """The pods of one component."""

    resources: Resources | None = None
    """Requests and limits of its main container; what is left out stays as this program has it."""


class Identified(Component):
    """The pods of one component that talk to clouds, and their ServiceAccount."""

    service_account_annotations: Table[Annotated[AnnotationName, AfterValidator(_says_nothing_of_ours)], str] | None = (
        None
    )
    """Annotations of its ServiceAccount, by which a cloud knows it: `eks.amazonaws.com/role-arn` (IRSA)."""


class Components(Section):
    """Components by the names that `images` has for them, with Thanos' roles apart, and containers beside them."""

    prometheus: Identified = Identified()
    """Prometheus, as a server and as an agent."""
    admission_webhook: Component = Component()
    """The Prometheus Operator's."""
    alertmanager: Identified = Identified()
    blackbox_exporter: Component = Component()
    grafana: Component = Component()
    kube_state_metrics: Component = Component()
    memcached: Component = Component()
    node_exporter: Component = Component()
    """node_exporter, which is on every node: only what is written here decides on which, and how large it is."""
    prometheus_operator: Component = Component()
    pushgateway: Component = Component()
    thanos_bucket_web: Component = Component()
    thanos_compactor: Component = Component()
    thanos_query: Component = Component()
    thanos_receive: Component = Component()
    """Ingestors of Receive."""
    thanos_receive_router: Component = Component()
    thanos_ruler: Component = Component()
    thanos_store: Component = Component()
    config_reloader: Container = Container()
    """Beside Alertmanager, and beside Prometheus where the operator runs it."""
    envoy: Container = Container()
    """In front of remote write of agents with an issuer."""
    kube_rbac_proxy: Container = Container()
    """In front of each server."""
    thanos_query_frontend: Container = Container()
    """Beside Query."""
    thanos_sidecar: Container = Container()
    """Beside Prometheus."""

    moved: ClassVar[Mapping[str, tuple[str, str]]] = {
        "thanos": (
            "is several components",
            "Write the one that is meant: thanosQuery, thanosStore, thanosCompactor, thanosReceive, thanosRuler, ….",
        )
    }


class Proxy(Section):
    """The HTTP proxy by which pods reach what is outside of their cluster."""

    url: ProxyUrl
    """Its URL, for requests by http and by https."""
    no_proxy: Distinct[Exempt] = ()
    """Hosts, `.domains` and CIDR ranges that are reached without it, beside the API server and names of the cluster."""

    @property
    def exempt(self) -> str:
        """NO_PROXY; Kubernetes puts the address of the API server in."""
        return ",".join(dict.fromkeys((*_ALWAYS_EXEMPT, *self.no_proxy)))


class Workloads(Placement):
    """Where pods run and what they carry; the more specific of two settings replaces the other, field by field."""

    proxy: Proxy | None = None
    """HTTP proxy of the pods that talk to the world outside of the cluster."""

    components: Components = Field(default_factory=Components)
    """The same for one component, and its resources."""


NODE_EXPORTER = "node_exporter"
ON_EVERY_NODE = frozenset({"affinity", "node_selector", "tolerations", "topology_spread_constraints"})
"""Fields that node-exporter gets only where they name it, since it would leave nodes unwatched."""


PROXIED = frozenset(
    {
        *("alertmanager", "blackbox_exporter", "grafana", "prometheus"),
        *("thanos_bucket_web", "thanos_compactor", "thanos_receive", "thanos_ruler", "thanos_store"),
    }
)
"""Components that talk to something outside of their cluster."""


def fields_of(component: str, layers: Iterable[Workloads]) -> dict[str, Any]:
    """
    Merge what all layers say about a component, the stack's first and the cluster's after it.

    A field replaces the whole field of what is less specific: the stack, the cluster, the component in the stack, the
    component in the cluster.
    """
    layers = tuple(layers)
    found = {name: value for layer in layers for name, value in layer.written.items() if name != "components"}
    if component not in PROXIED:
        found.pop("proxy", None)
    if component == NODE_EXPORTER:
        found = {name: value for name, value in found.items() if name not in ON_EVERY_NODE}
    for layer in layers:
        found |= getattr(layer.components, component).written
    return found


def resources_of(container: str, layers: Iterable[Workloads]) -> Mapping[str, Any] | None:
    """Return the resources of one of the containers that run beside others, of the last layer that has any."""
    found = [getattr(layer.components, container).resources for layer in layers]
    return next((resources for resources in reversed(found) if resources is not None), None)


COMPONENTS = tuple(
    name for name, field in Components.model_fields.items() if field.annotation in (Component, Identified)
)
"""Those that have pods of their own."""
_APPS = {name: name.replace("_", "-") for name in COMPONENTS} | {"memcached": "thanos-memcached"}


def component_of(app: str) -> str:
    """Return the component whose workload has this name, which a section, a bucket or a shard may be added to."""
    found = [name for name, known in _APPS.items() if app == known or app.startswith(f"{known}-")]
    if not found:
        raise ValueError(f"{app} is missing in Components")
    return max(found, key=lambda name: len(_APPS[name]))
