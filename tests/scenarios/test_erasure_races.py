"""An erasure and somebody else in the same moment, on the database that lets them: nothing is awaited for ever."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Connection, update

from hikflask.extensions import db
from hikflask.models import Enrolment, Erasure, ErasureRemoval, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.scenarios.test_generation_races import meanwhile
from tests.support.captures import FACE
from tests.support.employees import save_with_face
from tests.support.erasures import fresh
from tests.support.removals import open_removals
from tests.support.retention import settle
from tests.support.wire import InProcess

pytestmark = [
    pytest.mark.usefixtures("context", "worker_alive"),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]


@pytest.fixture
def another(app: Flask) -> Iterator[Connection]:  # noqa: ARG001
    """Another process's transaction that is about to commit."""
    with db.engine.connect() as connection:
        yield connection


def test_terminal_that_confirms_while_the_erasure_begins_is_not_awaited(
    app: Flask, simulator: Simulated, terminal: Terminal, another: Connection
) -> None:
    ivan_id = save_with_face(simulator, terminal).id
    settle()
    set_active(ivan_id, active=False)
    another.execute(update(Enrolment).values(person="confirmed", confirmed_at=database_now(), next_attempt_at=None))

    meanwhile(app, another, lambda: erase_employee(ivan_id).row)

    (erasure,), _ = certificates.list_page(10)
    (removal,) = erasure.removals
    assert removal.gone_at is not None
    assert erasure.completed_at is not None


def test_two_terminals_that_confirm_in_one_moment_are_both_noted(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess, another: Connection
) -> None:
    wire.put("second.test", Simulated(PASSWORD, clock=SkippingClock()))
    second = registry.add(Access("Выход", "http://second.test", "admin", PASSWORD))
    ivan = save_with_face(simulator, terminal)
    settle()
    send_to_terminal(ivan.id, second.id)
    settle(1)
    erasure = erase_employee(ivan.id).row
    first = erasure.removals[0].id
    another.execute(update(Erasure).values(version=Erasure.version + 1))
    another.execute(update(ErasureRemoval).where(ErasureRemoval.id == first).values(gone_at=database_now()))
    left = {one.terminal_id: one.id for one in open_removals()}
    db.session.commit()

    meanwhile(app, another, lambda: reconcile(left[second.id], "test"))

    assert all(removal.gone_at for removal in fresh(erasure).removals)


def test_picture_that_is_saved_in_that_moment_stays(app: Flask, another: Connection) -> None:
    picture = storage.keep(FACE, "100222")
    another.execute(update(Photo).values(forgotten_at=None))

    meanwhile(app, another, lambda: erase_by_number("100222"))

    assert storage.find_by_file(picture.file) is not None
    assert storage.path_of(picture) is not None
