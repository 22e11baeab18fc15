"""The selected people as a file and on paper."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from hikflask.models import Job
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.spreadsheets import table_file
from hikflask.web.jobs import jobs as job_pages
from tests.support.desk import ENGLISH, Desk
from tests.support.filled_forms import forms
from tests.support.jobs import add_people
from tests.support.retention import DAY, age
from tests.support.signed_in import client_of
from tests.support.trail import entries

RunJobs = Callable[[], int]


def drafted(client: FlaskClient, action: str, **form: object) -> str:
    answer = client.post("/jobs/preview", data={"action": action, "all": "1", **form})
    assert answer.status_code == 303
    return answer.location


def exported(client: FlaskClient, address: str, kind: str, headers: dict[str, str] | None = None) -> str:
    """Press the button for this format on a preview, and return the job's address."""
    answer = client.post(f"{address}/start", data={"format": kind}, headers=headers or {})
    assert answer.status_code == 303, answer.text
    return answer.location


def file_links(page: str) -> list[str]:
    """The addresses of files that a page offers."""
    return re.findall(r'href="(/jobs/\d+/file)"', page)


@pytest.fixture
def people(app: Flask) -> list[int]:
    with app.app_context():
        return add_people("007", "2", department="=1+1")


@pytest.mark.usefixtures("people")
def test_file_is_made_in_the_background_in_the_language_of_who_asked(client: FlaskClient, run_jobs: RunJobs) -> None:
    russian = exported(client, drafted(client, "export", sort="number"), "csv")
    english = exported(client, drafted(client, "export", sort="number"), "xlsx", ENGLISH)
    assert "/file" not in client.get(russian).text
    assert client.get(f"{russian}/file").location == russian

    run_jobs()

    assert file_links(client.get(russian).text) == [f"{russian}/file"]
    csv_answer, xlsx_answer = (client.get(f"{one}/file", buffered=True) for one in (russian, english))
    rows = list(csv.reader(io.StringIO(csv_answer.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["ID сотрудника", "ФИО", "Отдел", "Активен", "Добавлен", "Действует с", "Действует по"]
    assert [row[:4] for row in rows[1:]] == [
        ["007", "Иван Иванов 007", "'=1+1", "да"],
        ["2", "Иван Иванов 2", "'=1+1", "да"],
    ]
    sheet = load_workbook(io.BytesIO(xlsx_answer.data))["Employees"]
    assert [row[:4] for row in sheet.values] == [
        ("Employee ID", "Full name", "Department", "Active"),
        ("007", "Иван Иванов 007", "=1+1", "yes"),
        ("2", "Иван Иванов 2", "=1+1", "yes"),
    ]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("kind", "media_type"), [
    ("csv", "text/csv; charset=utf-8"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
])  # fmt: skip
def test_download_is_kept_by_nobody_between_and_noted(
    app: Flask, run_jobs: RunJobs, kind: str, media_type: str
) -> None:
    client = client_of(app, OPERATOR)
    job = exported(client, drafted(client, "export"), kind)
    run_jobs()

    answer = client.get(f"{job}/file", buffered=True)

    assert answer.headers["Content-Type"] == media_type
    name = re.escape(f".{kind}")
    assert re.fullmatch(
        rf"attachment; filename=employees-20\d\d-\d\d-\d\d{name}", answer.headers["Content-Disposition"]
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    with app.app_context():
        subject = job.strip("/").replace("jobs/", "job ")
        for action, after in (
            ("employees.exported", {"people": 2, "format": kind}),
            ("employees.export_downloaded", {"people": 2}),
        ):
            (entry,) = entries(action)
            assert (entry.subject, entry.after) == (subject, after)


@pytest.mark.usefixtures("people")
def test_pages_say_what_is_exported_and_how_long_it_is_kept(client: FlaskClient, run_jobs: RunJobs) -> None:
    draft = drafted(client, "export")
    asked = client.get(draft, headers=ENGLISH).text
    job = exported(client, draft, "xlsx")
    run_jobs()

    pages = client.get(job, headers=ENGLISH).text, client.get(job).text
    english, russian = (re.sub("</?time[^>]*>", "", page) for page in pages)

    assert "To be exported: 2 employees." in asked
    assert "Export for Excel (XLSX)" in asked
    assert "Export as CSV" in asked
    assert "Download (XLSX)" in english
    assert re.search(
        r"The file is deleted tomorrow at \d\d:\d\d, and at once when all data of somebody in it is erased\.", english
    )
    assert "Скачать (XLSX)" in russian
    assert re.search(
        r"Файл будет удалён завтра в \d\d:\d\d или сразу, если удалят все данные кого-либо из этого списка\.", russian
    )


@pytest.mark.usefixtures("people")
def test_file_that_is_gone_is_said(app: Flask, client: FlaskClient, run_jobs: RunJobs) -> None:
    job = exported(client, drafted(client, "export"), "csv")
    run_jobs()
    with app.app_context():
        age(Job, "ended_at", 2 * DAY)

    english = client.get(f"{job}/file", headers=ENGLISH, follow_redirects=True).text
    russian = client.get(job).text

    assert "The file is deleted. To get one with the present data, export again." in english
    assert "Файл удалён. Чтобы получить новый, с данными на сегодня, выгрузите список ещё раз." in russian
    assert file_links(english + russian) == []
    with app.app_context():
        assert entries("employees.export_downloaded") == []


@pytest.mark.usefixtures("people")
def test_format_is_one_of_the_buttons(client: FlaskClient) -> None:
    draft = drafted(client, "export")

    answer = client.post(f"{draft}/start", data={"format": "../x"}, headers=ENGLISH)

    assert answer.status_code == 422
    assert "To be exported: 2 employees." in answer.text
    assert client.post(f"{draft}/start").status_code == 422


@pytest.mark.parametrize(("language", "sentence"), [
    ("en", "The file could not be written. Perhaps the server&#39;s disk is full; the server&#39;s log says why."),
    ("ru", "Не удалось записать файл. Возможно, на сервере не осталось места; причина есть в журнале сервера."),
])  # fmt: skip
@pytest.mark.usefixtures("people")
def test_file_that_could_not_be_written_is_said(
    client: FlaskClient, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setattr(table_file, "PROGRAM", ["/bin/false"])
    job = exported(client, drafted(client, "export"), "xlsx")
    run_jobs()

    shown = client.get(job, headers={"Accept-Language": language}).text

    assert sentence in shown
    assert file_links(shown) == []


@pytest.mark.usefixtures("people")
def test_whole_list_is_exported_as_it_is_filtered(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_people("3", department="Склад")
    listed = client.get("/employees/?department=Склад&sort=-name", headers=ENGLISH)

    form = next(one for one in forms(listed.text) if one.fields.get("all") == "1")
    asked = client.get(form.send(client, action="export").location, headers=ENGLISH)

    assert "To be exported: 1 employee." in asked.text
    assert "people-export" not in client.get("/employees/?q=nobody").text
    assert "people-export" not in client_of(app, VIEWER).get("/employees/").text


def test_page_to_print_has_photo_name_number_and_department(desk: Desk) -> None:
    desk.save()
    address = drafted(desk.client, "print")

    shown = desk.client.get(address).text

    assert address.endswith("/print")
    assert desk.client.get(address.removesuffix("/print")).location == address
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
    monkeypatch.setattr(job_pages, "MAX_PRINTED", 2)
    with app.app_context():
        add_people("1", "2", "3")

    assert sentence in client.get(drafted(client, "print"), headers={"Accept-Language": language}).text


@pytest.mark.usefixtures("people")
def test_viewers_take_nothing_along(app: Flask, client: FlaskClient, run_jobs: RunJobs) -> None:
    draft, viewer = drafted(client, "export"), client_of(app, VIEWER)
    assert viewer.post(f"{draft}/start", data={"format": "csv"}).status_code == 403
    assert viewer.get(draft).status_code == 404

    job = exported(client, draft, "csv")
    run_jobs()

    assert file_links(viewer.get(job).text) == []
    assert viewer.get(f"{job}/file").status_code == 403
