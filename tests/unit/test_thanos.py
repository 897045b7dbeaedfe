"""The roles of Thanos as whole stacks: what stands where, who may do what, and what each is told."""

import json
import re
from functools import partial
from typing import Any

import pulumi
import pytest
import yaml

from render.thanos.objstore import objstore
from render.thanos.receive import hashring
from settings import Fleet, Storage
from settings.validation.exposure import hosts
from stacks import deploy
from tests.unit.builders import HUB, fleet
from tests.unit.conftest import OWN_STACK, Engine, plain, validate
from tests.unit.kinds import (
    BUCKET,
    BUCKET_MEMBER,
    CONFIG_MAP,
    GOOGLE_ACCOUNT,
    GOOGLE_ACCOUNT_MEMBER,
    NETWORK_POLICY,
    ROLE,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
)

POOL = "acme-clusters.svc.id.goog"
"""Of the hub's cluster; the bucket is in another project."""
PLACE = {"bucket": "blocks", "endpoint": "s3.eu-central-1.amazonaws.com", "region": "eu-central-1"}
CONTAINER = {"account": "acmemetrics", "container": "blocks"}
GCS = {"gcs": {"project": "acme-monitoring", "bucket": "acme-long-term"}}


def with_thanos(thanos: dict[str, Any], **sections: Any) -> Fleet:
    """These roles beside a hub of two replicas."""
    storage = thanos["storage"]
    pool = {"workloadPool": POOL} if "gcs" in storage and "key" not in storage["gcs"] else {}
    agents = {cluster: {"context": cluster} for cluster in sections.get("agents", ())}
    clusters = {"hub": {"context": "hub", **pool}, **agents}
    return fleet(hub=HUB | {"replicas": 2}, thanos=thanos, clusters=clusters, **sections)


def deploy_thanos(engine: Engine, thanos: dict[str, Any], **sections: Any) -> Engine:
    described = with_thanos(thanos, **sections)
    return engine.deploy(lambda: deploy(described))


@pytest.fixture
def deployed(engine, kubeconfig):
    return partial(deploy_thanos, engine)


FULL = {
    "storage": GCS,
    "queryFrontend": {},
    "store": {"shards": 2, "splitAt": "30d"},
    "ruler": {"bucket": "acme-rules"},
    "receive": {"expose": {"host": "receive.example"}, "seriesLimits": {"eu1": 100000}},
    "bucketWeb": {},
}
SECTIONS = {
    "agents": {"eu1": {}, "us1": {}},
    "alertmanager": {"receivers": {"nobody-yet": {}}, "default": "nobody-yet"},
}


@pytest.fixture(scope="module")
def whole(kubeconfig):
    """A stack with every role. It is deployed once, so tests only read it."""
    return deploy_thanos(Engine(), FULL, rolloutTimeout="77s", **SECTIONS)


@pytest.fixture(scope="module")
def least(kubeconfig):
    """One with the roles that every stack has; likewise."""
    return deploy_thanos(Engine(), {"storage": GCS}, alertmanager=SECTIONS["alertmanager"])


@pytest.fixture(scope="module")
def cached(kubeconfig):
    """One whose Stores, of two buckets, and Query Frontends share a cache; likewise."""
    shared = FULL | {"memcached": {"replicas": 3, "memory": "4Gi"}}
    return deploy_thanos(Engine(), shared, rolloutTimeout="77s", **SECTIONS)


def workloads(engine: Engine):
    return {
        r.inputs["metadata"]["name"]: r.inputs["spec"]
        for r in engine.resources
        if r.typ.rpartition(":")[2] in ("Deployment", "StatefulSet") and "::hub::" in str(r.provider)
    }


class TestWhole:
    def test_everything_is_what_kubernetes_expects(self, whole):
        """
        No object has a field that its published schema does not know, or lacks one that it asks for.
        """
        assert len(whole.objects) > 100
        validate(whole.objects)

    def test_nothing_is_waited_for_longer_than_a_rollout(self, whole):
        """
        What the provider waits for has the stack file's time-out.
        """
        kinds = {"Deployment", "DaemonSet", "StatefulSet", "Service", "PersistentVolumeClaim"}
        waits = [wait for wait in whole.waits if wait[0] in kinds]
        assert len(waits) > 50
        assert [wait for wait in waits if wait[2] != "77s"] == []


