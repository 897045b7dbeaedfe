import asyncio
import json
from base64 import b64decode
from ipaddress import ip_address

import pytest
from pulumi.provider.experimental.provider import (
    CheckRequest,
    ConfigureRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    PropertyDiffKind,
    ReadRequest,
)
from pulumi.runtime.rpc import UNKNOWN

from lab.gcp import cloud, objectstore
from lab.gcp.provider import Provider, plain, wrapped
from lab.node import LabError

BUCKET = {"name": "blocks", "location": "EU", "project": "acme"}
ACCOUNT = {"accountId": "thanos-store", "project": "acme"}
STORE = "thanos-store@acme.iam.gserviceaccount.com"
STORE_ID = f"projects/acme/serviceAccounts/{STORE}"
IDENTITY = {"serviceAccountId": STORE_ID, "role": cloud.IMPERSONATE, "member": f"serviceAccount:{cloud.POOL}[b/c]"}
RIGHTS = {"bucket": "blocks", "role": "roles/storage.objectViewer", "member": f"serviceAccount:{STORE}"}

DISK = {"name": "watcher-data", "type": "pd-ssd", "project": "acme", "zone": "europe-west1-b", "size": 50.0}
ADDRESS = {"name": "watcher", "project": "acme", "region": "europe-west1", "addressType": "INTERNAL"}
INSTANCE = {
    "name": "watcher",
    "project": "acme",
    "zone": "europe-west1-b",
    "machineType": "e2-standard-2",
    "bootDisk": {"initializeParams": {"image": "debian-cloud/debian-12"}},
    "networkInterfaces": [{"subnetwork": "default"}],
}
FIREWALL = {
    "name": "watcher-ssh",
    "project": "acme",
    "network": "default",
    "allows": [{"protocol": "tcp", "ports": ["22"]}],
    "sourceRanges": ["35.235.240.0/20"],
}
REPLICAS = {"userManaged": {"replicas": [{"location": "europe-west1"}]}}
SECRET = {"secretId": "watcher-machine", "project": "acme", "replication": REPLICAS}
READER = {
    "secretId": "watcher-machine",
    "project": "acme",
    "role": "roles/secretmanager.secretAccessor",
    "member": f"serviceAccount:{STORE}",
}


class ObjectStore:
    """Buckets and their objects, asked as the object store is."""

    def __init__(self):
        self.buckets = {}

    def ask(self, method, path, body):
        parts = path.partition("?")[0].split("/")[4:]
        if method == "POST":
            self.buckets[body["name"]] = set()
            return body
        if parts[0] not in self.buckets:
            return None
        if method == "GET":
            return {"items": [{"name": name} for name in self.buckets[parts[0]]]}
        if len(parts) > 1:
            self.buckets[parts[0]].remove(parts[2])
        elif self.buckets[parts[0]]:
            raise LabError("412: bucket must be empty")
        else:
            del self.buckets[parts[0]]
        return {}


@pytest.fixture
def store(monkeypatch, tmp_path):
    """Give the object store of an empty lab."""
    monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path))
    made = ObjectStore()
    monkeypatch.setattr(objectstore, "ask", lambda method, path, body=None: made.ask(method, path, body))
    return made


def urn(token):
    return f"urn:pulumi:dev::promfleet::{token}::thing"


def check(token, inputs, old=None, project=""):
    """Give the inputs as the provider takes them, and what it says against them by property."""
    provider = Provider()
    variables = {"gcp:config:project": project} if project else {}
    asyncio.run(provider.configure(ConfigureRequest(variables, {}, accept_secrets=True, accept_resources=True)))
    request = CheckRequest(urn(token), wrapped(old or {}), wrapped(inputs), b"\x01\x02\x03\x04")
    answer = asyncio.run(provider.check(request))
    return plain(answer.inputs or {}), {failure.property: failure.reason for failure in answer.failures or ()}


