"""Firmware that removes no faces, or stores them otherwise than they were sent."""

import pytest

from hikflask.simulator import Terminal as Simulated
from tests.support.wire import InProcess, NoRemovalOfFaces


@pytest.fixture
def no_removal(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> NoRemovalOfFaces:
    firmware = NoRemovalOfFaces(wire)
    monkeypatch.setattr(wire, "send", firmware)
    return firmware


@pytest.fixture
def encodes_anew(simulator: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    bind = simulator.store.bind
    monkeypatch.setattr(simulator.store, "bind", lambda number, jpeg: bind(number, jpeg[:-2] + b"again" + jpeg[-2:]))
