"""The first step of an import: the files, what is said of bad ones, and the sample table."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Enrolment, ImportBatch, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.imports.table import columns
from tests.support.captures import FACE
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.import_batches import table, upload
from tests.support.jobs import add_people
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of

NO_FILE = {"en": "Choose a table, a ZIP of photos, or both.", "ru": "Выберите таблицу, архив с фото или и то и другое."}


def photos(*names: str) -> bytes:
    """A ZIP with the same picture under these names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, FACE)
    return content.getvalue()


def imports(app: Flask) -> list[ImportBatch]:
    with app.app_context():
        return list(db.session.execute(db.select(ImportBatch).order_by(ImportBatch.id)).scalars())


def test_list_leads_operators_to_the_form_and_viewers_nowhere(app: Flask, terminal: Terminal) -> None:
    assert terminal
    operator, viewer = client_of(app, OPERATOR), client_of(app, VIEWER)

    assert 'href="/imports/new"' in operator.get("/employees/").text
    assert "/imports/" not in viewer.get("/employees/").text
    assert viewer.get("/imports/new").status_code == 403


def test_table_leads_on_to_its_columns_with_the_chosen_terminal(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    answer = upload(client, table("1;Иван Иванов;Охрана;"), terminal_id=str(terminal.id))

    assert (answer.status_code, answer.location) == (303, f"/imports/1/columns?terminal={terminal.id}")
    (batch,) = imports(app)
    assert (batch.table_name, batch.requested_by, batch.fields["number"]) == ("люди.csv", OPERATOR_NAME, 0)


def test_photos_alone_are_checked_at_once(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    answer = upload(client, None, photos("1.jpg"), terminal_id=str(terminal.id))

    assert (answer.status_code, answer.location) == (303, "/imports/1")
    (batch,) = imports(app)
    assert batch.check_job_id is not None


def test_photos_alone_go_to_the_chosen_terminal_and_the_page_says_for_how_many(
    app: Flask, client: FlaskClient, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        add_people("1", "2")
    upload(client, None, photos("1.jpg"), terminal_id=str(terminal.id), groups="y")
    run_jobs()
    english, russian = (client.get("/imports/1", headers=headers).text for headers in (ENGLISH, {}))
    assert "To be sent to “Вход”: 1 employee." in english
    assert "Будут отправлены на терминал «Вход»: 1 сотрудник." in russian
    assert "Everybody with a photo here who is active is also enrolled on the terminals of their groups." in english
    assert "Все активные сотрудники с фото отсюда будут также записаны на терминалы своих групп." in russian

    form_to(english, "/imports/1/start").send(client)
    run_jobs()

    with app.app_context():
        assert db.session.execute(db.select(Enrolment.number)).scalars().all() == ["1"]
    upload(client, None, photos("1.jpg"), terminal_id=str(terminal.id))
    run_jobs()
    english, russian = (client.get("/imports/2", headers=headers).text for headers in (ENGLISH, {}))
    assert "Nobody has to be sent to “Вход”." in english
    assert "На терминал «Вход» отправлять некого." in russian


def test_finished_import_leads_on_to_those_who_must_be_photographed(
    client: FlaskClient, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    columns = upload(client, table("1;Иван Иванов;Охрана;", "2;Анна Петрова;Охрана;"), terminal_id=str(terminal.id))
    form_to(client.get(columns.location).text, "/imports/1/columns").send(client)
    run_jobs()
    form_to(client.get("/imports/1", headers=ENGLISH).text, "/imports/1/start").send(client)
    run_jobs()

    english, russian = (client.get("/imports/1", headers=headers).text for headers in (ENGLISH, {}))

    assert f'href="/terminals/{terminal.id}/round"' in english
    assert "To the camera: 2" in english
    assert "Сфотографировать: 2" in russian


def test_without_a_file_the_form_says_so(app: Flask, client: FlaskClient) -> None:
    for language in ["en", "ru"]:
        answer = upload(client, None, headers={"Accept-Language": language})

        assert (answer.status_code, NO_FILE[language] in answer.text) == (422, True)
        assert imports(app) == []


def test_terminal_must_be_one_of_the_list(app: Flask, client: FlaskClient) -> None:
    answer = upload(client, table("1;Иван;;"), terminal_id="99", headers=ENGLISH)

    assert answer.status_code == 422
    assert "“Terminal” must be one of the list." in answer.text
    assert imports(app) == []


def test_file_that_is_refused_is_named_at_its_field(app: Flask, client: FlaskClient) -> None:
    for files, field in (((b"", None), "table"), ((table("1;Иван;;"), b"no archive"), "photos")):
        answer = upload(client, *files, headers=ENGLISH)

        assert answer.status_code == 422, field
        assert f'id="{field}-error"' in answer.text, field
    assert imports(app) == []


def test_sample_is_a_table_whose_columns_are_recognised(app: Flask, client: FlaskClient) -> None:
    for language in ("en", "ru"):
        answer = client.get("/imports/sample", headers={"Accept-Language": language})
        lines = answer.get_data().decode("utf-8-sig").splitlines()
        headers = [cell.strip('"') for cell in lines[0].split(";")]

        assert columns.recognised(headers) == {"number": 0, "name": 1, "department": 2, "left": 3}
        assert upload(client, answer.get_data()).location == f"/imports/{len(imports(app))}/columns"


def test_files_are_asked_for_again_after_the_session_ended(app: Flask) -> None:
    client_of(app)
    browser = app.test_client()
    asked = upload(browser, table("1;Иван;;"), headers=ENGLISH)
    answer = form_to(asked.text, "/sign-in").send(browser, ENGLISH, name=OPERATOR_NAME, password=OPERATOR_PASSWORD)

    assert asked.status_code == 401
    assert "Choose the files again, please: a browser does not keep them." in answer.text
    assert form_to(answer.text, "/imports/")


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """As small as both may be, so that little must be sent."""
        return {"IMPORT_FILE_LIMIT": 1, "IMPORT_PHOTOS_LIMIT": 1, "MAX_CONTENT_LENGTH": 100_000}

    def test_more_than_other_pages_take_is_let_in(self, client: FlaskClient) -> None:
        long = table("1;Иван Иванов;;", *(f"{number};Иван Иванов;{'x' * 100};" for number in range(2, 2000)))
        assert len(long) > 100_000

        assert upload(client, long).status_code == 303
        assert upload(client, bytes(200_000), address="/employees/").status_code == 413

    def test_photos_over_the_limit_are_named_at_their_field(self, client: FlaskClient) -> None:
        answer = upload(client, None, b"PK\x05\x06" + bytes(1024 * 1024), headers=ENGLISH)

        assert answer.status_code == 422
        assert 'id="photos-error"' in answer.text

    def test_too_much_at_once_is_told_beside_the_form(self, client: FlaskClient) -> None:
        sentence = "The files are too large: a table up to 1 MB, photos up to 1 MB."

        answer = upload(client, bytes(3 * 1024 * 1024), headers=ENGLISH)

        assert (answer.status_code, sentence in answer.text) == (413, True)
        assert form_to(answer.text, "/imports/")

    def test_nobody_else_sends_more_than_to_other_pages(self, app: Flask) -> None:
        viewer, stranger = client_of(app, VIEWER), app.test_client()

        refused = upload(viewer, bytes(200_000), headers=ENGLISH)
        asked = upload(stranger, bytes(200_000), headers=ENGLISH)

        assert (refused.status_code, asked.status_code) == (403, 401)
        assert "You were signed out meanwhile. Press the button again." in asked.text
