"""Two transactions at once, on the database that lets them: a wish and the confirmation of the wish before it."""

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text, update

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from tests.support.enrolments import desire
from tests.support.refusals import refusal
from tests.support.removals import open_removals

pytestmark = [
    pytest.mark.usefixtures("context"),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
PATIENCE = 10.0


@pytest.fixture
def wished(terminal: Terminal) -> Enrolment:
    """Somebody who is wanted on the terminal, and not confirmed yet."""
    return desire(terminal)


@pytest.fixture
def conversation(wished: Enrolment) -> Iterator[Connection]:
    """Another process's transaction, that has just written the end of the wish and is about to commit."""
    with db.engine.connect() as connection:
        done = {"person": "confirmed", "refusal": refusal("no_photo"), "next_attempt_at": None}
        connection.execute(update(Enrolment).where(Enrolment.id == wished.id).values(**done))
        yield connection


def meanwhile(app: Flask, conversation: Connection, deed: object) -> None:
    """Begin a deed in another thread, let it run into the open transaction, and commit that one."""

    def act() -> None:
        with app.app_context():
            deed()  # type: ignore[operator]

    thread = threading.Thread(target=act)
    thread.start()
    until = time.monotonic() + PATIENCE
    with db.engine.connect() as watcher:
        while not watcher.execute(text(WAITING)).scalar_one() and time.monotonic() < until:
            watcher.rollback()
    conversation.commit()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_removal_is_open_though_the_old_wish_was_confirmed_in_that_moment(
    app: Flask, wished: Enrolment, conversation: Connection
) -> None:
    meanwhile(app, conversation, lambda: set_active(wished.employee_id or 0, active=False).row)

    assert [one.number for one in open_removals()] == ["100222"]


def test_new_name_is_not_confirmed_though_the_old_one_was_in_that_moment(
    app: Flask, wished: Enrolment, conversation: Connection
) -> None:
    draft = Draft("100222", "Иван Петров")
    meanwhile(app, conversation, lambda: save_employee(draft, employee_id=wished.employee_id).row)

    person, due = db.session.execute(select(Enrolment.person, Enrolment.next_attempt_at)).one()
    assert (person, due is not None) == ("pending", True)
