"""What is right about alerts, routes, exposed hosts and probes; what is wrong is in mistakes_sections.yaml."""

import jsonschema
import pytest
import yaml

from settings import Fleet, secret_key
from settings.alertmanager import Contact, Route
from tests.unit.stack_texts import EXPOSED, HUB, loaded

WINDOW = "{cluster: hub, start: '%s', until: '%s', reason: new nodes}"
ROUTES = "alertmanager: {receivers: {sre: {}, devops: {}}, default: sre, routes: [%s]}\n"


class TestWhatIsAllowed:
    @pytest.mark.parametrize(
        "window",
        [
            WINDOW % ("2026-11-21T20:00Z", "2026-12-21T20:00Z"),
            WINDOW % ("2026-11-21T20:00:59+01:00", "2026-11-21T19:01Z"),
            WINDOW % ("2028-02-29T00:00Z", "2028-02-29T00:01Z"),
        ],
        ids=["thirty days", "a second across zones", "a leap day"],
    )
    def test_windows(self, tmp_path, window):
        """
        What is exactly at a limit is inside it; and two windows of one cluster may overlap.
        """
        other = WINDOW % ("2026-11-21T20:00Z", "2026-11-22T20:00Z")
        fleet = loaded(tmp_path, HUB % "" + f"alerts: {{maintenance: [{window}, {other}]}}\n")

        assert len(fleet.alerts.maintenance) == 2

    @pytest.mark.parametrize(
        "routes",
        [
            "{receiver: sre, severities: [critical], continue: true}, {receiver: devops, severities: [critical]}",
            "{receiver: sre, clusters: [hub], severities: [critical]}, {receiver: devops, severities: [critical]}",
            "{receiver: sre, severities: [critical]}, {receiver: devops, severities: [critical, info]}",
            "{receiver: sre, severities: [critical], continue: true}, {receiver: devops, severities: [critical, info]}",
            "{receiver: sre, namespaces: [shop]}, {receiver: devops, teams: [platform]}",
        ],
        ids=["goes on", "takes less", "goes on and takes less", "takes a part", "takes something else"],
    )
    def test_routes_that_are_reached(self, tmp_path, routes):
        """
        A route after another is right unless the other takes all that it matches.
        """
        fleet = loaded(tmp_path, HUB % "" + ROUTES % routes)

        assert fleet.alertmanager
        assert [route.receiver for route in fleet.alertmanager.routes] == ["sre", "devops"]

    @pytest.mark.parametrize("every", ["1m", "60m", "1h"])
    def test_heartbeats(self, tmp_path, every):
        """
        A heartbeat beats once a minute at most and once an hour at least.
        """
        beat = "alertmanager: {receivers: {sre: {webhook: {}}}, default: sre, heartbeat: {receiver: sre, every: %s}}\n"

        assert loaded(tmp_path, HUB % "" + beat % every, ["sreWebhook"]).secrets

    @pytest.mark.parametrize(
        "way",
        [
            "via: ingress, ingressClass: nginx, annotations: {a.example/b: c}",
            "via: httpProxy, passthrough: true, readHost: read.example",
            "via: gateway, gateway: {name: g, namespace: n}, passthrough: true, readHost: read.example",
            "via: ingress, ingressClass: internal, annotations: {a.example/b: c}",
            "via: ingress, ingressClass: alb",
            "via: ingress, ingressClass: gce-internal, hostAnnotations: {a.example/b: c}",
            "via: ingress, ingressClass: internal, serviceAnnotations: {konghq.com/protocol: https}",
            "via: gateway, gateway: {name: g, namespace: n, gatewayClass: gke-l7-rilb}, serviceAnnotations: {a.b/c: d}",
            "via: loadBalancer, loadBalancerClass: service.k8s.aws/nlb, externalDns: true",
            "via: ingress, ingressClass: openshift-default, passthrough: true, readHost: r.example",
            "via: ingress, ingressClass: haproxy, annotations: {a.b/c: d}, passthrough: true, readHost: r.example",
            "via: nodePort, annotations: {a.example/b: c}",
            "via: loadBalancer, passthrough: false",
            "via: loadBalancer, sourceRanges: [203.0.113.0/24, '2001:db8::/32', 203.0.113.7/32]",
        ],
    )
    def test_ways_in(self, tmp_path, way):
        """
        Each way takes what belongs to it, and annotations.
        """
        hub = loaded(tmp_path, EXPOSED % f"host: h.example, tls: {{secret: s}}, {way}").hub

        assert hub
        assert hub.expose.via == way.split()[1].rstrip(",")

    def test_an_address_without_a_proxy(self, tmp_path):
        """
        Without a proxy that routes by name an address is a host like any other.
        """
        hub = HUB.replace("h.example", "10.0.0.1") % ""

        assert loaded(tmp_path, hub + "pushgateway: {expose: {host: 10.0.0.2}}\n").pushgateway

    @pytest.mark.parametrize(
        ("module", "target"),
        [
            ("http", "https://shop.example"),
            ("http", "http://10.0.0.1:8080/healthz?full=1"),
            ("tcp", "smtp.example:65535"),
            ("tcp", "10.0.0.1:1"),
        ],
    )
    def test_targets(self, tmp_path, module, target):
        """
        URLs are asked over http, and host:port over tcp.
        """
        probes = loaded(tmp_path, HUB % "" + f"probes: {{x: {{module: {module}, targets: ['{target}']}}}}\n").probes

        assert probes["x"].targets == (target,)