class TestRules:
    def test_that_change_replace_the_rulers_pods(self, kubeconfig):
        """
        They read rules at their start only; what does not change replaces none.
        """

        def volume(team):
            made = deploy_thanos(Engine(), FULL, alerts={"team": team}, **SECTIONS)
            [found] = [
                one for one in workloads(made)["thanos-ruler"]["template"]["spec"]["volumes"] if one["name"] == "rules"
            ]
            assert made.one(CONFIG_MAP, found["configMap"]["name"]).inputs["data"]
            return found

        assert volume("sre") == volume("sre") != volume("shop")


def bindings(engine: Engine):
    """Google service account's id -> its roles on buckets, as `bucket: role`."""
    found = {}
    for r in engine.all(BUCKET_MEMBER):
        account = r.name.removeprefix("thanos-ruler-").removeprefix("thanos-").rpartition("-object")[0]
        found.setdefault(account, set()).add(f"{r.inputs['bucket']}: {r.inputs['role'].rpartition('.')[2]}")
    return found


class TestRights:
    def test_each_role_has_the_least(self, whole):
        """
        Who uploads can't delete, who answers can't write, and only the compactors do both.
        """
        writes = {"objectCreator", "objectViewer"}
        assert bindings(whole) == {
            "sidecar": {f"acme-long-term: {role}" for role in writes},
            "receive": {f"acme-long-term: {role}" for role in writes},
            "store": {"acme-long-term: objectViewer"},
            "web": {"acme-long-term: objectViewer"},
            "compactor": {"acme-long-term: objectAdmin"},
            "ruler": {f"acme-rules: {role}" for role in writes},
            "store-ruler": {"acme-rules: objectViewer"},
            "compactor-ruler": {"acme-rules: objectAdmin"},
        }

    def test_only_its_own_pods_act_as_an_account(self, whole):
        """
        Each Google service account is open to the ServiceAccounts of its role, by name, in the pool of their cluster.
        """
        members = [r.inputs["member"] for r in whole.all(GOOGLE_ACCOUNT_MEMBER)]
        pods = {member.removeprefix(f"serviceAccount:{POOL}[promfleet/").removesuffix("]") for member in members}
        acting = {
            r.inputs["metadata"]["name"]
            for r in whole.all(SERVICE_ACCOUNT)
            if "iam.gke.io/gcp-service-account" in r.inputs["metadata"].get("annotations", {})
        }
        assert pods == acting
        assert {"prometheus-hub", "thanos-store-old-1", "thanos-compactor", "thanos-receive"} <= pods

    def test_ids_of_accounts_are_short_enough(self, whole):
        """
        Google Cloud takes 6 to 30 characters.
        """
        ids = [r.inputs["accountId"] for r in whole.all(GOOGLE_ACCOUNT)]
        assert len(ids) == len(set(ids)) == 8
        assert [one for one in ids if not 6 <= len(one) <= 30] == []


