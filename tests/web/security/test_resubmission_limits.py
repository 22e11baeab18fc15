"""A page carries no more of a typed form than the largest form of ours has."""

import json

import pytest
from flask import Flask

from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.signed_in import client_of
from tests.web.security.test_resubmission import sign_in

FORM = "application/x-www-form-urlencoded"
TOO_MUCH = {
    "fields": [("note", "a")] * 101,
    "empty fields": [("a", "")] * 60_000,
    "bytes": [("note", "а" * 33_000)],
}


@pytest.mark.parametrize("sent", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_no_form_of_ours_is_not_carried_along(app: Flask, sent: list[tuple[str, str]]) -> None:
    client_of(app)
    body = "&".join(f"{name}={value}" for name, value in sent).encode()

    asked = app.test_client().post("/employees/", data=body, content_type=FORM, headers=ENGLISH)

    assert asked.status_code == 401
    assert "You were signed out meanwhile. Press the button again." in asked.text
    assert 'name="kept"' not in asked.text
    assert len(asked.data) < 20_000


def test_what_is_said_to_be_carried_is_read_no_further(app: Flask) -> None:
    for sent in TOO_MUCH.values():
        for path in ["/sign-in", "/confirm", "/account/password"]:
            browser = app.test_client() if path == "/sign-in" else client_of(app)
            client_of(app)
            kept = json.dumps(sent, ensure_ascii=False) if len(sent) < 60_000 else "[" * 66_000

            answer = browser.post(path, data={"kept_path": "/employees/", "kept": kept}, headers=ENGLISH)

            assert answer.status_code == 422
            assert 'name="kept"' not in answer.text


def test_question_for_ones_own_password_carries_no_more_either(app: Flask) -> None:
    for sent in TOO_MUCH.values():
        for path in ["/operators/", "/language/form?action=/operators/"]:
            client = client_of(app, confirmed=False)
            body = "&".join(f"{name}={value}" for name, value in sent).encode()

            answer = client.post(path, data=body, content_type=FORM, headers=ENGLISH)

            assert answer.status_code == 400
            assert "The request is not complete." in answer.text
            assert len(answer.data) < 20_000


def test_as_much_as_a_form_of_ours_may_hold_is_carried(app: Flask) -> None:
    client_of(app)
    browser = app.test_client()
    numbers = "\n".join(f"{number:032}" for number in range(1000))
    asked = browser.post("/removals/bulk", data={"numbers": numbers})

    shown = sign_in(browser, asked)

    assert form_to(shown.text, "/removals/bulk").fields["numbers"].replace("\r", "") == numbers


@pytest.mark.parametrize("path", ["/employees/", "/sign-in"])
def test_form_that_is_too_long_is_refused_before_it_is_read(app: Flask, path: str) -> None:
    client_of(app)

    for browser in (app.test_client(), client_of(app)):
        answer = browser.post(path, data=b"a&" * 140_000, content_type=FORM, headers=ENGLISH)

        assert answer.status_code == 413
        assert "at most 10 MB" not in answer.text
        assert len(answer.data) < 20_000
