import threading
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from lab.cluster import Cluster
from lab.gcp import cloud, metadata
from lab.gcp.metadata import RefusedError
from tests.http_server import POLL

WANTED = {"Metadata-Flavor": "Google"}
STORE = "store@acme.iam.gserviceaccount.com"
RECORDS = {
    "account": {cloud.KIND: cloud.ACCOUNT, "email": STORE},
    "identity": {
        cloud.KIND: cloud.ACCOUNT_MEMBER,
        "serviceAccountId": f"projects/acme/serviceAccounts/{STORE}",
        "role": cloud.IMPERSONATE,
        "member": f"serviceAccount:{cloud.POOL}[promfleet/thanos-store]",
    },
    "rights": {
        cloud.KIND: cloud.BUCKET_MEMBER,
        "bucket": "blocks",
        "role": "roles/storage.objectViewer",
        "member": f"serviceAccount:{STORE}",
    },
}
SERVICE_ACCOUNT = {
    "metadata": {"namespace": "promfleet", "name": "thanos-store", "annotations": {metadata.ANNOTATION: STORE}}
}


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """Give an empty lab of this test's own."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path))
    return tmp_path


@pytest.fixture
def server():
    """Serve metadata to whoever asks, as one account; gives the server's URL."""
    listening = metadata.Server(("127.0.0.1", 0), metadata.handler(lambda _address: STORE))
    threading.Thread(target=listening.serve_forever, args=[POLL], daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()


class TestRecords:
    def test_what_one_process_writes_the_next_one_reads(self, lab):
        """
        Records outlive who wrote them.
        """
        with cloud.edited() as records:
            records["a"] = {cloud.KIND: cloud.ACCOUNT}

        assert cloud.records() == {"a": {cloud.KIND: cloud.ACCOUNT}}

    def test_a_change_that_fails_leaves_the_records_as_they_were(self, lab):
        """
        What the cloud refused is not remembered.
        """

        def change():
            with cloud.edited() as records:
                records["a"] = {cloud.KIND: cloud.ACCOUNT}
                raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            change()

        assert cloud.records() == {}

    def test_a_viewer_reads_and_lists_one_bucket(self):
        """
        A role counts for the bucket and the account that its binding names, and for nothing else.
        """
        assert cloud.permissions(RECORDS, STORE, "blocks") == {"get", "list"}
        assert cloud.permissions(RECORDS, STORE, "other") == set()
        assert cloud.permissions(RECORDS, "other@acme.iam.gserviceaccount.com", "blocks") == set()

    def test_a_token_leads_back_to_its_account(self):
        """
        The object store knows who comes by the token that the metadata server gave.
        """
        assert cloud.holder(f"Bearer {cloud.token(STORE)}") == STORE
        assert cloud.holder("Bearer ya29.else") == ""
        assert cloud.holder(None) == ""


class TestAccount:
    def test_a_pod_is_the_account_that_its_service_account_names(self):
        """
        The annotation and the binding together make a pod a Google service account.
        """
        assert metadata.account(SERVICE_ACCOUNT, RECORDS) == STORE

    def test_without_annotation_there_is_no_account(self):
        """
        A ServiceAccount without annotation is answered 404, and told which annotation is missing.
        """
        bare = {"metadata": {"namespace": "promfleet", "name": "thanos-store"}}

        with pytest.raises(RefusedError, match=metadata.ANNOTATION) as refused:
            metadata.account(bare, RECORDS)

        assert refused.value.status == HTTPStatus.NOT_FOUND

    @pytest.mark.parametrize("missing", ["account", "identity"])
    def test_who_may_not_act_as_the_account_is_refused(self, missing):
        """
        An annotation alone gives no one an account: it must exist, and let this ServiceAccount act as it.
        """
        records = {name: record for name, record in RECORDS.items() if name != missing}

        with pytest.raises(RefusedError) as refused:
            metadata.account(SERVICE_ACCOUNT, records)

        assert refused.value.status == HTTPStatus.FORBIDDEN

    def test_another_namespace_s_service_account_of_the_same_name_is_refused(self):
        """
        A binding is for one ServiceAccount of one namespace.
        """
        other = {"metadata": {**SERVICE_ACCOUNT["metadata"], "namespace": "default"}}

        with pytest.raises(RefusedError):
            metadata.account(other, RECORDS)

    @pytest.mark.parametrize(
        "member",
        [
            "serviceAccount:acme.svc.id.goog[promfleet/thanos-store]",
            f"serviceAccount:x{cloud.POOL}[promfleet/thanos-store]",
            f"user:{cloud.POOL}[promfleet/thanos-store]",
        ],
    )
    def test_a_member_of_another_pool_is_another_member(self, member):
        """
        Google looks for the whole member: the pool is that of the cluster's project, whosever the bucket is.
        """
        records = {**RECORDS, "identity": {**RECORDS["identity"], "member": member}}

        with pytest.raises(RefusedError):
            metadata.account(SERVICE_ACCOUNT, records)


class TestServiceAccount:
    @pytest.fixture
    def cluster(self, monkeypatch):
        """Give a cluster whose API knows one pod, at 10.244.1.5."""

        def get(_cluster, path):
            if "/pods?" not in path:
                return SERVICE_ACCOUNT if path.endswith("/promfleet/serviceaccounts/thanos-store") else None
            running = {"phase": "Running"}
            pod = {
                "metadata": {"namespace": "promfleet"},
                "spec": {"serviceAccountName": "thanos-store"},
                "status": running,
            }
            old = {**pod, "spec": {"serviceAccountName": "default"}, "status": {"phase": "Succeeded"}}
            return {"items": [old, pod] if path.endswith("=10.244.1.5") else []}

        monkeypatch.setattr(metadata.api, "get", get)
        return Cluster("hub", 1, Path("/nowhere"))

    def test_is_that_of_the_pod_that_runs_at_the_address(self, cluster):
        """
        A pod that has ended left its address to another one.
        """
        assert metadata.service_account(cluster, "10.244.1.5") == SERVICE_ACCOUNT

    def test_a_pod_that_is_not_known_yet_may_ask_again(self, cluster):
        """
        503 is what Google's clients try again on.
        """
        with pytest.raises(RefusedError) as refused:
            metadata.service_account(cluster, "10.244.1.6")

        assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE

    def test_the_node_itself_has_none(self, cluster):
        """
        A pod on the node's network gets nothing.
        """
        with pytest.raises(RefusedError) as refused:
            metadata.service_account(cluster, "169.254.169.254")

        assert refused.value.status == HTTPStatus.NOT_FOUND


class TestServer:
    def test_shows_anyone_what_it_is(self, server):
        """
        Clients look for the header at the root to see whether they are on Google Cloud.
        """
        assert httpx.get(server).headers["Metadata-Flavor"] == "Google"

    def test_gives_a_token_that_names_the_account(self, server):
        """
        The token comes with its kind and lifetime, in the form that Google's clients read.
        """
        place = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=a"
        answer = httpx.get(server + place, headers=WANTED)

        assert answer.json() == {"access_token": cloud.token(STORE), "expires_in": 3600, "token_type": "Bearer"}

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("project/project-id", cloud.PROJECT),
            ("instance/service-accounts/default/email", STORE),
            ("instance/service-accounts/default/scopes", metadata.SCOPE),
        ],
    )
    def test_gives_plain_facts_as_text(self, server, place, value):
        """
        Each fact stands alone at its path.
        """
        assert httpx.get(f"{server}/computeMetadata/v1/{place}", headers=WANTED).text == value

    def test_refuses_who_does_not_say_that_it_wants_metadata(self, server):
        """
        A request that was led here by accident carries no such header.
        """
        assert httpx.get(f"{server}/computeMetadata/v1/project/project-id").status_code == HTTPStatus.FORBIDDEN