def diff(token, old, new):
    return asyncio.run(Provider().diff(DiffRequest(urn(token), "id", wrapped(old), wrapped(new), [])))


def create(token, inputs, *, preview=False):
    """Give the new resource's id and outputs."""
    answer = asyncio.run(Provider().create(CreateRequest(urn(token), wrapped(inputs), 0, preview)))
    return answer.resource_id, plain(answer.properties)


def read(token, name):
    return asyncio.run(Provider().read(ReadRequest(urn(token), name, {}, {})))


def delete(token, name, outputs):
    asyncio.run(Provider().delete(DeleteRequest(urn(token), name, wrapped(outputs), 0)))


class TestCheck:
    @pytest.mark.parametrize(
        ("token", "inputs"),
        [
            (
                cloud.BUCKET,
                {
                    **BUCKET,
                    "versioning": {"enabled": True},
                    "labels": {"team": "a"},
                    "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 7.0}}],
                },
            ),
            (cloud.ACCOUNT, {**ACCOUNT, "displayName": "Thanos Store"}),
            (cloud.ACCOUNT_MEMBER, IDENTITY),
            (cloud.BUCKET_MEMBER, RIGHTS),
            (cloud.KEY, {"serviceAccountId": STORE_ID}),
            (cloud.DISK, DISK),
            (cloud.ADDRESS, ADDRESS),
            (cloud.INSTANCE, INSTANCE),
            (cloud.FIREWALL, FIREWALL),
            (cloud.SECRET, SECRET),
            (cloud.SECRET_MEMBER, READER),
        ],
    )
    def test_what_the_sdk_sends_is_taken_as_it_is(self, token, inputs):
        """
        Well-formed inputs of every type pass, nested ones too, and nothing is added.
        """
        assert check(token, inputs) == (inputs, {})

    @pytest.mark.parametrize(
        ("changed", "path", "reason"),
        [
            ({"locaton": "EU"}, "locaton", "is not known to BucketArgs"),
            ({"location": None}, "location", "is required by BucketArgs"),
            ({"forceDestroy": "yes"}, "forceDestroy", "'yes', not true or false"),
            ({"labels": ["a"]}, "labels", "not a map"),
            ({"labels": {"a": 1.0}}, "labels.a", "1.0, not a string"),
            ({"lifecycleRules": {}}, "lifecycleRules", "not a list"),
            ({"versioning": True}, "versioning", "not a map"),
            ({"versioning": {}}, "versioning.enabled", "is required by BucketVersioningArgs"),
            (
                {"lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 1.5}}]},
                "lifecycleRules[0].condition.age",
                "1.5, not a whole number",
            ),
            ({"name": "Blocks"}, "name", "'Blocks', which does not match"),
        ],
    )
    def test_what_the_real_provider_refuses_is_refused_by_name(self, changed, path, reason):
        """
        An unknown property, a missing one and a wrong type are each told, with the path of the property.
        """
        _, failures = check(cloud.BUCKET, {**BUCKET, **changed})

        assert list(failures) == [path]
        assert reason in failures[path]

    def test_a_value_that_is_not_known_yet_fits_everything(self):
        """
        In a preview, what comes from a new resource is unknown.
        """
        unknown = {"bucket": UNKNOWN, "role": RIGHTS["role"], "member": UNKNOWN}

        assert check(cloud.BUCKET_MEMBER, unknown)[1] == {}

    @pytest.mark.parametrize(
        ("token", "inputs", "path"),
        [
            (cloud.INSTANCE, {**INSTANCE, "zone": "europe-west1"}, "zone"),
            (cloud.INSTANCE, {**INSTANCE, "bootDisk": {"image": "debian-12"}}, "bootDisk.image"),
            (cloud.DISK, {**DISK, "size": "50Gi"}, "size"),
            (cloud.FIREWALL, {**FIREWALL, "allows": [{"ports": ["22"]}]}, "allows[0].protocol"),
            (cloud.SECRET, {**SECRET, "secretId": "watcher/machine"}, "secretId"),
            (cloud.SECRET_MEMBER, {**READER, "member": STORE}, "member"),
        ],
    )
    def test_what_the_cloud_refuses_of_a_vm_is_refused_by_name(self, token, inputs, path):
        """
        The path of the property is that of the SDK's arguments.
        """
        assert list(check(token, inputs)[1]) == [path]

    @pytest.mark.parametrize("length", [5, 31])
    def test_an_account_id_has_6_to_30_characters(self, length):
        """
        What Google Cloud refuses for its length is refused here.
        """
        assert list(check(cloud.ACCOUNT, {**ACCOUNT, "accountId": "a" * length})[1]) == ["accountId"]

    def test_the_project_comes_from_the_configuration(self):
        """
        gcp:project stands in where a resource names none.
        """
        assert check(cloud.ACCOUNT, {"accountId": "thanos-store"}, project="acme") == (ACCOUNT, {})

    def test_without_any_project_there_is_nowhere_to_put_it(self):
        """
        A bucket without project is refused with the key that is missing.
        """
        assert "gcp:project" in check(cloud.BUCKET, {"name": "blocks", "location": "EU"})[1]["project"]

    def test_a_made_up_name_is_kept(self):
        """
        A bucket that was named by the provider keeps its name.
        """
        inputs = {"location": "EU", "project": "acme"}

        assert check(cloud.BUCKET, inputs)[0]["name"] == "thing-0102030"
        assert check(cloud.BUCKET, inputs, old={"name": "thing-9999999"})[0]["name"] == "thing-9999999"

    def test_a_type_that_the_lab_lacks_is_named(self):
        """
        Who uses another resource of Google Cloud hears that the lab has none.
        """
        with pytest.raises(LabError, match="no gcp:pubsub/topic:Topic"):
            check("gcp:pubsub/topic:Topic", {})


class TestDiff:
    def test_nothing_changed_is_no_change(self):
        """
        Outputs that are no inputs don't count.
        """
        answer = diff(cloud.BUCKET, {**BUCKET, "url": "gs://blocks"}, BUCKET)

        assert (answer.changes, answer.replaces) == (False, [])

    @pytest.mark.parametrize(
        ("old", "new", "kind"),
        [
            ({}, {"forceDestroy": True}, PropertyDiffKind.ADD),
            ({"forceDestroy": True}, {"forceDestroy": False}, PropertyDiffKind.UPDATE),
            ({"forceDestroy": True}, {}, PropertyDiffKind.DELETE),
        ],
    )
    def test_settings_of_a_bucket_change_in_place(self, old, new, kind):
        """
        What was added, changed or left out is told as just that.
        """
        answer = diff(cloud.BUCKET, {**BUCKET, **old}, {**BUCKET, **new})

        assert {name: change.kind for name, change in answer.detailed_diff.items()} == {"forceDestroy": kind}
        assert (answer.changes, answer.replaces) == (True, [])

    @pytest.mark.parametrize(("name", "frees_its_name"), [("name", False), ("location", True), ("project", True)])
    def test_a_bucket_can_t_move(self, name, frees_its_name):
        """
        Another name, location or project is another bucket; under the same name the old one must go first.
        """
        answer = diff(cloud.BUCKET, BUCKET, {**BUCKET, name: "another"})

        assert (answer.replaces, answer.delete_before_replace) == ([name], frees_its_name)

    @pytest.mark.parametrize(
        ("token", "inputs", "changed", "is_new"),
        [
            (cloud.INSTANCE, INSTANCE, {"metadata": {"startup-script": "true"}}, False),
            (cloud.INSTANCE, INSTANCE, {"machineType": "e2-standard-4"}, False),
            (cloud.INSTANCE, INSTANCE, {"zone": "europe-west1-c"}, True),
            (cloud.DISK, DISK, {"size": 100.0}, False),
            (cloud.DISK, DISK, {"type": "pd-balanced"}, True),
            (cloud.FIREWALL, FIREWALL, {"sourceRanges": ["10.0.0.0/8"]}, False),
        ],
    )
    def test_a_vm_keeps_its_disk_where_google_keeps_it(self, token, inputs, changed, is_new):
        """
        What asks for a new resource does so under the old name, which must be free first.
        """
        answer = diff(token, inputs, {**inputs, **changed})

        assert answer.replaces == ([*changed] if is_new else [])
        assert answer.delete_before_replace

    def test_a_binding_is_replaced_whatever_changes(self):
        """
        Rights are given and taken, never edited.
        """
        answer = diff(cloud.BUCKET_MEMBER, RIGHTS, {**RIGHTS, "role": "roles/storage.objectAdmin"})

        assert answer.replaces == ["role"]


class TestLife:
    def test_a_bucket_is_really_there_and_really_gone(self, store):
        """
        The object store has the bucket from its creation to its deletion.
        """
        name, outputs = create(cloud.BUCKET, BUCKET)

        assert (name, outputs["url"], list(store.buckets)) == ("blocks", "gs://blocks", ["blocks"])

        delete(cloud.BUCKET, name, outputs)

        assert (store.buckets, cloud.records()) == ({}, {})

    def test_a_bucket_with_objects_goes_only_by_force(self, store):
        """
        Blocks are not lost to a `pulumi destroy`, unless the bucket says forceDestroy.
        """
        name, outputs = create(cloud.BUCKET, BUCKET)
        store.buckets["blocks"].add("meta.json")

        with pytest.raises(LabError, match="must be empty"):
            delete(cloud.BUCKET, name, outputs)
        assert list(cloud.records()) == ["blocks"]

        delete(cloud.BUCKET, name, {**outputs, "forceDestroy": True})

        assert (store.buckets, cloud.records()) == ({}, {})

    def test_an_account_comes_with_its_e_mail_and_the_form_that_bindings_take(self, store):
        """
        Outputs are what the SDK's users read: e-mail, member and full name.
        """
        name, outputs = create(cloud.ACCOUNT, ACCOUNT)

        assert (name, outputs["name"]) == (STORE_ID, STORE_ID)
        assert (outputs["email"], outputs["member"]) == (STORE, f"serviceAccount:{STORE}")

    def test_a_second_account_of_the_same_id_is_refused(self, store):
        """
        Two stacks can't both make an account.
        """
        create(cloud.ACCOUNT, ACCOUNT)

        with pytest.raises(LabError, match="exists already"):
            create(cloud.ACCOUNT, ACCOUNT)

    @pytest.mark.parametrize(
        ("token", "inputs"),
        [(cloud.BUCKET_MEMBER, RIGHTS), (cloud.ACCOUNT_MEMBER, IDENTITY), (cloud.KEY, {"serviceAccountId": STORE_ID})],
    )
    def test_rights_and_keys_need_what_they_are_for(self, store, token, inputs):
        """
        Google Cloud refuses a binding or a key of what doesn't exist.
        """
        with pytest.raises(LabError, match="there is no"):
            create(token, inputs)

    def test_a_pool_of_a_project_without_clusters_does_not_exist(self, store):
        """
        The bucket's project has none, if the clusters are in another one.
        """
        create(cloud.ACCOUNT, ACCOUNT)

        with pytest.raises(LabError, match=r"Identity Pool does not exist \(acme\.svc\.id\.goog\)"):
            create(cloud.ACCOUNT_MEMBER, {**IDENTITY, "member": "serviceAccount:acme.svc.id.goog[b/c]"})

        assert create(cloud.ACCOUNT_MEMBER, IDENTITY)[0]

    def test_rights_on_a_bucket_need_an_account_that_exists(self, store):
        """
        A misspelt account is refused when the right is given, not when it is used.
        """
        create(cloud.BUCKET, BUCKET)

        with pytest.raises(LabError, match=f"no service account serviceAccount:{STORE}"):
            create(cloud.BUCKET_MEMBER, RIGHTS)

    @pytest.mark.parametrize(
        "part", [{"attachedDisks": [{"source": "x"}]}, {"serviceAccount": {"email": STORE, "scopes": []}}]
    )
    def test_a_vm_needs_its_parts(self, store, part):
        """
        A disk or an account that does not exist is named.
        """
        with pytest.raises(LabError, match=r"the VM watcher needs .*, which does not exist"):
            create(cloud.INSTANCE, {**INSTANCE, **part})

    def test_a_disk_is_of_one_vm_until_that_is_gone(self, store):
        """
        Neither can another VM have it, nor can it be deleted; afterwards it is still there.
        """
        disk, made = create(cloud.DISK, DISK)
        parts = {**INSTANCE, "attachedDisks": [{"source": made["selfLink"]}]}
        instance, outputs = create(cloud.INSTANCE, parts)
        assert plain(read(cloud.DISK, disk).inputs) == DISK

        with pytest.raises(LabError, match=r"the VM watcher has .*/disks/watcher-data"):
            create(cloud.INSTANCE, {**parts, "name": "another"})
        with pytest.raises(LabError, match="disk watcher-data is used by the VM watcher"):
            delete(cloud.DISK, disk, made)

        delete(cloud.INSTANCE, instance, outputs)
        assert list(cloud.records()) == [disk]
        delete(cloud.DISK, disk, made)
        assert cloud.records() == {}

    def test_an_address_is_there_for_a_vm(self, store):
        """
        An internal one is of another range than a public one.
        """
        internal = create(cloud.ADDRESS, ADDRESS)[1]["address"]
        assert not diff(cloud.ADDRESS, {**ADDRESS, "address": internal}, ADDRESS).changes
        public = create(cloud.ADDRESS, {**ADDRESS, "name": "public", "addressType": "EXTERNAL"})[1]["address"]

        assert ip_address(internal).is_private
        assert (internal.split(".")[0], public.split(".")[0]) == ("10", "203")
        assert create(cloud.INSTANCE, {**INSTANCE, "networkInterfaces": [{"networkIp": internal}]})[0]

    def test_a_secret_is_there_once_and_read_by_who_exists(self, store):
        """
        A right needs the secret and the account.
        """
        with pytest.raises(LabError, match="there is no secret projects/acme/secrets/watcher-machine"):
            create(cloud.SECRET_MEMBER, READER)
        create(cloud.SECRET, SECRET)
        with pytest.raises(LabError, match="exists already"):
            create(cloud.SECRET, SECRET)
        with pytest.raises(LabError, match=f"no service account serviceAccount:{STORE}"):
            create(cloud.SECRET_MEMBER, READER)
        create(cloud.ACCOUNT, ACCOUNT)

        assert create(cloud.SECRET_MEMBER, READER)[0].startswith("projects/acme/secrets/watcher-machine/roles/")

    def test_two_keys_of_one_account_are_two(self, store):
        """
        Keys overlap while they are rotated.
        """
        create(cloud.ACCOUNT, ACCOUNT)
        keys = [create(cloud.KEY, {"serviceAccountId": STORE_ID}) for _ in range(2)]

        assert keys[0][0] != keys[1][0]
        assert json.loads(b64decode(keys[0][1]["privateKey"]))["client_email"] == STORE

    def test_a_preview_makes_nothing(self, store):
        """
        What a new resource comes with is not known before it is made.
        """
        assert create(cloud.BUCKET, BUCKET, preview=True) == ("", BUCKET)
        assert (store.buckets, cloud.records()) == ({}, {})

    def test_what_was_deleted_behind_its_back_is_read_as_gone(self, store):
        """
        A refresh sees that a bucket is no longer there.
        """
        name, _ = create(cloud.BUCKET, BUCKET)

        assert plain(read(cloud.BUCKET, name).inputs) == BUCKET

        store.buckets.clear()

        assert read(cloud.BUCKET, name).resource_id == ""
