"""Photos: nothing but a photo with a row is ever served, as nothing but JPEG, to nobody but those who may."""

import os
import re
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.audit.search import AuditFilter, list_entries
from hikflask.services.photos import storage
from tests.security.conftest import add_photo, multipart, upload
from tests.support.captures import FACE
from tests.support.signed_in import client_of

SECRET = b"a secret of the machine"
WAYS_OUT = [
    "../secret_key",
    "..%2fsecret_key",
    "..%252fsecret_key",
    "%2e%2e/secret_key",
    "%2e%2e%2fsecret_key",
    "%252e%252e%252fsecret_key",
    "..%5csecret_key",
    "..\\secret_key",
    "....//secret_key",
    "..;/secret_key",
    "%c0%ae%c0%ae/secret_key",
    "%ef%bc%8e%ef%bc%8e/secret_key",
    "%e2%80%a5/secret_key",
    "..%u2215secret_key",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "file:%2f%2f%2fetc%2fpasswd",
    "secret.jpg%00",
    "%00../secret_key",
    "100222.jpg%00.png",
    ".",
    "..",
    "%2e%2e",
    ".hidden.part",
    "secret.jpg",
    "secret.JPG",
    "100222%0d%0aX-Evil:%201.jpg",
    "x" * 4000,
]


@pytest.fixture
def secrets(folder: Path) -> None:
    """Files that no row knows, inside the folder and beside it."""
    (folder / "secret.jpg").write_bytes(SECRET)
    (folder / ".hidden.part").write_bytes(SECRET)
    (folder.parent / "secret_key").write_bytes(SECRET)


@pytest.mark.usefixtures("secrets")
def test_no_way_of_writing_a_path_leads_to_another_file(client: FlaskClient) -> None:
    for way in WAYS_OUT:
        answer = client.get(f"/uploads/{way}", follow_redirects=True)

        assert answer.status_code == 404, way
        assert SECRET not in answer.data
        assert b"root:" not in answer.data
        assert "X-Evil" not in answer.headers


@pytest.mark.usefixtures("secrets")
def test_static_files_lead_nowhere_else(nobody: FlaskClient) -> None:
    for way in ("../secret_key", "%2e%2e/secret_key", "..%5csecret_key", "%00", "/etc/passwd", "../config.py"):
        answer = nobody.get(f"/static/{way}")

        assert answer.status_code in {303, 404}, way
        assert SECRET not in answer.data


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("target", ["secret_key", "uploads/secret.jpg", "/etc/passwd", "uploads", "/dev/zero"])
def test_link_with_a_row_is_never_followed(app: Flask, client: FlaskClient, folder: Path, target: str) -> None:
    (folder / "100222_link.jpg").symlink_to(folder.parent / target)
    add_photo(app, "100222_link.jpg")

    assert client.get("/uploads/100222_link.jpg").status_code == 404


def test_named_pipe_with_a_row_is_no_photo(app: Flask, client: FlaskClient, folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    add_photo(app, "pipe.jpg")

    assert client.get("/uploads/pipe.jpg").status_code == 404


@pytest.mark.usefixtures("context")
def test_name_has_at_least_96_bits_that_nobody_can_guess() -> None:
    names = [storage.keep(FACE, "100222").file for _ in range(50)]
    tails = [re.fullmatch(r"100222_([A-Za-z0-9_-]+)\.jpg", name)[1] for name in names]  # type: ignore[index]

    assert len(set(tails)) == len(tails)
    assert min(len(tail) for tail in tails) * 6 >= 96
    # Each place changes, as random letters do: no counter, no time, no number in them.
    assert all(len({tail[place] for tail in tails}) > 5 for place in range(16))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "image/svg+xml"])
def test_whatever_was_stored_is_answered_as_jpeg_and_kept_nowhere(
    client: FlaskClient, address: str, method: str, accept: str
) -> None:
    with client.open(address, method=method, headers={"Accept": accept}) as answer:
        headers = answer.headers
        assert answer.status_code == 200
        assert headers["Content-Type"] == "image/jpeg"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "private, no-store"
        assert {"ETag", "Accept-Ranges", "Content-Range"}.isdisjoint(headers.keys())
        assert (answer.data == b"") is (method == "HEAD")


def test_small_photo_is_kept_for_this_session_as_long_as_the_trail_has_one_entry_for_its_views(
    app: Flask, nobody: FlaskClient, client: FlaskClient, address: str
) -> None:
    small = f"{address}?size=small"
    before = client.get_cookie("session")

    answers = [client.get(small), client.get(small)]

    for answer in answers:
        assert answer.headers["Cache-Control"] == "private, max-age=600, immutable"
        # A browser shows what it kept to nobody else who signs in there, nor after signing out: the cookie is another.
        assert {"Cookie", "Authorization"} <= set(answer.vary)
        assert "Set-Cookie" not in answer.headers
        assert (answer.mimetype, b"script" in answer.data, len(answer.data) < 4000) == ("image/jpeg", False, True)
    assert client.get_cookie("session") == before
    with app.app_context():
        assert len(list_entries(AuditFilter(action="photo.viewed"), 9)[0]) == 1
    assert nobody.get(small).status_code == 303
    assert "max-age" not in nobody.get(small).headers["Cache-Control"]


def test_small_photo_is_gone_with_the_photo(app: Flask, client: FlaskClient, address: str) -> None:
    with app.app_context():
        db.session.execute(update(Photo).values(forgotten_at=database_now()))
        db.session.commit()

    answer = client.get(f"{address}?size=small")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "private, no-cache")


