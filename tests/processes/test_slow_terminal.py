"""A terminal that is slow with every answer does not hold a page."""

import time

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.services.terminals import checks, connection, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer

PASSWORD = "Abc12345"


def check_within(terminal_id: int, seconds: float) -> None:
    with connection.converse(terminal_id, "test", "check", total=seconds) as conversation:
        checks.learn(conversation)


@pytest.mark.usefixtures("context")
def test_check_of_a_slow_terminal_gives_up_as_a_whole(app: Flask, simulator: SimulatorServer) -> None:
    del app.extensions["terminal_transport"]  # real sockets here
    added = registry.add(Access("Вход", simulator.url, "admin", PASSWORD))
    db.session.commit()
    simulator.terminal.faults.add("slow", "0.3")
    began = time.monotonic()

    with pytest.raises(NoAnswer):
        check_within(added.id, 0.5)

    assert time.monotonic() - began < 5
    assert registry.active(added.id).reachable is False
