"""The page of an import: its rows, what each would change, its progress, and the list of imports."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.db import transaction
from hikflask.services.departments import registry as departments
from hikflask.services.imports import batches
from hikflask.services.imports import jobs as import_jobs
from tests.support.desk import ENGLISH, HTMX
from tests.support.filled_forms import form_to
from tests.support.groups import add_terminals, make_group
from tests.support.import_batches import add_import, table, upload
from tests.support.jobs import add_people
from tests.support.refusals import refusal
from tests.support.removals import AGREED
from tests.support.signed_in import client_of

RunJobs = Callable[[], int]
EVERY = re.compile(r'hx-trigger="every (\d+)s"')
PAGE = "/imports/1"


def row(number: str, verdict: str, **columns: object) -> ImportRow:
    return ImportRow(number=number, verdict=verdict, **columns)


def new(number: str) -> ImportRow:
    return row(number, "new", values={"name": f"Иван Иванов {number}", "department": "Охрана"})


@pytest.fixture
def checked(app: Flask, terminal: Terminal) -> None:
    """A dry run with a row of each verdict, whose people go to a terminal."""
    before = {"name": "Анна Иванова", "department": "", "photo": None, "terminal": False}
    with app.app_context():
        (anna,) = add_people("2")
        add_import(
            new("1"),
            row("2", "changed", values={"name": "Анна Петрова", "department": "Склад"}, before=before, photo="2.jpg",
                employee_id=anna),
            row("3", "unchanged", values={"name": "Ольга Иванова"}),
            row("4!", "wrong", errors={"number": refusal("number_invalid"), "name": refusal("text_empty")}),
            terminal_id=terminal.id,
        )  # fmt: skip


@pytest.mark.usefixtures("checked")
def test_every_row_is_shown_with_what_it_would_change(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}?rows=all", headers=ENGLISH).text

    assert "1 new, 1 changed." in page
    assert "<del><bdi>Анна Иванова</bdi></del> → <bdi>Анна Петрова</bdi>" in page
    assert "<b>Department:</b> <bdi>Склад</bdi>" in page
    assert "<b>Photo:</b> <bdi>2.jpg</bdi>" in page
    # That the new one goes there, too, is said once.
    assert page.count("<b>Terminal:</b> <bdi>Вход</bdi>") == 1
    assert "2 employees. 2 must come to its camera: this terminal takes no files." in page
    assert page.count('<tr id="row-') == 4


@pytest.mark.usefixtures("checked")
def test_dry_run_says_of_how_many_the_face_is_sent_and_who_must_be_photographed(
    app: Flask, client: FlaskClient
) -> None:
    russian = client.get(PAGE).text
    assert (
        "Будут отправлены на терминал «Вход»: 2 сотрудника. На нём нужно сфотографировать: 2, файлов он не принимает."
    ) in russian
    with app.app_context():
        db.session.execute(db.update(Terminal).values(face_mode="picture"))
        db.session.commit()

    english, russian = client.get(PAGE, headers=ENGLISH).text, client.get(PAGE).text

    assert "To be sent to “Вход”: 2 employees. With a face: 1; 1 must come to the camera." in english
    assert "2 сотрудника. С лицом: 1; нужно сфотографировать: 1." in russian


@pytest.mark.usefixtures("checked")
def test_dry_run_says_whom_groups_send_and_where_it_is_unknown_whether_files_are_taken(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        with transaction():
            db.session.execute(db.update(Terminal).values(face_mode=None))
            db.session.execute(db.update(ImportBatch).values(groups=True))
            departments.resolve("Охрана")
        make_group("Офис", list(add_terminals("Двор").values()), "Охрана")

    english, russian = client.get(PAGE, headers=ENGLISH).text, client.get(PAGE).text

    assert (
        "To be sent to “Вход”: 2 employees. With a face: 1; 1 must come to the camera. It is not known yet whether "
        "terminal “Вход” accepts photo files. If it does not, the photo stays on the server.</p>"
    ) in english
    assert "To be sent to “Двор”: 1 employee. With a face: 0; 1 must come to the camera.</p>" in english
    assert "Будут отправлены на терминал «Двор»: 1 сотрудник. С лицом: 0; нужно сфотографировать: 1.</p>" in russian


@pytest.mark.usefixtures("checked")
def test_wrong_row_names_each_field_and_says_why_in_the_readers_language(client: FlaskClient) -> None:
    english, russian = client.get(PAGE, headers=ENGLISH).text, client.get(PAGE).text

    assert "<b>Employee ID:</b> Enter an ID: Latin letters and digits, up to 32." in english
    assert "<b>ID сотрудника:</b> Введите ID: латинские буквы и цифры, до 32 знаков." in russian
    assert "<b>Full name:</b> “Full name” must not be empty." in english


@pytest.mark.usefixtures("checked")
def test_counts_lead_to_the_rows_of_one_kind(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}?rows=wrong", headers=ENGLISH).text

    assert re.findall(r'<tr id="row-(\d+)"', page) == ["4"]
    assert re.findall(r'href="/imports/1\?rows=(\w+)#rows" aria-current="true">(\w+) ', page) == [("wrong", "Wrong")]
    assert client.get(f"{PAGE}?rows=new").text.count('<tr id="row-') == 1


def test_refused_photos_are_said_by_their_files_and_their_people_are_not_called_wrong(
    app: Flask, client: FlaskClient
) -> None:
    said = {"photo": refusal("photo_unreadable")}
    with app.app_context():
        add_import(
            row("1", "new", values={"name": "Анна"}, photo="1.jpg", errors=said),
            row("", "wrong", photo="IMG_1.jpg", errors={"photo": refusal("photo_not_named")}),
            row("3", "new", values={"name": "Яна"}, photo="3.jpg"),
        )

    english, russian = client.get(PAGE, headers=ENGLISH).text, client.get(PAGE).text
    chosen = client.get(f"{PAGE}?rows=without_photo").text

    assert "Photos that are refused: 1. Their people are imported all the same." in english
    assert "Фото не приняты: 1. Сами сотрудники импортируются." in russian
    assert "<b>Photo <bdi>1.jpg</bdi>:</b> The photo must be a JPEG, PNG or WebP picture." in english
    assert (
        "<b>Photo <bdi>IMG_1.jpg</bdi>:</b> A photo must be a .jpg, .jpeg, .png or .webp file that is named by "
        "employee ID, such as 100222.jpg, or by the full name of somebody in the table or here.</div>"
    ) in english
    assert "<b>Photo:</b> <bdi>1.jpg</bdi>" not in english
    assert "<b>Photo:</b> <bdi>3.jpg</bdi>" in english
    assert re.findall(r'<tr id="row-(\d+)"', chosen) == ["1"]


def test_rows_come_in_pages(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import(*(new(f"{number}") for number in range(100, 160)))

    first = client.get(f"{PAGE}?rows=new").text
    (address,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(address.replace("&amp;", "&")).text

    assert (first.count('<tr id="row-'), second.count('<tr id="row-')) == (50, 10)


def test_nothing_to_import_has_no_button(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import(row("3", "unchanged"))

    page = client.get(PAGE, headers=ENGLISH).text

    assert "There is nothing to import: no row is new or changed." in page
    assert "import-start" not in page


def test_rows_are_for_those_who_enrol(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        batch_id = add_import()
        claim = import_jobs.start_check(batch_id)
    viewer = client_of(app, VIEWER)

    assert {viewer.get(address).status_code for address in ("/imports/", PAGE, f"{PAGE}/state")} == {403}
    assert "Check of an import" in viewer.get("/jobs/", headers=ENGLISH).text
    assert "/imports/1" not in viewer.get(f"/jobs/{claim.job_id}").text
    assert 'href="/imports/1"' in client.get(f"/jobs/{claim.job_id}").text


def test_job_says_what_its_numbers_count(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        import_jobs.start_check(add_import())
        import_jobs.start_check_and_import(add_import(), AGREED)
        import_jobs.start_import(add_import(new("1")), AGREED)

    def words(job_id: int, language: str) -> str:
        page = client.get(f"/jobs/{job_id}", headers={"Accept-Language": language}).text
        return page.partition('<p class="hint">')[2].partition("</p>")[0]

    assert [(words(job_id, "en"), words(job_id, "ru")) for job_id in (1, 2, 3)] == [
        ("Rows of the table and photos are counted.", "Считаются строки таблицы и фото."),
        (
            "Rows of the table and photos are counted; what changes nothing is done once it is checked.",
            "Считаются строки таблицы и фото; что ничего не меняет, готово сразу после проверки.",
        ),
        ("Rows that change something are counted.", "Считаются строки, которые что-то меняют."),
    ]


@pytest.mark.usefixtures("worker_alive")
def test_running_job_asks_again_by_itself_and_its_stop_leads_back(client: FlaskClient, run_jobs: RunJobs) -> None:
    upload(client, table("1;Иван Иванов;Охрана;"))
    form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)

    page = client.get(PAGE, headers=ENGLISH).text
    assert "The file is being checked" in page
    assert EVERY.findall(page) == ["1"]
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
    assert form_to(page, "/jobs/1/stop").send(client).location == PAGE
    stopped = client.get(PAGE, headers=ENGLISH).text
    assert (EVERY.findall(stopped), "Check again" in stopped) == ([], True)

    form_to(stopped, f"{PAGE}/check").send(client)
    run_jobs()
    fragment = client.get(f"{PAGE}/state", headers={**HTMX, **ENGLISH}).text
    assert fragment.lstrip().startswith('<section id="import">')
    assert "1 new, no changes." in fragment


def test_dry_run_that_cannot_be_done_says_why(app: Flask, client: FlaskClient) -> None:
    upload(client, table("1;Иван Иванов;Охрана;"))
    with app.app_context():
        batch = batches.get(1)
        assert batch is not None
        batch.table_file = ""
        db.session.commit()
        run_to_end(import_jobs.start_check(1))

    page = client.get(PAGE, headers=ENGLISH).text

    assert "The uploaded file is not kept any more. Upload it again." in page


def test_imports_are_listed_with_who_what_and_how_far(app: Flask, client: FlaskClient) -> None:
    empty = client.get("/imports/", headers=ENGLISH).text
    with app.app_context():
        add_import(new("1"))
        add_import(table_name="", photos_name="фото.zip")
        job = Job(kind="import", params={"batch": 3}, state="done", total=2, done=2, failed=2)
        db.session.add(job)
        db.session.flush()
        add_import(new("1"), new("2"), import_job_id=job.id)

    english, russian = client.get("/imports/", headers=ENGLISH).text, client.get("/imports/").text

    assert "No imports yet" in empty
    assert re.findall(r'<a class="row-link job-row" href="([^"]+)">', english) == [
        f"/imports/{number}" for number in (3, 2, 1)
    ]
    assert ("</svg> Failed for all 2</span>" in english, "Imported</span>" in english) == (True, False)
    assert 'role="img" aria-label="New: 2">' in english
    assert "Checked, not imported yet" in english
    assert "Проверено, не импортировано" in russian
    assert "<bdi>фото.zip</bdi>" in english
    assert client_of(app, OPERATOR).get("/imports/").status_code == 200
