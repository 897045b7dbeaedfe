import json
from typing import Any, cast

import jsonschema
import pytest

from components import Exposure
from components.exposure import Backend, ExposureArgs
from tests.unit.conftest import validate

WRITE: Backend = {"name": "write", "port": 8443, "path": "/api/v1/write", "health": (8643, "/healthz")}
READ: Backend = {"name": "read", "port": 8444, "health": (8644, "/healthz")}
GATEWAY = {"name": "edge", "namespace": "gateways", "sectionName": "https"}
AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def args(via: str, **other: Any) -> ExposureArgs:
    given = {
        "namespace": "promfleet",
        "app": "prometheus-hub",
        "via": via,
        "host": "hub.example",
        "backends": [WRITE, READ],
        "server_name": "hub.example",
        "tls_secret": "hub-tls",
        "rollout_timeout": 150,
        **({"gateway": GATEWAY} if via == "gateway" else {}),
        **other,
    }
    return cast("ExposureArgs", given)


@pytest.fixture
def made(engine):
    """Expose, and give what stands in the cluster then: kind -> object."""

    def make(via: str, **other: Any) -> dict[str, Any]:
        engine.deploy(lambda: Exposure("hub", args(via, **other)))
        objects = {item["kind"]: item for item in engine.objects}
        assert len(objects) == len(engine.objects)
        return objects

    return make


WAYS: list[dict[str, Any]] = [
    {"via": "nodePort"},
    {"via": "loadBalancer", "annotations": {"networking.gke.io/load-balancer-type": "Internal"}},
    {"via": "ingress"},
    {"via": "ingress", "ca": AUTHORITY, "ingress_class": "nginx"},
    {"via": "ingress", "passthrough": True, "backends": [READ]},
    {"via": "loadBalancer", "load_balancer_class": "service.k8s.aws/nlb", "external_dns": True},
    {"via": "ingress", "ingress_class": "traefik"},
    {"via": "ingress", "ingress_class": "traefik", "ca": AUTHORITY},
    {"via": "ingress", "ingress_class": "traefik", "ca_config_map": "hub-ca"},
    {"via": "ingress", "ingress_class": "haproxy", "ca": AUTHORITY},
    {"via": "ingress", "ingress_class": "gce"},
    {"via": "ingress", "ingress_class": "alb"},
    {"via": "ingress", "ingress_class": "azure-application-gateway"},
    {"via": "ingress", "ingress_class": "openshift-default", "ca": AUTHORITY},
    {"via": "ingress", "ingress_class": "openshift-default", "passthrough": True, "backends": [READ]},
    {"via": "ingress", "ingress_class": "kong", "service_annotations": {"konghq.com/protocol": "https"}},
    {"via": "gateway", "gateway_of_gke": True},
    {"via": "httpProxy", "service_annotations": {"a.example/b": "c"}},
    {"via": "gateway"},
    {"via": "gateway", "ca": AUTHORITY},
    {"via": "gateway", "ca_config_map": "hub-ca"},
    {"via": "gateway", "passthrough": True, "backends": [READ]},
    {"via": "httpProxy"},
    {"via": "httpProxy", "ca": AUTHORITY},
    {"via": "httpProxy", "passthrough": True, "backends": [READ]},
]


class TestObjects:
    @pytest.mark.parametrize("way", WAYS, ids=str)
    def test_the_api_server_takes_them_whole(self, made, way):
        """
        Each object obeys the published schema of its kind, and has no field that it does not know.
        """
        validate(made(**way).values())

    def test_a_field_that_no_schema_knows_is_noticed(self, made):
        """
        The schemas are closed, also where the API server's are not.
        """
        route = made("gateway")["HTTPRoute"]
        route["spec"]["rules"][0]["backendRefs"][0]["tls"] = True

        with pytest.raises(jsonschema.ValidationError, match="tls"):
            validate([route])


def backends_of(ingress: dict[str, Any]) -> set[str]:
    """The Services that an Ingress leads to."""
    return {p["backend"]["service"]["name"] for r in ingress["spec"]["rules"] for p in r["http"]["paths"]}


