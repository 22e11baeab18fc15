"""A clock that is set back leaves no terminal held, no capture waiting and no worker alive for as long as the step."""

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Heartbeat, Terminal
from hikflask.models.capture import FAILED, WAITING
from hikflask.models.columns import database_now
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.core import heartbeat
from hikflask.services.terminals import leases

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

DAY = 86400.0


def test_lease_from_before_the_step_is_free(terminal: Terminal) -> None:
    leases.acquire(terminal.id, "Анна", "save", 10)
    db.session.execute(db.update(Terminal).values(lease_until=database_now(DAY)))
    db.session.commit()

    assert leases.acquire(terminal.id, "Борис", "save", 10).number == 2 + first_number(terminal)


def first_number(terminal: Terminal) -> int:
    """The number of the lease under which the fixture checked the terminal."""
    return terminal.lease_number


def test_capture_from_before_the_step_is_ended(terminal: Terminal) -> None:
    started = start_capture(terminal.id, Draft("1"), "Анна")
    db.session.execute(db.update(Capture).values(state=WAITING, deadline=database_now(DAY)))
    db.session.commit()

    deadline.fail_overdue()

    assert deadline.view(started.id).state == FAILED


def test_heartbeat_from_before_the_step_is_no_life() -> None:
    db.session.execute(db.update(Heartbeat).values(seen_at=database_now(DAY)))
    db.session.commit()

    assert not heartbeat.alive()