class TestSecrets:
    def test_keys(self):
        """
        A key is the owner's name and what the secret is for.
        """
        keys = [secret_key("devops", name) for name in Contact.model_fields if name != "configs"]

        assert keys == ["devopsSlack", "devopsVictorOps", "devopsPagerDuty", "devopsEmail", "devopsWebhook"]
        assert (secret_key("eu1", "token"), secret_key("grafana", "admin")) == ("eu1Token", "grafanaAdmin")

    def test_a_secret_of_the_cluster_is_none_of_the_stacks(self, tmp_path):
        """
        What stands in a Secret of the hub's cluster is not asked of the stack.
        """
        there = "secret: {name: s, key: k}"
        receivers = f"receivers: {{sre: {{slack: {{channel: '#a', {there}}}, pagerDuty: {{}}}}}}"
        fleet = loaded(
            tmp_path,
            HUB % "" + f"grafana: {{{there}}}\nalertmanager: {{default: sre, {receivers}}}\n",
            ["srePagerDuty"],
        )

        assert fleet.secrets == {"srePagerDuty": ("alertmanager", "receivers", "sre", "pagerDuty")}


class TestExpected:
    def test_who_reports(self):
        """
        To a hub report its own cluster, this stack's agents without another receiver, and those it expects of others.
        """
        hub = {"cluster": "hub", "expose": {"host": "h.example", "tls": {"secret": "s"}}, "agents": ["us1"]}
        elsewhere = {"hub": {"url": "https://x.example/w"}}
        fleet = Fleet.model_validate(
            {
                "clusters": {name: {"context": name} for name in ("hub", "eu1", "eu2")},
                "hub": hub,
                "agents": {"eu1": {}, "eu2": elsewhere},
            }
        )

        assert fleet.expected == ("eu1", "hub", "us1")


class TestSchema:
    @pytest.mark.parametrize("alerts", ["rules: {%s: {for: 1h}}", "clusters: {hub: {%s: {for: 1h}}}"])
    def test_editors_know_every_alert(self, stack_files, alerts):
        """
        An editor completes the names of alerts, and underlines what is none.
        """

        def stack(name: str) -> object:
            return {"config": {"promfleet:fleet": yaml.safe_load(HUB % "" + f"alerts: {{{alerts % name}}}\n")}}

        stack_files.validate(stack("TargetDown"))
        with pytest.raises(jsonschema.ValidationError, match="TargetDwon"):
            stack_files.validate(stack("TargetDwon"))


class TestRoute:
    def test_a_route_shadows_an_equal_one(self):
        """
        The later of two equal routes is never reached, in any order of the names.
        """
        one = Route(receiver="a", teams=["x", "y"])

        assert one.shadows(Route(receiver="b", teams=["y", "x"]))
