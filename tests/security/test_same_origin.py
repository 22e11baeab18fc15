"""Pages of other sites: what they make a browser send is refused before anybody looks at it, and leaves no trace."""

import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import AuditEntry, OperatorSession, Terminal, Throttle
from tests.security.conftest import EVIL
from tests.security.test_csrf import TOKEN, pages_that_change, token_of
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, SignedInClient, client_of

ENGLISH = {"Accept-Language": "en"}
# What a browser says of where the form is.
FOREIGN = {
    "site": {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{EVIL}"},
    "site alone": {"Sec-Fetch-Site": "cross-site"},
    "neighbour": {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8000"},
    "origin": {"Origin": f"http://{EVIL}"},
    "secret origin": {"Origin": "null"},
    "empty origin": {"Origin": ""},
    "broken origin": {"Origin": "http://localhost:port"},
    "other port": {"Origin": "http://localhost:8000"},
    "name that begins so": {"Origin": f"http://localhost.{EVIL}"},
    "name that ends so": {"Origin": "http://evil-localhost"},
}
OWN = {
    "nothing": {},
    "origin": {"Origin": "http://localhost"},
    "origin with its port": {"Origin": "http://localhost:80"},
    "origin over https at a proxy": {"Origin": "https://localhost"},
    "site": {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    "person": {"Sec-Fetch-Site": "none"},
    # The browser itself compares better than we can, say behind a proxy that gives another name.
    "site, whatever the origin": {"Sec-Fetch-Site": "same-origin", "Origin": "http://outside.example"},
}
PLANTED = {"name": "Entrance", "url": "http://10.6.6.6", "username": "admin", "password": "x", "is_active": "y"}


@pytest.fixture
def settings() -> dict[str, Any]:
    """Tokens are asked for, as when the app serves."""
    return {"WTF_CSRF_ENABLED": True, "PROPAGATE_EXCEPTIONS": False}


@pytest.fixture
def nobody(app: Flask) -> FlaskClient:
    """A browser on which nobody is signed in; there is an administrator."""
    client_of(app)
    return app.test_client()


def sign_in(browser: FlaskClient, says: dict[str, str]) -> TestResponse:
    """Sign in by a form with the right token and password."""
    form = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD, "csrf_token": token_of(browser, "/sign-in")}
    return browser.post("/sign-in", data=form, headers=says)


@pytest.mark.parametrize("says", FOREIGN.values(), ids=FOREIGN)
def test_form_of_another_site_is_refused_and_no_cookie_touched(
    nobody: FlaskClient, terminal: Terminal, says: dict[str, str]
) -> None:
    answer = nobody.post(f"/terminals/{terminal.id}", data=PLANTED, headers={**ENGLISH, **says})

    assert answer.status_code == 403
    assert answer.mimetype == "text/plain"
    assert answer.text == (
        "This came from a page of another site, and nothing was done. Open the form here and try again.\n"
    )
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("says", FOREIGN.values(), ids=FOREIGN)
def test_nobody_is_signed_in_from_another_site_even_with_the_right_token(
    nobody: FlaskClient, says: dict[str, str]
) -> None:
    assert sign_in(nobody, says).status_code == 403
    assert nobody.get("/employees/").status_code == 303


@pytest.mark.parametrize("says", OWN.values(), ids=OWN)
def test_own_form_goes_through(nobody: FlaskClient, says: dict[str, str]) -> None:
    assert sign_in(nobody, says).status_code == 303
    assert nobody.get("/employees/").status_code == 200


def test_every_page_that_changes_something_is_closed_to_other_sites(app: Flask) -> None:
    client, found = client_of(app), list(pages_that_change(app))
    form = {"csrf_token": token_of(client)}
    with app.app_context():
        before = traces()
    assert len(found) > 20

    for says in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": f"https://{EVIL}"}):
        for address, _, method in [*found, ("/nothing", None, "POST"), ("/employees/", None, "DELETE")]:
            answer = client.open(address, method=method, data=form, headers={**says, "HX-Request": "true"})

            assert answer.status_code == 403, (method, address)
            assert "Set-Cookie" not in answer.headers
    with app.app_context():
        assert traces() == before


def traces() -> tuple[list[Any], ...]:
    """What a request could leave in the database."""
    kinds = (AuditEntry.id, Throttle.key, OperatorSession.seen_at)
    return tuple(list(db.session.execute(db.select(kind)).scalars()) for kind in kinds)


def test_own_port_is_compared_too(app: Flask) -> None:
    client = client_of(app)
    cookie = client.get_cookie("hikflask")
    assert cookie is not None
    there = SignedInClient(app, app.response_class, use_cookies=True)
    there.set_cookie("hikflask", cookie.value, domain="desk.test")
    place = {"base_url": "http://desk.test:5000"}
    found = TOKEN.search(there.get("/account/", **place).text)
    assert found
    form = {"csrf_token": found[1], "lang": "en"}

    answers = [
        there.post("/language", data=form, headers={"Origin": origin}, **place).status_code
        for origin in ("http://desk.test:5000", "http://DESK.test:5000", "http://desk.test", "http://desk.test:5001")
    ]

    assert answers == [303, 303, 403, 403]


def test_pages_are_looked_at_from_anywhere(app: Flask) -> None:
    client = client_of(app)

    for method in ("GET", "HEAD"):
        answer = client.open("/employees/", method=method, headers=FOREIGN["site"])
        assert answer.status_code == 200


def test_api_has_no_cookie_and_asks_for_its_token_alone(app: Flask) -> None:
    client = client_of(app)

    answer = client.post("/api/users/", json={"hikvision_id": "1", "full_name": "Иван"}, headers=FOREIGN["site"])

    assert answer.status_code == 201


def test_refusal_stands_in_the_log_on_one_line(nobody: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        nobody.post("/sign-in", headers={"Origin": "http://evil.example"})

    assert [line for line in caplog.messages if line.endswith("refused: it comes from a page of http://evil.example")]


def test_browser_says_where_our_own_forms_are(nobody: FlaskClient) -> None:
    # Under `no-referrer` a browser sends `Origin: null` with a form of this very page.
    assert nobody.get("/sign-in").headers["Referrer-Policy"] == "same-origin"
