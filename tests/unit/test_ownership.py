import asyncio
from typing import Any

import pulumi
import pytest

from settings import Cluster
from stacks import deploy
from stacks.ownership import CLUSTER_UID, OWNER, Owner, problems, refuse_change, refuse_strangers
from tests.unit.builders import HUB, fleet
from tests.unit.conftest import OWN_STACK
from tests.unit.kinds import NAMESPACE, NETWORK_POLICY, SERVICE, STATEFUL_SET

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
OURS = Owner("organization/promfleet/hub", "eu1")


@pytest.fixture
def deployed(engine, kubeconfig):
    """Deploy a hub and an agent, with further sections."""

    def run(via="loadBalancer", **sections):
        hub = {**HUB, "expose": {"host": "hub.example", "tls": {"secret": "hub-tls"}, "via": via}}
        return engine.deploy(lambda: deploy(fleet(hub=hub, agents={"eu1": {}}, **sections)))

    return run


def annotations(resource):
    return resource.inputs["metadata"]["annotations"]


class TestObjects:
    def test_say_whose_they_are(self, deployed):
        """
        Each is annotated with its stack and cluster, and applied under one name for all of the cluster.
        """
        objects = [r for r in deployed().resources if r.typ.startswith("kubernetes:")]

        assert len(objects) > 30
        for one in objects:
            cluster = "eu1" if "::eu1::" in one.provider else "hub"
            assert annotations(one)[OWNER] == f"{OWN_STACK}/{cluster}"
            assert annotations(one)["pulumi.com/patchFieldManager"] == f"promfleet/{OWN_STACK}/{cluster}"

    def test_managers_name_is_one_that_kubernetes_takes(self):
        """
        However long a stack's name is.
        """
        assert len(Owner("o/p/" + "s" * 200, "eu1").manager) == 128

    def test_namespaces_know_their_cluster(self, deployed):
        """
        Who swaps the contexts of two clusters would change the annotation of a namespace that is another's.
        """
        made = deployed()

        uids = {r.inputs["metadata"]["annotations"]["promfleet.io/cluster-uid"] for r in made.all(NAMESPACE)}
        assert uids == {"uid-of-hub-kube-system", "uid-of-eu1-kube-system"}

    def test_claims_are_not_waited_for(self, deployed):
        """
        The provider waits for a phase that a claim of a killed update has passed; who mounts it is waited for.
        """
        claims = deployed().all(CLAIM)

        assert claims
        assert {annotations(claim)["pulumi.com/skipAwait"] for claim in claims} == {"true"}

    @pytest.mark.parametrize(("via", "awaited"), [("nodePort", set()), ("loadBalancer", {"LoadBalancer"})])
    def test_of_services_only_load_balancers_are_waited_for(self, deployed, via, awaited):
        """
        The provider waits ten seconds more than there are endpoints, and the workload behind is waited for anyway.
        """
        services = deployed(via=via).all(SERVICE)

        types = [(s.inputs["spec"].get("type"), annotations(s).get("pulumi.com/skipAwait")) for s in services]
        assert len(types) > 2
        assert {kind for kind, skipped in types if skipped != "true"} == awaited


class TestProtection:
    @pytest.mark.parametrize("protect", [True, False])
    def test_covers_namespaces_and_volumes(self, deployed, protect):
        """
        By default no update takes them away, whatever was edited.
        """
        made = deployed(protect=protect)

        protected = {kind for kind, is_protected in made.protected if is_protected}
        assert protected == ({"Namespace", "PersistentVolumeClaim"} if protect else set())

    @pytest.mark.parametrize("protect", [True, False])
    def test_of_a_namespace_holds_where_another_one_is_read(self, deployed, protect):
        """
        The engine does not ask for protection then, which comes of `createNamespace: false` and another `namespace`.
        """
        made = deployed(protect=protect)

        assert {kind for kind, is_retained in made.retained if is_retained} == ({"Namespace"} if protect else set())


