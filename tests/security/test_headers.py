"""The headers that every kind of answer carries, whoever made it."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.http import permissions
from tests.support.signed_in import OPERATOR_NAME, client_of

HTMX = {"HX-Request": "true"}
TOO_LARGE = 12 * 1024 * 1024
MULTIPART = "multipart/form-data; boundary=x"


@pytest.fixture
def settings() -> dict[str, Any]:
    """Errors are answered, other hosts and other tokens refused, as when the app serves."""
    return {"PROPAGATE_EXCEPTIONS": False, "HOSTS": "localhost", "WTF_CSRF_ENABLED": True, "API_LIMIT": 20}


def answers(app: Flask, address: str) -> Iterator[tuple[str, TestResponse]]:
    """One answer of each kind, with what it is called."""
    client, nobody, unconfirmed = client_of(app), app.test_client(), client_of(app, confirmed=False)
    yield "page", client.get("/employees/")
    yield "fragment", client.get("/employees/", headers=HTMX)
    yield "sign-in", nobody.get("/sign-in")
    yield "sign-in refused", nobody.post("/sign-in", data={"name": "x", "password": "y"})
    yield "redirect", nobody.get("/employees/")
    yield "redirect by the router", client.get("/employees")
    yield "confirmation", unconfirmed.get("/operators/")
    yield "400", client.post("/language")
    yield "400 as a fragment", client.post("/language", headers=HTMX)
    yield "400 of another host", nobody.get("/", base_url="http://evil.example")
    yield "401", nobody.post("/employees/")
    yield "401 of the API", nobody.get("/api/users/")
    yield "403", client_of(app, "viewer").get("/operators/")
    yield "403 of the API", client_of(app, "viewer").post("/api/users/", json={})
    yield "404", client.get("/nothing")
    yield "404 as a fragment", client.get("/nothing", headers=HTMX)
    yield "404 of the API", client.get("/api/nothing")
    yield "404 of the uploads", client.get("/uploads/nothing.jpg")
    yield "404 of the static files", nobody.get("/static/nothing.css")
    yield "405", client.delete("/employees/")
    yield "405 of the API", client.delete("/api/users/")
    yield "413", client.post("/employees/", data=b" " * TOO_LARGE, content_type=MULTIPART)
    yield "413 of the API", client.post("/api/users/", data=b" " * TOO_LARGE)
    yield "422 of the API", client.post("/api/users/", json={})
    yield "OPTIONS", client.options("/employees/")
    yield "OPTIONS of the API", client.options("/api/users/")
    yield "HEAD", client.head("/employees/")
    yield "photo", client.get(address)
    yield "static", nobody.get("/static/app.css")
    yield "health", nobody.get("/health")
    yield "API", client.get("/api/users/")
    yield "429 of the API", [client.get("/api/users/") for _ in range(25)][-1]
    yield "500", client.get("/broken")
    yield "500 of the API", client_of(app).get("/api/broken")


def break_something(app: Flask) -> None:
    """Add a page and a call that fail."""

    def fail() -> Response:
        raise RuntimeError("broken")

    app.add_url_rule("/broken", "broken", permissions.allow(permissions.VIEWER)(fail))
    app.add_url_rule("/api/broken", "api_broken", permissions.allow(permissions.VIEWER)(fail))


@pytest.mark.new_app
def test_every_kind_of_answer_is_protected(app: Flask, address: str) -> None:
    break_something(app)
    for kind, answer in answers(app, address):
        with answer:
            headers = answer.headers
            policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'self'", kind
            assert policy["frame-ancestors"] == policy["object-src"] == "'none'", kind
            assert policy["base-uri"] == policy["form-action"] == "'self'", kind
            assert "unsafe" not in headers["Content-Security-Policy"], kind
            assert headers["X-Content-Type-Options"] == "nosniff", kind
            assert headers["X-Frame-Options"] == "DENY", kind
            assert headers["Referrer-Policy"] == "same-origin", kind
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", kind
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin", kind
            assert {"camera=()", "microphone=()"} <= set(headers["Permissions-Policy"].split(", ")), kind
            expected = next((int(word) for word in kind.split() if word.isdigit()), None)
            assert expected in {None, answer.status_code}, (kind, answer.status_code)
            if answer.data:
                assert "charset=utf-8" in headers["Content-Type"] or answer.mimetype in {
                    "application/json",
                    "image/jpeg",
                }


@pytest.mark.new_app
def test_what_shows_people_is_in_no_shared_cache(app: Flask, address: str) -> None:
    break_something(app)
    for kind, answer in answers(app, address):
        with answer:
            cache = answer.headers.get("Cache-Control", "")
            if answer.mimetype == "application/json" and kind != "health":
                assert cache == "no-store", kind
                assert answer.headers["Content-Disposition"] == 'attachment; filename="api.json"'
            elif kind in {"page", "fragment", "confirmation", "sign-in refused", "HEAD", "404 of the uploads"}:
                assert cache == "private, no-cache", kind
                assert {"ETag", "Last-Modified"}.isdisjoint(answer.headers.keys())


@pytest.mark.parametrize("kind", [{}, HTMX], ids=["page", "htmx"])
def test_no_page_holds_an_inline_script_or_style(app: Flask, client: FlaskClient, kind: dict[str, str]) -> None:
    paths = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and "<" not in rule.rule]
    for path in [*paths, "/sign-in"]:
        text = client.get(path, headers=kind).text if not path.startswith("/api") else ""
        for piece in (" style=", "<style", " onclick=", " onload=", " onerror=", "javascript:", " hx-on"):
            assert piece not in text, path
        assert text.count("<script") == text.count('<script src="/'), path


def test_page_after_signing_out_is_not_shown_by_going_back(app: Flask) -> None:
    client = client_of(app)
    page = client.get("/account/").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]

    answer = client.post("/sign-out", data={"csrf_token": token})

    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert OPERATOR_NAME not in client.get("/account/", follow_redirects=True).text
