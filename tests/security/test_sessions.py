"""Sessions: how hard their keys are to guess, where they are never written, and what they do not open."""

import base64
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Operator
from tests.http.permissions_table import NOBODY, PAGES
from tests.http.test_permissions import ask
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of

NEW_PASSWORD = "четыре слова без связи"
FORM = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD}


def key_of(browser: FlaskClient) -> str:
    with browser.session_transaction() as session:
        return str(session["_user_id"])


def signed_in(app: Flask) -> FlaskClient:
    browser = app.test_client()
    assert browser.post("/sign-in", data=FORM).status_code == 303
    return browser


@pytest.mark.usefixtures("client")
def test_key_has_256_random_bits_when_it_is_new_and_when_it_is_renewed(app: Flask) -> None:
    here, there = signed_in(app), signed_in(app)
    keys = [key_of(here), key_of(there)]
    new = {"password": OPERATOR_PASSWORD, "new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD}
    assert here.post("/account/password", data=new).status_code == 303
    keys.append(key_of(here))

    assert len(set(keys)) == 3
    for key in keys:
        assert len(base64.urlsafe_b64decode(f"{key}=")) == 32


def secrets_of(browser: FlaskClient) -> list[str]:
    """What opens the session: its key, and the cookie's value."""
    cookie = browser.get_cookie("hikflask")
    assert cookie is not None
    return [key_of(browser), cookie.value]


def test_no_answer_writes_what_opens_a_session_into_an_address_or_a_page(app: Flask) -> None:
    for entry in (entry for entry, wanted in PAGES.items() if wanted != NOBODY):
        browser = client_of(app)
        before = secrets_of(browser)

        answer = ask(browser, entry)

        after = secrets_of(browser) if "sign-out" not in entry else []
        places = [*answer.headers.getlist("Location"), *answer.headers.getlist("HX-Redirect"), answer.text]
        written = unquote(" ".join(places))
        assert [secret for secret in {*before, *after} if secret in written] == [], entry


def test_sign_in_leads_on_without_it(app: Flask, client: FlaskClient) -> None:  # noqa: ARG001 - somebody must exist
    browser = app.test_client()

    answer = browser.post("/sign-in", data={**FORM, "next": "/employees/?q=x"})

    assert answer.location == "/employees/?q=x"


def test_address_with_it_opens_nothing(app: Flask) -> None:
    for name in ["hikflask", "session", "session_id", "sid", "key", "_user_id", "remember_token"]:
        for secret in secrets_of(client_of(app)):
            answer = app.test_client().get("/employees/", query_string={name: secret})
            assert answer.status_code == 303
            assert answer.location.startswith("/sign-in?next=")
            assert app.test_client().get(f"/employees/;{name}={secret}").status_code in {303, 404}


def test_no_photo_opens_before_a_password_that_was_given_is_changed(
    app: Flask, client: FlaskClient, address: str
) -> None:
    assert client.get(address).mimetype == "image/jpeg"
    with app.app_context():
        db.session.execute(db.update(Operator).values(must_change_password=True))
        db.session.commit()

    answer = client.get(address)

    assert (answer.status_code, answer.mimetype) == (303, "text/html")
    assert answer.location.startswith("/account/password")
