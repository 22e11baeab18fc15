"""Forged requests: no page changes anything without a token of its own session, and a cookie opens nothing else."""

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hikflask.http.permissions import Rule as AccessRule
from hikflask.http.permissions import rule_of
from hikflask.models.accounts import OPERATOR
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of

HTMX = {"HX-Request": "true"}
CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def settings() -> dict[str, Any]:
    """Tokens are asked for, as when the app serves."""
    return {"WTF_CSRF_ENABLED": True, "PROPAGATE_EXCEPTIONS": False}


@pytest.fixture
def reached(app: Flask) -> list[str]:
    """The endpoints of views that a request came through to."""
    found: list[str] = []
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _noted(view, endpoint, found)
    return found


def _noted(view: Callable[..., Any], endpoint: str, found: list[str]) -> Callable[..., Any]:
    def noted(**values: Any) -> Any:
        found.append(endpoint)
        return view(**values)

    noted.__module__, noted.__name__ = view.__module__, view.__name__
    noted.__dict__.update(view.__dict__)
    return noted


def pages_that_change(app: Flask) -> Iterator[tuple[str, Rule, str]]:
    """Each rule and method of a page that changes something, with an address."""
    for rule in app.url_map.iter_rules():
        for method in CHANGES & (rule.methods or set()):
            # Terminals come with a secret in the address, and without a session.
            if not rule.rule.startswith("/api/") and rule.endpoint != "push.receive":
                yield re.sub(r"<int:\w+>", "1", rule.rule), rule, method


def token_of(client: FlaskClient, page: str = "/account/") -> str:
    found = TOKEN.search(client.get(page).text)
    assert found
    return found[1]


def forged(app: Flask) -> dict[str, dict[str, Any]]:
    """What a forger can send: nothing, nonsense, a token of another session, in a form and in a header."""
    other = token_of(client_of(app))
    return {
        "nothing": {},
        "nonsense": {"data": {"csrf_token": "nonsense"}},
        "another session's": {"data": {"csrf_token": other}},
        "another session's, in a header": {"headers": {"X-CSRFToken": other}},
        "another session's, in the address": {"query_string": {"csrf_token": other}},
        "JSON": {"json": {"csrf_token": other}},
        "plain text": {"data": "csrf_token=x", "content_type": "text/plain"},
    }


def test_no_page_is_changed_without_a_token_of_the_same_session(app: Flask, reached: list[str]) -> None:
    client, ways = client_of(app), forged(app)
    token_of(client)
    found = list(pages_that_change(app))
    assert len(found) > 20
    # What is sent is looked at before anybody knows which page it is for: each page gets two of the ways, in turn.
    others = itertools.cycle(itertools.product([way for way in ways if way != "nothing"], ({}, HTMX)))
    reached.clear()

    for address, rule, method in found:
        for way, htmx in (("nothing", {}), ("nothing", HTMX), next(others), next(others)):
            sent = ways[way]
            answer = client.open(address, method=method, **{**sent, "headers": {**htmx, **sent.get("headers", {})}})
            # There is no such page any more once somebody can sign in.
            wanted = 404 if rule.endpoint == "first_run.create" else 400
            assert answer.status_code in ({415} if way == "JSON" else {wanted, 400}), (method, address, way)
    assert reached == []


def test_right_token_lets_each_of_them_through(app: Flask, reached: list[str]) -> None:
    found = [one for one in pages_that_change(app) if one[1].endpoint != "first_run.create"]
    # Some end sessions: each has a client of its own, and the operator and the session of the addresses are others.
    client_of(app, OPERATOR)

    for address, rule, method in found:
        client = client_of(app)
        client.open(address, method=method, data={"csrf_token": token_of(client)})
        assert reached[-1] == rule.endpoint, (method, address)


def test_right_password_makes_good_no_forged_form(app: Flask, reached: list[str]) -> None:
    client, ways = client_of(app, confirmed=False), forged(app)
    token_of(client)
    found = dangerous(app)
    assert len(found) > 10
    reached.clear()

    for address, _, method in found:
        for way in ("nothing", "nonsense", "another session's"):
            form = ways[way].get("data", {})
            for password in ({}, {"own_password": OPERATOR_PASSWORD}):
                answer = client.open(address, method=method, data={**form, **password})

                assert answer.status_code == 400, (method, address, way)
                # Nor is the form offered again in such a way that the password alone would send it.
                assert f'action="{address}"' not in answer.text
    assert reached == []
    assert client.get("/operators/").location == "/confirm?next=/operators/"


