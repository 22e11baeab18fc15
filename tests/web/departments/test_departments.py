"""The page of departments: listed with their people, added, renamed, deleted, by whoever may."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Department
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.captures.drafts import Draft
from hikflask.services.departments import registry
from hikflask.services.employees.save import save_employee
from tests.support.departments import department_id
from tests.support.desk import ENGLISH
from tests.support.employees import by_number
from tests.support.signed_in import client_of

RUSSIAN = {"Accept-Language": "ru"}
INDEX = "/departments/"


@pytest.fixture(autouse=True)
def people(app: Flask) -> None:
    """Two in one department, one in another, nobody in a third."""
    with app.app_context():
        for number, department in (("1", "Склад"), ("2", "Склад"), ("3", "Архив")):
            save_employee(Draft(number, "Иван Иванов", department))
        registry.add("Ёлки")


def id_of(app: Flask, name: str) -> int:
    with app.app_context():
        return department_id(name)


def names(app: Flask) -> list[str]:
    with app.app_context():
        return registry.names()


def lines(page: str) -> list[str]:
    """The text of each row of the list."""
    rows = re.findall(r'<li class="row-plain">(.*?)</li>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_departments_are_listed_with_their_people_and_lead_to_them(client: FlaskClient) -> None:
    page = client.get(INDEX, headers=ENGLISH).text

    assert lines(page) == ["Архив 1 employee Change", "Ёлки 0 employees Change", "Склад 2 employees Change"]
    assert 'href="/employees/?department=%D0%A1%D0%BA%D0%BB%D0%B0%D0%B4"' in page
    assert lines(client.get(INDEX, headers=RUSSIAN).text)[2] == "Склад 2 сотрудника Изменить"
    assert 'href="/departments/"' in client.get("/employees/").text


def test_viewer_looks_and_changes_nothing(app: Flask) -> None:
    page = client_of(app, VIEWER).get(INDEX, headers=ENGLISH).text

    assert lines(page) == ["Архив 1 employee", "Ёлки 0 employees", "Склад 2 employees"]
    assert "Add department" not in page


def test_long_list_is_shown_by_pages(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.add_all([Department(name=f"Цех {number:02}") for number in range(50)])
        db.session.commit()

    assert len(lines(client.get(INDEX).text)) == 50
    assert lines(client.get(f"{INDEX}?page=2", headers=ENGLISH).text)[-1] == "Цех 49 0 employees Change"


def test_department_is_added_once(app: Flask) -> None:
    operator = client_of(app, OPERATOR)

    assert operator.post(INDEX, data={"name": "  Охрана  склада "}, headers=ENGLISH).location == INDEX
    assert "Охрана склада is added." in re.sub("[\u2068\u2069]", "", operator.get(INDEX, headers=ENGLISH).text)
    for language, sentence in (
        (ENGLISH, "There is a department of this name already: Охрана склада."),
        (RUSSIAN, "Такой отдел уже есть: Охрана склада."),
    ):
        again = operator.post(INDEX, data={"name": "охрана склада"}, headers=language)
        assert again.status_code == 409
        assert sentence in re.sub("[\u2068\u2069]", "", again.text)
    assert names(app) == ["Архив", "Ёлки", "Охрана склада", "Склад"]


def test_name_must_be_one_line_that_can_be_seen(app: Flask, client: FlaskClient) -> None:
    for name in ["", " ", "x" * 129, "a\nb", "\u200b"]:
        for address in (INDEX, f"{INDEX}{id_of(app, 'Склад')}"):
            refused = client.post(address, data={"name": name}, headers=ENGLISH)
            assert refused.status_code == 422
            assert 'id="name-error"' in refused.text
            assert "“Name” " in refused.text
        assert names(app) == ["Архив", "Ёлки", "Склад"]


def test_renamed_department_is_at_its_people(app: Flask, client: FlaskClient) -> None:
    done = client.post(f"{INDEX}{id_of(app, 'Склад')}", data={"name": "Склад 1"}, headers=ENGLISH)

    assert (done.status_code, done.location) == (303, INDEX)
    assert "The department is renamed, also at its employees." in client.get(INDEX, headers=ENGLISH).text
    with app.app_context():
        assert [by_number(number).department for number in "123"] == ["Склад 1", "Склад 1", "Архив"]


def test_rename_to_a_known_name_asks_whether_to_merge(app: Flask, client: FlaskClient) -> None:
    asked = client.post(f"{INDEX}{id_of(app, 'Архив')}", data={"name": "склад"}, headers=ENGLISH, follow_redirects=True)

    assert asked.status_code == 200
    shown = re.sub("[\u2068\u2069]", "", asked.text)
    assert "There is a department of this name already: Склад." in shown
    assert "1 employee moves to “Склад”." in shown
    assert names(app) == ["Архив", "Ёлки", "Склад"]


def test_only_an_empty_department_is_deleted(app: Flask, client: FlaskClient) -> None:
    empty, full = id_of(app, "Ёлки"), id_of(app, "Склад")
    delete = 'action="/departments/{}/delete"'
    assert delete.format(empty) in client.get(f"{INDEX}{empty}/edit").text
    assert delete.format(full) not in client.get(f"{INDEX}{full}/edit").text

    for department, language, sentence in (
        (full, ENGLISH, "The department is not empty. Move its people to another one first."),
        (full, RUSSIAN, "В отделе есть сотрудники. Сначала переведите их в другой отдел."),
        (empty, ENGLISH, "Ёлки is deleted."),
        (empty, ENGLISH, "There is no such department any more."),
        (empty, RUSSIAN, "Такого отдела больше нет."),
    ):
        answer = client.post(f"{INDEX}{department}/delete", headers=language, follow_redirects=True)
        assert sentence in re.sub("[\u2068\u2069]", "", answer.text)

    assert names(app) == ["Архив", "Склад"]
