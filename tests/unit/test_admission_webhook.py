import base64
from typing import Any

import pytest

from components.admission_webhook import APP
from lab import pki
from settings import Fleet
from stacks import deploy
from tests.unit.builders import HUB
from tests.unit.conftest import Engine, validate
from tests.unit.kinds import CERTIFICATE, DEPLOYMENT, NETWORK_POLICY, POD_DISRUPTION_BUDGET, SERVICE

WEBHOOKS = "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration"
CA = pki.authority("own").certificate.decode()
BY_SECRET = {"secret": "webhook-tls", "ca": CA}
BY_ISSUER = {"issuer": "own"}
OTHERS = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["promfleet"]}
"""Chooses the namespaces that are not this program's."""


def described(webhook: dict[str, Any], select: dict[str, Any] | None = None, **sections: Any) -> Fleet:
    """A hub that an operator runs, with its webhook."""
    operator = {"install": True, "webhook": webhook, "select": select or {}}
    said = {"clusters": {"hub": {"context": "hub", "operator": operator}}, "hub": HUB}
    return Fleet.model_validate(said | sections)


@pytest.fixture
def deployed(engine, kubeconfig):
    def deployed(*said: dict[str, Any], **sections: Any) -> Engine:
        return engine.deploy(lambda: deploy(described(*said, **sections)))

    return deployed


def registered(engine: Engine) -> dict[str, Any]:
    """The only webhook that an API server is told of."""
    [webhook] = engine.one(WEBHOOKS).inputs["webhooks"]
    return webhook


class TestCalled:
    @pytest.mark.parametrize("webhook", [BY_SECRET, BY_ISSUER], ids=["secret", "issuer"])
    def test_by_the_service_in_front_of_its_pods(self, deployed, webhook) -> None:
        """
        What is rendered is what API servers of all supported releases take.
        """
        engine = deployed(webhook)

        validate(engine.objects)
        called = registered(engine)["clientConfig"]["service"]
        service = engine.one(SERVICE, called["name"]).inputs["spec"]
        labels = engine.one(DEPLOYMENT, APP).inputs["spec"]["template"]["metadata"]["labels"]
        assert called["namespace"] == "promfleet"
        assert service["selector"].items() <= labels.items()
        assert service["ports"] == [{"name": "https", "port": called["port"], "targetPort": "https"}]

    def test_when_a_rule_is_written(self, deployed) -> None:
        """
        And at no other time: a deletion, or the operator's status, waits for nobody.
        """
        [asked] = registered(deployed(BY_SECRET))["rules"]

        assert asked["resources"] == ["prometheusrules"]
        assert asked["operations"] == ["CREATE", "UPDATE"]

    def test_through_a_policy_that_names_nobody(self, deployed) -> None:
        """
        API servers are outside of the cluster's pods; its own port alone is open.
        """
        policy = deployed(BY_SECRET).one(NETWORK_POLICY, APP).inputs["spec"]

        assert policy["ingress"] == [{"ports": [{"port": 10250, "protocol": "TCP"}]}]


class TestTrust:
    def test_is_the_given_authority(self, deployed) -> None:
        """
        The API server verifies the certificate in the Secret by it.
        """
        engine = deployed(BY_SECRET)

        assert base64.b64decode(registered(engine)["clientConfig"]["caBundle"]).decode() == CA
        assert engine.all(CERTIFICATE) == []
        [volume] = engine.one(DEPLOYMENT, APP).inputs["spec"]["template"]["spec"]["volumes"]
        assert volume["secret"] == {"secretName": "webhook-tls"}

    def test_is_left_to_cert_manager(self, deployed) -> None:
        """
        Its injector writes the field, which is none of this stack; the annotation names the Certificate.
        """
        engine = deployed(BY_ISSUER)

        certificate = engine.one(CERTIFICATE).inputs
        named = f"{certificate['metadata']['namespace']}/{certificate['metadata']['name']}"
        annotations = engine.one(WEBHOOKS).inputs["metadata"]["annotations"]
        assert annotations["cert-manager.io/inject-ca-from"] == named
        assert "caBundle" not in registered(engine)["clientConfig"]
        assert certificate["spec"]["dnsNames"] == ["admission-webhook.promfleet.svc"]
        [volume] = engine.one(DEPLOYMENT, APP).inputs["spec"]["template"]["spec"]["volumes"]
        assert volume["secret"] == {"secretName": certificate["spec"]["secretName"]}

    def test_of_an_issuer_may_be_given_too(self, deployed) -> None:
        """
        Then nothing is injected.
        """
        engine = deployed({**BY_ISSUER, "ca": CA})

        assert "caBundle" in registered(engine)["clientConfig"]
        assert "cert-manager.io/inject-ca-from" not in engine.one(WEBHOOKS).inputs["metadata"]["annotations"]