def test_right_token_and_password_let_each_dangerous_form_through(app: Flask, reached: list[str]) -> None:
    found = dangerous(app)
    client_of(app, OPERATOR)

    for address, rule, method in found:
        client = client_of(app, confirmed=False)
        form = {"csrf_token": token_of(client), "own_password": OPERATOR_PASSWORD}
        answer = client.open(address, method=method, data=form)

        if access_rule(app, rule).answers_file:  # type: ignore[union-attr]
            assert (answer.status_code, answer.location) == (303, "/"), address
        else:
            assert reached[-1] == rule.endpoint, address


def dangerous(app: Flask) -> list[tuple[str, Rule, str]]:
    """Those that the password is asked for again before."""
    return [one for one in pages_that_change(app) if (found := access_rule(app, one[1])) and found.confirmed]


def access_rule(app: Flask, rule: Rule) -> AccessRule | None:
    with app.app_context():
        return rule_of(rule.endpoint)


def test_no_page_changes_anything_by_get(app: Flask) -> None:
    seeing = {"GET", "HEAD", "OPTIONS"}
    mixed = [rule.rule for rule in app.url_map.iter_rules() if rule.methods and rule.methods & seeing - {"OPTIONS"}
             and rule.methods & CHANGES]  # fmt: skip

    assert mixed == []


def sign_in(browser: FlaskClient, **changed: str) -> TestResponse:
    return browser.post("/sign-in", data={"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD, **changed})


def test_nobody_is_signed_in_by_a_page_of_somebody_else(app: Flask) -> None:
    client_of(app)
    victim, forger = app.test_client(), app.test_client()
    token_of(victim, "/sign-in")

    answers = [sign_in(victim), sign_in(victim, csrf_token=token_of(forger, "/sign-in"))]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert victim.get("/employees/").status_code == 303
    assert sign_in(victim, csrf_token=token_of(victim, "/sign-in")).status_code == 303
    assert victim.get("/employees/").status_code == 200


def test_token_of_before_signing_in_is_worthless_after_it(app: Flask) -> None:
    client_of(app)
    browser = app.test_client()
    before = token_of(browser, "/sign-in")
    sign_in(browser, csrf_token=before)

    assert browser.post("/language", data={"csrf_token": before, "lang": "en"}).status_code == 400


def test_over_https_another_sites_page_is_refused_even_with_a_token(app: Flask) -> None:
    client_of(app)
    browser = app.test_client()
    secure = {"base_url": "https://localhost", "headers": {"X-Forwarded-Proto": "https"}}
    page = browser.get("/sign-in", **secure)
    form = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD, "csrf_token": TOKEN.search(page.text)[1]}  # type: ignore[index]
    secure["headers"]["Referer"] = "https://evil.example/"  # type: ignore[index]

    assert browser.post("/sign-in", data=form, **secure).status_code == 400


def test_cookie_opens_nothing_of_the_api(app: Flask) -> None:
    client = client_of(app)
    client.token, token = "", token_of(client)
    for path in ("/api/users/", "/api/users/1", "/api/devices/", "/api/nothing"):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.open(path, method=method, data={"csrf_token": token})

            assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthorized"), (method, path)
            assert "Set-Cookie" not in answer.headers


def test_api_sets_no_cookie_and_allows_no_other_origin(client: FlaskClient) -> None:
    secure = {"X-Forwarded-Proto": "https"}
    for path in ("/api/users/", "/api/users/99", "/api/nothing", "/api/users/?limit=x"):
        for headers in ({}, {"Accept-Language": "en"}, secure):
            answer = client.get(path, headers={**headers, "Origin": "https://evil.example"})

            assert "Set-Cookie" not in answer.headers
            assert not any(name.startswith("Access-Control") for name, _ in answer.headers)
