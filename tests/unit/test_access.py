"""Who reaches whom, and with what: network policies, tokens and keys of a stack with every section."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from settings import Fleet, from_file
from stacks import deploy, offline
from tests import ROOT, SHIPPED, name_of

from .builders import EVERYTHING, fleet
from .builders import HUB as HUB_ALONE
from .conftest import OWN_STACK, Engine
from .kinds import NETWORK_POLICY, ROLE, ROLE_BINDING, SECRET, SERVICE_ACCOUNT

HUB, AGENT, QUERY = "prometheus-hub", "prometheus-agent", "thanos-query"
ANYBODY = {"everybody"}
ROUTER, RECEIVE, RULER, STORE = "thanos-receive-router", "thanos-receive", "thanos-ruler", "thanos-store"
OPEN: dict[str, dict[str, set[str]]] = {
    HUB: {"8444": ANYBODY, "8445": {HUB}, "8447": ANYBODY, "10901": {QUERY}, "10902": {HUB}},
    "alertmanager": {
        "8443": {HUB, RULER},
        "8444": ANYBODY,
        "8445": ANYBODY,
        "8080": {HUB},
        "9094": {"alertmanager"},
        "9094/UDP": {"alertmanager"},
    },
    "blackbox-exporter": {"8443": {HUB}},
    "grafana": {"3000": ANYBODY},
    "kube-state-metrics": {"8080": {HUB, AGENT}, "8081": {HUB, AGENT}},
    "pushgateway": {"8443": ANYBODY, "8444": {HUB}},
    QUERY: {"8444": ANYBODY, "8445": {HUB}, "8446": {HUB}, "8447": ANYBODY, "10901": {RULER}},
    "thanos-bucket-web": {"8443": ANYBODY},
    "thanos-compactor": {"10902": {HUB}},
    "thanos-memcached": {"11211": {QUERY, STORE}},
    RECEIVE: {"10901": {QUERY, ROUTER}, "10902": {HUB}},
    ROUTER: {"8443": ANYBODY, "10902": {HUB}},
    RULER: {"10901": {QUERY}, "10902": {HUB}},
    STORE: {"10901": {QUERY}, "10902": {HUB}},
    AGENT: {},
}
"""Pods of the program's namespace -> each port that is open to anybody at all, and to whom."""
OF_PROGRAMS = re.compile(
    r"(writer-[a-z0-9-]+|pushgateway-pusher|pushgateway-cleaner|grafana|prometheus-watcher)-token-\d"
)
"""The Secrets whose tokens do not expire."""
API, PROXIES = "/var/run/secrets/kubernetes.io/serviceaccount", "/var/run/secrets/promfleet.io"


class Pod(NamedTuple):
    """What a policy knows of a pod."""

    app: str
    labels: Mapping[str, str]
    ports: Mapping[str, str]
    """Number, with the protocol if that is not TCP -> name."""


STRANGERS = [
    Pod("a pod without labels", {}, {}),
    Pod("a pod with other labels", {"app.kubernetes.io/name": "shop", "app.kubernetes.io/part-of": "promfleet"}, {}),
]
"""Of the same namespace, or of another one: no policy tells namespaces apart, so that no peer may be in another."""


@pytest.fixture(scope="module")
def everything(kubeconfig: None) -> Engine:
    """A stack with every section. It is deployed once, so tests only read it."""
    engine = Engine()
    engine.stand_in()
    return engine.deploy(lambda: deploy(Fleet.model_validate(EVERYTHING)))


def specs(engine: Engine) -> dict[str, dict[str, Any]]:
    """The pods of every workload, by its name."""
    return {
        r.inputs["metadata"]["name"]: r.inputs["spec"]["template"]
        for r in engine.resources
        if "template" in r.inputs.get("spec", {})
    }


def pods(engine: Engine) -> dict[str, Pod]:
    found = {}
    for app, template in specs(engine).items():
        ports = [port for container in template["spec"]["containers"] for port in container.get("ports", ())]
        found[app] = Pod(
            app,
            template["metadata"]["labels"],
            {written(port["containerPort"], port): port.get("name", "") for port in ports},
        )
    return found


def written(number: float, port: Mapping[str, Any]) -> str:
    """A port as the table has it."""
    return f"{number:.0f}" + ("" if port.get("protocol", "TCP") == "TCP" else f"/{port['protocol']}")


def selects(selector: Mapping[str, Any], pod: Pod) -> bool:
    return selector.get("matchLabels", {}).items() <= pod.labels.items()


