"""Pages and tokens as a person gets them who has a kubeconfig and nothing else."""

import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from .clusters import Lab
from .pages import PATIENCE, served
from .stack import Stack
from .stacks import Stacks

pytestmark = pytest.mark.lab


@contextmanager
def opened(stack: Stack, page: str) -> Generator[httpx.Client]:
    """Run `fleet open`, and go to the address that it prints as a browser does."""
    with served(stack, page) as address:
        url = urlsplit(address)
        assert (url.hostname or "").endswith(".localhost")
        # Browsers lead such a name to this machine by themselves; Debian's resolver need not.
        here = httpx.Client(
            base_url=f"http://127.0.0.1:{url.port}", headers={"Host": url.netloc}, timeout=PATIENCE, trust_env=False
        )
        with here as browser:
            browser.cookies.update(browser.get(url.path).cookies)
            yield browser


class TestOpen:
    def test_prometheus_has_targets_and_samples(self, deployed: Stack) -> None:
        """
        A person sees more of it than a reader does, and can do no more.
        """
        with opened(deployed, "prometheus") as browser:
            targets = browser.get("/api/v1/targets").raise_for_status().json()["data"]["activeTargets"]
            samples = browser.get("/api/v1/query", params={"query": "count(up)"}).raise_for_status().json()
            refused = {
                path: browser.post(path).status_code
                for path in ("/-/reload", "/-/quit", "/api/v1/write", "/api/v1/admin/tsdb/snapshot")
            }

        assert "prometheus" in {target["labels"]["job"] for target in targets}
        assert int(samples["data"]["result"][0]["value"][1]) >= len(targets)
        assert set(refused.values()) == {404}

    def test_alertmanager_shows_its_silences(self, deployed: Stack) -> None:
        """
        As who is on call, who can raise no alerts.
        """
        with opened(deployed, "alertmanager") as browser:
            silences = browser.get("/api/v2/silences")
            raised = browser.post("/api/v2/alerts", json=[])

        assert (silences.status_code, raised.status_code) == (200, 404)

    def test_nobody_else_on_this_machine_sees_it(self, deployed: Stack) -> None:
        """
        Who finds the port has neither its name nor the cookie.
        """
        with opened(deployed, "prometheus") as browser:
            by_address = httpx.get(browser.base_url.join("/api/v1/targets"))
            without_cookie = httpx.get(
                browser.base_url.join("/api/v1/targets"), headers={"Host": browser.headers["Host"]}
            )

        assert (by_address.status_code, without_cookie.status_code) == (421, 403)


def issued(stack: Stack, account: str) -> str:
    """Run `fleet token`."""
    done = subprocess.run(
        [sys.executable, "-m", "fleet", "token", account, "--stack", stack.name, "--lifetime", "10m"],
        cwd=stack.root,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.removesuffix("\n")


class TestToken:
    def test_of_a_reader_asks_and_no_more(self, deployed: Stack, stacks: Stacks) -> None:
        """
        At the address for queries, as the page on installing says.
        """
        with stacks.open_server(deployed.outputs["prometheus"]["readUrl"], issued(deployed, "reader")) as hub:
            assert hub.query("up")
            assert hub.client.get("/targets", extensions={"sni_hostname": hub.host}).status_code == 404

    def test_of_an_operator_sees_silences(self, lab: Lab, deployed: Stack) -> None:
        """
        As amtool does.
        """
        with lab.forwarded("alertmanager-0", 8444) as port:
            answer = httpx.get(
                f"https://127.0.0.1:{port}/api/v2/silences",
                headers={"Authorization": f"Bearer {issued(deployed, 'operator')}"},
                verify=ssl.create_default_context(cafile=str(lab.ca)),
            )

        assert answer.status_code == 200
