"""What each kind of job does for one person, with the entry in the audit trail, and where it comes in the queue."""

from datetime import date

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Consent, Employee, Enrolment, Terminal
from hikflask.services.changes.kinds import CONSENT, DEACTIVATE, DEPARTMENT, SEND
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.enrolments import desired, queries, schedule
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from tests.support.jobs import add_people, items, run, started
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def enrolments() -> list[tuple[str, str, bool]]:
    """Number, desired state and whether it is one of many, for each enrolment."""
    statement = select(Enrolment.number, Enrolment.desired, Enrolment.in_bulk).order_by(Enrolment.number)
    found = [(number, wanted, in_bulk) for number, wanted, in_bulk in db.session.execute(statement)]
    db.session.commit()
    return found


def test_deactivation_desires_everybody_absent(terminal: Terminal) -> None:
    people = add_people("1", "2")
    send_to_terminal(people[0], terminal.id)

    run(started(DEACTIVATE, people))

    assert [one.is_active for one in db.session.execute(select(Employee)).scalars()] == [False, False]
    assert enrolments() == [("1", "absent", True)]
    assert {(one.actor, one.employee) for one in entries("employee.deactivated")} == {("Анна", "1"), ("Анна", "2")}


def test_who_left_meanwhile_is_done_and_stays_as_urgent_as_before(terminal: Terminal) -> None:
    people = add_people("1")
    send_to_terminal(people[0], terminal.id)
    claim = started(DEACTIVATE, people)
    set_active(people[0], active=False)

    assert run(claim).failed == 0
    assert enrolments() == [("1", "absent", False)]


def test_sending_desires_them_on_the_terminal_and_says_why_not(terminal: Terminal) -> None:
    people = add_people("1", "2")
    claim = started(SEND, people, terminal_id=terminal.id, terminal="Вход")
    set_active(people[1], active=False)

    run(claim)

    assert enrolments() == [("1", "present", True)]
    assert items(claim.job_id) == [("1", "sent", ""), ("2", "failed", "employee_inactive")]


def test_terminal_that_is_gone_fails_everybody() -> None:
    claim = started(SEND, add_people("1", "2"), terminal_id=99, terminal="Вход")

    assert run(claim).failed == 2
    assert [error for _, _, error in items(claim.job_id)] == ["terminal_unknown"] * 2


def test_department_is_changed_alone_and_found_by_the_search() -> None:
    people = add_people("1", department="Охрана")

    run(started(DEPARTMENT, people, department="Склад"))

    found = db.session.get_one(Employee, people[0], populate_existing=True)
    assert (found.name, found.department) == ("Иван Иванов 1", "Склад")
    assert "склад" in found.search
    (entry,) = entries("employee.changed")
    assert (entry.before, entry.after) == ({"department": "Охрана"}, {"department": "Склад"})


def test_consent_is_recorded_of_those_alone_who_have_none() -> None:
    people = add_people("1", "2", "3")
    by_contract = Given(date(2026, 1, 5), "contract", "папка 7")
    consents.record(people[0], by_contract)
    claim = started(CONSENT, people, given_on="2026-03-02")
    consents.record(people[1], by_contract)

    assert (run(claim).failed, items(claim.job_id)) == (0, [("2", "done", ""), ("3", "done", "")])

    recorded = select(Consent.given_on, Consent.basis, Consent.recorded_by).order_by(Consent.employee_id)
    contract, consent = (date(2026, 1, 5), "contract"), (date(2026, 3, 2), "consent", "Анна")
    rows = [tuple(row) for row in db.session.execute(recorded)]
    assert ([row[:2] for row in rows[:2]], rows[2]) == ([contract, contract], consent)
    assert [(one.employee, one.after) for one in entries("consent.recorded") if one.actor == "Анна"] == [
        ("3", {"given_on": "2026-03-02", "basis": "consent"})
    ]


def test_what_a_person_waits_for_comes_before_what_a_job_desired(terminal: Terminal) -> None:
    many, one = add_people("1", "2"), add_people("9")
    run(started(SEND, many, terminal_id=terminal.id, terminal="Вход"))
    single = send_to_terminal(one[0], terminal.id).row.id

    (turn,) = schedule.claim_turns()

    assert [queries.get_one(enrolment_id).number for enrolment_id in turn] == ["9", "1", "2"]
    desired.retry(turn[2])
    assert [number for number, _, in_bulk in enrolments() if in_bulk] == ["1"]
    assert turn[0] == single


def test_department_is_set_in_the_known_spelling() -> None:
    add_people("1", department="Охрана")

    run(started(DEPARTMENT, add_people("2"), department=" охрана "))

    found = db.session.execute(select(Employee.number, Employee.department).order_by(Employee.number))
    assert [tuple(row) for row in found] == [("1", "Охрана"), ("2", "Охрана")]
