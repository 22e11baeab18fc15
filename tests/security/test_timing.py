"""Whether somebody is known: neither the answer nor the time it takes tells."""

import hashlib
import re
import time
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.services.accounts import passwords, rate_limit
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, add_operator

TOKEN = re.compile(r'name="csrf_token" value="[^"]+"')
LEFT = "Ушёл"
TIMED = ("known", "unknown", "kept out")
CASES = {"known": OPERATOR_NAME, "unknown": "Никто", "kept out": LEFT, "very long": "x" * 400, "odd": "\x00'\"--"}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser; one operator is known, another one is kept out, and the process is warm."""
    with app.app_context():
        password_hash = passwords.hashed(OPERATOR_PASSWORD)
        add_operator(password_hash=password_hash)
        add_operator(LEFT, password_hash=password_hash, is_active=False)
    browser = app.test_client()
    for name in CASES.values():
        tried(app, browser, name)
    return browser


def tried(app: Flask, browser: FlaskClient, name: str) -> tuple[int, float]:
    """The status of a wrong password, and the processor's seconds it took."""
    start = time.thread_time()
    status = browser.post("/sign-in", data={"name": name, "password": "wrong"}).status_code
    took = time.thread_time() - start
    with app.app_context():
        db.session.execute(db.text("DELETE FROM throttle"))
        db.session.commit()
    return status, took


@pytest.mark.full_scrypt
def test_wrong_password_and_unknown_name_take_the_same_time(app: Flask, browser: FlaskClient) -> None:
    """Without the hash it takes a fiftieth; how much is hashed is told by the next test, on however busy a machine."""
    (status, known), *others = (tried(app, browser, CASES[case]) for case in TIMED)

    assert {status, *(other for other, _ in others)} == {401}
    for case, (_, took) in zip(TIMED[1:], others, strict=True):
        assert 0.2 < took / known < 5, case


@pytest.fixture
def scrypts(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The parameters of each call of scrypt."""
    calls: list[object] = []
    real: Callable[..., bytes] = hashlib.scrypt

    def counted(password: bytes, **parameters: object) -> bytes:
        calls.append({name: value for name, value in parameters.items() if name != "salt"})
        return real(password, **parameters)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    return calls


@pytest.mark.parametrize("password", ["wrong", "x" * 500])
def test_scrypt_is_asked_once_with_the_same_parameters_whoever_it_is(
    browser: FlaskClient, scrypts: list[object], password: str
) -> None:
    asked = []
    for name in CASES.values():
        scrypts.clear()
        browser.post("/sign-in", data={"name": name, "password": password})
        asked.append(list(scrypts))

    assert [len(calls) for calls in asked] == [1] * len(CASES)
    assert all(calls == asked[0] for calls in asked)


def test_answers_are_the_same_but_for_what_was_typed(browser: FlaskClient) -> None:
    answers = []
    for name in (OPERATOR_NAME, "Кто-то", LEFT):
        page = browser.post("/sign-in", data={"name": name, "password": "wrong"})
        names = sorted(page.headers.keys())
        answers.append((page.status_code, names, TOKEN.sub("", page.text.replace(f'value="{name}"', ""))))

    assert answers[0] == answers[1] == answers[2]


def test_throttled_names_hear_the_same_without_any_scrypt(
    browser: FlaskClient, scrypts: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hikflask.services.accounts.sign_in_limits.TRIES_BY_ACCOUNT", 0)

    statuses = [browser.post("/sign-in", data={"name": name, "password": "x"}).status_code for name in CASES.values()]

    assert (statuses, scrypts) == ([429] * len(CASES), [])


def test_right_password_of_a_script_that_goes_on_costs_no_scrypt(
    browser: FlaskClient, scrypts: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hikflask.services.accounts.sign_in_limits.SIGN_INS", 1)
    form = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD}

    statuses = [browser.post("/sign-in", data=form).status_code for _ in range(3)]

    assert (statuses, len(scrypts)) == ([303, 429, 429], 1)


@pytest.mark.usefixtures("context")
def test_hash_is_scrypt_with_a_salt_of_its_own() -> None:
    one, other = passwords.hashed("лодка под синим мостом"), passwords.hashed("лодка под синим мостом")

    method, salt, digest = one.split("$")
    assert method == "scrypt:32768:8:3"
    assert len(salt) >= 16
    assert len(digest) == 128
    assert one != other
    assert len("account:") + 64 <= rate_limit.MAX_KEY_LENGTH
