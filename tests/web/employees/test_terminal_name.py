"""The own name for terminals in the form, and the name that each terminal has on the employee's page."""

from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from tests.support.api_calls import user
from tests.support.desk import ENGLISH, Desk, typed

NAME = "Петров Пётр Иванович"
OWN = "Петров (охрана)"
TOO_LONG = "Петров-старший, начальник охраны"


def save(desk: Desk, **changed: str) -> str:
    return desk.save(full_name=NAME, **changed)


def limit(desk: Desk, name_bytes: int) -> None:
    """Let the terminal take names of so many bytes, as if its check had found that."""
    with desk.client.application.app_context():
        db.session.execute(db.text("UPDATE terminal SET name_bytes = :limit"), {"limit": name_bytes})
        db.session.commit()


def test_page_says_which_form_a_terminal_has(desk: Desk) -> None:
    limit(desk, 32)

    employee = save(desk)

    assert desk.simulator.people["100222"]["name"] == "Петров П. И."
    assert "На терминале: «Петров П. И.»." in desk.text(employee)
    assert "On the terminal: “Петров П. И.”." in desk.client.get(employee, headers=ENGLISH).text
    assert "слишком длинное" not in desk.text(employee)


def test_page_says_nothing_where_the_full_name_is(desk: Desk) -> None:
    assert "На терминале: «" not in desk.text(save(desk))


def test_own_name_is_typed_kept_and_sent(desk: Desk) -> None:
    employee = save(desk, terminal_name=f"  {OWN} ")

    assert desk.simulator.people["100222"]["name"] == OWN
    assert f"На терминале: «{OWN}»." in desk.text(employee)
    assert f'id="terminal_name" name="terminal_name" type="text" value="{OWN}"' in desk.text(f"{employee}/edit")
    assert "<details" in desk.text(f"{employee}/edit").partition("<summary>Имя на терминале")[0]


def test_own_name_that_is_too_long_is_kept_and_said(desk: Desk) -> None:
    limit(desk, 32)

    employee = save(desk, terminal_name=TOO_LONG)

    assert desk.simulator.people["100222"]["name"] == "Петров П. И."
    assert f"Имя «{TOO_LONG}» для этого терминала слишком длинное." in desk.text(employee)
    english = desk.client.get(employee, headers=ENGLISH).text
    assert f"“{TOO_LONG}” is too long for this terminal." in english


def test_own_name_survives_a_capture_and_another_language(desk: Desk) -> None:
    capture = desk.capture(terminal_name=OWN)

    shown = desk.text(f"/employees/new?capture={capture}")
    other = desk.client.post("/employees/new", data=typed(terminal_name=OWN, lang="en")).text

    assert f'value="{OWN}"' in shown
    assert f'value="{OWN}"' in other
    assert "Name on terminals" in other


def test_own_name_of_several_lines_is_refused_beside_its_field(desk: Desk) -> None:
    answer = desk.client.post("/employees/", data=typed(terminal_name="Петров\nП."))

    assert answer.status_code == 422
    assert 'id="terminal_name-error"' in answer.text
    assert "В поле «Имя на терминале» не должно быть управляющих символов." in answer.text


def test_own_name_is_no_field_of_the_api_and_stays_when_a_program_changes_the_user(app: Flask, desk: Desk) -> None:
    save(desk, terminal_name=OWN)

    answer = desk.client.put("/api/users/1", json={"full_name": "Сидоров Пётр", "terminal_name": "Другой"})

    assert answer.status_code == 200
    assert "terminal_name" not in user(desk.client, 1)
    with app.app_context():
        assert db.session.get_one(Employee, 1).terminal_name == OWN
