"""A throw-away root for each scenario."""

import fcntl
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation.root import ThrowAwayRoot
from tests.processes.processes import until

# Who has a root holds it: each needs ports 80 and 443 of this machine.
LOCK = Path(tempfile.gettempdir()) / "hikflask-root.lock"


@pytest.fixture(scope="session")
def downloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip has downloaded, for all roots."""
    return tmp_path_factory.mktemp("downloaded")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, downloaded: Path) -> Iterator[ThrowAwayRoot]:
    """A throw-away root; skips where there can be none."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        assert not os.environ.get("CI"), "CI runs as root on Debian"
        pytest.skip("needs root on Debian")
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from started(tmp_path_factory, downloaded)


def started(tmp_path_factory: pytest.TempPathFactory, downloaded: Path) -> Iterator[ThrowAwayRoot]:
    """Start a root, and end it when it is not needed any more."""
    if not ports_are_free():
        if not os.environ.get("CI"):
            pytest.skip("something listens on port 80 or 443, which the installation's nginx needs")
        # Debian starts its nginx as soon as it is installed.
        subprocess.run(["nginx", "-s", "stop"], check=False)
        until(ports_are_free)
    made = ThrowAwayRoot(tmp_path_factory.mktemp("root"), downloaded)
    try:
        made.start()
    except OSError as error:
        pytest.skip(f"this machine lets root mount no throw-away root: {error}")
    yield made
    made.stop()
    # Its nginx ends a moment later; the next root needs the ports.
    until(ports_are_free)


def ports_are_free() -> bool:
    try:
        for port in (80, 443):
            socket.create_server(("0.0.0.0", port)).close()
    except OSError:
        return False
    return True
