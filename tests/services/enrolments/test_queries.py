"""Which enrolments belong to a number and to a person, which are due, and which may still open doors."""

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import EnrolmentUnknown
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


@pytest.fixture
def back_door(terminal: Terminal) -> Terminal:  # noqa: ARG001
    """A second terminal, which was never asked anything."""
    return registry.add(Access("Задний вход", "http://back.test", "admin", "x"))


def desire(number: str, *terminals: Terminal) -> list[Enrolment]:
    """Let somebody with this number be desired on these terminals."""
    employee = save_employee(Draft(number, "Иван Иванов")).row
    return [send_to_terminal(employee.id, terminal.id).row for terminal in terminals]


def write(enrolment: Enrolment, **columns: object) -> None:
    db.session.execute(db.update(Enrolment).where(Enrolment.id == enrolment.id).values(columns))
    db.session.commit()


def ids(found: list[Enrolment]) -> list[int]:
    return [enrolment.id for enrolment in found]


def test_enrolments_of_a_number_are_those_of_each_terminal(terminal: Terminal, back_door: Terminal) -> None:
    here, there = desire("1001", terminal, back_door)
    desire("1002", terminal)

    assert ids(queries.of_number("1001")) == [here.id, there.id]
    assert queries.find(back_door.id, "1001") is there
    assert queries.find(back_door.id, "1002") is None


def test_those_of_a_person_are_under_former_numbers_too(terminal: Terminal, back_door: Terminal) -> None:
    former, present = desire("1001", terminal, back_door)
    desire("1002", terminal)
    write(former, number="1000")

    assert ids(queries.of_person("1001", present.employee_id)) == [former.id, present.id]
    assert ids(queries.of_person("1001", None)) == [present.id]


def test_number_is_desired_where_it_does_not_leave(terminal: Terminal, back_door: Terminal) -> None:
    here, there = desire("1001", terminal, back_door)
    write(here, desired="absent")

    assert ids(queries.desired_of("1001")) == [there.id]


def test_due_is_that_of_which_something_is_left_to_do(terminal: Terminal, back_door: Terminal) -> None:
    here, there = desire("1001", terminal, back_door)
    assert queries.due_of("1001") == (here.id, there.id)

    write(here, next_attempt_at=None)

    assert queries.due_of("1001") == (there.id,)


def test_open_removals_are_those_that_no_terminal_confirmed_and_the_oldest_comes_first(terminal: Terminal) -> None:
    (staying,), (late,), (early,), (gone,) = (desire(number, terminal) for number in ("1001", "1002", "1003", "1004"))
    for leaver in (late, early, gone):
        write(leaver, written_name="Иван Иванов")
        set_active(leaver.employee_id or 0, active=False)
    write(early, desired_since=database_now(-60.0))
    write(gone, person="confirmed")

    assert ids(queries.open_removals()) == [early.id, late.id]
    assert queries.count_open_removals() == 2
    assert queries.row(staying.id).desired == "present"


def test_row_that_ended_is_unknown(terminal: Terminal) -> None:
    (ended,) = desire("1001", terminal)
    ended_id = ended.id
    db.session.delete(ended)
    db.session.commit()

    assert queries.get(ended_id) is None
    with pytest.raises(EnrolmentUnknown):
        queries.row(ended_id)
