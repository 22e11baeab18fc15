"""Terminals on sockets: simulated ones always, a real one with `pytest --terminal URL`, password from the environment.

Nothing here tries a password that may be wrong on a real terminal: one app speaks for all tests of a terminal, and its
row stops every conversation after the first refusal; the client beside it comes after the app was let in.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask import create_app
from hikflask.isapi import persons
from hikflask.isapi.client import Client, certificate_fingerprint
from hikflask.isapi.errors import LoginRefused
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.signed_in import client_of

REAL = "real"
# One by URL, and those that are hard on a socket: short-lived nonces, strict parts, a second form of the picture, and
# plain answers. tests/invariants/test_profiles.py leads all there are the same way, without one.
SIMULATED = ("K1T343EFWX", "K1T343M", "K1T342MFWX-E1", "K1T673DX", "K1T341CMFW")
# Those that list the address mode beside the picture are marked by the administrator as taking pictures.
MARKED = {"K1T343M", "K1T342MFWX-E1"}
PASSWORD_VARIABLE = "HIKFLASK_TERMINAL_PASSWORD"
NUMBER = "HIKTEST01"
NAME = "HIKTEST Анна"
CONNECT_SECONDS = 5.0
PAUSE = 3.0


@dataclass(frozen=True)
class Place:
    """A terminal, and how somebody is brought to stand in front of it."""

    url: str
    username: str
    fingerprint: str | None
    call_somebody: Callable[[str], None]
    password: str = field(repr=False)
    takes_pictures: bool = False
    # Of the app that speaks to it. A simulated terminal needs no time between two captures.
    settings: dict[str, float] = field(default_factory=dict)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs on the simulated terminals, and on a real one where its address is given."""
    if "place" in metafunc.fixturenames:
        real = [REAL] if metafunc.config.getoption("--terminal") else []
        metafunc.parametrize("place", [*SIMULATED, *real], indirect=True, scope="module")


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The terminal of this round."""
    with _real(request.config) if request.param == REAL else _simulated(request.param) as found:
        yield found


@contextmanager
def _simulated(model: str) -> Iterator[Place]:
    terminal = Simulated(PASSWORD, profile=dataclasses.replace(profile_named(model), refuse_after_success=0))
    if model != SIMULATED[0]:
        # A removal is done when it is asked for the first time: with one of them the client waits until it asks again.
        terminal.store.deletion_polls = 0
    faces = cycle(NAMES)
    with SimulatorServer(terminal, https=True) as server:

        def call_somebody(_: str) -> None:
            terminal.present_alone(draw(next(faces)), 60)

        marked, settings = model in MARKED, {"CAPTURE_PAUSE": 0.001}
        yield Place(server.url, "admin", server.fingerprint, call_somebody, PASSWORD, marked, settings)


@contextmanager
def _real(config: pytest.Config) -> Iterator[Place]:
    password = os.environ.get(PASSWORD_VARIABLE)
    if not password:
        pytest.fail(f"set {PASSWORD_VARIABLE}: a real terminal is not asked with a guess", pytrace=False)
    url, shown = config.getoption("--terminal"), config.getoption("--terminal-fingerprint")
    if url.startswith("https://") and not shown:
        shown = certificate_fingerprint(url, CONNECT_SECONDS)
    capture = config.pluginmanager.getplugin("capturemanager")

    def call_somebody(why: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n>>> Please show a face to the terminal, {why}. It looks in {PAUSE:.0f} s …", flush=True)
        # Time to step up, and for the terminal to get over its last capture: it refuses another at once.
        time.sleep(PAUSE)

    user, takes_pictures = config.getoption("--terminal-user"), config.getoption("--terminal-takes-pictures")
    yield Place(url, user, shown, call_somebody, password, takes_pictures)


@pytest.fixture(scope="module")
def app(
    place: Place,
    migrated: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Flask]:
    """One app for all tests of a terminal, with the waits that a real one needs."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
    given = {"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external", "WTF_CSRF_ENABLED": False}
    app = create_app(given | place.settings)
    yield app
    close(app)


@pytest.fixture(scope="module")
def device(app: Flask, place: Place) -> dict[str, Any]:
    """The terminal as it was added and checked; nothing more is asked of one that refuses the login."""
    client = client_of(app)
    access = {
        "name": "Проверяемый",
        "url": place.url,
        "username": place.username,
        "password": place.password,
        "fingerprint": place.fingerprint or "",
        "face_by_picture": place.takes_pictures,
    }
    added: dict[str, Any] = client.post("/api/devices/", json=access).get_json()
    status = client.get(f"/api/devices/{added['id']}/status").get_json()
    if not (status["reachable"] and status["login"]):
        pytest.fail(f"the terminal does not let us in: {status}", pytrace=False)
    return {**added, "status": status}


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """The JSON API."""
    return client_of(app)


@pytest.fixture(scope="module")
def let_in(place: Place, device: dict[str, Any]) -> Iterator[Client]:  # noqa: ARG001 - the app was let in before
    """A client beside the app's, to see what the terminal itself says."""
    client = Client(place.url, place.username, place.password, fingerprint=place.fingerprint)
    yield client
    client.close()


@pytest.fixture
def beside(let_in: Client) -> Iterator[Client]:
    """The client beside the app's; the test number is free before and after."""
    _free(let_in)
    yield let_in
    _free(let_in)


def _free(client: Client) -> None:
    """Take our own test person off; anybody else with that number is left alone, and the test is not run."""
    try:
        there = persons.find(client, NUMBER)
    except LoginRefused as error:
        pytest.exit(f"the terminal refuses the password now: {error}", 1)
    if there is None:
        return
    if not there.name.startswith("HIKTEST"):
        pytest.fail(f"{NUMBER} belongs to somebody else on this terminal", pytrace=False)
    persons.remove(client, NUMBER)
    assert persons.find(client, NUMBER) is None
