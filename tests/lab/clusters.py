"""The lab's three clusters as the tests use them; they are brought up once, and stay up for the next run."""

import asyncio
import json
import os
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from components.agent_prometheus import TOKEN_FILE
from lab.api import condition
from lab.cluster import NAMES, known, state
from lab.connect import authority_file, connect
from lab.environment import environment
from lab.kubectl import apply, kubectl
from lab.node import LabError, components, held, in_network, node_holder, running
from lab.pki import public_key, write_secret
from live import client_options, free_port
from live.issuer import issuer_of
from settings import Fleet
from settings.object_labels import NAME
from settings.validation.issuers import unknown_issuers
from tests.remote_write import sample

from .fleets import StackFile

KINDS = (
    "namespaces,clusterroles,clusterrolebindings,persistentvolumes,serviceaccounts,roles,rolebindings,configmaps,"
    "secrets,services,statefulsets,deployments,daemonsets,pods,networkpolicies,persistentvolumeclaims"
)
"""What the program makes, or what follows from it."""
CLUSTERS = ""
"""Stands for the clusters themselves where a part of the lab is named."""


class Bringup:
    """`fleet lab up` in the background: the clusters first, then each further part that tests ask for."""

    def __init__(self, log: Path, parts: Iterable[str]) -> None:
        self.log = log
        self.log.touch()
        with_parts = {CLUSTERS: ["fleet", "lab", "up"]}
        with_parts |= {part: ["fleet", "lab", "up", "--with", part] for part in parts}
        pool = ThreadPoolExecutor(1)
        self._steps = {part: pool.submit(self._run, command) for part, command in with_parts.items()}

    def _run(self, command: list[str]) -> None:
        with self.log.open("ab") as log:
            done = subprocess.run(command, env=os.environ | environment(), stdout=log, stderr=log, check=False)
        assert done.returncode == 0, f"`{' '.join(command)}` failed:\n{self.log.read_text()[-4000:]}"

    def said(self, part: str = CLUSTERS) -> Iterator[str]:
        """Give its lines, old and new ones, until a part is up."""
        with self.log.open() as log:
            while not self._steps[part].done():
                yield from log
                time.sleep(0.5)
        self._steps[part].result()


