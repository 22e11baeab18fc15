"""Wrong rows are corrected on the page of the dry run, or in a file that comes back into the same import."""

import re
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.accounts import VIEWER
from hikflask.services.core.errors import PlanChanged
from hikflask.services.imports import corrections
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.import_batches import add_import, table, upload
from tests.support.jobs import add_people
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

RunJobs = Callable[[], int]
PAGE, CORRECT, WRONG = "/imports/1", "/imports/1/correct", "/imports/1/wrong"


@pytest.fixture
def checked(client: FlaskClient, run_jobs: RunJobs) -> None:
    """A checked table of three, of which the second and third row are wrong."""
    upload(client, table("1;Иван Петров;Охрана;", "2!;Анна Юрьева;;", "3;;Склад;"))
    columns = f"{PAGE}/columns"
    form_to(client.get(columns).text, columns).send(client)
    run_jobs()


def counts(app: Flask) -> tuple[int, int]:
    with app.app_context():
        batch = db.session.get_one(ImportBatch, 1)
        return batch.new, batch.wrong


@pytest.mark.usefixtures("checked")
def test_wrong_rows_stand_first_and_are_corrected_and_checked_again(app: Flask, client: FlaskClient) -> None:
    page = client.get(PAGE, headers=ENGLISH).text
    form = form_to(page, CORRECT)
    assert {name: form.fields[name] for name in form.fields if name != "csrf_token"} == {
        "cell-2-0": "2!", "cell-2-1": "Анна Юрьева", "cell-2-2": "", "cell-2-3": "",
        "cell-3-0": "3", "cell-3-1": "", "cell-3-2": "Склад", "cell-3-3": "",
    }  # fmt: skip
    assert re.findall(r'aria-label="([^"]+)" aria-invalid="true" aria-describedby="(reason-\d+)"', page) == [
        ("ФИО, row 4", "reason-1"),
        ("ID сотрудника, row 3", "reason-2"),
    ]
    assert "Wrong rows are left out. Correct them below, and they are checked again." in page

    answer = form.send(client, ENGLISH, **{"cell-2-0": "2"})

    assert (answer.status_code, answer.location) == (303, "/imports/1#rows")
    assert "2 rows were checked again. Wrong rows left: 1." in client.get(PAGE, headers=ENGLISH).text
    assert counts(app) == (2, 1)
    form_to(client.get(PAGE).text, CORRECT).send(client, ENGLISH, **{"cell-3-1": "Пётр Иванов"})
    page = client.get(PAGE, headers=ENGLISH).text
    assert "1 row was checked again. No row is wrong any more." in page
    assert counts(app) == (3, 0)
    assert CORRECT not in page


@pytest.mark.usefixtures("checked")
def test_corrected_file_comes_back_into_the_same_import(app: Flask, client: FlaskClient) -> None:
    content = client.get(WRONG).get_data().replace(b"2!", b"2").replace(b'"3";""', '"3";"Ян"'.encode())

    answer = upload(client, content, address=WRONG, headers=ENGLISH)

    assert (answer.status_code, answer.location) == (303, "/imports/1#rows")
    assert "2 rows were checked again. No row is wrong any more." in client.get(PAGE, headers=ENGLISH).text
    assert counts(app) == (3, 0)


@pytest.mark.usefixtures("checked")
def test_rows_of_a_file_that_are_not_wrong_are_said_and_left_out(app: Flask, client: FlaskClient) -> None:
    content = client.get(WRONG).get_data().replace(b"2!", b"2").replace(b'"4"', b'"77"')

    upload(client, content, address=WRONG, headers=ENGLISH)

    page = client.get(PAGE, headers=ENGLISH).text
    assert "Not among the wrong rows, and left out: 77." in page
    assert "1 row was checked again. Wrong rows left: 1." in page
    assert counts(app) == (2, 1)


@pytest.mark.usefixtures("checked")
def test_other_file_is_refused(client: FlaskClient) -> None:
    for content, sentence in (
        (table("2;Анна;;"), "This is not the file of wrong rows of this import: its columns are others."),
        (None, '<p class="field-error" id="corrected-file-error">Choose the file with the corrected rows.</p>'),
    ):
        answer = upload(client, content, address=WRONG, headers=ENGLISH)

        assert answer.status_code == 422
        assert sentence in answer.text
        assert CORRECT in answer.text


@pytest.mark.usefixtures("checked")
def test_nothing_typed_is_lost_when_somebody_else_corrects_at_this_moment(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = form_to(client.get(PAGE).text, CORRECT)

    monkeypatch.setattr(corrections, "correct", Mock(side_effect=PlanChanged))
    answer = form.send(client, ENGLISH, **{"cell-2-0": "77", "cell-3-1": "Ян «Я» Ли"})

    assert answer.status_code == 409
    again = form_to(answer.text, CORRECT).fields
    assert (again["cell-2-0"], again["cell-3-1"]) == ("77", "Ян «Я» Ли")
    assert "This has changed since it was shown. Nothing is done: check it again." in answer.text


@pytest.mark.usefixtures("checked")
def test_fields_of_no_row_change_nothing(app: Flask, client: FlaskClient) -> None:
    for sent in ({"cell-2-99": "x"}, {"cell-99-0": "x"}, {"cell-2-": "x", "cell": "y"}, {}):
        assert client.post(CORRECT, data=sent).status_code == 303
        assert counts(app) == (1, 2)


def test_of_an_import_that_has_begun_nothing_is_corrected(app: Flask, client: FlaskClient, run_jobs: RunJobs) -> None:
    upload(client, table("1;Иван Петров;Охрана;", "2!;Анна Юрьева;;"))
    form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)
    run_jobs()
    page = client.get(PAGE).text
    form_to(page, f"{PAGE}/start").send(client)

    answer = form_to(page, CORRECT).send(client, **{"cell-2-0": "2"})

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert counts(app) == (1, 1)


