"""Pages as a person sees them: `fleet open`, and a real Chromium before it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.wait import WebDriverWait

from lab.tools import find_tool

from .stack import Stack

PATIENCE = 60
"""Seconds until an address is printed, until a page has what it is to show, and until the command has ended."""
HEED_CTRL_C = ("env", "--default-signal=INT")
"""A shell has what it runs in the background ignore SIGINT, and all that comes of it."""
FAILED = 400
LEGEND = """
    const canvas = document.querySelector(".uplot canvas");
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const drawn = new Set();
    for (let i = 0; i < pixels.length; i += 4)
        if (pixels[i + 3] === 255) drawn.add(`rgb(${pixels[i]}, ${pixels[i + 1]}, ${pixels[i + 2]})`);
    return [...document.querySelectorAll(".uplot .u-legend .u-series")].map(entry => [
        entry.querySelector(".u-label").textContent,
        drawn.has(getComputedStyle(entry.querySelector(".u-marker")).backgroundColor),
    ]);
"""
"""What the legend of Prometheus' graph says, and whether there is anything in the colour of each entry."""


@contextmanager
def served(stack: Stack, page: str) -> Generator[str]:
    """Run `fleet open`, give the address that it prints, and end it with Ctrl-C."""
    command = [*HEED_CTRL_C, sys.executable, "-m", "fleet", "open", page, "--stack", stack.name, "--no-browser"]
    with subprocess.Popen(
        command,
        cwd=stack.root,
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            address = process.stdout.readline().strip()
            assert urlsplit(address).hostname, process.communicate()[1]
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            try:
                said = process.communicate(timeout=PATIENCE)[1]
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert (process.returncode, said) == (0, "")


class Browser:
    """Chromium without a screen, let in by an address of `fleet open`."""

    def __init__(self, driver: Chrome, address: str, pictures: Path) -> None:
        self.driver = driver
        self.pictures = pictures
        self.answers: dict[str, set[int]] = {}
        """Path of whatever the pages asked for -> status codes of the answers."""
        self.driver.get(address)
        self.base = self.driver.current_url.partition("/query")[0]

    def show(self, path: str, *texts: str) -> str:
        """Go to a page and return what is written on it, as soon as that has these texts; keeps a picture."""
        self.driver.get(f"{self.base}{path}")
        try:
            WebDriverWait(self.driver, PATIENCE).until(lambda _: all(text in self.text for text in texts))
        except TimeoutException:
            raise AssertionError(f"{path} does not show all of {texts}, but:\n{self.picture('failed')}") from None
        return self.picture(path)

    def picture(self, name: str) -> str:
        """Keep a picture and what the page asked for, and return what is written on it."""
        number = len(list(self.pictures.iterdir()))
        self.driver.save_screenshot(str(self.pictures / f"{number:02}-{name.partition('?')[0].strip('/')}.png"))
        self._note_answers()
        return self.text

    @property
    def text(self) -> str:
        """What is written on the page; WebDriver's own way takes seconds for hundreds of rules."""
        return self.driver.execute_script("return document.body ? document.body.innerText : ''")

    def legend(self) -> list[tuple[str, bool]]:
        """Give the job of each series of a graph, and whether its line is drawn."""
        return [(re.findall(r'job="([^"]+)"', text)[0], drawn) for text, drawn in self.driver.execute_script(LEGEND)]

    def status(self, path: str) -> int:
        """Let the page ask for a path, and give the status code of the answer."""
        return self.driver.execute_async_script("fetch(arguments[0]).then(said => arguments[1](said.status))", path)

    @property
    def failed(self) -> dict[str, set[int]]:
        """What was refused, or could not be answered."""
        return {path: codes for path, codes in self.answers.items() if max(codes) >= FAILED}

    def _note_answers(self) -> None:
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.responseReceived":
                response = message["params"]["response"]
                if response["url"].startswith(self.base):
                    self.answers.setdefault(urlsplit(response["url"]).path, set()).add(response["status"])


@contextmanager
def browsing(stack: Stack, page: str, pictures: Path) -> Generator[Browser]:
    """Look at a page of a stack with Chromium."""
    options = ChromeOptions()
    options.binary_location = find_tool("chromium")
    # Chromium's sandbox refuses root; a proxy of the machine knows nothing of this address.
    for flag in ("headless=new", "no-sandbox", "no-proxy-server", "disable-dev-shm-usage", "window-size=1400,1000"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    with served(stack, page) as address, Chrome(options, ChromeService(find_tool("chromedriver"))) as driver:
        yield Browser(driver, address, pictures)