class TestNamespaceThatExists:
    def test_is_neither_made_nor_labelled(self, deployed):
        """
        Only that of node-exporter is this program's, and all pods of ours are closed in both.
        """
        made = deployed(createNamespace=False)

        assert {r.inputs["metadata"]["name"] for r in made.all(NAMESPACE)} == {"promfleet-node-exporter"}
        closed = [r.inputs for r in made.all(NETWORK_POLICY) if r.inputs["metadata"]["name"] == "default-deny"]
        assert {policy["metadata"]["namespace"] for policy in closed} == {"promfleet", "promfleet-node-exporter"}

    def test_is_read_under_the_urn_of_one_that_was_made(self, deployed):
        """
        The engine lets go of what a state has under that URN and id; under another it would delete the namespace.
        """
        made, read = (
            {urn for urn in deployed(createNamespace=created).registered if f"${NAMESPACE}::" in urn}
            for created in (True, False)
        )

        assert made == read != set()

    def test_every_pod_of_ours_is_closed_by_its_label(self, deployed):
        """
        The policy that lets nobody in looks for the label of this program, and leaves other people's pods alone.
        """
        pods = [r.inputs["spec"]["template"]["metadata"]["labels"] for r in deployed().all(STATEFUL_SET)]

        assert pods
        assert {labels["app.kubernetes.io/part-of"] for labels in pods} == {"promfleet"}


class TestProblems:
    @pytest.mark.parametrize(
        "live",
        [
            {},
            {"default": {}, "monitoring": {}},
            {"promfleet": {OWNER: str(OURS)}, "promfleet-node-exporter": {OWNER: str(OURS)}},
        ],
        ids=["new", "neighbours", "killed update"],
    )
    def test_there_are_none_with_what_is_free_or_ours(self, live):
        """
        A cluster with other namespaces, and what a killed update of this stack has left.
        """
        assert list(problems(OURS, "promfleet", live)) == []

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({}, 'namespace "promfleet" exists, and this program did not create it. Write another namespace'),
            ({OWNER: f"{OURS.stack}/us1"}, "this cluster is named us1 in this stack's state. Write us1 again"),
            ({OWNER: "organization/promfleet/eu/eu1"}, "belongs to stack organization/promfleet/eu, as eu1"),
        ],
        ids=["a stranger's", "renamed", "another stack's"],
    )
    def test_name_whose_it_is_and_what_to_write(self, facts, said):
        """
        Somebody else's namespace, a cluster that was renamed, and one that another stack has.
        """
        [problem] = problems(OURS, "promfleet", {"promfleet": facts})

        assert said in problem

    def test_a_renamed_cluster_is_found_in_any_namespace(self):
        """
        Also where the namespace got another name at the same time.
        """
        [problem] = problems(OURS, "monitoring", {"promfleet": {OWNER: f"{OURS.stack}/us1"}})

        assert "Write us1 again" in problem

    @pytest.mark.parametrize("written", ["", "eu1", "organization/promfleet/hub/", "organization/promfleet/a/b/eu1"])
    def test_an_annotation_of_another_program_is_reported(self, written):
        """
        Whoever may write a namespace may write its annotation; that is neither an error of the program nor an owner.
        """
        [problem] = problems(OURS, "promfleet", {"theirs": {OWNER: written}})

        assert problem.startswith(f'namespace "theirs" has the annotation promfleet.io/owner: "{written}"')
        assert "remove the annotation" in problem


def listing(*metadata: dict[str, Any]):
    """A client of kr8s for a cluster with these namespaces."""

    class Api:
        async def get(self, kind, *, raw):
            assert (kind, raw) == ("namespaces", True)
            for one in metadata:
                yield {"metadata": one}

    async def api(context, kubeconfig, namespace):
        assert (context, kubeconfig) == ("gke_eu1", None)
        return Api()

    return api


