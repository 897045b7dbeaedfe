"""Pages as a person reaches them who has a kubeconfig and nothing else."""

from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from .pages import PATIENCE, served
from .stack import Stack

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