class TestGoogleCloud:
    """Its load balancers check the health of backends, which answer 401 and 404 to whoever has no token."""

    def test_an_ingress_checks_the_port_of_the_proxies_health(self, made):
        """
        It answers 200 there without a token, and a NetworkPolicy lets the load balancers' probes in and nobody else.
        """
        objects = made("ingress", ingress_class="gce")

        assert objects["BackendConfig"]["spec"]["healthCheck"] == {
            "type": "HTTPS",
            "port": 8644,
            "requestPath": "/healthz",
            "checkIntervalSec": 15,
        }
        [rule] = objects["NetworkPolicy"]["spec"]["ingress"]
        assert rule["ports"] == [{"port": 8644, "protocol": "TCP"}]
        assert {peer["ipBlock"]["cidr"] for peer in rule["from"]} == {"35.191.0.0/16", "130.211.0.0/22"}

    def test_an_ingress_uses_https(self, made):
        """
        The Service says so, by name of each port; the class is an annotation, as GKE reads no other.
        """
        objects = made("ingress", ingress_class="gce-internal")

        told = objects["Service"]["metadata"]["annotations"]
        assert json.loads(told["cloud.google.com/app-protocols"]) == {"write": "HTTPS", "read": "HTTPS"}
        assert json.loads(told["cloud.google.com/backend-config"]) == {
            "default": objects["BackendConfig"]["metadata"]["name"]
        }
        assert objects["Ingress"]["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "gce-internal"
        assert "ingressClassName" not in objects["Ingress"]["spec"]
        assert backends_of(objects["Ingress"]) == {objects["Service"]["metadata"]["name"]}

    def test_a_gateway_uses_https_and_checks_that_a_port_is_open(self, made):
        """
        By policies of GKE in place of Gateway API's, on a Service that only the Gateway uses.
        """
        objects = made("gateway", gateway_of_gke=True)

        assert "BackendTLSPolicy" not in objects
        assert {port["appProtocol"] for port in objects["Service"]["spec"]["ports"]} == {"HTTPS"}
        target = {"group": "", "kind": "Service", "name": objects["Service"]["metadata"]["name"]}
        assert objects["HealthCheckPolicy"]["spec"]["targetRef"] == target
        assert objects["HealthCheckPolicy"]["spec"]["default"]["config"]["type"] == "TCP"
        assert objects["GCPBackendPolicy"]["spec"] == {"targetRef": target, "default": {"timeoutSec": 120}}
        rules = objects["HTTPRoute"]["spec"]["rules"]
        assert {rule["backendRefs"][0]["name"] for rule in rules} == {target["name"]}
        assert not any("timeouts" in rule for rule in rules)


class TestServices:
    def test_a_host_is_named_for_external_dns(self, made):
        """
        A Service has no other field for it, and what is written stays.
        """
        told = made("loadBalancer", external_dns=True, annotations={"a.example/b": "c"})["Service"]["metadata"]

        assert told["annotations"] == {"external-dns.alpha.kubernetes.io/hostname": "hub.example", "a.example/b": "c"}

    def test_a_load_balancer_has_a_class(self, made):
        """
        And without one the field is absent, which means the cloud's own.
        """
        chosen = made("loadBalancer", load_balancer_class="service.k8s.aws/nlb")["Service"]["spec"]

        assert chosen["loadBalancerClass"] == "service.k8s.aws/nlb"
        assert "loadBalancerClass" not in made("loadBalancer")["Service"]["spec"]

    def test_what_is_written_of_services_is_on_one_behind_the_proxy(self, made):
        """
        The Service that clients in the cluster use stays as it is.
        """
        objects = made("httpProxy", service_annotations={"a.example/b": "c"})

        assert objects["Service"]["metadata"]["annotations"] == {"a.example/b": "c"}
        assert objects["Service"]["spec"]["type"] == "ClusterIP"
        names = {s["name"] for r in objects["HTTPProxy"]["spec"]["routes"] for s in r["services"]}
        assert names == {objects["Service"]["metadata"]["name"]} == {"prometheus-hub-outside"}

    def test_node_ports_are_the_ones_that_were_asked_for(self, made):
        """
        Agents of other clusters find the auth proxies where the stack file says.
        """
        backends = [{**READ, "node_port": 30444}, {**WRITE, "node_port": 30443}]

        spec = made("nodePort", backends=backends)["Service"]["spec"]

        assert spec["type"] == "NodePort"
        assert {p["name"]: p["nodePort"] for p in spec["ports"]} == {"write": 30443, "read": 30444}

    def test_a_load_balancer_leads_to_the_proxies_and_nowhere_else(self, made):
        """
        Its ports are theirs, by name, so that the pod's other ports stay inside.
        """
        spec = made("loadBalancer")["Service"]["spec"]

        assert spec["type"] == "LoadBalancer"
        assert {(p["port"], p["targetPort"]) for p in spec["ports"]} == {(8443, "write"), (8444, "read")}

    def test_a_load_balancer_accepts_its_source_ranges(self, made):
        """
        Ranges of addresses are the Service's, and without any it has none.
        """
        chosen = made("loadBalancer", source_ranges=["203.0.113.0/24"])["Service"]["spec"]

        assert chosen["loadBalancerSourceRanges"] == ["203.0.113.0/24"]
        assert "loadBalancerSourceRanges" not in made("loadBalancer", source_ranges=())["Service"]["spec"]


class TestPaths:
    def test_an_ingress_routes_to_each_proxy(self, made):
        """
        What is written goes to one auth proxy and everything else to the other, under one host.
        """
        [rule] = made("ingress")["Ingress"]["spec"]["rules"]

        paths = [(p["path"], p["pathType"], p["backend"]["service"]["port"]["name"]) for p in rule["http"]["paths"]]
        assert paths == [("/api/v1/write", "Exact", "write"), ("/", "Prefix", "read")]

    def test_a_route_routes_to_each_proxy(self, made):
        """
        Likewise behind a Gateway.
        """
        rules = made("gateway")["HTTPRoute"]["spec"]["rules"]

        paths = [(r["matches"][0]["path"]["value"], r["backendRefs"][0]["port"]) for r in rules]
        assert paths == [("/api/v1/write", 8443), ("/", 8444)]

    def test_an_http_proxy_routes_to_each_proxy(self, made):
        """
        Likewise behind Contour.
        """
        routes = made("httpProxy")["HTTPProxy"]["spec"]["routes"]

        paths = [(r["conditions"][0], r["services"][0]["port"]) for r in routes]
        assert paths == [({"exact": "/api/v1/write"}, 8443), ({"prefix": "/"}, 8444)]


class TestTls:
    """Nothing is plain behind a proxy, and nothing is taken on trust."""

    def test_nginx_verifies_the_proxies(self, made):
        """
        By the certificate's own authority and name, and with room for large batches and long queries.
        """
        annotations = made("ingress")["Ingress"]["metadata"]["annotations"]

        said = {k.removeprefix("nginx.ingress.kubernetes.io/"): v for k, v in annotations.items() if "nginx" in k}
        assert said == {
            "backend-protocol": "HTTPS",
            "force-ssl-redirect": "true",
            "proxy-body-size": "64m",
            "proxy-read-timeout": "120",
            "proxy-send-timeout": "120",
            "proxy-ssl-name": "hub.example",
            "proxy-ssl-secret": "promfleet/hub-tls",
            "proxy-ssl-server-name": "on",
            "proxy-ssl-verify": "on",
        }

    def test_another_controller_gets_no_annotations_of_nginx(self, made):
        """
        What it needs is written as annotations.
        """
        own = {"konghq.com/preserve-host": "true"}

        annotations = made("ingress", ingress_class="kong", annotations=own)["Ingress"]["metadata"]["annotations"]

        assert {k: v for k, v in annotations.items() if not k.startswith("pulumi.com/")} == own

    @pytest.mark.parametrize(
        ("ingress_class", "told"),
        [
            ("haproxy", {"haproxy.org/server-ssl": "true", "haproxy.org/server-ca": "promfleet/prometheus-hub-trust"}),
            (
                "haproxy-internal",
                {
                    "haproxy-ingress.github.io/secure-verify-ca-secret": "prometheus-hub-trust",
                    "haproxy-ingress.github.io/secure-sni": "hub.example",
                },
            ),
            (
                "alb",
                {
                    "alb.ingress.kubernetes.io/backend-protocol": "HTTPS",
                    "alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS": 443}]',
                },
            ),
            (
                "openshift-default",
                {
                    "route.openshift.io/termination": "reencrypt",
                    "route.openshift.io/destination-ca-certificate-secret": "prometheus-hub-trust",
                    "haproxy.router.openshift.io/timeout": "120s",
                },
            ),
            (
                "azure-application-gateway",
                {
                    "appgw.ingress.kubernetes.io/backend-protocol": "https",
                    "appgw.ingress.kubernetes.io/backend-hostname": "hub.example",
                },
            ),
        ],
    )
    def test_known_controllers_use_https(self, made, ingress_class, told):
        """
        Each is told in its own annotations, and verifies the name of the certificate where it can.
        """
        objects = made("ingress", ingress_class=ingress_class, ca=AUTHORITY)

        assert told.items() <= objects["Ingress"]["metadata"]["annotations"].items()

    def test_openshift_gets_no_paths_that_it_ignores(self, made):
        """
        It makes no Route of a path of type Exact, so that samples would be sent to where people read.
        """
        objects = made("ingress", ingress_class="openshift-default", ca=AUTHORITY)

        [rule] = objects["Ingress"]["spec"]["rules"]
        found = {one["path"]: one["pathType"] for one in rule["http"]["paths"]}
        assert found == {"/api/v1/write": "ImplementationSpecific", "/": "Prefix"}
        assert objects["Secret"]["stringData"]["tls.crt"] == AUTHORITY  # the key that its router reads

    def test_openshift_passes_tls_through_without_a_path(self, made):
        """
        A Route that has one is refused.
        """
        ingress = made("ingress", ingress_class="openshift-default", passthrough=True, backends=[READ])["Ingress"]

        assert ingress["metadata"]["annotations"]["route.openshift.io/termination"] == "passthrough"
        [path] = ingress["spec"]["rules"][0]["http"]["paths"]
        assert path["pathType"] == "ImplementationSpecific"
        assert "path" not in path

    def test_what_is_written_has_precedence(self, made):
        """
        Nobody needs a fork to say something else than this program does.
        """
        own = {"alb.ingress.kubernetes.io/success-codes": "404"}

        annotations = made("ingress", ingress_class="alb", annotations=own)["Ingress"]["metadata"]["annotations"]

        assert own.items() <= annotations.items()

    @pytest.mark.parametrize(
        ("other", "authorities"),
        [
            ({}, None),
            ({"ca": AUTHORITY}, [{"secret": "prometheus-hub-trust"}]),
            ({"ca_config_map": "hub-ca"}, [{"configMap": "hub-ca"}]),
        ],
        ids=["public", "own", "distributed"],
    )
    def test_traefik_verifies_the_proxies(self, made, other, authorities):
        """
        A Service of its own says so, by a ServersTransport; without a CA Traefik trusts the public authorities.
        """
        objects = made("ingress", ingress_class="traefik", **other)

        assert objects["ServersTransport"]["spec"]["serverName"] == "hub.example"
        assert objects["ServersTransport"]["spec"].get("rootCAs") == authorities
        prefix = "traefik.ingress.kubernetes.io/service"
        assert objects["Service"]["metadata"]["annotations"] == {
            f"{prefix}.serversscheme": "https",
            f"{prefix}.serverstransport": f"promfleet-{objects['ServersTransport']['metadata']['name']}@kubernetescrd",
        }
        assert backends_of(objects["Ingress"]) == {objects["Service"]["metadata"]["name"]}

    def test_an_own_authority_is_handed_to_the_proxy(self, made):
        """
        Nginx and Contour read it from a Secret.
        """
        objects = made("httpProxy", ca=AUTHORITY)

        assert objects["Secret"]["stringData"] == {"ca.crt": AUTHORITY}
        [service] = objects["HTTPProxy"]["spec"]["routes"][0]["services"]
        assert service["protocol"] == "tls"
        assert service["validation"] == {
            "caSecret": objects["Secret"]["metadata"]["name"],
            "subjectName": "hub.example",
        }

    @pytest.mark.parametrize(
        ("other", "trusted"),
        [
            ({}, {"wellKnownCACertificates": "System"}),
            (
                {"ca_config_map": "hub-ca"},
                {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "hub-ca"}]},
            ),
            (
                {"ca": AUTHORITY},
                {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "prometheus-hub-trust"}]},
            ),
        ],
    )
    def test_a_gateway_verifies_the_proxies(self, made, other, trusted):
        """
        By the public authorities, those of a ConfigMap, or those of the stack file.
        """
        policy = made("gateway", **other)["BackendTLSPolicy"]["spec"]

        assert policy["validation"] == {"hostname": "hub.example", **trusted}
        assert policy["targetRefs"] == [{"group": "", "kind": "Service", "name": "prometheus-hub"}]

    @pytest.mark.parametrize(
        ("via", "kind"), [("ingress", "Ingress"), ("gateway", "TLSRoute"), ("httpProxy", "HTTPProxy")]
    )
    def test_a_proxy_that_passes_tls_through_holds_no_certificate(self, made, via, kind):
        """
        It needs neither the Secret nor an authority, and makes no policy.
        """
        objects = made(via, passthrough=True, backends=[READ], ca=AUTHORITY)

        assert objects.keys() == {kind}
        assert "hub-tls" not in json.dumps(objects)
