"""What became of the items of a job since it ended: mended, in need of a photo, or failed, each reason once."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.services.changes import lifecycle, outcomes
from hikflask.services.changes.kinds import DEPARTMENT, GROUPS, SEND
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.outcomes import Outcome
from hikflask.services.core.keyset import PagePosition
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.state.enrolment import NO_PHOTO
from tests.support.jobs import add_people, confirm, job, looked_again, run, started
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")
# As the terminal confirms that somebody is gone: no photo is needed for it.
GONE = {"desired": "absent", "person": "confirmed", "face": "pending", "next_attempt_at": None, "refusal": None}


def sent(terminal: Terminal, *numbers: str) -> Claim:
    claim = started(SEND, add_people(*numbers), terminal_id=terminal.id, terminal=terminal.name)
    run(claim)
    return claim


def write(number: str, **values: object) -> None:
    db.session.execute(db.update(Enrolment).where(Enrolment.number == number).values(**values))
    db.session.commit()


def give_up(number: str, code: str, **params: object) -> None:
    write(number, person="refused", next_attempt_at=None, refusal=refusal(code, **params))


def now(claim: Claim) -> Outcome:
    outcome = outcomes.of(job(claim.job_id))
    db.session.commit()
    return outcome


def counts(outcome: Outcome) -> tuple[int, ...]:
    return outcome.done, outcome.mended, outcome.needs_photo, outcome.failed, outcome.left


@pytest.mark.both_databases
def test_each_reason_is_counted_once_for_all_of_whom_it_is_true(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2", "3", "4", "5", "6")
    give_up("1", "files_not_taken")
    give_up("2", "no_photo")
    for number, name in (("3", "Пётр"), ("4", "Анна")):
        give_up(number, "employeenoalreadyexist", n=number, name=name)
    give_up("5", "urldownloadfail")
    looked_again(claim)

    outcome = now(claim)

    assert counts(outcome) == (0, 0, 3, 2, 1)
    found = {reason.code: (reason.count, reason.is_same, reason.needs_photo) for reason in outcome.reasons}
    assert found == {
        NO_PHOTO: (2, True, True),
        "employeenoalreadyexist": (2, False, False),
        "urldownloadfail": (1, True, True),
    }
    assert {reason.terminal for reason in outcome.reasons} == {db.session.get(Terminal, terminal.id)}


def test_people_of_a_reason_come_in_pages(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2", "3")
    for number in "123":
        give_up(number, "no_photo" if number == "2" else "files_not_taken")
    looked_again(claim)
    (reason,) = now(claim).reasons

    first = outcomes.page(claim.job_id, reason, 2)
    second = outcomes.page(claim.job_id, reason, 2, PagePosition(first.after))

    assert [[person.item.number for person in page.rows] for page in (first, second)] == [["1", "2"], ["3"]]
    assert first.rows[0].employee is not None


@pytest.mark.both_databases
def test_what_another_job_brought_to_its_end_is_mended(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2")
    for number in "12":
        give_up(number, "name_bytes")
    looked_again(claim)
    assert counts(now(claim)) == (0, 0, 0, 2, 0)

    # Somebody else wants the first one gone, which is nothing that this job was for.
    write("1", **GONE)
    db.session.execute(db.update(JobItem).where(JobItem.number == "2").values(desired="absent"))
    write("2", **GONE)

    outcome = now(claim)
    assert counts(outcome) == (0, 1, 0, 1, 0)
    assert [(reason.count, reason.is_mended) for reason in outcome.reasons] == [(1, False), (1, True)]
    assert [person.item.number for person in outcomes.people(outcome.reasons[1:]).values()] == ["2"]


def test_item_without_an_enrolment_is_mended_by_that_of_its_number_at_the_terminal(terminal: Terminal) -> None:
    (employee_id,) = add_people("1")
    claim = started(SEND, [employee_id], terminal_id=terminal.id, terminal="Вход")
    db.session.execute(db.update(Terminal).values(is_active=False))
    db.session.commit()
    assert run(claim).failed == 1
    db.session.execute(db.update(Terminal).values(is_active=True))
    db.session.commit()

    send_to_terminal(employee_id, terminal.id)
    assert counts(now(claim)) == (0, 0, 0, 1, 0)
    confirm("1")

    assert counts(now(claim)) == (0, 1, 0, 0, 0)


@pytest.mark.both_databases
def test_nobody_is_mended_by_a_later_owner_of_the_number(terminal: Terminal) -> None:
    claims = [sent(terminal, "1")]
    give_up("1", "name_bytes")
    looked_again(claims[0])
    db.session.execute(db.update(Terminal).values(is_active=False))
    db.session.commit()
    claims.append(sent(terminal, "2"))
    db.session.execute(db.update(Terminal).values(is_active=True))
    db.session.execute(db.update(Employee).values(number=Employee.number + "0"))
    db.session.commit()

    for employee_id in add_people("1", "2"):
        send_to_terminal(employee_id, terminal.id)
    confirm("1", "2")

    assert [counts(now(claim)) for claim in claims] == [(0, 0, 0, 1, 0)] * 2


def test_stopped_job_counts_what_is_confirmed_since_as_mended_and_the_rest_as_left(terminal: Terminal) -> None:
    claim = sent(terminal, "1", "2")
    lifecycle.stop_job(claim.job_id)
    db.session.execute(db.update(JobItem).where(JobItem.number == "1").values(desired="absent"))
    write("1", **GONE)

    assert counts(now(claim)) == (0, 1, 0, 0, 1)


def test_reasons_of_groups_are_those_of_their_terminals(terminal: Terminal) -> None:
    claim = sent(terminal, "1")
    give_up("1", "name_bytes")
    looked_again(claim)
    db.session.execute(db.update(Job).values(kind=GROUPS, terminal_id=None))
    db.session.commit()

    assert [reason.terminal.id for reason in now(claim).reasons if reason.terminal] == [terminal.id]


def test_jobs_are_looked_at_up_to_a_limit(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = []
    for numbers in (("1", "2"), ("3",)):
        claims.append(sent(terminal, *numbers))
        for number in numbers:
            give_up(number, "no_photo")
        looked_again(claims[-1])
    people = add_people("4")
    claims.append(started(DEPARTMENT, people, department="Охрана"))
    delete_employee(people[0])
    run(claims[-1])
    monkeypatch.setattr(outcomes, "MAX_LOOKED_AT", 2)

    found = outcomes.of_jobs([job(claim.job_id) for claim in claims])

    assert [counts(found[claim.job_id]) for claim in claims] == [(0, 0, 2, 0, 0), (0, 0, 0, 1, 0), (0, 0, 0, 1, 0)]
    assert counts(now(claims[1])) == (0, 0, 1, 0, 0)
