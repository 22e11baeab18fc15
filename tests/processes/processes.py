"""The app as it is served: gunicorn in a process of its own, on a fresh instance folder."""

import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import requests

from tests.support import signed_in
from tests.support.migrated import FILE, migrate

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0
IPV4, IPV6 = "127.0.0.1", "::1"


def free_port() -> int:
    """Return a port that nothing listens on now, from below those that the system hands out by itself.

    One of the latter might be another test's, or a connection's, before the server that is meant has started.
    """
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def has_ipv6() -> bool:
    """Tell whether this machine's loopback has an address of IPv6."""
    try:
        socket.create_server((IPV6, 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition of another process; fail when it does not come."""
    give_up = time.monotonic() + seconds
    while not true():
        if time.monotonic() > give_up:
            raise AssertionError("it did not happen in time")
        time.sleep(0.05)


class Served:
    """gunicorn with the project's own settings, and commands on the same instance folder."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = requests.Session()
        self.http.trust_env = False
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HIKFLASK_")},
            "HIKFLASK_INSTANCE_PATH": str(folder),
            "HIKFLASK_BIND": f"127.0.0.1:{self.port}",
            "FLASK_APP": "wsgi",
            "MALLOC_ARENA_MAX": "2",  # As in the units.
            **{f"HIKFLASK_{name}": value for name, value in settings.items()},
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def flask(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of `flask --app wsgi` and return what it printed."""
        done = self._run("flask", *arguments, stdin=stdin)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout

    def hikflask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command under the program's own name, and return how it ended."""
        return self._run("hikflask", *arguments)

    def refused(self, module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run what must end by itself with an error, and return how it did."""
        done = self._run(module, *arguments)
        assert done.returncode, done.stdout + done.stderr
        return done

    def start(self, app: str = "wsgi:app") -> None:
        """Migrate and serve; return when the page answers."""
        if "DATABASE_URL" in self._settings or (self.folder / FILE).exists():
            self.flask("db", "upgrade")
        else:
            migrate(self.folder)
        self.serve(app)

    def serve(self, app: str = "wsgi:app") -> None:
        """Serve on a database that is migrated already; return when the page answers."""
        self.let_in()
        self.web = self._serve(app)
        until(self._answers, START_SECONDS)

    def let_in(self) -> None:
        """Let `http` be an administrator on the pages, and a program with a token for the API."""
        database = {"DATABASE_URL": self._settings["DATABASE_URL"]} if "DATABASE_URL" in self._settings else {}
        found = signed_in.let_in(self.folder, **database)
        self.http.cookies.set("hikflask", found.cookie, domain="127.0.0.1")
        self.http.auth = found
        self.token = found.token

    def start_worker(self, app: str = "wsgi") -> subprocess.Popen[bytes]:
        """Start a worker of its own."""
        return self._spawn("flask", "--app", app, "worker")

    def has_worker(self, count: int = 1) -> bool:
        """True when so many workers have written a heartbeat, of which some may have ended."""
        with closing(sqlite3.connect(self.folder / "hikflask.sqlite3")) as database:
            rows: int = database.execute("SELECT count(*) FROM heartbeat").fetchone()[0]
            return rows >= count

    def kill(self) -> None:
        """End all processes at once: an orderly end takes seconds, and is what few tests are about."""
        self.http.close()
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)

    def stop(self) -> None:
        """Stop all processes, and wait until each has ended what it does."""
        self.http.close()
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(30)

    def _run(self, module: str, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env=self._environment, input=stdin, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def _serve(self, app: str) -> subprocess.Popen[bytes]:
        return self._spawn("gunicorn", "--config", "deploy/gunicorn.conf.py", app)

    def _spawn(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=self._environment, start_new_session=True)
        self._processes.append(process)
        return process

    def _answers(self) -> bool:
        try:
            return self.http.get(f"{self.url}/health", timeout=60).ok
        except (requests.ConnectionError, requests.Timeout):
            return False
