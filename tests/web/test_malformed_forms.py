"""Malformed forms: files instead of texts, JSON, very long texts, texts that no column takes."""

import io
import itertools
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hikflask.forms.fields import stripped
from tests.support.desk import ENGLISH, typed
from tests.support.signed_in import client_of

pytestmark = pytest.mark.long

BOTH_DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
TERMINAL = {
    "name": "Вход",
    "url": "http://192.168.1.64",
    "username": "admin",
    "password": "Abc12345",
    "fingerprint": "",
}
FORMS: dict[str, dict[str, str]] = {
    "/sign-in": {"name": "Анна", "password": "x", "next": "/", "kept": "[]", "kept_path": "/employees/"},
    "/confirm": {"password": "x", "next": "/", "kept": "[]", "kept_path": "/employees/"},
    "/account/password": {"password": "x", "new_password": "y", "repeated": "y"},
    "/employees/": {**typed(), "capture_id": "1", "terminal_id": "1", "take_over": "1", "consent": "y"},
    "/captures": {**typed(), "capture_id": "1", "terminal_id": "1", "take_over": "1"},
    "/captures/draft": {**typed(), "capture_id": "1"},
    "/erasures/": {"number": "100222"},
    "/removals/bulk": {"numbers": "100222"},
    "/terminals/": {**TERMINAL, "is_active": "y"},
    "/terminals/fingerprint": {**TERMINAL, "terminal_id": "1"},
    "/operators/": {"name": "Пётр", "role": "viewer"},
    "/tokens/": {"name": "Кадры", "role": "viewer", "expires_on": "2030-01-01"},
    "/webhooks/": {"url": "https://127.0.0.1/told", "enrolled": "y"},
    "/imports/": {"terminal_id": "1"},
    "/audit/export": {"actor": "Анна", "since": "2025-01-01"},
    "/language/form?action=/employees/": typed(lang="en"),
}
JSON_BODIES = [b"[1]", b"5", b'{"name": 5, "password": ["x"], "department": 5}', b"[" * 100_000, b"{", b"null"]
ACCENTS = "\u0301\u0316" * 2000


def with_file(client: FlaskClient, path: str, field: str) -> TestResponse:
    """Send the form with a file in the place of one field; encoded here, so that no file is left open."""
    form: dict[str, Any] = {**FORMS[path], field: FileStorage(io.BytesIO(b"text"), "x.txt", field)}
    boundary, body = encode_multipart(form)
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}", headers=ENGLISH)


def test_file_in_the_place_of_a_text_is_no_text(app: Flask) -> None:
    everywhere = [(path, field) for path, fields in FORMS.items() for field in fields]
    # What is carried through a question is read in one way, whatever the field.
    carried = [(path, next(iter(fields))) for path, fields in FORMS.items()]
    clients = ((client_of(app), everywhere), (client_of(app, confirmed=False), carried), (app.test_client(), carried))
    for client, asked in clients:
        for path, field in asked:
            answer = with_file(client, path, field)

            assert answer.status_code in {200, 204, 303, 401, 403, 409, 422, 429}, path
            assert "FileStorage" not in answer.text


def test_field_that_must_be_typed_is_named_when_a_file_comes_instead(client: FlaskClient) -> None:
    answer = with_file(client, "/employees/", "full_name")

    assert answer.status_code == 422
    assert "“Full name” must not be empty." in answer.text
    assert 'value="Охрана"' in answer.text


def test_json_is_no_form_of_a_page(app: Flask) -> None:
    bodies = itertools.cycle(JSON_BODIES)
    for client in (client_of(app), app.test_client()):
        asked = [*((path, next(bodies)) for path in FORMS), *(("/employees/", body) for body in JSON_BODIES)]
        for path, body in asked:
            answer = client.post(path, data=body, content_type="application/json", headers=ENGLISH)

            assert answer.status_code == 415, path
            assert "The request cannot be answered." in answer.text


