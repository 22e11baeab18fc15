"""The file of wrong rows: as they came, with the reason beside each; corrected, it is imported again."""

import csv
import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.import_batches import add_import, table, upload
from tests.support.refusals import refusal

RunJobs = Callable[[], int]


def lines(client: FlaskClient, address: str) -> list[list[str]]:
    answer = client.get(address, headers=ENGLISH)
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";"))


def checked(client: FlaskClient, run_jobs: RunJobs, batch_id: int, content: bytes) -> None:
    upload(client, content)
    page = f"/imports/{batch_id}/columns"
    form_to(client.get(page).text, page).send(client)
    run_jobs()


def test_wrong_rows_come_back_as_they_were_with_the_reason(client: FlaskClient, run_jobs: RunJobs) -> None:
    checked(client, run_jobs, 1, table("1;Иван Петров;Охрана;", "2!;Анна;=1+1;"))

    head, *rows = lines(client, "/imports/1/wrong")

    assert head == ["ID сотрудника", "ФИО", "Подразделение", "Уволен", "Row", "Why it is wrong"]
    (wrong,) = rows
    assert wrong[:5] == ["2!", "Анна", "'=1+1", "", "3"]
    assert "Employee ID: Enter an ID: Latin letters and digits, up to 32." in wrong[5]


def test_photos_without_a_table_are_named_by_id_and_file(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        wrong = ImportRow(number="7", verdict="wrong", photo="7.jpg", errors={"photo": refusal("photo_nobody")})
        add_import(wrong, table_name="", photos_name="фото.zip", layout={}, fields={})

    head, row = lines(client, "/imports/1/wrong")

    assert head == ["Employee ID", "Photo", "Why it is wrong"]
    assert row[:2] == ["7", "7.jpg"]


def test_photos_beside_a_table_are_named_by_file_and_ignored_when_the_file_is_imported_again(
    app: Flask, client: FlaskClient, run_jobs: RunJobs
) -> None:
    with app.app_context():
        rejected = ImportRow(number="7", verdict="new", photo="7.jpg", errors={"photo": refusal("photo_unreadable")})
        odd = ImportRow(number="", verdict="wrong", photo="IMG_1.jpg", errors={"photo": refusal("photo_not_named")})
        rejected.cells = ["7", "Анна", "", ""]
        add_import(rejected, odd, photos_name="фото.zip")

    _, first, second = lines(client, "/imports/1/wrong")
    checked(client, run_jobs, 2, client.get("/imports/1/wrong").get_data())

    unreadable = "Photo 7.jpg: The photo must be a JPEG, PNG or WebP picture."
    assert first == ["7", "Анна", "", "", "2", unreadable]
    assert second[:5] == ["", "", "", "", "3"]
    assert second[5] == (
        "Photo IMG_1.jpg: A photo must be a .jpg, .jpeg, .png or .webp file that is named by employee ID, such as "
        "100222.jpg, or by the full name of somebody in the table or here."
    )
    with app.app_context():
        batch = db.session.get_one(ImportBatch, 2)
        assert (batch.new, batch.wrong) == (1, 0)


@pytest.mark.parametrize("verdict", ["new", "unchanged"])
def test_right_rows_are_not_in_it(app: Flask, client: FlaskClient, verdict: str) -> None:
    with app.app_context():
        add_import(ImportRow(number="1", verdict=verdict))

    assert len(lines(client, "/imports/1/wrong")) == 1
