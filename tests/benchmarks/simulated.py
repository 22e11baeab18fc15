"""The simulated terminal in a process of its own, over https, with its screen for standing in front of it."""

import secrets
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from requests_toolbelt.adapters.fingerprint import FingerprintAdapter

ROOT = Path(__file__).resolve().parents[2]
USER = "admin"
SECONDS = 20


def pinned_session(fingerprint: str) -> requests.Session:
    """Return a session that takes this certificate and no other, and no proxy."""
    session = requests.Session()
    session.trust_env = False
    session.verify = False
    session.mount("https://", FingerprintAdapter(fingerprint))
    return session


class Simulated:
    """`python -m hikflask.simulator --https`; a context manager."""

    def __init__(self, latency: str, profile: str = "K1T343EFWX") -> None:
        self.password = secrets.token_urlsafe(12)
        command = ["-m", "hikflask.simulator", "--port", "0", "--https", "--latency", latency, "--profile", profile]
        self._process = subprocess.Popen(
            [sys.executable, *command, f"--password={self.password}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        # "Terminal MODEL at https://host:port/ certificate SHA-256 HEX"
        words = self._greeting().split()
        self.url, self.fingerprint = words[3].rstrip("/"), words[-1]
        self._http = pinned_session(self.fingerprint)

    def _greeting(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.startswith("Terminal "):
            raise RuntimeError("the simulator did not start")
        return line

    def show_face(self, name: str) -> None:
        """Let a drawn face stand in front of the camera."""
        answer = self._http.post(
            f"{self.url}/screen/present", data={"name": name}, timeout=SECONDS, allow_redirects=False
        )
        answer.raise_for_status()

    def requests_since(self) -> list[str]:
        """Return the requests, method and path, since the log was last emptied, and empty it."""
        log: list[dict[str, Any]] = self._http.get(f"{self.url}/screen/log", timeout=SECONDS).json()
        self._http.delete(f"{self.url}/screen/log", timeout=SECONDS).raise_for_status()
        return [f"{entry['method']} {entry['path']}" for entry in log]

    def faces(self) -> dict[str, str]:
        """Return the SHA-256 of each enrolled face by number."""
        found: dict[str, str] = self._http.get(f"{self.url}/screen/state", timeout=SECONDS).json()["faces"]
        return found

    def stop(self) -> None:
        """End the process."""
        self._http.close()
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