class TestHook:
    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({}, r'^clusters\.eu1: namespace "promfleet" exists'),
            (
                {"annotations": {OWNER: str(OURS)}, "deletionTimestamp": "2026-11-27T10:00:00Z"},
                r'^clusters\.eu1: namespace "promfleet" is being deleted, and all that is made in it would go with it',
            ),
        ],
        ids=["a stranger's", "ours, on its way out"],
    )
    def test_refuses_before_a_namespace_is_made(self, monkeypatch, facts, said):
        """
        The message begins with the place in the stack file.
        """
        monkeypatch.setattr("kr8s.asyncio.api", listing({"name": "promfleet", **facts}))
        asked = pulumi.ResourceHookArgs(
            "urn", "", "eu1-namespace", NAMESPACE, new_inputs={"metadata": {"name": "promfleet"}}
        )

        with pytest.raises(pulumi.RunError, match=said):
            asyncio.run(refuse_strangers(OURS, Cluster(context="gke_eu1"), asked))


def change(kind: str, before: dict[str, Any], after: dict[str, Any]) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs("urn", "", "name", kind, old_inputs=before, new_inputs=after)


def annotated(owner: Owner, uid: str | None = None) -> dict[str, Any]:
    return {"metadata": {"annotations": {OWNER: str(owner), **({CLUSTER_UID: uid} if uid else {})}}}


def volume(size: str, name: str = "data-prometheus-hub-0") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"resources": {"requests": {"storage": size}}}}


class TestChange:
    @pytest.mark.parametrize(
        ("kind", "before", "after"),
        [
            (NAMESPACE, annotated(OURS, "a"), annotated(OURS, "a")),
            (NAMESPACE, {"metadata": {}}, annotated(OURS, "a")),
            (SERVICE, annotated(OURS), annotated(OURS)),
            (CLAIM, volume("1Gi"), volume("1024Mi")),
            (CLAIM, volume("900Mi"), volume("1Gi")),
        ],
    )
    def test_of_what_is_ours_is_possible(self, kind, before, after):
        """
        The same cluster, what an earlier state has no annotation of, and a volume that grows or is spelt otherwise.
        """
        refuse_change("eu1", change(kind, before, after))

    @pytest.mark.parametrize("kind", [NAMESPACE, SERVICE])
    def test_under_another_name_of_the_stack_is_refused(self, kind):
        """
        After `pulumi stack rename`, or an import into another backend, each object would conflict over its annotation.
        """
        renamed = Owner("acme/promfleet/center", "eu1")

        with pytest.raises(
            pulumi.RunError, match=r"^clusters\.eu1: its objects .* Write owner: organization/promfleet/hub, unless"
        ):
            refuse_change("eu1", change(kind, annotated(OURS), annotated(renamed)))

    def test_in_another_cluster_is_refused(self):
        """
        A context that was repointed, or whose cluster was made anew: the rest of the state would count as unchanged.
        """
        with pytest.raises(
            pulumi.RunError, match=r"^clusters\.eu1: its context leads to another cluster .* `pulumi up --refresh`"
        ):
            refuse_change("eu1", change(NAMESPACE, annotated(OURS, "before"), annotated(OURS, "after")))

    @pytest.mark.parametrize(
        ("name", "instead"),
        [
            ("data-prometheus-hub-0", "Write storage: 62Gi again."),
            ("prometheus-agent", "Write agents.eu1.storage: 62Gi."),
            ("prometheus-agent-shard-1", "Write agents.eu1.storage: 62Gi."),
        ],
    )
    def test_of_a_volume_never_shrinks_it(self, name, instead):
        """
        The size of an agent's follows from `series` and `outage`, so that who lowers these must write it.
        """
        with pytest.raises(pulumi.RunError) as refused:
            refuse_change("eu1", change(CLAIM, volume("62Gi", name), volume("21Gi", name)))

        said = str(refused.value)
        assert said == f"clusters.eu1: volume claim {name} can't shrink from 62Gi to 21Gi. {instead}"


class TestRenamedStack:
    def test_keeps_its_objects_under_the_former_name(self, deployed):
        """
        Neither their annotation nor their field manager changes.
        """
        objects = [r for r in deployed(owner="organization/promfleet/former").resources if ":Provider" not in r.typ]

        assert {annotations(r)[OWNER].rpartition("/")[0] for r in objects if "metadata" in r.inputs} == {
            "organization/promfleet/former"
        }
