"""How a terminal is: asked now, or read from its row where it is in use, stopped, or left alone for a while."""

import pytest

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import leases
from hikflask.services.terminals.checks import ask_status, status_without_asking
from hikflask.simulator import Terminal as Simulated
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def write(**columns: object) -> None:
    db.session.execute(db.update(Terminal).values(columns))
    db.session.commit()


def test_people_and_faces_are_counted_now(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("7", {"name": "Чужой Человек"})

    status = ask_status(terminal.id, "test")

    assert (status.reachable, status.login, status.busy) == (True, True, False)
    assert (status.people, status.faces, status.capacity) == (1, 0, terminal.people_capacity)


def test_terminal_in_use_is_busy_and_asked_nothing(simulator: Simulated, terminal: Terminal) -> None:
    leases.acquire(terminal.id, "somebody", "capture", 60.0)

    status = ask_status(terminal.id, "test")

    assert (status.busy, status.reachable, status.people) == (True, True, 0)
    assert simulator.log == []


def test_terminal_that_refused_our_password_is_asked_nothing(simulator: Simulated, terminal: Terminal) -> None:
    write(refused_since=database_now(), login=True)

    assert ask_status(terminal.id, "test").login is False
    assert simulator.log == []


def test_terminal_that_is_away_keeps_what_is_known(terminal: Terminal, wire: InProcess) -> None:
    write(people=7)
    wire.away.add("terminal.test")

    status = ask_status(terminal.id, "test")

    assert (status.reachable, status.busy, status.people) == (False, False, 7)


def test_terminal_that_did_not_answer_a_moment_ago_is_not_worth_asking(terminal: Terminal, wire: InProcess) -> None:
    assert status_without_asking(terminal.id) is None
    wire.away.add("terminal.test")
    asked = ask_status(terminal.id, "test")

    assert status_without_asking(terminal.id) == asked

    write(backoff_until=database_now(-1.0))
    assert status_without_asking(terminal.id) is None


def test_unknown_terminal_has_no_status() -> None:
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        ask_status(404, "test")
