"""A real Chromium, driven through its debugging pipe with nothing but the standard library."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


def browser_path() -> str | None:
    """Return the browser of this machine, or None."""
    named = os.environ.get("SEXSTRAT_BROWSER")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab: what it asked for, what it complained about, and what it answers."""

    def __init__(self, browser: Browser, width: int, *, dark: bool = False) -> None:
        self._browser = browser
        self.requests: list[str] = []
        self.blocked: dict[str, str] = {}
        self._asked: dict[str, str] = {}
        self.complaints: list[str] = []
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.pages[self._session] = self
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.send(method, self._session, **parameters)

    def heard(self, event: dict[str, Any]) -> None:
        """Keep what the tab asked the network for, and every error and warning."""
        method, parameters = event["method"], event["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
            self._asked[parameters["requestId"]] = parameters["request"]["url"]
        elif method == "Network.loadingFailed":
            self.blocked[self._asked.get(parameters["requestId"], "")] = parameters.get("blockedReason", "")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(parameters["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])

    def open(self, path: Path) -> Page:
        self.send("Page.navigate", url=path.as_uri())
        end = time.monotonic() + 60
        while self.ask("document.readyState + location.protocol") != "completefile:":
            if time.monotonic() > end:
                raise TimeoutError(f"{path} did not load")
            time.sleep(0.05)
        return self

    def ask(self, expression: str) -> Any:
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def promise(self, expression: str) -> Any:
        """Return what a promise of the page comes to."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def pdf(self) -> bytes:
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    def screenshot(self) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])


class Browser:
    """A Chromium whose messages go over two pipes, each message ended by a null byte."""

    def __init__(self, path: str, profile: Path) -> None:
        self.pages: dict[str, Page] = {}
        self._rest, self._number = b"", 0
        read_commands, self._write = os.pipe()
        self._read, write_answers = os.pipe()
        script = 'exec "$0" "$@" 3<&"$COMMANDS" 4>&"$ANSWERS"'
        self._process = subprocess.Popen(
            ["bash", "-c", script, path, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(read_commands, write_answers),
            env={**os.environ, "COMMANDS": str(read_commands), "ANSWERS": str(write_answers)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer and answer.get("sessionId") in self.pages:
                self.pages[answer["sessionId"]].heard(answer)

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], 240)
            received = os.read(self._read, 1 << 20) if ready else b""
            if not received:
                raise RuntimeError(f"the browser does not answer (exit status {self._process.poll()})")
            self._rest += received
        message, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def close(self) -> None:
        os.close(self._write)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium once; where there is none, fail if it is required and skip otherwise."""
    path = browser_path()
    if path is None or sys.platform == "win32":
        reason = f"no Chromium on this machine (looked for {', '.join(NAMES)} and $SEXSTRAT_BROWSER)"
        if os.environ.get("SEXSTRAT_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}; SEXSTRAT_REQUIRE_BROWSER=1 makes it required: install the chromium package")
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        running = Browser(path, Path(profile))
        try:
            yield running
        finally:
            running.close()


@pytest.fixture(scope="session")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of an invented study with a hostile and a Japanese name, in English and Japanese."""
    from sexstrat.disclosure import release
    from sexstrat.reporting import report

    path = Path(__file__).parents[1] / "unit" / "reporting" / "example_results.py"
    spec = importlib.util.spec_from_file_location("browser_example_results", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    results = module.example_results(names=("glaucoma", "緑内障", "<script>window.ran = true</script>"))
    results.settings["report"] = {"languages": ["en", "ja"]}
    return report(release(results, "uk-5"), tmp_path_factory.mktemp("report"))


@pytest.fixture
def tab(browser: Browser) -> Any:
    """Return a function that opens a tab of a width."""
    return lambda width, **options: Page(browser, width, **options)
