from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from lab import connect, credentials, pki
from lab.cluster import Cluster


@pytest.fixture
def cluster(tmp_path):
    """Give a cluster that has its credentials."""
    prepared = Cluster("eu1", 2, tmp_path)
    credentials.prepare(prepared)
    return prepared


@pytest.fixture(scope="module")
def signer():
    return pki.authority("test")


def names(file):
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


class TestCertificates:
    def test_the_kubelet_is_verified_at_its_address(self, cluster):
        """
        Prometheus scrapes the node by its InternalIP and checks the certificate against the cluster's authority.
        """
        kubelet = x509.load_pem_x509_certificate((cluster.pki / "kubelet.crt").read_bytes())
        authority = x509.load_pem_x509_certificate((cluster.pki / "ca.crt").read_bytes())

        kubelet.verify_directly_issued_by(authority)

        assert {"eu1", "10.77.0.12"} == names(cluster.pki / "kubelet.crt")

    def test_the_api_server_is_verified_from_pods_and_from_the_machine(self, cluster):
        """
        Pods call the service's address, the machine calls the node's.
        """
        assert {"10.96.2.1", "10.77.0.12", "kubernetes.default.svc"} <= names(cluster.pki / "apiserver.crt")

    def test_keys_are_their_owner_s(self, cluster):
        """
        No other user of the machine can read a key.
        """
        assert {0o600} == {file.stat().st_mode & 0o777 for file in cluster.pki.glob("*.key")}

    def test_credentials_are_made_once(self, cluster):
        """
        A second run changes nothing that running components hold.
        """
        before = (cluster.pki / "apiserver.crt").read_bytes()

        credentials.prepare(cluster)

        assert before == (cluster.pki / "apiserver.crt").read_bytes()

    def test_another_address_is_not_covered(self, signer):
        """
        The hub gets a new certificate when its node's address changes.
        """
        pair = pki.issue(signer, "hub", hosts=connect.hosts("10.77.0.11"))

        assert (
            pki.covers(pair, connect.hosts("10.77.0.11")),
            pki.covers(pair, connect.hosts("172.18.0.2")),
        ) == (True, False)

    def test_a_certificate_about_to_expire_is_not_kept(self, signer, monkeypatch):
        """
        What ends within a day counts as gone.
        """
        monkeypatch.setattr(pki, "LIFETIME", timedelta(hours=20))
        pair = pki.issue(signer, "hub", hosts=["localhost"])

        assert datetime.now(UTC) < x509.load_pem_x509_certificate(pair.certificate).not_valid_after_utc
        assert not pki.covers(pair, ["localhost"])


class TestKubeconfig:
    def test_a_context_per_cluster_under_its_name(self, cluster):
        """
        Contexts are called as the clusters are; the first one is current.
        """
        pair = pki.Pair.read(cluster.pki, "admin")

        made = credentials.kubeconfig([(cluster, pair)])

        assert [context["name"] for context in made["contexts"]] == ["eu1"]
        assert made["current-context"] == "eu1"

    def test_certificates_are_inline(self, cluster):
        """
        The file works wherever it is copied to.
        """
        made = credentials.kubeconfig([(cluster, pki.Pair.read(cluster.pki, "admin"))])

        inline = made["clusters"][0]["cluster"]["certificate-authority-data"]

        assert (cluster.pki / "ca.crt").read_bytes() == b64decode(inline)


class TestConnection:
    def test_the_route_leads_to_the_hub_s_node(self, signer):
        """
        The Service without a selector and its EndpointSlice have the same ports, under the same names.
        """
        made = connect.objects(signer, "10.77.0.11")

        services = {item["metadata"]["name"]: item for item in made if item["kind"] == "Service"}
        slices = {item["metadata"]["name"]: item for item in made if item["kind"] == "EndpointSlice"}
        assert set(services) == set(slices) == {"hub", "alertmanager", "pushgateway", "receive", "query"}
        for name, found in slices.items():
            assert found["endpoints"] == [{"addresses": ["10.77.0.11"]}]
            assert found["ports"] == services[name]["spec"]["ports"]
            assert found["metadata"]["labels"]["kubernetes.io/service-name"] == name

    def test_the_namespace_of_the_dev_stack_is_restricted(self, signer):
        """
        The dev stack uses it as it is, as the program would have made it.
        """
        made = {
            item["metadata"]["name"]: item["metadata"].get("labels", {})
            for item in connect.objects(signer, "10.77.0.11")
            if item["kind"] == "Namespace"
        }

        assert made.keys() == {"promfleet", "promfleet-lab"}
        levels = {label.rpartition("/")[2]: level for label, level in made["promfleet"].items()}
        assert levels == dict.fromkeys(("enforce", "audit", "warn"), "restricted")
