from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from live import client_options
from settings import Cluster
from settings.loading.kubeconfig import KubeconfigError, Kubeconfigs, shared_servers, unknown_contexts
from stacks.providers import require_contexts
from tests.unit.stack_texts import problems

CONFIG = {
    "contexts": [
        {"name": "us1", "context": {"cluster": "us1", "user": "me"}},
        {"name": "us1-alias", "context": {"cluster": "us1-again", "user": "me"}},
        {"name": "eu1", "context": {"cluster": "eu1", "user": "me"}},
        {"name": "lost", "context": {"cluster": "nowhere", "user": "me"}},
    ],
    "clusters": [
        {"name": "us1", "cluster": {"server": "https://us1.example:443/"}},
        {"name": "us1-again", "cluster": {"server": "https://US1.example"}},
        {"name": "eu1", "cluster": {"server": "https://eu1.example"}},
    ],
    "users": [{"name": "me", "user": {"token": "swordfish"}}],
}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write kubeconfigs, each by its name, and name them all in KUBECONFIG."""

    def write(**files: Any) -> list[Path]:
        paths = [tmp_path / name for name in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        monkeypatch.setenv("KUBECONFIG", ":".join(map(str, paths)))
        return paths

    return write


def config(context: str, server: str, **cluster: str) -> dict[str, Any]:
    """A kubeconfig of one context."""
    return {
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "clusters": [{"name": context, "cluster": {"server": server, **cluster}}],
        "users": [{"name": context, "user": {}}],
    }


def said(**clusters: Cluster) -> list[str]:
    return [str(problem) for problem in shared_servers(clusters, Kubeconfigs())]


class TestOnly:
    def test_has_what_a_context_names_and_no_more(self, written):
        """
        A client of one cluster is not given the others' keys.
        """
        written(config=CONFIG)

        assert Kubeconfigs().only("eu1", None) == {
            "current-context": "eu1",
            "contexts": [{"name": "eu1", "context": {"cluster": "eu1", "user": "me"}}],
            "clusters": [{"name": "eu1", "cluster": {"server": "https://eu1.example"}}],
            "users": [{"name": "me", "user": {"token": "swordfish"}}],
        }

    def test_paths_are_found_from_anywhere(self, written):
        """
        A kubeconfig names its files from its own folder.
        """
        [file] = written(config=config("eu1", "https://eu1.example", **{"certificate-authority": "pki/ca.crt"}))

        found = Kubeconfigs().only("eu1", None)

        assert found
        assert found["clusters"][0]["cluster"]["certificate-authority"] == str(file.parent / "pki/ca.crt")

    def test_unknown_context_has_none(self, written):
        """
        Whoever asks then says it in words of their own.
        """
        written(config=CONFIG)

        assert Kubeconfigs().only("mars", None) is None

    def test_clients_are_made_with_it(self, written):
        """
        The client library parses whatever file it is given, for every client.
        """
        written(config=CONFIG)

        assert client_options("eu1", None)["kubeconfig"] == Kubeconfigs().only("eu1", None)
        assert client_options("mars", "a/path")["kubeconfig"] == "a/path"


class TestReading:
    def test_a_file_is_parsed_once(self, written, monkeypatch):
        """
        A kubeconfig of a hundred contexts takes longer than a hundred stack files, each of which looks into it.
        """
        written(config=CONFIG)
        Kubeconfigs().place(Cluster(context="eu1"))
        monkeypatch.setattr(yaml, "load", None)

        assert Kubeconfigs().place(Cluster(context="us1"))

    def test_a_file_that_was_written_since_is_read_again(self, written):
        """
        A long program sees a context that was added while it ran.
        """
        written(config=CONFIG)
        assert not Kubeconfigs().place(Cluster(context="added"))

        written(config=config("added", "https://added.example"))

        assert Kubeconfigs().place(Cluster(context="added"))


class TestPlace:
    def test_a_context_leads_to_its_clusters_server(self, written):
        """
        What a context leads to stands at the cluster that it names.
        """
        [file] = written(config=CONFIG)

        place = Kubeconfigs().place(Cluster(context="eu1"))

        assert place
        assert (place.files, place.server) == ((file,), "https://eu1.example")

    def test_files_are_merged_as_kubectl_merges_them(self, written):
        """
        Of two equal names the first file's counts, and a context of one file may name a cluster and a user of others.
        """
        cluster, context, user = written(
            cluster={"clusters": [{"name": "c", "cluster": {"server": "https://first"}}]},
            context={
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": "https://second"}}],
            },
            user={
                "contexts": [{"name": "x", "context": {"cluster": "other"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
            },
        )

        place = Kubeconfigs().place(Cluster(context="x"))

        assert place
        assert (place.files, place.server) == ((cluster, context, user), "https://first")

    def test_only_files_with_a_part_of_it_are_named(self, written):
        """
        Who is handed them is told of nothing else.
        """
        _, second = written(first=config("a", "https://a"), second=config("b", "https://b"))

        place = Kubeconfigs().place(Cluster(context="b"))

        assert place
        assert place.files == (second,)

    def test_a_clusters_own_kubeconfig_is_the_only_one(self, written, tmp_path):
        """
        KUBECONFIG is not asked where the stack file names a file.
        """
        written(config=CONFIG)
        own = tmp_path / "own"
        own.write_text(yaml.safe_dump(config("mine", "https://mine")))

        kubeconfigs = Kubeconfigs()

        assert kubeconfigs.place(Cluster(context="us1", kubeconfig=str(own))) is None
        assert kubeconfigs.contexts(Cluster(context="us1", kubeconfig=str(own))) == ["mine"]

    def test_each_file_is_read_once(self, written):
        """
        However many clusters are in it.
        """
        [file] = written(config=CONFIG)
        kubeconfigs = Kubeconfigs()
        kubeconfigs.place(Cluster(context="us1"))
        file.unlink()

        assert kubeconfigs.place(Cluster(context="eu1"))

    def test_files_that_are_not_there_are_passed_over(self, written):
        """
        As kubectl does.
        """
        gone, _ = written(gone=CONFIG, config=config("b", "https://b"))
        gone.unlink()

        assert Kubeconfigs().place(Cluster(context="b"))

    @pytest.mark.parametrize(
        "content", ["[", "- a", "contexts: [a]", "contexts: [{}]", "clusters: [{name: a, cluster: b}]", "contexts: 3"]
    )
    def test_what_is_no_kubeconfig_is_named(self, written, content):
        """
        The file is in the message.
        """
        [file] = written(config=content)

        with pytest.raises(KubeconfigError, match=f"{file} is not a kubeconfig"):
            Kubeconfigs().place(Cluster(context="a"))

    @pytest.mark.parametrize("path", ["~nobody-has-this-name/config", "~/none"])
    def test_a_path_without_a_file_has_no_context(self, path):
        """
        Also where there is no such user.
        """
        assert Kubeconfigs().place(Cluster(context="a", kubeconfig=path)) is None


class TestSharedServers:
    def test_two_contexts_of_one_server(self, written):
        """
        The message names both clusters and the server.
        """
        written(config=CONFIG)

        assert said(hub=Cluster(context="us1"), eu1=Cluster(context="eu1"), other=Cluster(context="us1-alias")) == [
            'clusters.other.context: "us1-alias" is of the API server https://US1.example, which is that of hub too. '
            "Give each cluster a context of its own API server, or remove one of the two."
        ]

    def test_one_context_by_the_default_and_by_its_file(self, written):
        """
        A file that is named and the file that would be found without are one place.
        """
        [file] = written(config=CONFIG)

        assert said(a=Cluster(context="us1"), b=Cluster(context="us1", kubeconfig=str(file)))

    def test_one_server_in_two_files(self, written):
        """
        Whatever the contexts are called.
        """
        written(first=config("a", "https://10.0.0.1:6443"), second=config("b", "https://10.0.0.1:6443/"))

        assert said(a=Cluster(context="a"), b=Cluster(context="b"))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("https://a.example", "https://a.example:443"),
            ("https://a.example:6443", "https://A.example.:6443/"),
            ("https://localhost:6443", "https://127.0.0.1:6443"),
            ("https://[::1]:6443", "https://[0:0:0:0:0:0:0:1]:6443"),
            ("https://rancher.example/k8s/clusters/c-1", "https://rancher.example/k8s/clusters/c-1/"),
        ],
    )
    def test_one_server_in_two_spellings(self, written, one, other):
        """
        Case, the default port, a slash at the end and the spelling of an address say nothing.
        """
        written(first=config("a", one), second=config("b", other))

        assert said(a=Cluster(context="a"), b=Cluster(context="b"))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (config("a", "https://127.0.0.1:6443"), config("b", "https://127.0.0.1:6444")),
            (config("a", "https://rancher.example/c-1"), config("b", "https://rancher.example/c-2")),
            (
                config("a", "https://10.0.0.1", **{"proxy-url": "http://eu"}),
                config("b", "https://10.0.0.1", **{"proxy-url": "http://us"}),
            ),
            (
                config("a", "https://10.0.0.1", **{"tls-server-name": "eu"}),
                config("b", "https://10.0.0.1", **{"tls-server-name": "us"}),
            ),
        ],
        ids=["ports", "paths", "proxies", "names"],
    )
    def test_two_servers(self, written, one, other):
        """
        One address may lead to several API servers: by the port, the path, the proxy, or the name that is asked for.
        """
        written(first=one, second=other)

        assert said(a=Cluster(context="a"), b=Cluster(context="b")) == []

    def test_what_is_not_known_is_not_compared(self, written):
        """
        Contexts that are nowhere, and such whose cluster is, lead to no common server.
        """
        written(config=CONFIG)

        assert said(a=Cluster(context="lost"), b=Cluster(context="gone"), c=Cluster(context="none")) == []

    def test_one_context_of_one_file_is_refused_without_it(self, tmp_path, monkeypatch):
        """
        Nobody needs the file to see that two names lead to one context of it.
        """
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))

        [problem] = problems(
            tmp_path,
            f"clusters: {{eu1: {{context: a}}, us1: {{context: a, kubeconfig: {tmp_path}/../{tmp_path.name}/none}}}}\n"
            "agents: {eu1: &there {hub: {stack: o/p/hub}}, us1: *there}\n",
        )

        assert problem.startswith('clusters.us1.context: "a" is the context of eu1 too.')


class TestRequired:
    def test_every_unknown_context_is_named_at_once(self, written):
        """
        With the contexts that there are.
        """
        [file] = written(config=config("minikube", "https://a"))

        found = unknown_contexts({"hub": Cluster(context="hub"), "eu1": Cluster(context="eu1")}, Kubeconfigs())

        assert [str(problem) for problem in found] == [
            f'clusters.{name}.context: "{name}" is in no kubeconfig. '
            f"Contexts in {file}: minikube. Write one of them, or set KUBECONFIG."
            for name in ("hub", "eu1")
        ]

    @pytest.mark.parametrize(
        ("content", "said"),
        [(CONFIG, "which is that of hub too"), ("[", "is not a kubeconfig")],
        ids=["shared", "broken"],
    )
    def test_the_program_ends_before_it_makes_anything(self, written, content, said):
        """
        Pulumi shows the message of a RunError and nothing around it.
        """
        written(config=content)

        with pytest.raises(pulumi.RunError, match=said):
            require_contexts({"hub": Cluster(context="us1"), "us1": Cluster(context="us1-alias")})