class TestJudged:
    def test_are_all_but_those_of_this_program(self, deployed) -> None:
        """
        An update of the stack does not depend on whether the webhook answers.
        """
        webhook = registered(deployed(BY_SECRET))

        assert webhook["namespaceSelector"] == {"matchExpressions": [OTHERS]}
        assert webhook["objectSelector"] == {}

    def test_are_those_that_are_used(self, deployed) -> None:
        """
        What `select` leaves out is not evaluated, and may be written for somebody else.
        """
        select = {"labels": {"team": "shop"}, "namespaces": ["shop"]}
        webhook = registered(deployed(BY_SECRET, select))

        within = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["promfleet", "shop"]}
        assert webhook["namespaceSelector"] == {"matchExpressions": [within, OTHERS]}
        assert webhook["objectSelector"] == {"matchLabels": {"team": "shop"}}


class TestAway:
    @pytest.mark.parametrize(("said", "policy"), [({}, "Ignore"), ({"failurePolicy": "Fail"}, "Fail")])
    def test_it_stops_nobody_unless_it_is_to(self, deployed, said, policy) -> None:
        """
        The operator leaves a broken rule out by itself, so that nothing is lost by storing it.
        """
        webhook = registered(deployed({**BY_SECRET, **said}))

        assert webhook["failurePolicy"] == policy
        assert webhook["timeoutSeconds"] == 5

    def test_one_of_two_pods_stays(self, deployed) -> None:
        """
        Through evictions and updates of nodes, on different nodes where there are any.
        """
        engine = deployed(BY_SECRET)

        spec = engine.one(DEPLOYMENT, APP).inputs["spec"]
        assert spec["replicas"] == 2
        assert spec["template"]["spec"]["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "ScheduleAnyway"
        assert engine.one(POD_DISRUPTION_BUDGET).inputs["spec"]["maxUnavailable"] == 1

    def test_it_is_there_only_where_it_is_asked_for(self, engine, kubeconfig) -> None:
        """
        Without a certificate there can be none.
        """
        said = {"clusters": {"hub": {"context": "hub", "operator": {"install": True}}}, "hub": HUB}
        engine.deploy(lambda: deploy(Fleet.model_validate(said)))

        assert engine.all(WEBHOOKS) == []


class TestPod:
    def test_may_do_nothing(self, deployed) -> None:
        """
        It asks nobody: no token, no right, no capability.
        """
        engine = deployed(BY_SECRET)

        pod = engine.one(DEPLOYMENT, APP).inputs["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["readOnlyRootFilesystem"]

    def test_is_placed_and_sized_by_its_own_name(self, deployed) -> None:
        """
        What is written of the operator is not meant for it.
        """
        components = {
            "prometheusOperator": {"resources": {"limits": {"memory": "1Gi"}}},
            "admissionWebhook": {"resources": {"limits": {"memory": "200Mi"}}},
        }
        engine = deployed(BY_SECRET, workloads={"components": components})

        [container] = engine.one(DEPLOYMENT, APP).inputs["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["limits"] == {"memory": "200Mi"}
