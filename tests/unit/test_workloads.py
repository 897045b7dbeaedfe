from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
import yaml

from render.alertmanager import alertmanager_config
from render.blackbox import blackbox_config
from render.prometheus.agent import agent_remote_write
from settings import Fleet, Images, from_file
from settings.pod_fields import quantity
from settings.workloads import Components, Proxy, Workloads, component_of, fields_of
from stacks import deploy
from stacks.placement import merged
from tests import ROOT
from tests.unit.builders import EVERYTHING, HUB, fleet
from tests.unit.conftest import Engine, validate, write_kubeconfig
from tests.unit.shipped import OTHER_STACK

TAINT = {"key": "dedicated", "operator": "Equal", "value": "monitoring", "effect": "NoSchedule"}
NODES = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "pool_name", "operator": "In", "values": ["a"]}]}]
        }
    }
}
ZONES = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
PLACED: dict[str, Any] = {
    "nodeSelector": {"acme.example/pool_name": "monitoring"},
    "tolerations": [TAINT],
    "affinity": NODES,
    "topologySpreadConstraints": [ZONES],
    "priorityClassName": "monitoring",
    "imagePullSecrets": [{"name": "mirror"}],
    "podLabels": {"sidecar.istio.io/inject": "false"},
    "podAnnotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["10.0.0.10"], "options": [{"name": "ndots", "value": "2"}]},
    "hostAliases": [{"ip": "10.0.0.20", "hostnames": ["hub.example"]}],
}
"""Every field that all pods may get."""
IMAGES = Images.model_fields.keys() - {"registry"}
MIRROR = "mirror.acme.example:5000/platform"
OF_ALL_NODES = {"nodeSelector", "tolerations", "affinity", "topologySpreadConstraints"}
"""Those of them that node-exporter gets only by name."""
OF_METADATA = {"podLabels": "labels", "podAnnotations": "annotations"}
SIZE = {"requests": {"cpu": "7", "memory": "77Gi"}, "limits": {"memory": "78Gi"}}
EXAMPLES = sorted(file.name for file in ROOT.glob("Pulumi.*.yaml"))