def test_photos_alone_are_among_them_without_cells(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        bad = ImportRow(number="2!", verdict="wrong", errors={"number": refusal("number_invalid")})
        bad.cells = ["2!", "Анна", "", ""]
        odd = ImportRow(number="", verdict="wrong", photo="IMG_1.jpg", errors={"photo": refusal("photo_not_named")})
        add_import(bad, odd, photos_name="фото.zip")

    page = client.get(PAGE, headers=ENGLISH).text

    assert re.findall(r'name="cell-(\d+)-0"', page) == ["1"]
    assert (
        "<b>Photo:</b> A photo must be a .jpg, .jpeg, .png or .webp file that is named by employee ID, such as "
        "100222.jpg, or by the full name of somebody in the table or here.</div>"
    ) in page
    assert "<div><bdi>IMG_1.jpg</bdi></div>" in page


def test_each_reason_is_said_once_above_its_rows_and_what_differs_beside_the_row(
    client: FlaskClient, run_jobs: RunJobs
) -> None:
    upload(client, table("2!;Анна;;", "7;Ян;;", "3!;Ольга;;", "7;Пётр;;", "4!;;;"))
    form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)
    run_jobs()

    page = client.get(PAGE, headers=ENGLISH).text

    reason = "</b> Enter an ID: Latin letters and digits, up to 32."
    said = re.findall(f'{re.escape(reason)}( <span class="count">2 rows</span>)?</div>', page)
    assert sorted(said) == ["", ' <span class="count">2 rows</span>']
    assert page.count("</b> The same ID is in other rows, too. <span") == 1
    own = re.findall(r'<td id="(why-\d+)" colspan="4">\s*<div><bdi>([^<]+)</bdi>', page)
    assert own == [
        ("why-2", "The same ID is in other rows, too: 5."),
        ("why-4", "The same ID is in other rows, too: 3."),
    ]
    assert re.search(r'id="cell-2-0"[^>]+aria-describedby="reason-\d why-2"', page)


def test_address_of_a_form_that_was_answered_with_a_page_leads_to_the_import(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import(ImportRow(number="1", verdict="new"))

    for action in ("deactivate", "start", "correct", "undo/remove"):
        answer = client.get(f"{PAGE}/{action}")
        assert (answer.status_code, answer.location) == (303, PAGE)
    assert client_of(app, role=VIEWER).get(f"{PAGE}/deactivate").status_code == 403


def test_ids_that_lost_their_zeros_are_taken_one_by_one_or_all_at_once(
    app: Flask, client: FlaskClient, run_jobs: RunJobs
) -> None:
    with app.app_context():
        add_people("00012", "00013", "00014")
    upload(client, "Табельный номер;Уволен\r\n12;да\r\n13;да\r\n14;да\r\n".encode())
    form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)
    run_jobs()
    page = client.get(PAGE, headers=ENGLISH).text
    assert re.findall(r'name="take" value="(\d)">.*?</svg> ([^<]*)<', page) == [
        ("1", "Take the ID 00012"),
        ("2", "Take the ID 00013"),
        ("3", "Take the ID 00014"),
    ]

    form_to(page, CORRECT).send(client, ENGLISH, take="2")

    assert "3 rows were checked again. Wrong rows left: 2." in client.get(PAGE, headers=ENGLISH).text
    form_to(client.get(PAGE).text, CORRECT).send(client, ENGLISH, take="all")
    page = client.get(PAGE, headers=ENGLISH).text
    assert "2 rows were checked again. No row is wrong any more." in page
    assert "To be deactivated and removed from all terminals: 3 employees." in page


def test_what_was_typed_is_kept_when_all_similar_ids_are_taken(
    app: Flask, client: FlaskClient, run_jobs: RunJobs
) -> None:
    with app.app_context():
        add_people("00012", "00013")
    upload(client, "Табельный номер;Уволен\r\n12;да\r\n00013;вчера\r\n99;неясно\r\n".encode())
    form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)
    run_jobs()

    form_to(client.get(PAGE).text, CORRECT).send(client, ENGLISH, take="all", **{"cell-2-1": "да"})

    page = client.get(PAGE, headers=ENGLISH).text
    assert "3 rows were checked again. Wrong rows left: 1." in page
    assert "To be deactivated and removed from all terminals: 2 employees." in page
    # Nobody here may be meant by what is left.
    assert "Take all IDs that are similar" not in page


@pytest.mark.usefixtures("checked")
def test_places_of_a_hostile_file_are_said_in_short(client: FlaskClient) -> None:
    """They fit into the cookie, and do not turn the sentence round."""
    head, *_ = client.get(WRONG).get_data().decode().splitlines()
    places = [
        "".join(chr(0x4E00 + (at * 7919 + letter * 104_729) % 16_000) for letter in range(250)) for at in range(4)
    ]
    lines = [head, *(f'"1";"Иван";"";"";"{place}";""' for place in (*places, "\u202e7"))]

    upload(client, "\n".join(lines).encode(), address=WRONG, headers=ENGLISH)

    said = ", ".join([*(place[:80] for place in places), "\u20687\u2069"])
    assert f"Not among the wrong rows, and left out: {said}." in client.get(PAGE, headers=ENGLISH).text
