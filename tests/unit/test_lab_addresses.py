from pathlib import Path

from lab.cluster import Cluster, enrol, known, numbers, state

HUB = Cluster("hub", 1, Path("/lab/hub"))
EU1 = Cluster("eu1", 2, Path("/lab/eu1"))


class TestNumbers:
    def test_a_cluster_keeps_its_number(self):
        """
        A cluster that is named first today does not take another's addresses.
        """
        assert numbers(["us1", "hub"], {"hub": 1, "eu1": 2}) == {"hub": 1, "eu1": 2, "us1": 3}

    def test_a_number_that_became_free_is_used_again(self):
        """
        The lowest free number is taken, so that numbers never run out.
        """
        assert numbers(["ap1"], {"eu1": 2}) == {"eu1": 2, "ap1": 1}


class TestAddresses:
    def test_no_two_clusters_share_a_range(self):
        """
        Pods and services of two clusters have addresses of their own.
        """
        ranges = [HUB.pods, HUB.services, EU1.pods, EU1.services]

        assert not any(one.overlaps(other) for one in ranges for other in ranges if one is not other)

    def test_dns_and_api_lie_among_the_services(self):
        """
        The addresses that pods are told are addresses of services.
        """
        assert (EU1.api, EU1.dns) == ("10.96.2.1", "10.96.2.10")

    def test_the_server_is_called_at_the_node(self):
        """
        The machine reaches the API server at the node's own address.
        """
        assert EU1.server == "https://10.77.0.12:6443"


class TestState:
    def test_another_lab_lies_where_the_user_says(self, monkeypatch, tmp_path):
        """
        PROMFLEET_LAB wins over the state directory of the user's session.
        """
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "session"))
        monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path / "mine"))

        assert tmp_path / "mine" == state()

    def test_what_was_enrolled_is_known(self, monkeypatch, tmp_path):
        """
        A second run, in any order, finds the clusters under the same numbers.
        """
        monkeypatch.setenv("PROMFLEET_LAB", str(tmp_path))
        enrolled = enrol(["hub", "eu1"])

        enrol(["eu1", "hub"])

        assert enrolled == known()
