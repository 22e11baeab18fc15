"""Enrolments as the database has them now: by id, by number, by person, and those that may still open a door."""

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import EnrolmentUnknown
from hikflask.services.core.keyset import PagePosition
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")


def add(terminal: Terminal, number: str, **columns: object) -> Enrolment:
    """Add an enrolment as its row would be; it is desired on the terminal."""
    enrolment = Enrolment(terminal_id=terminal.id, number=number, desired="present", **columns)
    db.session.add(enrolment)
    db.session.commit()
    return enrolment


def change_elsewhere(enrolment: Enrolment, **columns: object) -> None:
    """Change the row beside the session, as another process would."""
    with db.engine.begin() as connection:
        connection.execute(db.update(Enrolment.__table__).where(Enrolment.id == enrolment.id).values(columns))


def test_one_that_ended_is_none_or_an_error(terminal: Terminal) -> None:
    known = add(terminal, "1001")

    assert queries.get(known.id) == queries.get_one(known.id) == known
    assert queries.get(known.id + 1) is None
    with pytest.raises(EnrolmentUnknown):
        queries.get_one(known.id + 1)


@pytest.mark.both_databases
def test_what_another_process_wrote_is_seen(terminal: Terminal) -> None:
    known = add(terminal, "1001")
    change_elsewhere(known, refusal=refusal("locked"))

    assert queries.get_one(known.id).refusal_code == "locked"
    change_elsewhere(known, refusal=refusal("busy"))
    assert [one.refusal_code for one in queries.of_number("1001")] == ["busy"]


def test_a_number_is_found_on_its_terminal_alone(terminal: Terminal) -> None:
    known = add(terminal, "1001")

    assert queries.find(terminal.id, "1001") == known
    assert queries.find(terminal.id, "1002") is None
    assert queries.find(terminal.id + 1, "1001") is None
    assert queries.of_number("1002") == []


@pytest.mark.both_databases
def test_those_of_a_person_are_under_former_numbers_too(terminal: Terminal) -> None:
    employee = save_employee(Draft("1001", "Иван Иванов")).row
    present, former = add(terminal, "1001", employee_id=employee.id), add(terminal, "1000", employee_id=employee.id)
    add(terminal, "1002")

    assert queries.of_person("1001", employee.id) == [present, former]
    assert queries.of_person("1001", None) == [present]


def test_number_is_desired_where_it_does_not_leave(terminal: Terminal) -> None:
    known = add(terminal, "1001")
    assert queries.desired_of("1001") == [known]

    change_elsewhere(known, desired="absent")

    assert queries.desired_of("1001") == []


@pytest.mark.both_databases
def test_open_removals_are_those_that_no_terminal_confirmed_the_oldest_first(terminal: Terminal) -> None:
    newer = add(terminal, "1001", desired_since=database_now(-60.0))
    older = add(terminal, "1002", desired_since=database_now(-120.0))
    done = add(terminal, "1003", desired_since=database_now(-180.0))
    add(terminal, "1004")
    for enrolment in (newer, older, done):
        change_elsewhere(enrolment, desired="absent")
    change_elsewhere(done, person="confirmed")

    assert queries.page_of_removals(10, PagePosition()).rows == [older, newer]
    assert queries.page_of_removals(1, PagePosition()).rows == [older]
    assert queries.desired_of("1001") == []


def test_number_is_kept_by_an_enrolment_until_its_removal_is_confirmed(terminal: Terminal) -> None:
    known = add(terminal, "1001")
    assert queries.keeping_number("1001") == known

    change_elsewhere(known, desired="absent")
    assert queries.keeping_number("1001") == known
    change_elsewhere(known, person="confirmed")
    assert queries.keeping_number("1001") is None
