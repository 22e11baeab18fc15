"""The selected people as a file and on paper."""

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.models.operator import OPERATOR, VIEWER
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.web.jobs import people as people_pages
from tests.support.desk import ENGLISH, Desk
from tests.support.jobs import add_people
from tests.support.retention import entries
from tests.support.signed_in import client_of


def drafted(client: FlaskClient, action: str, **form: object) -> str:
    answer = client.post("/jobs/preview", data={"action": action, "all": "1", **form})
    assert answer.status_code == 303
    return answer.location


def downloaded(client: FlaskClient, address: str, headers: dict[str, str] | None = None) -> list[list[str]]:
    answer = client.post(f"{address}/export", headers=headers or {})
    assert answer.status_code == 200
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


def test_file_has_a_row_for_each_and_a_column_for_each_terminal(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    with app.app_context():
        first, second = add_people("1", "2", department="Охрана")
        send_to_terminal(first, terminal.id)
        db.session.execute(db.update(Employee).where(Employee.id == second).values(is_active=False))
        db.session.commit()

    address = drafted(client, "export", sort="number")
    russian, english = downloaded(client, address), downloaded(client, address, ENGLISH)

    assert russian[0] == ["ID сотрудника", "ФИО", "Отдел", "Активен", "Добавлен", "Вход"]
    assert [row[:4] + row[5:] for row in russian[1:]] == [
        ["1", "Иван Иванов 1", "Охрана", "да", "выполняется"],
        ["2", "Иван Иванов 2", "Охрана", "нет", ""],
    ]
    assert english[0] == ["Employee ID", "Full name", "Department", "Active", "Added", "Вход"]


def test_export_is_counted_first_and_noted_with_the_number_of_people(app: Flask) -> None:
    client = client_of(app, OPERATOR)
    with app.app_context():
        add_people("1", "2")
    address = drafted(client, "export")
    assert "To be exported: 2 employees." in client.get(address, headers=ENGLISH).text

    answer = client.post(f"{address}/export")

    assert 'filename="employees-' in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    with app.app_context():
        assert [entry.after for entry in entries("employees.exported")] == [{"people": 2}]


def test_no_cell_is_a_formula(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.add(Employee(number="1", name='=HYPERLINK("http://x")', department="@x"))
        db.session.commit()

    row = downloaded(client, drafted(client, "export"))[1]

    assert row[1].startswith("'=")
    assert row[2] == "'@x"


def test_page_to_print_has_photo_name_number_and_department(desk: Desk) -> None:
    desk.save()
    address = drafted(desk.client, "print")

    shown = desk.client.get(address).text

    assert address.endswith("/print")
    assert '<img class="people-photo" src="/uploads/100222_' in shown
    assert "<bdi>Иван Иванов</bdi>" in shown
    assert '<td class="people-number">100222</td>' in shown
    assert "<bdi>Охрана</bdi>" in shown
    assert "static/print.js" in shown


@pytest.mark.parametrize(("language", "sentence"), [
    ("en", "Only the first 2 of 3 employees are on this page. Narrow the list by its filters to print the others."),
    ("ru", "На этой странице только первые 2; всего 3 сотрудника. "
           "Чтобы напечатать остальных, сузьте список фильтрами."),
])  # fmt: skip
def test_more_than_a_browser_prints_are_not_left_out_silently(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setattr(people_pages, "MOST_PRINTED", 2)
    with app.app_context():
        add_people("1", "2", "3")

    assert sentence in client.get(drafted(client, "print"), headers={"Accept-Language": language}).text


def test_viewers_take_nothing_along(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_people("1")
    address = drafted(client, "export")

    assert client_of(app, VIEWER).post(f"{address}/export").status_code == 403
    assert client_of(app, VIEWER).get(address).status_code == 404
