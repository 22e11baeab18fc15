"""A form of an employee whom somebody else saves while it is open: nothing is undone without being shown."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.accounts import OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import membership
from hikflask.web.employees import edit
from tests.support.between import Between
from tests.support.captures import FACE
from tests.support.desk import Desk
from tests.support.filled_forms import Filled, digest_of, form_to, words
from tests.support.groups import add_terminals, make_group
from tests.support.signed_in import client_of

IVAN = Draft("100222", "Иван Иванов", "Охрана")
LAST_DAY = "2036-06-30"
ONE = "/employees/1"


@pytest.fixture
def form(app: Flask, desk: Desk) -> Filled:
    """The form of an employee, as a page shows it."""
    with app.app_context():
        save_employee(IVAN)
    return form_to(desk.text(f"{ONE}/edit"), ONE)


def saved(app: Flask) -> tuple[str, str, str, str]:
    with app.app_context():
        ivan = db.session.get_one(Employee, 1)
        return ivan.number, ivan.name, ivan.department, str(ivan.valid_to or "")


def save_as_boris(app: Flask, **changed: str) -> None:
    boris = client_of(app, OPERATOR, "Борис")
    answer = form_to(boris.get(f"{ONE}/edit").text, ONE).send(boris, **changed)
    assert answer.status_code == 303, answer.text


TOLD = {
    "ru": "Тем временем кто-то другой изменил: Действует по. Эти изменения остались.",
    "en": "Somebody else has changed meanwhile: Valid to. That stays.",
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_fields_that_somebody_else_changed_stay_and_are_told(
    app: Flask, desk: Desk, form: Filled, language: str
) -> None:
    save_as_boris(app, valid_to=LAST_DAY)

    answer = form.send(desk.client, {"Accept-Language": language}, department="Склад")

    assert answer.status_code == 303
    assert saved(app) == ("100222", "Иван Иванов", "Склад", LAST_DAY)
    assert TOLD[language] in words(desk.client.get(answer.location))


CONFLICT = {
    "ru": "Пока форма была открыта, кто-то другой изменил эти данные. Ничего ещё не сохранено: «Сохранить» запишет то, "
    "что введено здесь. Отдел: сохранено «Архив», здесь введено «Склад». "
    "Действует по: сохранено «30 июня 2036», теперь и здесь.",
    "en": "Somebody else has changed this meanwhile. Nothing is saved yet: “Save” writes what is typed here. "
    "Department: “Архив” is saved, “Склад” is typed here. Valid to: “30 June 2036” is saved, and now stands here, too.",
}


def test_field_that_both_changed_is_shown_with_both_values_and_saved_by_a_second_press(
    app: Flask, desk: Desk, form: Filled
) -> None:
    save_as_boris(app, department="Архив", valid_to=LAST_DAY)

    for language, sentence in CONFLICT.items():
        headers = {"Accept-Language": language}
        shown = form.send(desk.client, headers, department="Склад", full_name="Иван Петров")

        assert shown.status_code == 409
        assert sentence in words(shown)
        assert saved(app) == ("100222", "Иван Иванов", "Архив", LAST_DAY)
    again = form_to(shown.text, ONE)
    values = {name: again.fields[name] for name in ("full_name", "department", "valid_to")}
    assert values == {"full_name": "Иван Петров", "department": "Склад", "valid_to": LAST_DAY}
    assert again.send(desk.client).status_code == 303
    assert saved(app) == ("100222", "Иван Петров", "Склад", LAST_DAY)


def test_third_change_before_the_second_press_is_shown_again(app: Flask, desk: Desk, form: Filled) -> None:
    save_as_boris(app, department="Архив")
    again = form_to(form.send(desk.client, department="Склад").text, ONE)
    save_as_boris(app, department="Двор")

    answer = again.send(desk.client)

    assert answer.status_code == 409
    assert "Отдел: сохранено «Двор», здесь введено «Склад»." in words(answer)
    assert saved(app)[2] == "Двор"


def test_same_value_from_both_is_no_question(app: Flask, desk: Desk, form: Filled) -> None:
    save_as_boris(app, department="Склад")

    answer = form.send(desk.client, department="Склад")

    assert answer.status_code == 303
    assert "Тем временем" not in words(desk.client.get(answer.location))


def test_change_that_comes_after_the_form_was_compared_is_shown(
    app: Flask, desk: Desk, form: Filled, between: Between
) -> None:
    other = between(edit, "save_employee", lambda: save_as_boris(app, department="Архив"), before=True)

    answer = form.send(desk.client, department="Склад")

    other.finish()
    assert (answer.status_code, other.error) == (409, None)
    assert "Отдел: сохранено «Архив», здесь введено «Склад»." in words(answer)
    assert saved(app)[2] == "Архив"


@pytest.mark.parametrize("how", ["form", "one click"])
def test_form_that_was_kept_with_a_capture_undoes_nothing(app: Flask, desk: Desk, form: Filled, how: str) -> None:
    desk.simulator.present_alone(FACE)
    if how == "form":
        place = desk.client.post("/captures", data={**form.fields, "department": "Склад"}).location
    else:
        place = desk.client.post("/captures/of/1", data={"terminal_id": "1"}).location
    save_as_boris(app, full_name="Иван Петров", valid_to=LAST_DAY)
    desk.run_jobs()

    answer = form_to(desk.text(place), ONE).send(desk.client)

    assert answer.status_code == 303, answer.text
    assert saved(app) == ("100222", "Иван Петров", "Склад" if how == "form" else "Охрана", LAST_DAY)


def test_groups_that_both_changed_are_named(app: Flask, desk: Desk) -> None:
    with app.app_context():
        save_employee(IVAN)
        terminals = add_terminals("Двор", "Склад")
        yard, store = (str(make_group(name, [terminal_id])) for name, terminal_id in terminals.items())
    form = form_to(desk.text(f"{ONE}/edit"), ONE)
    boris = client_of(app, OPERATOR, "Борис")
    his = form_to(boris.get(f"{ONE}/edit").text, ONE)
    his.send(boris, groups=yard, moved=digest_of(his.send(boris, groups=yard).text, "moved"))

    shown = form.send(desk.client, groups=store)
    now = form_to(shown.text, ONE)
    again = now.send(desk.client, moved=digest_of(now.send(desk.client).text, "moved"))

    assert shown.status_code == 409
    assert "Группы терминалов: сохранено «Двор», здесь введено «Склад»." in words(shown)
    assert again.status_code == 303
    with app.app_context():
        assert membership.groups_of(1) == [int(store)]
