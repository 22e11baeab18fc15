"""A browser, a server with its worker, and a terminal on a socket."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.request import urlopen

import pytest
from flask import Flask

from hikflask import create_app
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SEED, Profile, SimulatorServer
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.migrated import migrate
from tests.support.signed_in import let_in_by

ROOT = Path(__file__).parents[2]
# Debian's two builds of Chromium: the shell needs two thirds of the time, and has neither cameras nor permissions.
SHELL = Path("/usr/bin/chromium-headless-shell")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    # No script of a page runs so long that it is worth the time to compile it well.
    "--js-flags=--no-opt --no-maglev",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names of this machine, to which the browser does not give the trust that it has in its loopback addresses.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
]
TERMINAL_NAME = "Вход"
# Beside a scrollbar the phone has 360 px, which are 720 px at 200 %.
LOOKS: dict[str, tuple[Literal["light", "dark"], int]] = {"desk": ("light", 1200), "phone": ("dark", 375)}
START_SECONDS = 120
# Pages that wait for something slow ask again every second, too, and five times as often while a test does nothing but
# wait (`soon`); only htmx's polls ("every 5s") are made of intervals.
IMPATIENT = """
const patient = setInterval;
for (const how of ["soon", "patiently"]) addEventListener(how, () => { window.name = how; });
window.setInterval = (deed, pause) => {
  let asked = Date.now();
  return patient(() => {
    if (Date.now() - asked < (window.name === "soon" ? 200 : Math.min(pause, 1000))) return;
    asked = Date.now();
    deed();
  }, 50);
};
"""

try:
    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        FloatRect,
        Locator,
        Page,
        Playwright,
        expect,
        sync_playwright,
    )
except ImportError:  # pragma: no cover - only where the packages of requirements-dev.txt are missing
    pytest.skip("playwright is not installed", allow_module_level=True)

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What starts Debian's Chromium."""
    for program in (SHELL, CHROMIUM):
        if not program.exists():
            if os.environ.get("CI") == "true":
                pytest.fail(f"{program} is missing")
            pytest.skip(f"{program} is missing: apt install {program.name}")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, started once."""
    browser = playwright.chromium.launch(executable_path=str(SHELL), args=FLAGS)
    yield browser
    browser.close()


def wait_until(page: Page, script: str, seconds: float = 60.0) -> None:
    """Wait until an expression is true; Page.wait_for_function evaluates text in the page, which its policy forbids."""
    give_up = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < give_up, script
        page.wait_for_timeout(50)


def eventually(page: Page, is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is so: what follows an action may still be on its way when the action is over."""
    give_up = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up
        page.wait_for_timeout(50)


def settled(found: Locator) -> FloatRect:
    """Where something stands once it does not move any more."""
    boxes: list[FloatRect | None] = [None, None]

    def stands() -> bool:
        boxes[:] = boxes[1], found.bounding_box()
        return boxes[0] is not None and boxes[0] == boxes[1]

    eventually(found.page, stands)
    assert boxes[1]
    return boxes[1]


def press_and_reload(button: Locator, sentence: Locator) -> None:
    """Press a button without JavaScript, and reload the page that answers until it shows this.

    It reloads itself, too, but every two seconds.
    """
    page = button.page
    expect(button).to_be_visible()
    with page.expect_navigation():
        button.press("Enter")
    give_up = time.monotonic() + 60
    while not sentence.is_visible():
        assert time.monotonic() < give_up, sentence
        page.wait_for_timeout(200)
        page.reload()
    expect(sentence).to_be_visible()


@contextmanager
def soon(page: Page) -> Iterator[None]:
    """Let the pages of this window ask more often while the test waits in here for what they will show."""
    page.dispatch_event("html", "soon")
    yield
    page.dispatch_event("html", "patiently")


@dataclass
class Site:
    """The address of the pages and the terminal that they speak to; `app` is on the same database."""

    url: str
    simulator: Simulated
    server: SimulatorServer
    folder: Path
    app: Flask


