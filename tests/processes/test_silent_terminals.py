"""One caller who waits on terminals that never answer keeps nobody else waiting."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.processes import Served
from tests.processes.silent import add_unchecked, call, silent_addresses, token_of, worst_health

# Each terminal is silent for longer than this, so whoever waited behind one of them took longer.
AT_ONCE = 1.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The instance folder."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """The app with its usual threads and places, and terminals that are given up sooner than usual."""
    app = Served(folder, CONNECT_TIMEOUT="1", READ_TIMEOUT="2", LEASE_WAIT="2")
    app.start()
    yield app
    app.kill()


def test_health_answers_at_once_while_a_viewer_asks_24_silent_terminals(served: Served, folder: Path) -> None:
    token = token_of(served, "viewer")
    with silent_addresses(24) as addresses:
        known = add_unchecked(folder, addresses)

        worst, statuses = worst_health(served, [call(served, token, "GET", f"devices/{one}/status") for one in known])

    assert worst < AT_ONCE
    assert statuses[429] > statuses[200]


def test_health_answers_at_once_while_40_syncs_wait_on_a_silent_terminal(served: Served, folder: Path) -> None:
    token = token_of(served, "operator")
    user = {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": ""}
    served.http.post(f"{served.url}/api/users/", json=user, timeout=60).raise_for_status()
    with silent_addresses(1) as addresses:
        (known,) = add_unchecked(folder, addresses)
        sync = call(served, token, "POST", "users/1/sync-to-device", {"device_id": known})

        worst, statuses = worst_health(served, [sync] * 40)

    assert worst < AT_ONCE
    assert statuses[429] > 20
