"""The photos of an import that was checked: thumbnails with names, the odd ones first, and nothing else of the ZIP."""

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from hikflask.extensions import db
from hikflask.models.accounts import VIEWER
from hikflask.services.imports import batches
from hikflask.web.imports import photo_list
from tests.support import drawn_faces
from tests.support.captures import FACE
from tests.support.desk import ENGLISH
from tests.support.imports import checked
from tests.support.jobs import add_people
from tests.support.signed_in import client_of
from tests.support.trail import entries


@pytest.fixture
def pictured(app: Flask) -> None:
    """A dry run with a good, a dark, an unreadable and an unnamed photo, and one of somebody who is here."""
    with app.app_context():
        add_people("9")
        dark = drawn_faces.jpeg(drawn_faces.lit(drawn_faces.portrait((450, 600)), 0.15))
        pictures = {"1.jpg": FACE, "2.jpg": dark, "3.jpg": b"no picture", "IMG_1.jpg": FACE, "9.jpg": FACE}
        checked("1;Анна Ёлкина;", "2;Яна Чехова;", "3;Пётр Чехов;", pictures=pictures)


def files(page: str) -> list[str]:
    return re.findall(r'<span class="import-file">(?:<bdi>)?([^<]*)', page)


@pytest.mark.usefixtures("pictured")
def test_photos_are_shown_the_odd_ones_first_with_file_names_and_reasons(client: FlaskClient) -> None:
    english, russian = client.get("/imports/1", headers=ENGLISH).text, client.get("/imports/1").text
    rows = client.get("/imports/1?rows=new").text

    assert files(english) == ["3.jpg", "IMG_1.jpg", "2.jpg", "1.jpg", "9.jpg"]
    assert 'alt="Photo of Анна Ёлкина"' in english
    assert 'alt="Photo of Иван Иванов 9"' in english
    assert 'alt="Photo “IMG_1.jpg”"' in english
    assert 'alt="Фото: Яна Чехова"' in russian
    assert "Фото слишком тёмное. Лицу нужно больше света." in russian
    assert "The photo is too dark. The face needs more light." in english
    assert len(re.findall(r'<img src="/imports/1/photos/\d+"', english)) == 4
    named = re.findall(r'<img class="avatar" src="/imports/1/photos/\d+" alt="" loading="lazy"> (.+)</td>', rows)
    assert named == ["<bdi>Анна Ёлкина</bdi>", "<bdi>Яна Чехова</bdi>"]
    assert "style=" not in english.partition('id="photos"')[2]


@pytest.mark.usefixtures("pictured")
def test_thumbnail_is_a_small_jpeg_for_operators_alone(app: Flask, client: FlaskClient) -> None:
    page = client.get("/imports/1").text
    for address in re.findall(r'<img src="(/imports/1/photos/\d+)"', page):
        answer = client.get(address)
        assert (answer.mimetype, answer.headers["Cache-Control"]) == ("image/jpeg", "private, no-store")
        assert max(Image.open(io.BytesIO(answer.data)).size) == 160

    number = re.findall(r'<img src="/imports/1/photos/(\d+)"', page)[0]
    unreadable = min({"1", "2", "3", "4", "5"} - set(re.findall(r'<img src="/imports/1/photos/(\d+)"', page)))
    assert client.get(f"/imports/2/photos/{number}").status_code == 404
    assert client.get(f"/imports/1/photos/{unreadable}").status_code == 404
    assert client.get("/imports/1/photos/99").status_code == 404
    with app.app_context():
        looks = [(one.employee, one.subject) for one in entries("photo.viewed")]
    assert sorted(looks) == [("", "import 1"), ("1", "import 1"), ("2", "import 1"), ("9", "import 1")]
    viewer = client_of(app, VIEWER)
    assert viewer.get(f"/imports/1/photos/{number}").status_code == 403
    assert viewer.get("/imports/1/photos").status_code == 403


@pytest.mark.usefixtures("pictured")
def test_all_photos_have_pages_of_their_own(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert '/imports/1/photos"' not in client.get("/imports/1").text
    monkeypatch.setattr(photo_list, "FIRST", 2)
    first = client.get("/imports/1", headers=ENGLISH).text
    assert files(first) == ["3.jpg", "IMG_1.jpg"]
    assert re.search(r'<a class="btn btn-quiet" href="/imports/1/photos">.*? All photos</a>', first)

    monkeypatch.setattr("hikflask.web.support.pagination.ROWS", 3)
    assert files(client.get("/imports/1/photos").text) == ["3.jpg", "IMG_1.jpg", "2.jpg"]
    last = client.get("/imports/1/photos?page=2", headers=ENGLISH).text
    assert files(last) == ["1.jpg", "9.jpg"]
    assert "Page 2 of 2" in last


@pytest.mark.usefixtures("pictured")
def test_photos_that_are_gone_are_still_named(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        batches.remove_photos(1)
        db.session.commit()

    page = client.get("/imports/1").text

    assert files(page) == ["3.jpg", "IMG_1.jpg", "2.jpg", "1.jpg", "9.jpg"]
    assert '<img src="/imports/' not in page


@pytest.mark.usefixtures("pictured")
def test_page_of_photos_leads_to_the_import_once_the_archive_is_removed(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        batches.remove_photos(1)
        db.session.commit()

    assert client.get("/imports/1/photos").location == "/imports/1"
