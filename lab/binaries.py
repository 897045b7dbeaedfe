"""What the lab runs and where its source is published: one row per Go module, in the order of first need."""

from dataclasses import dataclass, field
from pathlib import Path

SOURCES = Path(__file__).parent
PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"
PULUMI = "v3.259.0"
"""The newest engine whose source is published as a module; later ones are released as binaries only."""


@dataclass(frozen=True, kw_only=True)
class Binary:
    """Commands that are built from one published Go module."""

    module: str
    version: str
    seconds: int
    """
    How long its build takes while another one has half of two cores: the processor time that it takes.

    Measured on a virtual machine with nothing else to do; beside the load of others it was twice as much.
    """
    commands: dict[str, str]
    """Name of a command -> its package below the module ("" is the module's root)."""
    main: Path | None = None
    """A main of our own to build instead of the module's packages."""
    files: dict[str, str] = field(default_factory=dict)
    """Files of the module that `main` embeds: their name beside it -> their path in the module."""
    overlay: dict[tuple[str, str], Path] = field(default_factory=dict)
    """A library's module and the path of a file in it -> our own file that stands for it."""
    stamps: dict[str, str] = field(default_factory=dict)
    """Variables that the module's own build sets to its version."""
    web_ui: bool = False
    """Whether the module has pages in web/ui as sources only, which its own build makes and embeds."""
    tags: str = ""
    """Build tags that the module's own build sets, or that leave out what nothing here uses."""
    beside: tuple[str, ...] = ()
    """Names of other binaries: this one gets the libraries that all of them accept, which are compiled once then."""
    part: str = ""
    """What it belongs to where not every lab has it: a name of `parts.PARTS`."""
    staging: str = ""
    """Version under which what the module replaces by its own folders (`=> ./…`) is published."""

    @property
    def name(self) -> str:
        """The first command, which stands for all of them."""
        return next(iter(self.commands))


