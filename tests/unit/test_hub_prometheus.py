import json
from typing import cast

import pytest
from pulumi import ResourceOptions

from components import HubPrometheus
from components.hub_prometheus import HubPrometheusArgs
from render.scrape.annotated import AUTHORITY
from settings import images
from tests.unit.builders import containers, pod
from tests.unit.conftest import Engine, validate
from tests.unit.kinds import (
    CERTIFICATE,
    CLUSTER_ROLE,
    CONFIG_MAP,
    PERSISTENT_VOLUME_CLAIM,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
)


def args(**other: object) -> HubPrometheusArgs:
    given = {
        "app": "prometheus-hub",
        "namespace": "promfleet",
        "prefix": "promfleet",
        "config": "global: {}\n",
        "rules": {"fleet.yml": "groups: []\n"},
        "flags": ["--config.file=/etc/prometheus/config/prometheus.yml"],
        "writers": {"eu1": 0},
        "hosts": ["hub.example", "grafana.example"],
        "tls_secret": "hub-tls",
        "storage": "5Gi",
        "memory": ("512Mi", "1Gi"),
        "image": images.PROMETHEUS,
        "auth_proxy_image": images.KUBE_RBAC_PROXY,
        "rollout_timeout": 150,
        **other,
    }
    return cast("HubPrometheusArgs", given)


@pytest.fixture
def hub(engine):
    return lambda **other: engine.deploy(lambda: HubPrometheus("hub", args(**other), ResourceOptions()))


@pytest.fixture(scope="module")
def default():
    """A hub as the arguments above describe it. Deployed once, so tests only read it."""
    return Engine().deploy(lambda: HubPrometheus("hub", args(), ResourceOptions()))


class TestTargets:
    def test_are_verified_by_what_is_mounted_where_the_configuration_says(self, hub):
        """
        The ConfigMap that signs for annotated targets is at the folder of the file that the jobs name.
        """
        engine = hub(targets_ca_config_map="bundle")

        [found] = [v["configMap"]["name"] for v in pod(engine)["volumes"] if v["name"] == "targets"]
        [path] = [m["mountPath"] for m in containers(engine)["prometheus"]["volumeMounts"] if m["name"] == "targets"]
        assert (found, path) == ("bundle", AUTHORITY.removesuffix("/ca.crt"))


class TestAuthProxies:
    def test_only_the_proxies_have_ports(self, default):
        """
        Prometheus itself is reached from inside its pod only.
        """
        ports = {name: [p["name"] for p in c.get("ports", [])] for name, c in containers(default).items()}

        assert ports == {
            "prometheus": [],
            "kube-rbac-proxy-write": ["write", "write-health"],
            "kube-rbac-proxy-read": ["read", "read-health"],
            "kube-rbac-proxy-browse": ["browse", "browse-health"],
        }

    def test_the_write_proxy_leads_to_the_receiver_alone(self, default):
        """
        What is not named in --allow-paths does not exist behind an auth proxy.
        """
        assert "--allow-paths=/api/v1/write" in containers(default)["kube-rbac-proxy-write"]["args"]

    @pytest.mark.parametrize(
        "path", ["/api/v1/write", "/-/reload", "/federate", "/api/v1/admin", "/api/v1/status/config"]
    )
    def test_the_read_proxy_leads_to_questions_alone(self, default, path):
        """
        Neither writing nor administration is behind the read auth proxy.
        """
        [allowed] = [a for a in containers(default)["kube-rbac-proxy-read"]["args"] if a.startswith("--allow-paths=")]

        assert not any(p.startswith(path) for p in allowed.removeprefix("--allow-paths=").split(","))

    def test_a_proxy_asks_for_a_resource_of_its_own(self, default):
        """
        The permission is on prometheuses/<auth proxy> of our own group, which no default role of Kubernetes grants.
        """
        files = default.one(CONFIG_MAP, "prometheus-hub-kube-rbac-proxy").inputs["data"]

        asked = {name: json.loads(text)["authorization"]["resourceAttributes"] for name, text in files.items()}
        assert {n: a["subresource"] for n, a in asked.items()} == {
            f"{name}.yaml": name for name in ("write", "read", "browse")
        }
        assert {"promfleet.io"} == {a["apiGroup"] for a in asked.values()}

    def test_a_proxy_speaks_tls_only(self, default):
        """
        Both auth proxies listen with the certificate, and nowhere without.
        """
        for proxy in ("kube-rbac-proxy-write", "kube-rbac-proxy-read"):
            arguments = containers(default)[proxy]["args"]
            assert "--tls-cert-file=/etc/tls/tls.crt" in arguments
            assert not [a for a in arguments if a.startswith("--insecure")]


