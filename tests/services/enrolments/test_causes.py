"""Everybody at a terminal who needs a person for the same reason is tried again at once."""

import pytest

from hikflask.extensions import db
from hikflask.labels import terminals as labels
from hikflask.models import Enrolment, ReachabilityChange, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import causes
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import reachability
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, OLGA
from tests.support.enrolments import desire_with_face, let_fail

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_cause_follows_from_the_code_and_where_that_says_nothing_from_the_person_there() -> None:
    causes_of = {code: causes.of(CONFIRMED, code) for code in ("lowscore", "name_too_long", "facenumfull", "nonsense")}

    assert causes_of == {"lowscore": "photo", "name_too_long": "form", "facenumfull": "full", "nonsense": "photo"}
    assert (causes.of(PENDING, "nonsense"), causes.of(CONFIRMED, "locked")) == ("nonsense", "locked")


def test_everybody_of_a_cause_at_a_terminal_is_tried_again_and_nobody_else(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.faults.add("full", "users")
    for draft in (IVAN, OLGA):
        let_fail(desire_with_face(simulator, terminal, draft))
    simulator.faults.clear()
    reconcile(send_to_terminal(save_employee(Draft("9", "Пётр Ли")).row.id, terminal.id).row.id, "test")

    assert causes.retry_all("full", terminal.id) == 2

    due = db.session.execute(db.select(Enrolment).where(Enrolment.next_attempt_at.is_not(None))).scalars().all()
    assert [(one.number, one.in_bulk) for one in due] == [("100222", True), ("100333", True)]
    for one in due:
        reconcile(one.id, "test")
    assert causes.everybody("full", terminal.id, 9) == []
    assert [one.number for one in causes.everybody("photo", terminal.id, 9)] == ["9"]


def test_terminal_that_does_not_answer_is_asked_now_and_its_silence_stays_known(terminal: Terminal) -> None:
    since = database_now(-3600.0 * 5)
    silent = {"reachable": False, "offline_since": since, "answered_at": since, "backoff_until": database_now(60.0)}
    db.session.execute(db.update(Terminal).values(**silent))
    db.session.add(ReachabilityChange(terminal_id=terminal.id, at=since, is_reachable=False))
    db.session.commit()

    causes.retry_all("leaving", terminal.id)

    row = db.session.get_one(Terminal, terminal.id, populate_existing=True)
    assert labels.next_try(row) is None
    assert [one.answered for one in reachability.last_day([row])[row.id]] == [None, False]
