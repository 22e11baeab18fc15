"""Refusals of the API as a whole: always JSON, a status for each code, and no secret in an answer or a log."""

import io
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from gunicorn.http.errors import InvalidChunkSize
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Terminal
from tests.support.api_calls import a_user, add, sync

MEGABYTE = 1024 * 1024


@pytest.fixture
def settings() -> dict[str, Any]:
    """Errors are answered, as when the app serves."""
    return {"PROPAGATE_EXCEPTIONS": False}


def is_refusal(answer: TestResponse) -> bool:
    """True when the answer has the documented shape, and nothing of HTML."""
    return (
        answer.mimetype == "application/json"
        and {"error", "message"} <= set(answer.get_json())
        and "<" not in answer.text
    )


def test_wrong_method_is_refused_in_json_with_those_that_are_right(client: FlaskClient) -> None:
    for method, path, allowed in [
        ("PATCH", "/api/users/", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("DELETE", "/api/users/", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/api/users/1", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ("GET", "/api/users/1/photo", {"OPTIONS", "POST"}),
        ("GET", "/api/users/1/sync-to-device", {"OPTIONS", "POST"}),
        ("GET", "/api/devices/1/start-face-capture", {"OPTIONS", "POST"}),
        ("POST", "/api/devices/1/status", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/api/devices/", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("PROPFIND", "/api/devices/", {"GET", "HEAD", "OPTIONS", "POST"}),
    ]:
        answer = client.open(path, method=method)

        assert is_refusal(answer)
        assert (answer.status_code, answer.get_json()["error"]) == (405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == allowed


def test_unknown_address_is_refused_in_json(client: FlaskClient) -> None:
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"]:
        for path in [
            "/api",
            "/api/",
            "/api/nothing",
            "/api/users/1/nothing",
            "/api/users/x",
            "/api/users/1/",
            "/api/a/b/",
        ]:
            answer = client.open(path, method=method, headers={"Accept": "text/html"})

            assert is_refusal(answer)
            assert (answer.status_code, answer.get_json()["error"]) == (404, "not_found")


def test_address_that_would_be_a_redirect_is_refused_in_json(client: FlaskClient) -> None:
    answer = client.get("/api//users/")

    assert is_refusal(answer)
    assert answer.status_code == 404


def test_address_beside_the_api_stays_a_page(client: FlaskClient) -> None:
    answer = client.get("/apix/users")

    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_options_say_the_methods_and_no_html(client: FlaskClient) -> None:
    answer = client.options("/api/users/")

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.usefixtures("terminal")
def test_body_that_is_too_large_is_refused_in_json_once_it_is_sent(client: FlaskClient) -> None:
    add(client)
    for path in ["/api/users/", "/api/users/1/photo", "/api/devices/", "/api/devices/1/start-face-capture"]:
        body = io.BytesIO(b" " * (12 * MEGABYTE))

        answer = client.post(
            path, input_stream=body, content_length=12 * MEGABYTE, content_type="multipart/form-data; boundary=x"
        )

        assert is_refusal(answer)
        assert (answer.status_code, answer.get_json()["error"]) == (413, "request_entity_too_large")
        assert body.read() == b""


@pytest.mark.usefixtures("terminal")
def test_failure_of_ours_is_json_without_a_trace(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        db.session.execute(db.update(Terminal).values(password_encrypted="of another key", version=9))
        db.session.commit()

    answers = [client.post("/api/devices/1/start-face-capture"), sync(client, add(client)["id"])]

    assert all(is_refusal(answer) for answer in answers)
    assert [(answer.status_code, answer.get_json()["error"]) for answer in answers] == [(500, "internal_error")] * 2
    assert answers[0].get_json()["success"] is False
    assert "HIKFLASK_PASSWORD_KEY" in caplog.text


class Broken:
    """A body in chunks of which one has no length, as gunicorn reads it."""

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002
        raise InvalidChunkSize(b"zz")


FORM = "application/x-www-form-urlencoded"
IN_CHUNKS = {"wsgi.input_terminated": True}


@pytest.mark.parametrize("path", ["/api/users/", "/employees/", "/sign-in"])
def test_body_in_broken_chunks_is_a_bad_request(client: FlaskClient, path: str) -> None:
    broken = {**IN_CHUNKS, "wsgi.input": Broken()}

    answer = client.post(path, content_type=FORM, environ_overrides=broken)

    assert answer.status_code == 400


def test_body_in_chunks_is_no_longer_than_another_one(client: FlaskClient) -> None:
    body = io.BytesIO(json.dumps(a_user()).encode() + b" " * 300_000)

    answer = client.post("/api/users/", input_stream=body, environ_overrides=IN_CHUNKS)

    assert (answer.status_code, answer.get_json()["error"]) == (413, "request_entity_too_large")