@contextmanager
def serving(folder: Path, profile: Profile = SEED) -> Iterator[Site]:
    """Database, terminal and gunicorn with the embedded worker, as they are started for a try."""
    migrate(folder)
    simulator = Simulated(PASSWORD, profile=profile)
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True})
    with SimulatorServer(simulator) as server:
        with app.app_context():
            checks.check(registry.add(Access(TERMINAL_NAME, server.url, "admin", PASSWORD)).id, "test")
        with gunicorn(environment_of(folder) | {"HIKFLASK_DOOR": "operator"}, folder / "server.log") as url:
            yield Site(url, simulator, server, folder, app)
    close(app)


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What most tests share; it ends with them, since its worker would sweep beside all others five times a second."""
    with serving(tmp_path_factory.mktemp("instance")) as site:
        yield site


def environment_of(folder: Path) -> dict[str, str]:
    """The settings of a served app on this instance folder."""
    settings = {"HIKFLASK_INSTANCE_PATH": str(folder), "HIKFLASK_BIND": "127.0.0.1:0", "HIKFLASK_LOG_LEVEL": "info"}
    settings |= {"HIKFLASK_SWEEP_INTERVAL": "0.2", "HIKFLASK_CAPTURE_TIMEOUT": "20", "FLASK_APP": "wsgi"}
    # The simulated terminal refuses a capture for 0.3 s after a success.
    settings |= {"HIKFLASK_CAPTURE_PAUSE": "0.35"}
    settings |= {"HIKFLASK_RETRY_BASE": "1", "HIKFLASK_RETRY_MAX": "2", "HIKFLASK_BACKUP_MAX_AGE": "0"}
    # Passages have their pages; that logs are read is not what is looked at here.
    settings |= {"HIKFLASK_PASSAGES": "poll", "HIKFLASK_PASSAGES_INTERVAL": "3600"}
    return {**os.environ, **settings}


class gunicorn:  # noqa: N801 - used as a function
    """Run gunicorn on a free port and give its address."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def __enter__(self) -> str:
        for _ in range(START_SECONDS * 10):
            found = re.search(r"Listening at: (http://[\d.:]+)", self.log.read_text())
            if found and self._answers(found[1]):
                return found[1]
            if self.process.poll() is not None:
                break
            self._wait(0.1)
        raise AssertionError(self.log.read_text())

    def __exit__(self, *_: object) -> None:
        # An orderly end takes a second, and nobody needs what is left: tests/processes has such ends.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def _answers(self, url: str) -> bool:
        try:
            with urlopen(f"{url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _wait(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return


@pytest.fixture
def site(served: Site) -> Site:
    """The served pages, with a terminal that does what it is told."""
    served.simulator.faults.clear()
    return served


class Window:
    """A Russian browser window on which an administrator is signed in, and whose console must stay silent."""

    def __init__(self, browser: Browser, site: Site, **given: Any) -> None:
        # What moves is drawn sixty times a second, and nothing waits for its end.
        still = {"locale": "ru-RU", "base_url": site.url, "reduced_motion": "reduce"}
        self.context = browser.new_context(**still | given)
        self.context.add_cookies([{"name": "hikflask", "value": let_in_by(site.app).cookie, "url": site.url}])
        self.context.add_init_script(IMPATIENT)
        self.complaints: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # A test may press something before the page gives its first field the focus; then it does not.
        if not message.text.startswith("Autofocus processing was blocked"):
            self.complaints.append(f"{message.type}: {message.text}")


@contextmanager
def opened(browser: Browser, site: Site, **given: Any) -> Iterator[Window]:
    """Open a window, and look in the end whether its console stayed silent."""
    window = Window(browser, site, **given)
    yield window
    window.context.close()
    assert window.complaints == []


@pytest.fixture
def russian(browser: Browser, site: Site) -> Iterator[Window]:
    """A Russian browser."""
    with opened(browser, site) as window:
        yield window


@pytest.fixture
def english_without_javascript(browser: Browser, site: Site) -> Iterator[Window]:
    """An English browser without JavaScript."""
    with opened(browser, site, locale="en-US", java_script_enabled=False) as window:
        yield window