@pytest.mark.parametrize("upload_of", [FACE, FACE + b"<svg onload=alert(1)>"])
def test_upload_is_answered_the_same(client: FlaskClient, upload_of: bytes) -> None:
    path = upload(client, upload_of).get_json()["photo_path"]

    with client.get(path) as answer:
        assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")


CONDITIONS = [
    {"Range": "bytes=0-3"},
    {"Range": "bytes=-10"},
    {"Range": "bytes=999999-"},
    {"If-None-Match": "*"},
    {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"},
    {"If-Match": '"x"'},
    {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"If-Range": '"x"', "Range": "bytes=0-3"},
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_parts_and_conditions_open_nothing(nobody: FlaskClient, client: FlaskClient, address: str, method: str) -> None:
    for headers in CONDITIONS:
        for path in (address, "/uploads/100222_guessed.jpg"):
            asked = nobody.open(path, method=method, headers=headers)
            assert (asked.status_code, asked.location) == (303, f"/sign-in?next={path}"), headers

        with client.open(address, method=method, headers=headers) as whole:
            assert whole.status_code == 200, headers
            assert "Content-Range" not in whole.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_sign_in_a_photo_and_none_are_answered_alike(nobody: FlaskClient, address: str, method: str) -> None:
    there, guessed = (nobody.open(path, method=method) for path in (address, "/uploads/100222_guessed.jpg"))

    assert (there.status_code, list(there.headers.keys())) == (guessed.status_code, list(guessed.headers.keys()))
    assert there.data.replace(address.encode(), b"") == guessed.data.replace(b"/uploads/100222_guessed.jpg", b"")


def look_at(client: FlaskClient, content: bytes) -> TestResponse:
    """Choose a file in the employee form."""
    return client.post("/photo-drafts", **multipart(photo=content, hikvision_id="100222"))


def draft_of(client: FlaskClient) -> str:
    """The token of a photo that is looked at and not saved."""
    found = re.search(r'name="photo_draft" value="([^"]+)"', look_at(client, FACE).text)
    assert found
    return found[1]


def test_file_that_is_looked_at_has_the_limits_of_one_that_is_saved(client: FlaskClient) -> None:
    too_large = look_at(client, b"\xff\xd8" + b"x" * (10 * 1024 * 1024))
    no_picture = look_at(client, b"<svg onload=alert(1)>")
    far_too_large = look_at(client, b"x" * 12 * 1024 * 1024)

    assert (too_large.status_code, no_picture.status_code, far_too_large.status_code) == (422, 422, 413)
    assert "Фото слишком большое: не больше 10 МБ." in too_large.text
    assert "Фото должно быть картинкой JPEG, PNG или WebP." in no_picture.text


def test_photo_that_is_not_saved_is_its_operators_alone(app: Flask, client: FlaskClient, nobody: FlaskClient) -> None:
    address = f"/photo-drafts/{draft_of(client)}"

    with client.get(address) as own:
        assert (own.status_code, own.mimetype) == (200, "image/jpeg")
        assert own.headers["Cache-Control"] == "private, no-store"
        assert own.headers["X-Content-Type-Options"] == "nosniff"
    assert nobody.get(address).status_code == 303
    assert client_of(app, VIEWER, "Глеб").get(address).status_code == 403
    for role, name in ((OPERATOR, "Борис"), (ADMIN, "Вера")):
        assert client_of(app, role, name).get(address).status_code == 404


def test_neither_its_picture_nor_the_uploaded_file_is_among_the_photos(client: FlaskClient, folder: Path) -> None:
    draft_of(client)
    names = [path.name for path in folder.iterdir()]

    assert len(names) == 2
    for name in names:
        assert client.get(f"/uploads/{name}").status_code == 404, name


@pytest.mark.usefixtures("secrets")
def test_no_token_leads_to_another_file(client: FlaskClient) -> None:
    token = draft_of(client)
    for way in (*WAYS_OUT, token[:-1], f"{token}x", token.partition("-")[2], f"1-{'A' * 22}"):
        answer = client.get(f"/photo-drafts/{way}", follow_redirects=True)

        assert answer.status_code == 404, way
        assert SECRET not in answer.data


@pytest.mark.child_processes
def test_no_command_has_anything_of_what_is_uploaded_and_none_goes_through_a_shell(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil, started, begin = "$(touch pwned); `x` | --help", list[list[str]](), subprocess.Popen.__init__

    def noted(self: subprocess.Popen[bytes], command: list[str], *about: Any, **more: Any) -> None:
        assert not more.get("shell")
        started.append(command)
        begin(self, command, *about, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as photos:
        photos.writestr(f"{evil}/100223.jpg", FACE)
    table = f"ID,ФИО,Отдел,{evil}\n100223,Иван Иванов,{evil},{evil}\n".encode()
    user = client.post("/api/users/", json={"hikvision_id": "100222", "full_name": evil}).get_json()["id"]
    client.post(f"/api/users/{user}/photo", data={"photo": (BytesIO(FACE), f"{evil}.jpg")})
    files = {"file": (BytesIO(table), evil), "photos": (BytesIO((tmp_path / "photos.zip").read_bytes()), evil)}

    assert client.post("/api/users/import", data=files).get_json()["new"] == 1

    assert {command[0] for command in started} == {sys.executable}
    assert len(started) >= 4
    assert evil not in str(started)
    assert "touch" not in str(started)