BINARIES = (
    Binary(
        module="go.etcd.io/etcd/server/v3",
        version="v3.7.3",
        seconds=60,
        commands={"etcd": ""},
    ),
    Binary(
        module="github.com/containerd/containerd/v2",
        version="v2.4.2",
        seconds=85,
        commands={
            "containerd": "cmd/containerd",
            "containerd-shim-runc-v2": "cmd/containerd-shim-runc-v2",
            "ctr": "cmd/ctr",
        },
    ),
    Binary(
        module="github.com/containernetworking/plugins",
        version="v1.9.1",
        seconds=6,
        commands={
            "bridge": "plugins/main/bridge",
            "loopback": "plugins/main/loopback",
            "host-local": "plugins/ipam/host-local",
            "portmap": "plugins/meta/portmap",
        },
    ),
    Binary(
        module="k8s.io/kubernetes",
        version="v1.36.3",
        seconds=350,
        commands={"kube": ""},
        main=SOURCES / "kube" / "main.go",
        staging="v0.36.3",
        beside=("kube-rbac-proxy", "prometheus-config-reloader"),
        stamps={
            "k8s.io/component-base/version.gitVersion": "v1.36.3",
            "k8s.io/component-base/version.gitMajor": "1",
            "k8s.io/component-base/version.gitMinor": "36",
        },
    ),
    Binary(
        module="github.com/prometheus/prometheus",
        version="v0.315.0",
        seconds=190,
        commands={"prometheus": "cmd/prometheus", "promtool": "cmd/promtool"},
        # The discoveries of clouds are half of it, and none is deployed here.
        tags="builtinassets,remove_all_sd,enable_kubernetes_sd,enable_consul_sd,enable_dns_sd,enable_puppetdb_sd",
        web_ui=True,
        stamps={PROMETHEUS_VERSION: "3.15.0"},
    ),
    Binary(
        module="github.com/rancher/local-path-provisioner",
        version="v0.0.30",
        seconds=43,
        commands={"local-path-provisioner": ""},
        beside=("prometheus",),
    ),
    Binary(
        module="github.com/coredns/coredns",
        version="v1.14.7",  # the newest that is content with Prometheus's libraries
        seconds=13,
        commands={"coredns": ""},
        main=SOURCES / "dns" / "main.go",
        beside=("prometheus",),
    ),
    Binary(
        module="github.com/pulumi/pulumi/pkg/v3",
        version=PULUMI,
        seconds=262,
        commands={"pulumi": "cmd/pulumi"},
    ),
    Binary(
        module="github.com/pulumi/pulumi-kubernetes/provider/v4",
        version="v4.0.0-20260421181658-ec3b5cbc2087",
        seconds=230,
        commands={"pulumi-resource-kubernetes": ""},
        main=SOURCES / "engine" / "provider.go",
        files={
            "schema.json": "cmd/pulumi-resource-kubernetes/schema.json",
            "terraform-mapping.json": "cmd/pulumi-resource-kubernetes/terraform-mapping.json",
        },
        overlay={
            ("github.com/pulumi/pulumi-kubernetes/sdk/v4", "go/kubernetes/yaml/v2/kinds.go"): (
                SOURCES / "engine" / "kinds.go"
            ),
        },
        beside=("kube-state-metrics",),
    ),
    Binary(
        module="github.com/prometheus/node_exporter",
        version="v1.12.1",
        seconds=16,
        commands={"node_exporter": ""},
        stamps={PROMETHEUS_VERSION: "1.12.1"},
    ),
    Binary(
        module="k8s.io/kube-state-metrics/v2",
        version="v2.19.1",
        seconds=12,
        commands={"kube-state-metrics": ""},
        beside=("pulumi-resource-kubernetes",),
        stamps={PROMETHEUS_VERSION: "2.19.1"},
    ),
    Binary(
        module="github.com/brancz/kube-rbac-proxy",
        version="v0.22.1",
        seconds=5,
        commands={"kube-rbac-proxy": "cmd/kube-rbac-proxy"},
        beside=("kube", "prometheus-config-reloader"),
    ),
    Binary(
        module="github.com/prometheus/alertmanager",
        version="v0.31.0",
        seconds=40,
        commands={"alertmanager": "cmd/alertmanager", "amtool": "cmd/amtool"},
        stamps={PROMETHEUS_VERSION: "0.31.0"},
    ),
    Binary(
        module="github.com/prometheus-operator/prometheus-operator",
        version="v0.85.0",
        seconds=18,
        commands={"prometheus-config-reloader": "cmd/prometheus-config-reloader"},
        beside=("kube", "kube-rbac-proxy"),
    ),
    Binary(
        module="github.com/prometheus-operator/prometheus-operator",
        version="v0.85.0",
        seconds=17,
        commands={"operator": "cmd/operator"},
        part="operator",
        beside=("kube", "kube-rbac-proxy", "prometheus-config-reloader"),
        stamps={PROMETHEUS_VERSION: "0.85.0"},
    ),
    Binary(
        module="github.com/prometheus-operator/prometheus-operator",
        version="v0.85.0",
        seconds=8,
        commands={"admission-webhook": "cmd/admission-webhook"},
        part="operator",
        beside=("kube", "kube-rbac-proxy", "prometheus-config-reloader"),
        stamps={PROMETHEUS_VERSION: "0.85.0"},
    ),
    Binary(
        module="github.com/prometheus-operator/prometheus-operator",
        version="v0.84.0",
        seconds=200,  # shares no library with its successor
        commands={
            "operator-before": "cmd/operator",
            "prometheus-config-reloader-before": "cmd/prometheus-config-reloader",
        },
        part="upgrade",
        stamps={PROMETHEUS_VERSION: "0.84.0"},
    ),
    Binary(
        module="github.com/prometheus/pushgateway",
        version="v1.11.1",
        seconds=14,
        commands={"pushgateway": ""},
        stamps={PROMETHEUS_VERSION: "1.11.1"},
    ),
    Binary(
        module="github.com/prometheus/blackbox_exporter",
        version="v0.28.0",
        seconds=29,
        commands={"blackbox_exporter": ""},
        stamps={PROMETHEUS_VERSION: "0.28.0"},
    ),
    Binary(
        module="github.com/thanos-io/thanos",
        version="v0.42.5",
        seconds=147,
        commands={"thanos": "cmd/thanos"},
        part="thanos",
        tags="slicelabels",  # without it, it starts, and panics at the first query
        stamps={PROMETHEUS_VERSION: "0.42.5"},
    ),
    Binary(
        module="github.com/fsouza/fake-gcs-server",
        version="v1.56.1",
        seconds=36,
        commands={"fake-gcs-server": ""},
        part="thanos",
    ),
)

TOOLS = (
    Binary(
        module="github.com/zegl/kube-score",
        version="v1.20.0",
        seconds=17,
        commands={"kube-score": "cmd/kube-score"},
    ),
)
"""What no lab runs, and tests build when they need it."""
