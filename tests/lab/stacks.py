"""What stands in the lab's clusters: the one way to deploy another fleet, and to put the dev stack back."""

import json
import ssl
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from fleet.client import PrometheusClient
from fleet.status import look
from lab.cluster import NAMES
from render.alertmanager import OPERATOR
from render.prometheus.auth_proxies import READER

from . import bucket
from .clusters import Lab
from .fleets import DEV, FLEET, StackFile
from .stack import Stack, eventually, project

PATIENCE = 240
"""Seconds until every cluster has reported after an update: a WAL is replayed, targets are discovered and scraped."""
ATTEMPTS = 4
"""To destroy a stack whose bucket is filled until its writers have ended."""
FRESH = 40
"""Seconds; a cluster whose newest sample is older is silent."""
_ON_CALL = FLEET["alertmanager"]["expose"]


StackFiles = Mapping[str, StackFile]
"""By the name of their stack, in the order in which they are deployed; the first one has the hub."""


def alertmanager_alerts(operate: httpx.Client, *matchers: str) -> list[dict[str, Any]]:
    """Every alert that an Alertmanager has and that matches, as people see them who silence."""
    groups = operate.get("/api/v2/alerts/groups", params={"filter": matchers}).raise_for_status().json()
    return list({alert["fingerprint"]: alert for group in groups for alert in group["alerts"]}.values())


def _assert_ready(hub: PrometheusClient) -> None:
    """What `fleet status` asks for, and samples of now."""
    rows = look(hub)
    assert rows
    unwell = [row for row in rows if not row.healthy or row.age is None or row.age > FRESH]
    assert unwell == [], hub.query("up == 0")


class Stacks:
    """
    The stacks that are deployed.

    A test asks for those that it needs, so that nobody puts anything back in between, and begins when every cluster
    has reported to the hub.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = project(folder)
        self.stacks: dict[str, Stack] = {}
        self._files: dict[str, StackFile] = {}
        """As they are written."""
        self._deployed: dict[str, StackFile] = {}
        self._is_new = True
        """Whether an earlier run may have left stacks that this one knows nothing of."""

    def deploy(self, files: StackFiles) -> list[Stack]:
        """Have these stacks and no others, each as its file says; return when the hub hears of every cluster."""
        removed = self._standing() - files.keys()
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.remove, removed))
        if self._is_new or removed:
            self.lab.connect()
            self._is_new = False
        updated = [name for name, file in files.items() if self.update(name, file)]
        for cluster in NAMES if updated else ():
            self.lab.update_mounts(cluster)
        stacks = [self.stacks[name] for name in files]
        if stacks and "prometheus" in stacks[0].outputs:  # of a watcher's stack the machine has it
            with self.open_prometheus(stacks[0]) as hub:
                eventually(lambda: _assert_ready(hub), PATIENCE)
        return stacks

    def stand(self, *names: str) -> bool:
        """Whether these stacks, and no others, were deployed here."""
        return not self._is_new and self._standing() == set(names)

    def write(self, name: str, file: StackFile) -> Stack:
        """Give a stack whose file says this, without an update."""
        if self._files.get(name) != file:
            (self.folder / f"Pulumi.{name}.yaml").write_text(file.text)
            if name not in self.stacks:
                self.stacks[name] = Stack(name, self.lab.env, self.folder)
            self.stacks[name].keep_secrets(file.secrets)
            self._files[name] = file
        return self.stacks[name]

    def update(self, name: str, file: StackFile) -> bool:
        """Update one stack, unless it is as its file says; return whether it was not."""
        stack = self.write(name, file)
        if not stack.is_changed and self._deployed.get(name) == file:
            return False
        stack.up()
        stack.is_changed, self._deployed[name] = False, file
        return True

    def remove(self, name: str) -> None:
        """Destroy a stack, and what it would rather keep: its bucket is protected, and filled until its writers end."""
        stack = self.write(name, DEV)
        stack.pulumi("state", "unprotect", "--all", "--yes")
        for _ in range(ATTEMPTS):
            try:
                stack.pulumi("destroy", "--yes", "--skip-preview", "--continue-on-error")
                break
            except AssertionError as refused:
                if "bucket must be empty" not in str(refused):
                    raise
                bucket.empty()
        else:
            raise AssertionError(f"the bucket of {name} is filled again and again")
        stack.is_changed = False
        self._deployed.pop(name, None)

    def _standing(self) -> set[str]:
        """Name the stacks that may have anything, at first also those of an earlier run."""
        known = {name for name, stack in self.stacks.items() if stack.is_changed or name in self._deployed}
        return known | self._left() if self._is_new else known

    def _left(self) -> set[str]:
        """Name the stacks in the backend that have resources."""
        found = json.loads(Stack("dev", self.lab.env).pulumi("stack", "ls", "--json", stack=False))
        return {stack["name"] for stack in found if stack.get("resourceCount")}

    @contextmanager
    def open_prometheus(self, stack: Stack) -> Generator[PrometheusClient]:
        """Open the hub of a stack over the network, with a token of its readers, for an hour at most."""
        server = stack.outputs["prometheus"]
        with self.open_server(server["readUrl"], self.lab.token(READER, namespace=server["namespace"])) as hub:
            yield hub

    @contextmanager
    def open_server(self, read: str, token: str) -> Generator[PrometheusClient]:
        """Open whatever the lab's route leads to by this URL of a read proxy."""
        url = urlsplit(read)
        host = url.hostname or ""
        with self._client(url.port or 443, host, token) as client:
            yield PrometheusClient(client, host)

    @contextmanager
    def open_alertmanager(self, stack: Stack) -> Generator[httpx.Client]:
        """Open a stack's Alertmanager over the network, as who is on call does, for an hour at most."""
        host = _ON_CALL["host"]
        token = self.lab.token(OPERATOR, namespace=stack.outputs["prometheus"]["namespace"])
        with self._client(_ON_CALL["nodePort"], host, token) as client:
            client.event_hooks = {"request": [lambda request: request.extensions.update(sni_hostname=host)]}
            yield client

    def _client(self, port: int, host: str, token: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"https://{self.lab.node_address('hub')}:{port}",
            headers={"Authorization": f"Bearer {token}", "Host": host},
            verify=ssl.create_default_context(cafile=str(self.lab.ca)),
            timeout=30,
        )