def pods(engine: Engine) -> dict[tuple[str, str], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The metadata and the spec of each pod, by cluster and name; a custom resource of the operator has both in one."""
    found = {}
    for made in engine.resources:
        spec = made.inputs.get("spec", {})
        if not made.provider:
            continue
        place = (made.provider.split("::")[-2], made.inputs.get("metadata", {}).get("name"))
        if "podMetadata" in spec:
            found[place] = spec["podMetadata"], spec
        elif "containers" in (template := spec.get("template", {})).get("spec", {}):
            found[place] = template["metadata"], template["spec"]
    return found


def images(spec: Mapping[str, Any]) -> Iterator[str]:
    """What a pod runs, and what an operator puts into others."""
    asked = "--prometheus-config-reloader="
    for one in (spec, *containers(spec)):
        if "image" in one:
            yield one["image"]
        yield from (arg.removeprefix(asked) for arg in one.get("args", []) if str(arg).startswith(asked))


def containers(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from spec["containers"]
    yield from spec.get("initContainers", [])


def deployed(model: Fleet) -> Engine:
    engine = Engine()
    engine.stacks["organization/promfleet/hub"] = OTHER_STACK
    return engine.deploy(lambda: deploy(model))


@pytest.fixture(scope="module", params=[*EXAMPLES, "everything"])
def placed(request, tmp_path_factory):
    """Each example stack, and one with every section, as it is and with all that may be written for all; read only."""
    model = Fleet.model_validate(EVERYTHING) if request.param == "everything" else from_file(ROOT / request.param)
    kubeconfig = tmp_path_factory.mktemp("placed") / "kubeconfig"
    write_kubeconfig(kubeconfig, *(cluster.context for cluster in model.clusters.values()))
    sized = {field.alias: {"resources": SIZE} for field in Components.model_fields.values()}
    written = Workloads.model_validate({**PLACED, "components": sized})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        return [
            deployed(model),
            deployed(model.model_copy(update={"workloads": written, "images": Images(registry=MIRROR)})),
        ]


class TestEveryPod:
    def test_gets_each_field(self, placed):
        """
        What is written for the stack reaches every pod of every component, whoever runs it, in Kubernetes' own words.
        """
        before, after = map(pods, placed)

        assert before.keys() == after.keys()
        for (cluster, name), (metadata, spec) in after.items():
            was_metadata, was = before[cluster, name]
            for field, value in PLACED.items():
                if name == "node-exporter" and field in OF_ALL_NODES:
                    assert spec.get(field) == was.get(field)
                elif field in OF_METADATA:
                    key = OF_METADATA[field]
                    assert metadata[key] == {**was_metadata.get(key, {}), **value}
                elif field == "nodeSelector":
                    assert spec[field] == {"kubernetes.io/os": "linux", **value}
                elif field == "topologySpreadConstraints":
                    [constraint] = spec[field]
                    own = {"matchLabels": {"app.kubernetes.io/instance": name}}
                    assert constraint == {**ZONES, "labelSelector": own}
                else:
                    assert spec[field] == value

    def test_is_sized(self, placed):
        """
        Each container has settings of its own by which it can be sized: its component's, or its own name's.
        """
        for _, spec in pods(placed[1]).values():
            assert [one["name"] for one in containers(spec) if one["resources"] != SIZE] == []

    def test_is_pulled_from_the_registry_of_all(self, placed):
        """
        With one registry for all, no image comes from another one, and each keeps its path.
        """
        expected = {f"{MIRROR}/{getattr(Images(), name).partition('/')[2]}" for name in IMAGES}
        asked = {image for _, spec in pods(placed[1]).values() for image in images(spec)}

        assert asked
        assert asked <= expected

    def test_differs_in_nothing_else(self, placed):
        """
        Without the section, no pod has one of the fields but what its component has itself.
        """
        for _, spec in pods(placed[0]).values():
            assert spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
            assert not {"priorityClassName", "imagePullSecrets", "dnsPolicy", "hostAliases"} & spec.keys()


ROLE = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/metrics"}


def test_a_service_account_is_known_to_a_cloud(kubeconfig):
    """
    That of the pods of a component, of each cluster, with an operator too, and no client's.
    """
    of_eu1 = {"components": {"prometheus": {"serviceAccountAnnotations": ROLE}}}
    clusters = {
        "hub": {"context": "hub"},
        "eu1": {"context": "eu1", "operator": {"install": True}, "workloads": of_eu1},
    }
    components = {"alertmanager": {"serviceAccountAnnotations": ROLE}}
    described = Fleet.model_validate({**EVERYTHING, "clusters": clusters, "workloads": {"components": components}})

    made = Engine().deploy(lambda: deploy(described))

    accounts = [item["metadata"] for item in made.objects if item["kind"] == "ServiceAccount"]
    annotated = [one["name"] for one in accounts if ROLE.items() <= one.get("annotations", {}).items()]
    assert sorted(annotated) == ["alertmanager", "prometheus-agent"]
    assert not [spec for _, spec in pods(made).values() if "service_account_annotations" in str(spec)]


def test_every_field_is_one_that_kubernetes_has(kubeconfig):
    """
    No pod of any component has a field that its published schema does not know, nor a resource of the operator.
    """
    clusters = {"hub": {"context": "hub"}, "eu1": {"context": "eu1", "operator": {"install": True}}}
    added = {"workloads": PLACED, "externalLabels": {"environment": "prod"}}
    described = Fleet.model_validate({**EVERYTHING, "clusters": clusters, **added})

    made = Engine().deploy(lambda: deploy(described))

    assert {name for _, name in pods(made)} > {"node-exporter", "prometheus-agent", "prometheus-operator"}
    validate(made.objects)


def spec_of(engine: Engine, cluster: str, name: str) -> Mapping[str, Any]:
    return pods(engine)[cluster, name][1]


@pytest.fixture(scope="module")
def layered(kubeconfig):
    """Each layer says its own name, of a key that it shares with the next; tests only read it."""
    described = fleet(
        clusters={
            "hub": {"context": "hub"},
            "eu1": {
                "context": "eu1",
                "workloads": {
                    "nodeSelector": {"says": "cluster"},
                    "priorityClassName": "cluster",
                    "components": {"prometheus": {"priorityClassName": "component-in-cluster"}},
                },
            },
        },
        hub=HUB,
        agents={"eu1": {}},
        workloads={
            "nodeSelector": {"says": "stack", "pool": "stack"},
            "priorityClassName": "stack",
            "components": {
                "prometheus": {"priorityClassName": "component"},
                "kubeStateMetrics": {"nodeSelector": {"says": "component"}},
                "nodeExporter": {"tolerations": [TAINT]},
            },
        },
    )
    return Engine().deploy(lambda: deploy(described))


class TestPrecedence:
    @pytest.mark.parametrize(
        ("cluster", "name", "selector", "priority"),
        [
            ("hub", "prometheus-hub", {"says": "stack", "pool": "stack"}, "component"),
            ("hub", "kube-state-metrics", {"says": "component"}, "stack"),
            ("eu1", "kube-state-metrics", {"says": "component"}, "cluster"),
            ("eu1", "prometheus-agent", {"says": "cluster"}, "component-in-cluster"),
            ("eu1", "node-exporter", {}, "cluster"),
        ],
    )
    def test_the_more_specific_replaces_a_whole_field(self, layered, cluster, name, selector, priority):
        """
        Stack, cluster, component in the stack, component in the cluster: the last that has a field has the whole of it.
        """
        spec = spec_of(layered, cluster, name)

        assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", **selector}
        assert spec["priorityClassName"] == priority

    def test_node_exporter_does_what_it_is_told_by_name(self, layered):
        """
        It tolerates every taint unless its own section says otherwise, and keeps what that leaves out.
        """
        spec = spec_of(layered, "hub", "node-exporter")

        assert spec["tolerations"] == [TAINT]
        assert "nodeAffinity" in spec["affinity"]


OURS = {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "3Gi"}}


class TestResources:
    @pytest.mark.parametrize(
        ("written", "requests", "limits"),
        [
            ({"requests": {"cpu": 2}}, {"cpu": "2", "memory": "1Gi"}, {"memory": "3Gi"}),
            ({"limits": {"cpu": "50m"}}, {"cpu": "50m", "memory": "1Gi"}, {"cpu": "50m", "memory": "3Gi"}),
            ({"requests": {"memory": "8Gi"}}, {"cpu": "100m", "memory": "8Gi"}, {"memory": "8Gi"}),
            ({"limits": {"memory": "1G"}}, {"cpu": "100m", "memory": "1G"}, {"memory": "1G"}),
            (
                {"limits": {"acme.example/fast": 1}},
                {"cpu": "100m", "memory": "1Gi"},
                {"memory": "3Gi", "acme.example/fast": "1"},
            ),
        ],
        ids=[
            "more CPU",
            "a limit below our request",
            "a request above ours",
            "a decimal unit",
            "another resource",
        ],
    )
    def test_are_those_written_and_ours_for_the_rest(self, written, requests, limits):
        """
        Only what is written changes; where ours contradicts it, ours gives way, since Kubernetes would refuse both.
        """
        assert merged(OURS, written) == {"requests": requests, "limits": limits}

    @pytest.mark.parametrize(
        ("written", "number"),
        [("500m", "0.5"), ("2Gi", "2147483648"), ("1.5Gi", "1610612736"), ("1e3", "1000"), (4, "4"), ("2k", "2000")],
    )
    def test_are_numbers_with_units(self, written, number):
        """
        As Kubernetes reads quantities.
        """
        assert quantity(written) == Decimal(number)

    def test_win_over_limits_of_all_containers(self, kubeconfig):
        """
        What is said of a component is more specific than `limits`, which stays for what it leaves out.
        """
        described = fleet(
            hub=HUB,
            limits={"cpu": 2, "ephemeralStorage": "1Gi"},
            workloads={"components": {"prometheus": {"resources": {"limits": {"cpu": 8}}}}},
        )
        made = Engine().deploy(lambda: deploy(described))

        found = spec_of(made, "hub", "prometheus-hub")["containers"]
        limits = {one["name"]: one["resources"]["limits"] for one in found}
        assert (limits["prometheus"]["cpu"], limits["prometheus"]["ephemeral-storage"]) == ("8", "1Gi")
        assert limits["kube-rbac-proxy-read"]["cpu"] == "2"


class TestComponents:
    def test_a_workload_that_nobody_named_is_refused(self):
        """
        Whoever adds a component adds its name, or else what people write for all would miss it.
        """
        with pytest.raises(ValueError, match="late-exporter is missing in Components"):
            component_of("late-exporter")


PROXY = {"url": "http://proxy.example:3128", "noProxy": ["10.0.0.0/8", ".acme.internal"]}
WITH_ALL = {**EVERYTHING, "workloads": {"proxy": PROXY}}


def environments(engine: Engine) -> dict[tuple[str, str], dict[str, str]]:
    """The variables of a proxy in each container: pod and container -> them."""
    return {
        (name, one["name"]): {env["name"]: env["value"] for env in one.get("env", ()) if "PROXY" in env["name"]}
        for (_, name), (_, spec) in pods(engine).items()
        for one in containers(spec)
    }


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """Every section, with a proxy; read only."""
    kubeconfig = tmp_path_factory.mktemp("proxied") / "kubeconfig"
    write_kubeconfig(kubeconfig, *(cluster["context"] for cluster in EVERYTHING["clusters"].values()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        return deployed(Fleet.model_validate(WITH_ALL))


class TestProxy:
    def test_is_known_to_what_talks_to_the_world(self, proxied):
        """
        And to nothing that stays in its cluster: exporters, caches and auth proxies.
        """
        found = {app for (app, _), variables in environments(proxied).items() if variables}

        assert {"prometheus-hub", "prometheus-agent", "alertmanager", "grafana", "blackbox-exporter"} <= found
        assert {"thanos-store", "thanos-compactor", "thanos-receive", "thanos-ruler", "thanos-bucket-web"} <= found
        assert not found & {"node-exporter", "kube-state-metrics", "thanos-memcached", "thanos-query", "pushgateway"}
        beside = {one for (_, one), variables in environments(proxied).items() if variables}
        assert not any(one.startswith(("kube-rbac-proxy", "reloader")) for one in beside)
        assert "thanos-sidecar" in beside

    @pytest.mark.parametrize("exempt", ["2001:db8::/32", "fd00::7", "::1", "10.0.0.7", "prometheus.acme.example:443"])
    def test_may_exempt_addresses_of_both_kinds(self, exempt: str) -> None:
        """
        A range of IPv6 nearly always ends with two colons.
        """
        assert Proxy.model_validate({**PROXY, "noProxy": [exempt]}).no_proxy == (exempt,)

    def test_is_not_between_pods_and_their_cluster(self, proxied):
        """
        The API server, Services and what gives an identity are reached without it, beside what is written.
        """
        [variables] = {tuple(one.items()) for one in environments(proxied).values() if one}

        exempt = dict(variables)["NO_PROXY"].split(",")
        assert {"$(KUBERNETES_SERVICE_HOST)", ".svc", ".cluster.local", "localhost", "127.0.0.1"} <= {*exempt}
        assert {"169.254.0.0/16", "metadata.google.internal", *PROXY["noProxy"]} <= {*exempt}
        assert {dict(variables)[name] for name in ("HTTP_PROXY", "HTTPS_PROXY")} == {PROXY["url"]}

    def test_is_used_for_remote_write_and_notifications(self):
        """
        Prometheus and Alertmanager use the environment only where told; a destination may have a proxy of its own.
        """
        own = {"url": "https://b.example/push", "proxy_url": "http://other.example:3128"}
        made = fleet(
            hub=HUB,
            agents={"eu1": {"destinations": {"a": {"url": "https://a.example/push"}, "b": own}}},
            workloads={"proxy": PROXY},
        )

        entries = agent_remote_write(made, "eu1", "https://hub.example", own=True, ca_file=None, token_file="t")
        assert [one.get("proxy_from_environment") for one in entries] == [True, True, None]
        alertmanager = Fleet.model_validate(EVERYTHING).alertmanager
        assert alertmanager
        config = yaml.safe_load(alertmanager_config(alertmanager, proxied=True))
        assert config["global"]["http_config"] == {"proxy_from_environment": True}
        modules = yaml.safe_load(blackbox_config(proxied=True))["modules"]
        assert {name: one["http"]["proxy_from_environment"] for name, one in modules.items() if "http" in one}

    def test_of_a_cluster_replaces_that_of_the_stack(self):
        """
        As with every field of workloads.
        """
        layers = [Workloads.model_validate({"proxy": PROXY}), Workloads.model_validate({"proxy": {"url": "http://b"}})]

        assert fields_of("prometheus", layers)["proxy"].url == "http://b"
        assert "proxy" not in fields_of("node_exporter", layers)
