"""A terminal that does not answer keeps nobody else waiting."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services import employees, enrolments, settling
from hikflask.services.captures import Draft
from tests.wire import InProcess

pytestmark = pytest.mark.usefixtures("context")


def wish(terminal: Terminal, number: str) -> Enrolment:
    employee = employees.save(Draft(number, f"Employee {number}"))
    return employees.send(employee.id, terminal.id)


def let_the_quiet_pass() -> None:
    db.session.execute(db.update(Terminal).values(quiet_until=None))
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now()))
    db.session.commit()


def test_terminal_that_did_not_answer_is_left_alone_for_a_while(terminal: Terminal, wire: InProcess) -> None:
    first = wish(terminal, "1")
    wish(terminal, "2")
    wire.away.add("terminal.test")

    with pytest.raises(Unreachable):
        settling.settle(first.id, "test")

    assert enrolments.claim_due() == []
    assert enrolments.is_quiet(first.id)


def test_terminal_that_was_away_is_asked_with_one_wish_first(terminal: Terminal, wire: InProcess) -> None:
    wishes = [wish(terminal, str(number)) for number in range(3)]
    wire.away.add("terminal.test")
    with pytest.raises(Unreachable):
        settling.settle(wishes[0].id, "test")
    wire.away.clear()
    let_the_quiet_pass()

    probe = enrolments.claim_due()

    assert len(probe) == 1
    settling.settle(probe[0], "sweep")
    assert len(enrolments.claim_due()) == 2


def test_losing_the_queue_loses_nothing(terminal: Terminal) -> None:
    enrolment = wish(terminal, "1")
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now(-1)))
    db.session.commit()

    assert enrolments.claim_due() == [enrolment.id]
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now(-1)))
    db.session.commit()
    assert enrolments.claim_due() == [enrolment.id]
