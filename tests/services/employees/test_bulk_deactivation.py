"""Many numbers at once: sorted before anything is done, and each employee leaves in a transaction of its own."""

import pytest
from sqlalchemy import event

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.bulk_deactivation import deactivate, found
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def add(number: str, name: str) -> Employee:
    return save_employee(Draft(number, name)).row


def test_numbers_are_sorted_by_what_would_become_of_them() -> None:
    olga, ivan, gone = add("2", "Ольга"), add("1", "Иван"), add("3", "Пётр")
    set_active(gone.id, active=False)

    leavers = found(["3", "2", "x", "1", "\x00"])

    assert leavers.active == [ivan, olga]
    assert leavers.inactive == [gone]
    assert leavers.unknown == ["x", "\x00"]
    assert ivan.is_active


def test_those_who_are_active_leave_and_their_terminals_are_due(terminal: Terminal) -> None:
    ivan, olga = add("1", "Иван"), add("2", "Ольга")
    wanted = send_to_terminal(ivan.id, terminal.id).row
    db.session.execute(db.text("UPDATE enrolment SET written_name = 'Иван'"))
    db.session.commit()

    left = deactivate(["1", "2", "9"])

    assert left.row == [ivan, olga]
    assert left.due == (wanted.id,)
    assert queries.row(wanted.id).desired == "absent"
    assert deactivate(["1", "2", "9"]).row == []


def test_who_is_deleted_meanwhile_keeps_nobody_else_from_leaving() -> None:
    ivan, olga = add("1", "Иван"), add("2", "Ольга")

    def delete(_connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE employee SET is_active=employee.is_active"):
            cursor.execute(f"DELETE FROM employee WHERE id = {ivan.id}")  # type: ignore[attr-defined]

    event.listen(db.engine, "before_cursor_execute", delete)

    assert deactivate(["1", "2"]).row == [olga]