class TestIdentities:
    def test_a_writer_may_write_and_nothing_else(self, default):
        """
        The Role behind a writer's token has one verb on one subresource of one hub.
        """
        assert default.one(ROLE, "prometheus-hub-write").inputs["rules"] == [
            {
                "apiGroups": ["promfleet.io"],
                "resources": ["prometheuses/write"],
                "resourceNames": ["prometheus-hub"],
                "verbs": ["create"],
            }
        ]
        assert default.one(ROLE_BINDING, "writer-eu1").inputs["roleRef"]["name"] == "prometheus-hub-write"

    def test_no_person_has_a_token_that_lasts(self, default):
        """
        It is issued for minutes or hours, to a person who may have it issued.
        """
        accounts = default.all(SERVICE_ACCOUNT)
        kept = [
            s.inputs["metadata"]["annotations"].get("kubernetes.io/service-account.name") for s in default.all(SECRET)
        ]

        assert {"reader", "viewer"} <= {account.inputs["metadata"]["name"] for account in accounts}
        assert not {"reader", "viewer"} & {*kept}

    def test_each_agent_has_an_identity_of_its_own(self, hub):
        """
        One agent's access is revoked without touching another's.
        """
        engine = hub(writers={"eu1": 0, "us1": 0})

        subjects = [b.inputs["subjects"][0]["name"] for b in engine.all(ROLE_BINDING)]

        assert sorted(subjects) == ["reader", "viewer", "writer-eu1", "writer-us1"]

    @pytest.mark.parametrize(
        ("renewals", "tokens"),
        [
            (0, ["writer-eu1-token-0"]),
            (1, ["writer-eu1-token-0", "writer-eu1-token-1"]),
            (3, ["writer-eu1-token-2", "writer-eu1-token-3"]),
        ],
    )
    def test_two_tokens_are_valid_around_a_renewal(self, hub, renewals, tokens):
        """
        The token before the newest stays until the next renewal.
        """
        engine = hub(writers={"eu1": renewals})

        names = sorted(s.inputs["metadata"]["name"] for s in engine.all(SECRET) if "eu1" in s.name)

        assert tokens == names

    def test_scraping_does_not_need_the_node_proxy(self, default):
        """
        nodes/proxy lets its holder run commands in any pod.
        """
        rules = default.one(CLUSTER_ROLE).inputs["rules"]

        resources = {resource for rule in rules for resource in rule.get("resources", [])}
        assert resources == {"nodes", "nodes/metrics", "pods", "services", "endpointslices"}
        assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


class TestCertificate:
    def test_a_named_secret_is_mounted(self, default):
        """
        Without an issuer nobody is asked for a certificate.
        """
        [tls] = [v for v in pod(default)["volumes"] if v["name"] == "tls"]
        assert tls["secret"]["secretName"] == "hub-tls"
        assert default.all(CERTIFICATE) == []

    @pytest.mark.parametrize(
        ("hosts", "asked"),
        [
            (["10.0.0.1"], {"ipAddresses": ["10.0.0.1"]}),
            (
                ["h.example", "10.0.0.1", "r.example"],
                {"dnsNames": ["h.example", "r.example"], "ipAddresses": ["10.0.0.1"]},
            ),
        ],
    )
    def test_an_address_is_no_dns_name(self, hub, hosts, asked):
        """
        Whoever signs it refuses an address among the names, and whoever connects finds none there.
        """
        engine = hub(tls_issuer="own", hosts=hosts)

        spec = engine.one(CERTIFICATE).inputs["spec"]
        assert {key: spec[key] for key in ("dnsNames", "ipAddresses") if key in spec} == asked
        validate(engine.objects)

    def test_an_issuer_is_asked_for_every_name_of_the_stack(self, hub):
        """
        cert-manager writes the Secret that the auth proxies mount.
        """
        engine = hub(tls_issuer="letsencrypt")

        spec = engine.one(CERTIFICATE).inputs["spec"]

        assert spec["dnsNames"] == ["hub.example", "grafana.example"]
        assert spec["issuerRef"]["name"] == "letsencrypt"
        volumes = pod(engine)["volumes"]
        assert spec["secretName"] in [v["secret"]["secretName"] for v in volumes if "secret" in v]


class TestWorkload:
    def test_its_volume_grows_in_place(self, default):
        """
        The claim stands alone, under the name by which the StatefulSet takes it for its template's.
        """
        spec = default.one(STATEFUL_SET).inputs["spec"]
        [template] = spec["volumeClaimTemplates"]
        claim = default.one(PERSISTENT_VOLUME_CLAIM, f"{template['metadata']['name']}-prometheus-hub-0")
        assert spec["replicas"] == 1
        assert claim.inputs["spec"]["resources"]["requests"]["storage"] == "5Gi"

    def test_may_take_an_hour_to_replay_its_log(self, default):
        """
        The kubelet kills who is not ready by then, and the replay begins anew.
        """
        probe = containers(default)["prometheus"]["startupProbe"]

        assert probe["periodSeconds"] * probe["failureThreshold"] == 3600

    def test_the_selector_survives_a_new_version(self, default):
        """
        The immutable selector has no version in it.
        """
        spec = default.one(STATEFUL_SET).inputs["spec"]

        assert "app.kubernetes.io/version" not in spec["selector"]["matchLabels"]
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