def rules(policies: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [rule for policy in policies for rule in policy.get("ingress", ())]


def admits(policy: Mapping[str, Any], caller: Pod, target: Pod, port: str) -> bool:
    """Whether a rule of a policy lets one pod come to a port of another; without peers it lets everybody come."""
    for rule in rules([policy]):
        peers = rule.get("from", [])
        assert all(peer.keys() == {"podSelector"} for peer in peers)
        named = {written(p["port"], p) for p in rule["ports"] if not isinstance(p["port"], str)}
        named |= {
            number
            for p in rule["ports"]
            for number, name in target.ports.items()
            if name == p["port"] and number.endswith("/UDP") == (p.get("protocol") == "UDP")
        }
        if port in named and (not peers or any(selects(peer["podSelector"], caller) for peer in peers)):
            return True
    return False


class TestNetworkPolicies:
    def test_open_each_port_to_those_in_the_table(self, everything: Engine) -> None:
        """
        For every pair of a pod and a port of another: who is not in the table is kept out, strangers everywhere.
        """
        policies = [r.inputs["spec"] for r in everything.all(NETWORK_POLICY) if "node-exporter" not in r.name]
        known = pods(everything)
        del known["node-exporter"]  # on its node's network, where no policy reaches
        callers = [*known.values(), *STRANGERS]

        def comers(target: Pod, port: str) -> set[str]:
            own = [policy for policy in policies if selects(policy["podSelector"], target)]
            assert own, f"{target.app} is open to all"
            found = {c.app for c in callers if any(admits(policy, c, target, port) for policy in own)}
            return ANYBODY if len(found) == len(callers) else found

        said = {
            written(p["port"], p) for rule in rules(policies) for p in rule["ports"] if isinstance(p["port"], float)
        }
        found = {
            app: {port: who for port in {*target.ports, *said} if (who := comers(target, port))}
            for app, target in known.items()
        }
        assert found == OPEN


def mounted(engine: Engine) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Every volume in every container: workload, container, place, volume."""
    for app, template in specs(engine).items():
        volumes = {volume["name"]: volume for volume in template["spec"].get("volumes", ())}
        for container in template["spec"]["containers"]:
            for mount in container.get("volumeMounts", ()):
                if mount["name"] in volumes:  # the others are of claims of the StatefulSet
                    yield app, container["name"], mount["mountPath"], volumes[mount["name"]]


class TestTokens:
    def test_of_the_api_server_are_where_it_is_called(self, everything: Engine) -> None:
        """
        Auth proxies, discovery, kube-state-metrics, and two that come through the auth proxies of people and agents.
        """
        shared = {app for app, t in specs(everything).items() if t["spec"].get("automountServiceAccountToken", True)}
        holders = {(app, name) for app, name, place, _ in mounted(everything) if place == API}

        assert shared == {"kube-state-metrics", AGENT}
        assert all(len(specs(everything)[app]["spec"]["containers"]) == 1 for app in shared)
        assert {(app, name) for app, name in holders if not name.startswith("kube-rbac-proxy-")} == {
            (HUB, "prometheus"),
            (RULER, "thanos"),
            (ROUTER, ROUTER),
        }
        proxies = {(app, c["name"]) for app, t in specs(everything).items() for c in t["spec"]["containers"]}
        assert {proxy for proxy in proxies if proxy[1].startswith("kube-rbac-proxy-")} <= holders

    def test_of_proxies_are_with_those_who_come_to_them(self, everything: Engine) -> None:
        """
        The hub and the Ruler have one, of an audience that only auth proxies accept.
        """
        found = [(app, name, volume) for app, name, place, volume in mounted(everything) if place == PROXIES]

        assert [(app, name) for app, name, _ in found] == [(HUB, "prometheus"), (RULER, "thanos")]
        for _, _, volume in found:
            assert volume["projected"]["sources"] == [
                {
                    "serviceAccountToken": {
                        "path": "token",
                        "audience": "auth-proxy.promfleet.io",
                        "expirationSeconds": 3600,
                    }
                }
            ]

    def test_are_demanded_where_only_our_pods_come(self, everything: Engine) -> None:
        """
        An auth proxy that is closed to strangers wants the token that is shown to nobody else, and no other does.
        """
        closed = set()
        for app, template in specs(everything).items():
            for container in template["spec"]["containers"]:
                if "--auth-token-audiences=auth-proxy.promfleet.io" in container.get("args", ()):
                    closed |= {(app, written(port["containerPort"], port)) for port in container["ports"][:1]}

        ports = {(app, port): who for app, ports in OPEN.items() for port, who in ports.items()}
        assert closed == {
            (app, port) for (app, port), who in ports.items() if port.startswith("844") and who != ANYBODY
        }

    @pytest.mark.parametrize("file", SHIPPED, ids=name_of)
    def test_of_people_stand_in_no_secret_and_no_output(self, file: Path) -> None:
        """
        Each of them is issued to one person, for hours; only programs have tokens that stay.
        """
        program = offline.run(from_file(file), OWN_STACK, {})

        kept = {r.inputs["metadata"]["name"] for r in program.resources if r.inputs.get("type") == offline.TOKEN}
        exported = set(re.findall(r"key \S+ of Secret \S+/(\S+) in cluster", str(program.outputs)))
        assert exported <= kept
        assert [name for name in kept if not OF_PROGRAMS.fullmatch(name)] == []

    def test_of_people_are_issued_for_their_accounts(self, everything: Engine) -> None:
        """
        Which are there, with all rights but for a token that stays.
        """
        roles: dict[str, set[str]] = {}
        for binding in everything.all(ROLE_BINDING):
            [subject] = binding.inputs["subjects"]
            roles.setdefault(subject["name"], set()).add(binding.inputs["roleRef"]["name"])
        accounts = {account.inputs["metadata"]["name"] for account in everything.all(SERVICE_ACCOUNT)}

        assert accounts >= {"reader", "viewer", "alertmanager-operator"}
        assert roles["reader"] == {f"{HUB}-read", f"{QUERY}-read", "thanos-bucket-web-browse", "alertmanager-read"}
        assert roles["viewer"] == {f"{HUB}-browse", f"{QUERY}-browse"}
        assert roles["alertmanager-operator"] == {"alertmanager-operate", "alertmanager-read"}


class TestPrivateKey:
    def test_is_only_where_it_is_served_with(self, everything: Engine) -> None:
        """
        Auth proxies and Grafana have the key of the stack's certificate; whoever trusts it has the certificate alone.
        """
        holders = set()
        for app, name, _, volume in mounted(everything):
            projected = volume.get("projected", {}).get("sources", [])
            for source in [volume, *projected]:
                secret = source.get("secret", {})
                items = [item["key"] for item in secret.get("items", [{"key": "tls.key"}])]
                if "hub-tls" in (secret.get("secretName"), secret.get("name")) and "tls.key" in items:
                    holders.add((app, name))

        assert {(app, name) for app, name in holders if not name.startswith("kube-rbac-proxy-")} == {
            ("grafana", "grafana")
        }


class TestDocs:
    def test_name_every_proxy_and_who_may_what_there(self, everything: Engine) -> None:
        """
        The page on access control has each auth proxy's port, the permission it asks for, and whether it is internal.
        """
        plain = Engine()
        plain.stand_in()
        plain.deploy(lambda: deploy(fleet(hub=HUB_ALONE, agents={"eu1": {}})))
        verbs: dict[str, set[str]] = {}
        made: dict[str, tuple[str, str, bool]] = {}
        for engine in (everything, plain):
            for rule in (rule for r in engine.all(ROLE) for rule in r.inputs["rules"]):
                verbs.setdefault(rule["resources"][0], set()).update(rule["verbs"])
            for template in specs(engine).values():
                for one in template["spec"]["containers"]:
                    if one["name"].startswith("kube-rbac-proxy-"):
                        config = next(a for a in one["args"] if a.startswith("--config-file=")).rpartition("/")[2]
                        port = one["ports"][0]
                        closed = any(a.startswith("--auth-token-audiences=") for a in one["args"])
                        made[f"{template['metadata']['labels']['app.kubernetes.io/name']} {config}"] = (
                            port["name"],
                            f"{port['containerPort']:.0f}",
                            closed,
                        )

        rows = re.findall(r"^\|.*\|$", (ROOT / "docs/access-control.md").read_text(encoding="utf-8"), re.M)[2:]
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        words = [re.findall(r"`([a-z/]+)`", row[4]) for row in cells]
        said = {
            next(word for word in found if "/" in word): {word for word in found if "/" not in word} for found in words
        }
        assert said == verbs
        assert sorted((row[1].partition(",")[0], row[2], row[1].endswith(", internal")) for row in cells) == sorted(
            made.values()
        )

    def test_name_every_token_in_a_secret(self, everything: Engine) -> None:
        """
        The page on security has a row for each.
        """
        made = {
            re.sub(r"writer-\w+-token-\d", "writer-<cluster>-token-<n>", r.inputs["metadata"]["name"])
            for r in everything.all(SECRET)
            if r.inputs.get("type") == "kubernetes.io/service-account-token"
        }

        page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
        table = page.partition("## Tokens")[2].partition("## ")[0]
        assert {name for name in re.findall(r"`([a-z-<>0]+)`", table) if "-token-" in name} == made