class TestStorage:
    def test_a_bucket_is_closed_and_nothing_in_it_is_deleted_by_age(self, deployed):
        """
        Only uploads that never ended and old versions go by themselves; blocks are the compactor's.
        """
        versioned = {"gcs": {**GCS["gcs"], "versioning": True, "softDelete": "30d", "retention": "1d"}}

        [bucket] = deployed({"storage": versioned}).all(BUCKET)

        assert bucket.inputs["publicAccessPrevention"] == "enforced"
        assert bucket.inputs["uniformBucketLevelAccess"]
        assert bucket.inputs["retentionPolicy"] == {"retentionPeriod": "86400"}
        assert [(r["action"]["type"], r["condition"]) for r in bucket.inputs["lifecycleRules"]] == [
            ("AbortIncompleteMultipartUpload", {"age": 7}),
            ("Delete", {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"}),
        ]

    def test_an_adopted_bucket_is_not_touched(self, deployed):
        """
        Only the rights on it are ours.
        """
        engine = deployed({"storage": {"gcs": {**GCS["gcs"], "adopt": True}}})

        assert engine.all(BUCKET) == []
        assert bindings(engine)["store"] == {"acme-long-term: objectViewer"}

    def test_a_key_replaces_identities(self, deployed):
        """
        Outside Google Cloud a Secret that exists is mounted, and no account is made.
        """
        engine = deployed({"storage": {"gcs": {**GCS["gcs"], "key": {"name": "gcs", "key": "key.json"}}}})

        assert engine.all(GOOGLE_ACCOUNT) == []
        pod = workloads(engine)["thanos-store"]["template"]["spec"]
        [thanos] = pod["containers"]
        assert {"name": "GOOGLE_APPLICATION_CREDENTIALS", "value": "/etc/thanos/credentials/key.json"} in thanos["env"]
        assert {"secretName": "gcs", "items": [{"key": "key.json", "path": "key.json"}]} in [
            volume.get("secret") for volume in pod["volumes"]
        ]

    def test_s3_is_reached_with_keys_from_a_secret(self, deployed):
        """
        No key stands in a command line.
        """
        s3 = {
            "bucket": "blocks",
            "endpoint": "s3.example",
            "accessKey": {"name": "s3", "key": "id"},
            "secretKey": {"name": "s3", "key": "secret"},
        }

        engine = deployed({"storage": {"s3": s3}})

        [store] = workloads(engine)["thanos-store"]["template"]["spec"]["containers"]
        refs = {
            e["name"]: e["valueFrom"]["secretKeyRef"] for e in store["env"] if "secretKeyRef" in e.get("valueFrom", {})
        }
        assert refs == {
            "AWS_ACCESS_KEY_ID": {"name": "s3", "key": "id"},
            "AWS_SECRET_ACCESS_KEY": {"name": "s3", "key": "secret"},
        }
        [told] = [flag for flag in store["args"] if flag.startswith("--objstore.config=")]
        assert json.loads(told.partition("=")[2])["config"] == {"bucket": "blocks", "endpoint": "s3.example"}

    def test_s3_is_verified_with_authorities_from_a_config_map(self, deployed):
        """
        Ceph and MinIO often have a certificate of an authority that only their owner knows.
        """
        s3 = {**PLACE, "podIdentity": True, "caConfigMap": "ceph-authority"}

        made = workloads(deployed({"storage": {"s3": s3}}))

        for name in ("prometheus-hub", "thanos-store", "thanos-compactor"):
            pod = made[name]["template"]["spec"]
            [thanos] = [one for one in pod["containers"] if any("--objstore.config=" in flag for flag in one["args"])]
            [told] = [flag.partition("=")[2] for flag in thanos["args"] if flag.startswith("--objstore.config=")]
            file = json.loads(told)["config"]["http_config"]["tls_config"]["ca_file"]
            [volume] = [one for one in pod["volumes"] if one.get("configMap", {}).get("name") == "ceph-authority"]
            [mount] = [one for one in thanos["volumeMounts"] if one["name"] == volume["name"]]
            assert file == f"{mount['mountPath']}/ca.crt"
            assert volume["configMap"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]

    def test_plain_http_is_spoken_only_where_it_is_written(self):
        """
        MinIO in the same cluster often has no certificate; every other store is asked by https.
        """
        keys = {**PLACE, "accessKey": {"name": "s3", "key": "id"}, "secretKey": {"name": "s3", "key": "secret"}}

        plain, usual = (
            json.loads(objstore(Storage.model_validate({"s3": {**keys, **more}}))) for more in ({"insecure": True}, {})
        )

        assert plain["config"] == {**usual["config"], "insecure": True}
        assert "insecure" not in usual["config"]

    @pytest.mark.parametrize(
        ("storage", "annotations", "labels"),
        [
            (
                {"s3": {**PLACE, "role": "arn:aws:iam::123456789012:role/thanos"}},
                {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/thanos"},
                {},
            ),
            ({"s3": {**PLACE, "podIdentity": True}}, {}, {}),
            (
                {"azure": {**CONTAINER, "clientId": "01234567-89ab-cdef-0123-456789abcdef"}},
                {"azure.workload.identity/client-id": "01234567-89ab-cdef-0123-456789abcdef"},
                {"azure.workload.identity/use": "true"},
            ),
        ],
        ids=["IRSA", "EKS Pod Identity", "Azure Workload Identity"],
    )
    def test_every_role_that_opens_a_bucket_has_the_identity(self, deployed, storage, annotations, labels):
        """
        By its ServiceAccount and its pods, without a key anywhere; what opens no bucket has none.
        """
        engine = deployed({"storage": storage, "ruler": {}, "bucketWeb": {}, "memcached": {}})

        opening = {
            name: spec["template"]
            for name, spec in workloads(engine).items()
            if any("objstore.config" in arg for one in spec["template"]["spec"]["containers"] for arg in one["args"])
        }
        assert {"prometheus-hub", "thanos-store", "thanos-compactor", "thanos-ruler", "thanos-bucket-web"} <= {*opening}
        accounts = {
            one["metadata"]["name"]: one["metadata"].get("annotations") or {}
            for one in engine.objects
            if one["kind"] == "ServiceAccount"
        }
        for template in opening.values():
            told = accounts[template["spec"]["serviceAccountName"]]
            assert annotations.items() <= told.items()
            assert labels.items() <= template["metadata"]["labels"].items()
            names = {env["name"] for one in template["spec"]["containers"] for env in one.get("env", ())}
            assert not any(name.startswith(("AWS_", "AZURE_")) for name in names)
        memcached = workloads(engine)["thanos-memcached"]["template"]["metadata"]["labels"]
        assert not labels.items() & memcached.items()

    @pytest.mark.parametrize(
        ("way", "key"), [("key", "storage_account_key"), ("connectionString", "storage_connection_string")]
    )
    def test_azure_is_reached_with_a_credential_from_a_secret(self, deployed, way, key):
        """
        It is a variable of the container, which Thanos puts into its configuration: no argument has it.
        """
        engine = deployed({"storage": {"azure": {**CONTAINER, way: {"name": "azure", "key": "credential"}}}})

        [store] = workloads(engine)["thanos-store"]["template"]["spec"]["containers"]
        [variable] = [e for e in store["env"] if "secretKeyRef" in e["valueFrom"]]
        assert variable["valueFrom"]["secretKeyRef"] == {"name": "azure", "key": "credential"}
        [told] = [flag for flag in store["args"] if flag.startswith("--objstore.config=")]
        assert json.loads(told.partition("=")[2])["config"] == {
            "storage_account": "acmemetrics",
            "container": "blocks",
            "storage_create_container": False,
            key: f"$$({variable['name']})",
        }


class TestRoles:
    def test_one_compactor_per_bucket(self, whole):
        """
        Whatever else is replicated, a bucket has one.
        """
        made = workloads(whole)

        assert {name: spec["replicas"] for name, spec in made.items() if "compactor" in name} == {
            "thanos-compactor": 1,
            "thanos-compactor-ruler": 1,
        }

    def test_a_compactor_is_not_waited_for(self, whole):
        """
        It halts if it is told to end while it compacts; Receive uploads what it has, for minutes.
        """
        made = workloads(whole)

        grace = {
            name: made[name]["template"]["spec"]["terminationGracePeriodSeconds"]
            for name in ("thanos-compactor", "thanos-compactor-ruler", "thanos-receive")
        }
        assert grace == {"thanos-compactor": 15, "thanos-compactor-ruler": 15, "thanos-receive": 300}

    def test_stores_are_divided_by_bucket_age_and_hash(self, whole):
        """
        Every block has one Store: two ages and two shards of it, in each bucket.
        """
        made = workloads(whole)

        stores = {name for name in made if name.startswith("thanos-store")}
        assert stores == {
            f"thanos-store{bucket}{age}-{shard}"
            for bucket in ("", "-ruler")
            for age in ("", "-old")
            for shard in (0, 1)
        }

    @pytest.mark.parametrize(
        ("store", "names"),
        [
            ({}, {"hub-thanos-store"}),
            ({"shards": 2}, {"hub-thanos-store-0", "hub-thanos-store-1"}),
            ({"splitAt": "30d"}, {"hub-thanos-store", "hub-thanos-store-old"}),
        ],
        ids=["one", "shards", "ages"],
    )
    def test_each_store_is_a_resource_of_its_own(self, deployed, store, names):
        """
        Pulumi tells components apart by their names alone.
        """
        urns = deployed({"storage": GCS, "store": store}).registered

        assert len(set(urns)) == len(urns)
        assert {urn.rpartition("::")[2] for urn in urns if "promfleet:index:ThanosStore::" in urn} == names

    def test_query_asks_every_role(self, whole):
        """
        The file of its endpoints names the headless Service of each.
        """
        config = whole.one(CONFIG_MAP, "thanos-query").inputs["data"]["endpoints.yml"]
        asked = {e["address"].removeprefix("dns+").partition(".")[0] for e in yaml.safe_load(config)["endpoints"]}
        services = {
            r.inputs["metadata"]["name"]
            for r in whole.all(SERVICE)
            if r.inputs["spec"].get("clusterIP") == "None"
            and any(port["name"] == "grpc" for port in r.inputs["spec"].get("ports", ()))
        }
        silent = {"thanos-query-grpc", "thanos-receive-router-pods", "thanos-compactor", "thanos-compactor-ruler"}
        assert asked == services - silent

    def test_the_certificate_names_each_way_in(self):
        """
        Whoever reaches Receive by its host finds that name in the stack's certificate.
        """
        described = with_thanos(FULL, **SECTIONS)

        assert {"hub.example", "receive.example"} <= {*hosts(described.partial).values()}

    def test_agents_write_to_receive_as_their_own_tenants(self, whole):
        """
        The auth proxy overwrites the header that names the tenant with who came.
        """
        [router] = [
            c
            for c in workloads(whole)["thanos-receive-router"]["template"]["spec"]["containers"]
            if c["name"] == "kube-rbac-proxy-write"
        ]
        assert {"--auth-header-fields-enabled", "--auth-header-user-field-name=THANOS-TENANT"} <= {*router["args"]}
        config = yaml.safe_load(
            next(
                r.inputs["data"]["prometheus.yml"]
                for r in whole.all(CONFIG_MAP)
                if r.inputs["metadata"]["name"] == "prometheus-agent" and "::eu1::" in str(r.provider)
            )
        )
        assert config["remote_write"][0]["url"] == "https://receive.example:8443/api/v1/receive"
        assert config["remote_write"][0]["protobuf_message"] == "prometheus.WriteRequest"


class TestWriters:
    def test_of_receive_find_no_proxy_at_the_hub(self, whole):
        """
        What takes no samples has neither an auth proxy for them, nor a port or a right.
        """
        services = {r.inputs["metadata"]["name"]: r.inputs["spec"].get("ports", ()) for r in whole.all(SERVICE)}
        ports = {name: {port["name"] for port in found} for name, found in services.items()}
        resources = {resource for r in whole.all(ROLE) for rule in r.inputs["rules"] for resource in rule["resources"]}

        assert ports["prometheus-hub"] == {"read", "browse", "metrics"}
        assert ports["prometheus-hub-outside"] == {"read"}
        assert "prometheuses/read" in resources
        assert "prometheuses/write" not in resources

    def test_keep_their_tokens_when_they_move_to_receive(self, whole):
        """
        Account and Secret are the same objects as before, so that no agent has to get another token.
        """

        def made(engine: Engine) -> set[tuple[str, str]]:
            return {(r.name, r.inputs["metadata"]["name"]) for r in engine.resources if "-writer-eu1" in r.name}

        described = fleet(hub=HUB, agents=SECTIONS["agents"])
        before = Engine()
        before.stand_in()
        before.deploy(lambda: deploy(described))
        kept = {("hub-writer-eu1", "writer-eu1"), ("hub-writer-eu1-token-0", "writer-eu1-token-0")}
        assert made(before) - made(whole) == {("hub-writer-eu1-binding", "writer-eu1")}
        assert kept <= made(before) & made(whole)


def thanos_args(spec):
    return [flag for container in spec["template"]["spec"]["containers"] for flag in container.get("args", [])]


def caches(engine: Engine):
    """Every description of a cache that stands in a command line."""
    flags = [flag for spec in workloads(engine).values() for flag in thanos_args(spec)]
    named = [flag.partition("=") for flag in flags]
    return [yaml.safe_load(value) for name, _, value in named if re.search(r"cach(e|ing-bucket)[.-]config$", name)]


def connecting(engine: Engine):
    """The apps that memcached's network policy lets in."""
    [policy] = [
        r.inputs["spec"] for r in engine.all(NETWORK_POLICY) if r.inputs["metadata"]["name"] == "thanos-memcached"
    ]
    [rule] = policy["ingress"]
    assert rule["ports"] == [{"port": 11211, "protocol": "TCP"}]
    return {peer["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] for peer in rule["from"]}


class TestMemcached:
    def test_is_what_kubernetes_expects(self, cached):
        """
        Each of its objects has the fields that its published schema knows, and no one waits longer than a rollout.
        """
        own = [plain(r.inputs) for r in cached.resources if "thanos-memcached" in r.name]
        assert sorted(item["kind"] for item in own) == [
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
            "StatefulSet",
        ]
        validate(own)
        waits = {kind: limit for kind, name, limit in cached.waits if "thanos-memcached" in name}
        assert waits["StatefulSet"] == waits["Service"] == "77s"

    def test_each_pod_is_an_address_of_its_own(self, cached):
        """
        The name that Thanos looks up is that of the Service's port, and the Service names each pod of the StatefulSet.
        """
        [service] = [r.inputs for r in cached.all(SERVICE) if r.inputs["metadata"]["name"] == "thanos-memcached"]
        spec = workloads(cached)["thanos-memcached"]
        [port] = service["spec"]["ports"]
        [listening] = spec["template"]["spec"]["containers"][0]["ports"]
        assert service["spec"]["clusterIP"] == "None"
        assert service["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items()
        assert (spec["serviceName"], spec["replicas"]) == (service["metadata"]["name"], 3)
        assert listening["containerPort"] == port["port"]
        for cache in caches(cached):
            assert cache["config"]["addresses"] == [f"dnssrvnoa+_{port['name']}._tcp.{service['metadata']['name']}"]

    def test_every_store_and_frontend_uses_it(self, cached):
        """
        Index, blocks and answers are all kept there, and nothing in a memory of its own.
        """
        stores = [name for name in workloads(cached) if name.startswith("thanos-store")]
        flags = {
            name: {flag.partition("=")[0] for flag in thanos_args(spec) if "MEMCACHED" in flag}
            for name, spec in workloads(cached).items()
            if any("MEMCACHED" in flag for flag in thanos_args(spec))
        }
        assert flags == {
            **{store: {"--index-cache.config", "--store.caching-bucket.config"} for store in stores},
            "thanos-query": {"--query-range.response-cache-config", "--labels.response-cache-config"},
        }
        assert {cache["type"] for cache in caches(cached)} == {"MEMCACHED"}

    def test_buckets_have_different_keys(self, cached):
        """
        Thanos keeps the list of blocks under a hash of this flag: Stores of a bucket share it, those of two must not.
        """
        flags: dict[str, set[str]] = {}
        for name, spec in workloads(cached).items():
            bucket = "rules" if "-ruler" in name else "long-term"
            found = [flag for flag in thanos_args(spec) if flag.startswith("--store.caching-bucket.config")]
            flags.setdefault(bucket, set()).update(found)
        assert len(flags["rules"]) == len(flags["long-term"]) == 1
        assert flags["rules"] != flags["long-term"]

    def test_only_who_uses_it_may_connect(self, cached):
        """
        Whoever connects reads and writes everything, so the policy names the Stores and the frontends' pods.
        """
        assert connecting(cached) == {name for name in workloads(cached) if name.startswith("thanos-store")} | {
            "thanos-query"
        }

    def test_query_may_not_connect_without_a_frontend(self, deployed):
        """
        Nobody is let in who has nothing there.
        """
        assert connecting(deployed({"storage": GCS, "memcached": {}})) == {"thanos-store"}

    def test_takes_the_largest_item_that_is_sent(self, cached):
        """
        What a client sends is not refused, and the limit of the container has room beside the items.
        """
        [container] = workloads(cached)["thanos-memcached"]["template"]["spec"]["containers"]
        assert {"--memory-limit=4096", "--max-item-size=5m"} <= {*container["args"]}
        assert {cache["config"]["max_item_size"] for cache in caches(cached)} == {"5MiB"}
        assert int(container["resources"]["limits"]["memory"].removesuffix("Mi")) > 4096 * 1.1

    def test_is_restricted_and_has_no_token(self, cached):
        """
        Its pods may do nothing but answer.
        """
        pod = workloads(cached)["thanos-memcached"]["template"]["spec"]
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert pod["automountServiceAccountToken"] is False

    def test_is_there_before_the_stores(self, cached):
        """
        A Store that finds none of its addresses exits.
        """
        made = [r.inputs["metadata"]["name"] for r in cached.all(STATEFUL_SET)]
        stores = [name for name in made if name.startswith("thanos-store")]
        assert len(stores) == 8
        assert not {*stores} & {*made[: made.index("thanos-memcached")]}

    def test_is_not_made_unasked(self, whole):
        """
        By default the caches are in memory: nothing is deployed, and a Store is told nothing.
        """
        assert [r.name for r in whole.resources if "memcached" in r.name] == []
        assert {cache["type"] for cache in caches(whole)} == {"IN-MEMORY"}
        assert [f for f in thanos_args(workloads(whole)["thanos-store-0"]) if "cache" in f or "caching" in f] == []


class TestHub:
    def test_its_replicas_differ_in_one_label(self, least):
        """
        Prometheus puts the pod's name in, and alerts lose it.
        """
        config = yaml.safe_load(least.one(CONFIG_MAP, "prometheus-hub").inputs["data"]["prometheus.yml"])
        assert config["global"]["external_labels"] == {"hub": "hub", "replica": "${POD_NAME}"}
        assert {"regex": "hub|replica", "action": "labeldrop"} in config["alerting"]["alert_relabel_configs"]
        spec = workloads(least)["prometheus-hub"]
        assert spec["replicas"] == 2
        containers = [c["name"] for c in spec["template"]["spec"]["containers"]]
        assert containers == [
            "prometheus",
            "kube-rbac-proxy-write",
            "kube-rbac-proxy-read",
            "kube-rbac-proxy-browse",
            "kube-rbac-proxy-metrics",
            "thanos-sidecar",
        ]

    @pytest.mark.parametrize(
        ("compaction", "flags"),
        [
            ("delayed", {"--storage.tsdb.delay-compact-file.path=/prometheus/thanos.shipper.json"}),
            ("classic", {"--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"}),
        ],
    )
    def test_compacts_nothing_before_it_is_uploaded(self, deployed, compaction, flags):
        """
        Prometheus waits for the list of what the sidecar has uploaded, or does not compact at all.
        """
        pod = workloads(deployed({"storage": GCS, "compaction": compaction}))["prometheus-hub"]["template"]["spec"]

        [arguments] = [c["args"] for c in pod["containers"] if c["name"] == "prometheus"]
        assert flags <= {*arguments}

    def test_replicas_scrape_each_other(self, least):
        """
        Each replica is an instance of its own, reached through an auth proxy that the hub's account may open.
        """
        files = least.one(CONFIG_MAP, "prometheus-hub").inputs["data"]
        [own] = [j for j in yaml.safe_load(files["prometheus.yml"])["scrape_configs"] if j["job_name"] == "prometheus"]
        assert {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "instance"} in own["relabel_configs"]
        [binding] = [
            r.inputs for r in least.all(ROLE_BINDING) if r.inputs["roleRef"]["name"] == "prometheus-hub-metrics"
        ]
        assert [subject["name"] for subject in binding["subjects"]] == ["prometheus-hub"]

    def test_without_thanos_it_has_neither_sidecar_nor_label(self, engine, kubeconfig):
        """
        Nothing of Thanos costs those who have none.
        """
        engine.deploy(lambda: deploy(fleet(hub=HUB)))

        assert [name for name in workloads(engine) if "thanos" in name] == []
        containers = workloads(engine)["prometheus-hub"]["template"]["spec"]["containers"]
        assert [c["name"] for c in containers] == [
            "prometheus",
            *(f"kube-rbac-proxy-{name}" for name in ("write", "read", "browse")),
        ]


class TestTenants:
    def test_are_every_writer_and_no_other(self, whole, stateless):
        """
        An empty list would let everybody be a tenant; a stateless Ruler writes too.
        """
        account = "system:serviceaccount:promfleet:"
        assert tenants(whole) == [f"{account}writer-eu1", f"{account}writer-us1"]
        assert tenants(stateless) == [f"{account}writer-eu1", f"{account}writer-us1", f"{account}thanos-ruler"]

    def test_are_agents_of_other_stacks_too_however_often_renewed(self):
        """
        A renewed token is another of the same account.
        """
        thanos = {"storage": {"filesystem": {"claim": "blocks"}}, "receive": FULL["receive"], "ruler": {}}
        hub = HUB | {"agents": {"us1": {"rotation": 2}}}

        [ring] = json.loads(hashring(fleet(hub=hub, agents={"eu1": {}}, thanos=thanos), 3))

        assert [name.rpartition(":")[2] for name in ring["tenants"]] == ["writer-eu1", "writer-us1"]

    def test_without_a_limit_differ_from_unknown_ones(self, whole):
        """
        Whoever has no name may not have series without end.
        """
        limits = yaml.safe_load(whole.one(CONFIG_MAP, "thanos-receive-router").inputs["data"]["limits.yml"])["write"]

        assert limits["default"] == {"head_series_limit": 1}
        assert {name.rpartition("-")[2]: limit["head_series_limit"] for name, limit in limits["tenants"].items()} == {
            "eu1": 100000,
            "us1": 0,
        }


def tenants(engine: Engine) -> list[str]:
    """Those of the rendered hashring."""
    [ring] = json.loads(engine.one(CONFIG_MAP, "thanos-receive-router").inputs["data"]["hashring.json"])
    return ring["tenants"]


class TestHashring:
    @pytest.fixture
    def resized(self, engine, deployed):
        def resize(before, after, **receive):
            engine.stacks[OWN_STACK] = {"ingestors": float(before)}
            receive = {"expose": {"host": "receive.example"}, "replicas": after, **receive}
            storage = {"filesystem": {"claim": "blocks"}}
            return deployed({"storage": storage, "receive": receive, "ruler": {}}, agents={"eu1": {}})

        return resize

    @pytest.mark.parametrize(("before", "after"), [(3, 9), (6, 4), (6, 5)])
    def test_grows_and_shrinks_by_what_others_have_too(self, resized, before, after):
        """
        With three copies two may go at once.
        """
        assert workloads(resized(before, after))["thanos-receive"]["replicas"] == after

    @pytest.mark.parametrize(("before", "after", "receive"), [(6, 3, {}), (3, 1, {"replication": 1})])
    def test_shrinks_no_faster(self, engine, resized, before, after, receive):
        """
        It is refused before anything of Receive is made, and the next safe number is said.
        """
        with pytest.raises(
            pulumi.RunError, match=f"{before} ingestors can't become {after} at once.*Write {4 - before % 2 * 2},"
        ):
            resized(before, after, **receive)

        assert "thanos-receive" not in workloads(engine)


@pytest.fixture(scope="module")
def stateless(kubeconfig):
    """A stack whose Rulers write to Receive. It is deployed once, so tests only read it."""
    said = {**FULL, "ruler": {"results": "receive"}}
    return deploy_thanos(Engine(), said, **SECTIONS)


class TestStatelessRuler:
    def test_writes_to_receive_as_itself(self, stateless):
        """
        Its results go through the write auth proxy with the token of its pods, and Query asks it for nothing.
        """
        [ruler] = workloads(stateless)["thanos-ruler"]["template"]["spec"]["containers"]
        flags = dict(flag.removeprefix("--").split("=", 1) for flag in ruler["args"][1:])
        [written] = json.loads(flags["remote-write.config"])["remote_write"]
        assert written["url"] == "https://thanos-receive-router.promfleet.svc:8443/api/v1/receive"
        assert written["authorization"]["credentials_file"].startswith("/var/run/secrets/")
        assert "objstore.config" not in flags
        config = stateless.one(CONFIG_MAP, "thanos-query").inputs["data"]["endpoints.yml"]
        assert "thanos-ruler" not in config

    def test_may_write_and_ask_and_no_more(self, stateless):
        """
        Two auth proxies are open to it beside Alertmanager's, and no bucket.
        """
        proxies = {
            r.inputs["roleRef"]["name"]
            for r in stateless.all(ROLE_BINDING)
            if [subject["name"] for subject in r.inputs["subjects"]] == ["thanos-ruler"]
        }
        assert proxies == {"alertmanager-notify", "thanos-query-read", "thanos-receive-router-write"}
        assert "ruler" not in bindings(stateless)

    def test_begins_when_it_may_write(self, stateless):
        """
        Receive's answer to somebody whom it does not know yet is final.
        """
        made = [r.name for r in stateless.resources]
        assert made.index("hub-thanos-receive-router-thanos-ruler-binding") < made.index("hub-thanos-ruler-statefulset")

    def test_replicas_are_folded_by_a_label_of_their_own(self, stateless):
        """
        In Receive the label `replica` is the ingestor's.
        """
        [ruler] = workloads(stateless)["thanos-ruler"]["template"]["spec"]["containers"]
        assert '--label=ruler_replica="$(POD_NAME)"' in ruler["args"]
        assert "--alert.label-drop=ruler_replica" in ruler["args"]
        query = workloads(stateless)["thanos-query"]["template"]["spec"]["containers"][0]
        assert "--query.replica-label=ruler_replica" in query["args"]


class TestSharedBucket:
    @pytest.fixture
    def sharing(self, engine, deployed):
        def share(**other):
            engine.stacks["o/p/eu"] = {"blocks": {"cluster": "eu-hub", "compacts": False} | other}
            return deployed({"storage": GCS, "sharedWith": ["o/p/eu"]})

        return share

    def test_is_shared_where_labels_differ_and_one_compacts(self, sharing):
        """
        Two stacks with hubs in clusters of different names, one of them with the Compactor.
        """
        assert "thanos-compactor" in workloads(sharing())

    def test_equal_labels_are_refused(self, sharing):
        """
        Blocks of one cluster from two stacks could not be told apart.
        """
        with pytest.raises(pulumi.RunError, match="o/p/eu uploads blocks of cluster hub too"):
            sharing(cluster="hub")

    def test_a_second_compactor_is_refused(self, sharing):
        """
        Two on one bucket delete each other's sources.
        """
        with pytest.raises(pulumi.RunError, match="Write compacts: false in all others"):
            sharing(compacts=True)
