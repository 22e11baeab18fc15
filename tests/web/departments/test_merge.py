"""Departments are merged after a question that says how many people move."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Department
from hikflask.services.captures.drafts import Draft
from hikflask.services.departments import registry
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH
from tests.support.employees import by_number
from tests.support.filled_forms import form_to

MERGE = "/departments/merge"
RUSSIAN = {"Accept-Language": "ru"}


@pytest.fixture(autouse=True)
def departments(app: Flask) -> None:
    """Three spellings from before there was a table, with two, one and no people; and another department."""
    with app.app_context():
        db.session.add_all([Department(name=name) for name in ("Отдел IT", "отдел-it", "Отдел IT.", "Склад")])
        db.session.commit()
        for number, department in (("1", "отдел-it"), ("2", "отдел-it"), ("3", "Отдел IT")):
            save_employee(Draft(number, "Иван Иванов", department))


def plain(page: str) -> str:
    return re.sub("[\u2068\u2069]", "", page)


def test_spellings_of_one_name_are_merged_with_one_click_and_a_question(app: Flask, client: FlaskClient) -> None:
    page = client.get("/departments/", headers=ENGLISH).text
    assert "Perhaps the same" in page
    (address,) = re.findall(r'href="(/departments/merge[^"]*)"', page)

    asked = client.get(address.replace("&amp;", "&"), headers=ENGLISH).text
    assert "Merge into “отдел-it”?" in plain(asked)
    assert "1 employee moves to “отдел-it”." in plain(asked)
    in_russian = plain(client.get(address.replace("&amp;", "&"), headers=RUSSIAN).text)
    assert "В отдел «отдел-it» перейдёт 1 сотрудник." in in_russian
    done = form_to(asked, MERGE).send(client, ENGLISH)

    assert (done.status_code, done.location) == (303, "/departments/")
    after = plain(client.get("/departments/", headers=ENGLISH).text)
    assert "1 employee was moved to “отдел-it”." in after
    assert "Perhaps the same" not in after
    with app.app_context():
        assert registry.names() == ["отдел-it", "Склад"]
        assert {by_number(number).department for number in "123"} == {"отдел-it"}


def test_another_name_may_be_kept(app: Flask, client: FlaskClient) -> None:
    asked = client.get(f"{MERGE}?into=2&department=1&department=3", headers=ENGLISH).text
    instead = re.findall(r'href="(/departments/merge[^"]*)"', asked)
    other = client.get(instead[0].replace("&amp;", "&"), headers=ENGLISH).text

    assert "2 employees move to “Отдел IT”." in plain(other)
    form_to(other, MERGE).send(client)

    with app.app_context():
        assert registry.names() == ["Отдел IT", "Склад"]


@pytest.mark.both_databases
def test_departments_are_merged_only_with_the_people_who_were_shown(app: Flask, client: FlaskClient) -> None:
    asked = client.get(f"{MERGE}?into=4&department=1", headers=ENGLISH).text
    assert "1 employee moves to “Склад”." in plain(asked)
    with app.app_context():
        employee = by_number("3")
        save_employee(Draft("3", "Иван Иванов", "Склад"), employee_id=employee.id)
        save_employee(Draft("4", "Олег Олегов", "Отдел IT"))

    void = client.get(str(form_to(asked, MERGE).send(client, ENGLISH).location), headers=ENGLISH).text

    assert "This has changed since it was shown. Nothing is done: check it again." in void
    assert "1 employee moves to “Склад”." in plain(void)
    with app.app_context():
        assert "Отдел IT" in registry.names()
    form_to(void, MERGE).send(client)
    with app.app_context():
        assert "Отдел IT" not in registry.names()


def test_department_is_chosen_first_where_it_is_not_said(client: FlaskClient) -> None:
    page = client.get(f"{MERGE}?department=4", headers=ENGLISH)

    assert page.status_code == 200
    assert '<option value="4" selected>Склад</option>' in page.text.partition('name="department"')[2]
    assert MERGE in client.get("/departments/4/edit").text


@pytest.mark.parametrize("query", ["into=1&department=1", "into=99&department=1", "into=1&department=99", "into=1"])
def test_department_is_merged_with_another_one_only(app: Flask, client: FlaskClient, query: str) -> None:
    refused = client.get(f"{MERGE}?{query}", headers=ENGLISH)

    assert refused.status_code == 422
    assert "Choose two different departments." in refused.text
    assert "Выберите два разных отдела." in client.get(f"{MERGE}?{query}", headers=RUSSIAN).text
    fields = dict(pair.split("=") for pair in query.split("&"))
    answer = client.post(MERGE, data=fields, headers=ENGLISH, follow_redirects=True)
    assert "There is no such department any more." in answer.text
    with app.app_context():
        assert len(registry.names()) == 4
