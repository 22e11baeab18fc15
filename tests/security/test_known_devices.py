"""A device that somebody signed in on before has a count of its own: guesses from elsewhere keep no owner out."""

import itsdangerous
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import OperatorSession
from hikflask.models.accounts import OPERATOR
from hikflask.services.accounts import operators, sign_in_limits
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, add_operator, client_of

COOKIE = "hikflask_device"
NEW_PASSWORD = "четыре слова без связи"
OTHER = "Ольга"


@pytest.fixture
def anna(app: Flask) -> int:
    """The id of the account that is guessed at."""
    with app.app_context():
        add_operator(OTHER, OPERATOR)
        return add_operator().id


@pytest.fixture
def device(app: Flask, anna: int) -> FlaskClient:  # noqa: ARG001 - somebody must exist
    """A browser on which Anna signed in and out."""
    browser = app.test_client()
    assert sign_in(browser).status_code == 303
    assert browser.post("/sign-out").status_code == 303
    return browser


def sign_in(browser: FlaskClient, password: str = OPERATOR_PASSWORD, name: str = OPERATOR_NAME) -> TestResponse:
    return browser.post("/sign-in", data={"name": name, "password": password})


def close(app: Flask) -> None:
    """Guess at the name, from the owner's address and from elsewhere, until it is closed for every strange device."""
    for number in range(4):
        for _ in range(10):
            place = {"X-Forwarded-For": f"198.51.100.{number}"} if number else {}
            app.test_client().post("/sign-in", data={"name": OPERATOR_NAME, "password": "wrong"}, headers=place)


def cookie_of(browser: FlaskClient) -> str:
    found = browser.get_cookie(COOKIE)
    assert found is not None
    return found.value


def is_known(app: Flask, shown: str, password: str = OPERATOR_PASSWORD) -> bool:
    """True when a browser that shows this is let in to Anna's account, which is closed for strange devices."""
    close(app)
    browser = app.test_client()
    browser.set_cookie(COOKIE, shown)
    return sign_in(browser, password).status_code == 303


def test_owner_signs_in_while_others_guess_at_the_name(app: Flask, device: FlaskClient) -> None:
    close(app)

    assert sign_in(app.test_client()).status_code == 429
    assert sign_in(device).status_code == 303
    assert sign_in(app.test_client()).status_code == 429


def test_device_has_a_count_of_its_own(app: Flask, device: FlaskClient) -> None:
    statuses = [sign_in(device, "wrong").status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    answer = sign_in(device)
    assert (answer.status_code, 1 <= int(answer.headers["Retry-After"]) <= 900) == (429, True)
    assert sign_in(app.test_client()).status_code == 303


def test_it_is_another_device_with_each_sign_in(device: FlaskClient) -> None:
    before = cookie_of(device)
    for _ in range(9):
        sign_in(device, "wrong")
    sign_in(device)

    assert cookie_of(device) != before
    assert [sign_in(device, "wrong").status_code for _ in range(10)] == [401] * 10


def test_device_of_one_account_is_a_stranger_to_another(app: Flask, device: FlaskClient) -> None:  # noqa: ARG001
    olgas = app.test_client()
    assert sign_in(olgas, name=OTHER).status_code == 303

    assert not is_known(app, cookie_of(olgas))


@pytest.mark.parametrize("way", ["own change", "reset", "signed out everywhere", "kept out"])
def test_it_is_worthless_once_all_sessions_end(app: Flask, anna: int, device: FlaskClient, way: str) -> None:
    copied, client = cookie_of(device), client_of(app)
    if way == "own change":
        form = {"password": OPERATOR_PASSWORD, "new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD}
        assert client.post("/account/password", data=form).status_code == 303
    elif way == "signed out everywhere":
        client.post("/account/sign-out-everywhere")
    with app.app_context():
        add_operator("Борис")
        if way == "reset":
            operators.set_password(anna, NEW_PASSWORD, temporary=True)
        elif way == "kept out":
            operators.change(anna, "admin", False)
            operators.change(anna, "admin", True)

    assert not is_known(app, copied)


def test_device_on_which_the_password_is_changed_stays_known(app: Flask, device: FlaskClient) -> None:
    sign_in(device)
    form = {"password": OPERATOR_PASSWORD, "new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD}

    assert device.post("/account/password", data=form).status_code == 303

    assert is_known(app, cookie_of(device), NEW_PASSWORD)


def test_signing_out_and_ending_one_session_leave_it_known(app: Flask, device: FlaskClient) -> None:
    sign_in(device)
    with app.app_context():
        session_id = db.session.execute(db.select(OperatorSession.id)).scalar_one()
    client_of(app).post(f"/account/sessions/{session_id}/end")

    assert is_known(app, cookie_of(device))


def test_what_nobody_here_signed_is_as_good_as_nothing(app: Flask, anna: int, device: FlaskClient) -> None:
    real = cookie_of(device)
    payload, rest = real.split(".", 1)
    other_key = URLSafeTimedSerializer("another key of another server", salt=sign_in_limits.DEVICE_SALT).dumps(
        [[anna, 0, "x"]]
    )
    session = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="cookie-session").dumps([[anna, 0, "x"]])
    forged = ["", ".", "x", "é", payload, f"{payload}x.{rest}", real[:-1], f"x{real}", other_key, session, "[[1,0,1]]"]

    for shown in forged:
        browser = app.test_client()
        browser.set_cookie(COOKIE, shown)
        assert sign_in(browser, "wrong").status_code in {401, 429}
        assert not is_known(app, shown), shown
    assert is_known(app, real)


def test_it_ends_after_half_a_year(app: Flask, device: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, plain = cookie_of(device), itsdangerous.TimestampSigner.get_timestamp
    found = device.get_cookie(COOKIE)
    assert found is not None
    assert found.max_age == 180 * 24 * 3600
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda one: plain(one) + 180 * 24 * 3600 + 5)

    assert not is_known(app, shown)


def test_there_is_no_secret_in_it(app: Flask, anna: int, device: FlaskClient) -> None:
    sign_in(device)
    with device.session_transaction() as session:
        key = session["_user_id"]

    ((operator_id, generation, mark),) = URLSafeTimedSerializer("", salt="").loads_unsafe(cookie_of(device))[1]

    assert (operator_id, generation, len(mark)) == (anna, 0, 16)
    assert mark not in key
    thief = app.test_client()
    thief.set_cookie(COOKIE, cookie_of(device))
    thief.set_cookie("hikflask", cookie_of(device))
    assert thief.get("/employees/").status_code == 303


def test_desk_that_several_share_knows_each_of_them(app: Flask, device: FlaskClient) -> None:
    sign_in(device, name=OTHER)

    assert is_known(app, cookie_of(device))


def test_cookie_does_not_grow_without_end(app: Flask, device: FlaskClient) -> None:
    names = [f"Оператор {number}" for number in range(sign_in_limits.MAX_ACCOUNTS + 2)]
    with app.app_context():
        for name in names:
            add_operator(name, OPERATOR)
    for name in names:
        assert sign_in(device, name=name).status_code == 303

    assert len(URLSafeTimedSerializer("", salt="").loads_unsafe(cookie_of(device))[1]) == sign_in_limits.MAX_ACCOUNTS
    assert len(cookie_of(device)) < 1000
    assert not is_known(app, cookie_of(device))


def test_page_tells_nobody_who_guessed(app: Flask, device: FlaskClient) -> None:
    close(app)

    pages = [sign_in(app.test_client()).text, sign_in(device).text, device.get("/account/").text]

    assert not any("198.51.100" in page for page in pages)