def test_text_is_composed_only_as_long_as_a_field_may_be() -> None:
    assert stripped(" и\u0306 ") == "й"
    assert stripped("и\u0306" * 500) == "й" * 500
    assert stripped(f" а{ACCENTS} ") == f"а{ACCENTS}"


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream"])
def test_body_without_a_file_is_no_longer_than_a_form_whatever_it_is_said_to_be(client: FlaskClient, kind: str) -> None:
    answer = client.post("/employees/", data=b"a" * 300_000, content_type=kind, headers=ENGLISH)

    assert answer.status_code == 413
    assert "at most 10 MB" not in answer.text


@BOTH_DATABASES
@pytest.mark.parametrize(("letter", "most"), [("x", 128), ("я", 128), ("😀", 79)])
def test_password_of_a_terminal_is_refused_by_name_when_its_column_does_not_take_it(
    client: FlaskClient, letter: str, most: int
) -> None:
    refused = client.post("/terminals/", data={**TERMINAL, "password": letter * (most + 1)}, headers=ENGLISH)
    called = client.post("/api/devices/", json={**TERMINAL, "password": letter * (most + 1)})

    sentence = f"“Password” is too long: at most {most} characters."
    assert (refused.status_code, sentence in refused.text) == (422, True)
    assert (called.status_code, called.get_json()["fields"]) == (422, {"password": sentence})
    assert client.post("/terminals/", data={**TERMINAL, "password": letter * most}).status_code == 303


@BOTH_DATABASES
@pytest.mark.parametrize(("letter", "most"), [("я", 64), ("\u0390", 42)])
def test_name_of_an_operator_is_refused_by_name_when_its_column_does_not_take_it(
    client: FlaskClient, letter: str, most: int
) -> None:
    form = {"role": "viewer"}
    refused = client.post("/operators/", data={**form, "name": letter * (most + 1)}, headers=ENGLISH)

    assert refused.status_code == 422
    assert f"too long: at most {most} characters." in refused.text
    assert letter * (most + 1) in refused.text
    assert client.post("/operators/", data={**form, "name": letter * most}).status_code == 200


def test_json_of_a_call_is_no_longer_than_a_form(client: FlaskClient) -> None:
    body = json.dumps({"hikvision_id": "1", "full_name": "x" * 300_000})

    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        answer = client.post("/api/users/", data=body, content_type=kind)

        assert (answer.status_code, answer.get_json()["error"]) == (413, "request_entity_too_large")


ZERO = "a\x00b"


@BOTH_DATABASES
def test_zero_character_is_refused_by_its_field_and_loses_nothing(client: FlaskClient) -> None:
    for path in ("/employees/", "/captures", "/language/form?action=/employees/", "/employees/new"):
        answer = client.post(path, data=typed(hikvision_id=ZERO, lang="en"), headers=ENGLISH)

        assert answer.status_code in {200, 422}, path
        assert 'value="Иван Иванов"' in answer.text
        assert "a\x00b" in answer.text or "a\ufffdb" in answer.text
    assert client.get("/employees/?q=").text.count("Иванов") == 0


@BOTH_DATABASES
def test_zero_character_is_nobodys(app: Flask, client: FlaskClient) -> None:
    many = client.post("/removals/bulk", data={"numbers": f"{ZERO} 100222"}, headers=ENGLISH)
    searched = client.get("/employees/", query_string={"q": ZERO}, headers=ENGLISH)
    called = client.get("/api/users/", query_string={"q": ZERO})
    stranger = app.test_client().post("/sign-in", data={"name": ZERO, "password": "x"}, headers=ENGLISH)

    assert (many.status_code, "100222" in many.text) == (200, True)
    assert (searched.status_code, called.status_code, called.json) == (200, 200, [])
    assert (stranger.status_code, "a\x00b" in stranger.text) == (401, True)


@BOTH_DATABASES
@pytest.mark.usefixtures("terminal", "worker_alive")
def test_zero_character_typed_beside_a_capture_is_kept_as_a_replaced_one(client: FlaskClient) -> None:
    begun = client.post("/captures", data=typed(full_name=ZERO, terminal_id="1"), headers=ENGLISH)
    kept = client.post("/captures/draft", data=typed(department=ZERO, capture_id="1"), headers=ENGLISH)

    assert (begun.status_code, begun.location, kept.status_code) == (303, "/employees/new?capture=1", 204)
    assert 'value="a\ufffdb"' in client.get(begun.location).text
