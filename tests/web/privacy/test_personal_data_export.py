"""The button that exports what is stored about an employee."""

from flask import Flask

from tests.support.desk import Desk
from tests.support.trail import entries


def test_answer_is_a_file_that_is_stored_nowhere_and_is_in_the_trail(desk: Desk, app: Flask) -> None:
    answer = desk.client.post(f"{desk.save()}/export")

    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="employee-100222.zip"'
    assert "no-store" in answer.headers["Cache-Control"]
    with app.app_context():
        (entry,) = entries("employee.exported")
    assert (entry.actor, entry.employee) == ("Анна", "100222")