class Lab:
    """Three clusters on this machine."""

    def __init__(self) -> None:
        self.state = state()
        self.env = os.environ | environment()
        self.kubeconfig = Path(self.env["KUBECONFIG"])
        self.ca = authority_file()
        self._clusters = {cluster.name: cluster for cluster in known()}

    def node_address(self, cluster: str) -> str:
        return self._clusters[cluster].node

    def pod_network(self, cluster: str) -> str:
        return str(self._clusters[cluster].pods)

    def pods(self, cluster: str) -> Counter[str]:
        """Count the pods of each namespace as the cluster's own API server has them."""
        found = self.kubectl(
            cluster, "get", "pods", "--all-namespaces", "-o", "jsonpath={.items[*].metadata.namespace}"
        )
        return Counter(found.split())

    def kubectl(self, cluster: str, *arguments: str) -> str:
        """Run kubectl and return what it printed; `LabError` with its complaint where it fails."""
        return kubectl(*arguments, context=cluster, kubeconfig=self.kubeconfig)

    def token(
        self, account: str, *, namespace: str = "promfleet", cluster: str = "hub", audience: str | None = None
    ) -> str:
        """Request a token of a ServiceAccount for an hour; without an audience as people and agents have them."""
        how = ["--duration=1h", *([f"--audience={audience}"] if audience else [])]
        return self.kubectl(cluster, "-n", namespace, "create", "token", account, *how).strip()

    def write(self, url: httpx.URL, token: str, metric: str, **headers: str) -> int:
        """Write one sample by remote write from this machine to the hub's cluster, and return the status."""
        with httpx.Client(verify=ssl.create_default_context(cafile=str(self.ca)), timeout=30) as client:
            return client.post(
                url.copy_with(host=self.node_address("hub")),
                headers={"Authorization": f"Bearer {token}", "Host": url.host, **headers},
                content=sample(metric),
                extensions={"sni_hostname": url.host},
            ).status_code

    def update_mounts(self, cluster: str) -> None:
        """Have the kubelet write ConfigMaps, Secrets and tokens into our pods, as it does every minute and a half."""
        looked_at = f"tests/looked-at={time.time():.0f}"
        try:
            self.kubectl(cluster, "-n", "promfleet", "annotate", "pods", "--all", "--overwrite", looked_at)
        except LabError as error:
            if "(NotFound)" not in str(error):  # a pod that an update has replaced; kubectl goes on with the others
                raise

    def apply(self, cluster: str, objects: Iterable[dict[str, Any]]) -> None:
        apply("\n".join(map(json.dumps, objects)), context=cluster, kubeconfig=self.kubeconfig)

    def process(self, cluster: str, pod: str) -> psutil.Process:
        """Find the Prometheus process of a pod; the lab's containers are processes of this machine."""
        uid = self.kubectl(cluster, "-n", "promfleet", "get", "pod", pod, "-o", "jsonpath={.metadata.uid}")
        servers = running(lambda process: process.name() == "prometheus")
        [found] = [process for process in servers if uid in Path(f"/proc/{process.pid}/cgroup").read_text()]
        return found

    def shown_token(self, cluster: str) -> str:
        """The token that a cluster's agent shows to the hub, as it stands in its pod."""
        process = self.process(cluster, "prometheus-agent-0")
        return Path(f"/proc/{process.pid}/root{TOKEN_FILE}").read_text(encoding="utf-8").strip()

    def ready_pods(self, cluster: str, app: str) -> list[str]:
        """Names of the ready pods of one of our apps."""
        found = self.kubectl(cluster, "-n", "promfleet", "get", "pods", "-l", f"{NAME}={app}", "-o", "json")
        return [pod["metadata"]["name"] for pod in json.loads(found)["items"] if condition(pod, "Ready")]

    @contextmanager
    def away(self, *pods: str) -> Generator[None]:
        """End pods of the hub's cluster, and let nothing start there until the end."""
        self.kubectl("hub", "cordon", "hub")
        try:
            self.kubectl("hub", "-n", "promfleet", "delete", "pod", *pods, "--grace-period=1")
            yield
        finally:
            self.kubectl("hub", "uncordon", "hub")

    @contextmanager
    def suspended(self, cluster: str, component: str) -> Generator[None]:
        """Let a component of a cluster's node, such as kube-apiserver, answer nobody until the end."""
        process = self.components(cluster)[component]
        process.suspend()
        try:
            yield
        finally:
            process.resume()

    def components(self, cluster: str) -> dict[str, psutil.Process]:
        """Find the components of a cluster's node by their names."""
        node = held(node_holder(self._clusters[cluster]))
        assert node, f"{cluster} does not run"
        return components(node)

    def issuer(self, cluster: str) -> dict[str, Any]:
        """Who signs a cluster's tokens, as a stack file has it."""
        found = asyncio.run(issuer_of(cluster, str(self.kubeconfig)))
        return found.model_dump(exclude_none=True, by_alias=True)

    def with_issuers(self, file: StackFile) -> StackFile:
        """Write into a stack file what an update finds: who signs tokens in the clusters of its agents."""
        names = unknown_issuers(Fleet.model_validate(file.fleet).partial)
        return file.changed({"clusters": {name: {"issuer": self.issuer(name)} for name in names}})

    def restart(self, cluster: str, *names: str) -> None:
        """End components of a cluster's node, and start them again with the files that they have now."""
        for process in (self.components(cluster)[name] for name in names):
            process.kill()
            process.wait(10)
        said = subprocess.run(
            ["fleet", "lab", "up"],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout

    def sign_tokens(self, cluster: str, keys: Sequence[bytes]) -> None:
        """Have a cluster's API server sign tokens with the first of these private keys, and publish all of them."""
        pki = self._clusters[cluster].pki
        write_secret(pki / "service-accounts.key", keys[0])
        (pki / "service-accounts.pub").write_bytes(b"".join(map(public_key, keys)))
        self.restart(cluster, "kube-apiserver", "kubelet")  # which would show pods the former tokens for an hour

    def signing_key(self, cluster: str) -> bytes:
        """The private key that a cluster's API server signs tokens with."""
        return (self._clusters[cluster].pki / "service-accounts.key").read_bytes()

    @contextmanager
    def forwarded(self, pod: str, port: int, cluster: str = "hub") -> Generator[int]:
        """Lead a port of this machine's loopback to a port of a pod's."""
        import kr8s  # noqa: PLC0415 — takes a third of a second, which tests without a cluster need not wait for
        from kr8s.objects import Pod  # noqa: PLC0415

        api = kr8s.api(**client_options(cluster, str(self.kubeconfig)))
        with Pod.get(pod, namespace="promfleet", api=api).portforward(
            remote_port=port, local_port=free_port()
        ) as local:
            yield local

    def connect(self) -> None:
        """Put the hub's certificate and the route to it back, which go with the namespace of a destroyed stack."""
        connect(NAMES, self.kubeconfig)

    def left(self) -> dict[str, str]:
        """Name everything of ours that stands in any cluster, by cluster."""
        ours = ("get", KINDS, "-A", "-l", "app.kubernetes.io/part-of=promfleet", "-o", "name")
        return {cluster: found for cluster in self._clusters if (found := self.kubectl(cluster, *ours))}

    def enter(self, cluster: str, *command: str) -> int:
        """Run a command in the network of a cluster's node and return its exit code."""
        node = held(node_holder(self._clusters[cluster]))
        assert node, f"{cluster} does not run"
        return subprocess.run(in_network(node, *command), check=False).returncode
