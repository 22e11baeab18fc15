"""The second factor on the pages: its question at the sign-in, its set-up, and who is led to it."""

import html
import re
import time
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.extensions import db, vault
from hikflask.models import Employee, Operator, OperatorSession
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.services.accounts import operators, sign_in_limits
from tests.support.desk import ENGLISH, HTMX, typed
from tests.support.filled_forms import form_to
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, client_of

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAGE = "/account/second-factor"
QR = re.compile(r'<img class="qr" src="(data:image/svg\+xml[^"]+)"')
SHOWN = re.compile(r": <code>([A-Z2-7 ]+)</code>")
WRONG = (
    "Код неверный или уже использован. Дождитесь следующего.",
    "The code is wrong, or was used already. Wait for the next one.",
)
CODES = re.compile(r"<li><code>([a-z2-7-]{19})</code></li>")


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser on which nobody is signed in; Мария has a second factor, Ольга has none."""
    with app.app_context():
        add_operator("Мария", OPERATOR, totp_encrypted=vault.encrypt(SECRET))
        add_operator("Ольга", ADMIN)
    return app.test_client()


def code(secret: str = SECRET, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def sign_in(browser: FlaskClient, name: str = "Мария", **more: str) -> TestResponse:
    form = {"name": name, "password": OPERATOR_PASSWORD, **more}
    return browser.post("/sign-in", data=form, headers=ENGLISH)


def answer(browser: FlaskClient, given: str, **more: str) -> TestResponse:
    return browser.post("/sign-in/code", data={"code": given, **more}, headers=ENGLISH)


def set_up(client: FlaskClient) -> tuple[str, list[str]]:
    """Set up a second factor; its secret, and the recovery codes."""
    secret = SHOWN.findall(client.get(PAGE).text)[0].replace(" ", "")
    done = client.post(PAGE, data={"code": code(secret)})
    assert done.status_code == 200
    return secret, CODES.findall(done.text)


def test_code_is_asked_for_after_the_password_and_leads_where_it_was_asked(browser: FlaskClient) -> None:
    asked = sign_in(browser, next="/employees/?q=x")

    assert asked.location == "/sign-in/code?next=/employees/?q%3Dx"
    assert browser.get("/employees/").location == "/sign-in?next=/employees/"
    assert browser.get("/uploads/x.jpg").status_code in {303, 401}
    page = browser.get(asked.location, headers=ENGLISH).text
    assert 'autocomplete="one-time-code"' in page
    assert 'name="next" value="/employees/?q=x"' in page
    done = answer(browser, code(), next="/employees/?q=x")
    assert (done.status_code, done.location) == (303, "/employees/?q=x")
    assert browser.get("/employees/").status_code == 200


def test_wrong_password_is_not_told_from_an_unknown_name_where_there_is_a_factor(browser: FlaskClient) -> None:
    said = [
        browser.post("/sign-in", data={"name": name, "password": "wrong"}, headers=ENGLISH)
        for name in ("Мария", "Никто")
    ]

    assert [one.status_code for one in said] == [401, 401]
    assert all("The name or the password is wrong." in one.text for one in said)
    assert browser.get("/sign-in/code").text.count('name="password"') == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", "Код неверный или уже использован. Дождитесь следующего."),
        ("en", "The code is wrong, or was used already. Wait for the next one."),
    ],
)
def test_wrong_code_is_refused_in_words(browser: FlaskClient, language: str, said: str) -> None:
    sign_in(browser)

    refused = browser.post("/sign-in/code", data={"code": "000000"}, headers={"Accept-Language": language})

    assert refused.status_code == 401
    assert said in html.unescape(refused.text)
    assert browser.get("/employees/").status_code == 303
    assert answer(browser, code()).status_code == 303


def test_guesser_is_told_to_wait(browser: FlaskClient) -> None:
    sign_in(browser)
    for _ in range(10):
        assert answer(browser, "000000").status_code == 401

    late = answer(browser, code())

    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) > 0
    assert "Too many tries." in late.text


def test_code_without_the_password_before_it_opens_nothing(app: Flask, browser: FlaskClient) -> None:
    early = answer(browser, code())
    assert early.status_code == 422
    assert "It took too long. Sign in again." in early.text

    sign_in(browser)
    with app.app_context():
        db.session.execute(db.delete(OperatorSession))
        db.session.commit()
    assert answer(browser, code()).status_code == 422
    assert browser.get("/employees/").status_code == 303


def test_waiting_session_planted_as_a_signed_in_one_opens_nothing(browser: FlaskClient) -> None:
    sign_in(browser)
    with browser.session_transaction() as session:
        session["_user_id"] = session["pending"]
        session["_fresh"] = True

    assert browser.get("/employees/").status_code == 303


def test_typed_form_comes_through_password_and_code(app: Flask, browser: FlaskClient) -> None:
    asked = browser.post("/employees/", data=typed(), headers=ENGLISH)
    who = {"name": "Мария", "password": OPERATOR_PASSWORD}
    code_asked = form_to(asked.text, "/sign-in").send(browser, ENGLISH, **who)
    wrong = form_to(code_asked.text, "/sign-in/code").send(browser, ENGLISH, code="1")

    shown = form_to(wrong.text, "/sign-in/code").send(browser, ENGLISH, code=code())

    assert "Nothing typed is lost, but nothing is saved yet" in shown.text
    assert "Иван Иванов" in shown.text
    with app.app_context():
        assert db.session.execute(db.select(Employee)).first() is None


def test_factor_is_set_up_with_a_picture_of_the_program_itself(app: Flask) -> None:
    client = client_of(app, OPERATOR, "Ольга")
    first, again = client.get(PAGE), client.get(PAGE)
    assert QR.findall(first.text) == QR.findall(again.text)
    assert first.headers["Cache-Control"] == "no-store"
    refused = client.post(PAGE, data={"code": "000000"}, headers=ENGLISH)
    assert refused.status_code == 422
    assert QR.findall(refused.text) == QR.findall(first.text)

    with client.session_transaction() as session:
        before = session["_user_id"]
    secret, codes = set_up(client)

    with client.session_transaction() as session:
        assert session["_user_id"] != before
    device = client.get_cookie("hikflask_device")
    assert device is not None
    with app.app_context():
        assert sign_in_limits.device_of(device.value, operators.by_name("Ольга"))
    assert SHOWN.findall(first.text) == [" ".join(secret[at : at + 4] for at in range(0, 32, 4))]
    assert len(codes) == 10
    assert client.get("/account/", headers=ENGLISH).text.count("10 recovery codes are left.") == 1
    assert SHOWN.findall(client.get(PAGE).text) != SHOWN.findall(first.text)
    browser = app.test_client()
    sign_in(browser, "Ольга")
    assert answer(browser, codes[3]).status_code == 303


def test_new_codes_and_switching_off(app: Flask) -> None:
    client = client_of(app, OPERATOR, "Ольга")
    _, earlier = set_up(client)
    client.post("/confirm", data={"password": OPERATOR_PASSWORD})

    for way in ("codes", "off"):
        for given, said in (("", "“Code from the app” must not be empty."), ("000000", WRONG[1])):
            refused = client.post(f"{PAGE}/{way}", data={"code": given}, headers=ENGLISH)
            assert (refused.status_code, said in html.unescape(refused.text)) == (422, True)
        assert WRONG[0] in client.post(f"{PAGE}/{way}", data={"code": "000000"}).text
    renewed = form_to(client.get("/account/").text, f"{PAGE}/codes").send(client, code=earlier[0])
    later = CODES.findall(renewed.text)
    off = client.post(f"{PAGE}/off", data={"code": later[0]}, follow_redirects=True, headers=ENGLISH)

    assert len(set(CODES.findall(renewed.text)) | set(earlier)) == 20
    assert renewed.headers["Cache-Control"] == "no-store"
    assert "The second factor is switched off. All other sessions have ended." in off.text
    client.post("/confirm", data={"password": OPERATOR_PASSWORD})
    late = client.post(f"{PAGE}/codes", data={"code": later[1]}, follow_redirects=True, headers=ENGLISH)
    assert "There is no second factor." in late.text


def test_another_app_replaces_the_present_one_with_a_code_of_it(app: Flask) -> None:
    client = client_of(app, OPERATOR, "Ольга")
    _, codes = set_up(client)
    client.post("/confirm", data={"password": OPERATOR_PASSWORD})
    page = client.get(PAGE, headers=ENGLISH).text
    assert "Code from your present app, or a recovery code" in page
    secret = SHOWN.findall(page)[0].replace(" ", "")

    for given in ("", "000000", code(secret)):
        refused = client.post(PAGE, data={"code": code(secret), "present_code": given}, headers=ENGLISH)
        assert (refused.status_code, WRONG[1] in html.unescape(refused.text)) == (422, True)
    done = client.post(PAGE, data={"code": code(secret), "present_code": codes[0]})

    assert len(CODES.findall(done.text)) == 10


def test_administrator_switches_the_own_factor_off_in_the_account_alone(app: Flask) -> None:
    client = client_of(app, ADMIN, "Ольга")
    set_up(client)
    client.post("/confirm", data={"password": OPERATOR_PASSWORD})
    with app.app_context():
        olga = operators.by_name("Ольга")
        assert olga is not None

    assert "Снять второй фактор" not in client.get(f"/operators/{olga.id}").text
    for language, said in (("ru", "Свой второй фактор отключите здесь: для этого нужен код."),
                           ("en", "Switch off your own second factor here, with a code of it.")):  # fmt: skip
        told = client.post(f"/operators/{olga.id}/second-factor/remove", follow_redirects=True,
                           headers={"Accept-Language": language})  # fmt: skip
        assert (told.request.path, said in told.text) == ("/account/", True)
    assert "осталось 10" in client.get("/account/").text.lower()


def test_page_that_asks_for_the_password_asks_for_it_on_the_way_too(app: Flask) -> None:
    unconfirmed = client_of(app, confirmed=False)
    kept = {"kept_path": "/tokens/", "kept": '[["name","x"]]'}

    shown = unconfirmed.post(f"{PAGE}/go-on", data=kept, headers=ENGLISH).text

    assert 'action="/confirm"' in shown
    assert 'action="/tokens/"' not in shown


class TestObligatory:
    """An administrator must have a second factor, and Ольга has none yet."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"SECOND_FACTOR_ROLES": "admin"}

    def test_who_has_none_is_led_to_it_and_can_do_nothing_else_before(self, app: Flask, browser: FlaskClient) -> None:
        assert sign_in(browser, "Ольга").location == "/"

        for path in ("/", "/employees/", "/administration", "/account/", "/account/password", "/uploads/x.jpg", "/no"):
            assert browser.get(path).location.startswith(PAGE), path
        assert browser.post("/operators/", data={"name": "Борис", "role": "admin"}).status_code == 403
        assert browser.post(f"{PAGE}/go-on").status_code == 403
        assert browser.get("/api/openapi.json").status_code == 401
        with app.app_context():
            assert operators.by_name("Борис") is None
        page = browser.get(PAGE, headers=ENGLISH).text
        assert "Your role signs in with a second factor. Set it up, then go on." in page
        assert 'href="/employees/"' not in page

        set_up(browser)

        assert browser.get("/employees/").status_code == 200
        assert browser.get("/api/openapi.json").status_code == 200
        browser.post("/confirm", data={"password": OPERATOR_PASSWORD})
        kept = browser.post(f"{PAGE}/off", data={"code": "000000"}, follow_redirects=True, headers=ENGLISH).text
        assert "Your role must sign in with a second factor, so it is not switched off." in kept

    def test_nothing_typed_is_lost_on_the_way(self, browser: FlaskClient) -> None:
        asked = browser.post("/employees/", data=typed(), headers=ENGLISH)
        who = {"name": "Ольга", "password": OPERATOR_PASSWORD}
        led = form_to(asked.text, "/sign-in").send(browser, ENGLISH, **who)
        assert "What you typed is kept until then." in led.text
        secret = SHOWN.findall(led.text)[0].replace(" ", "")

        codes = form_to(led.text, PAGE).send(browser, ENGLISH, code=code(secret))
        shown = form_to(codes.text, f"{PAGE}/go-on").send(browser, ENGLISH)

        assert "Иван Иванов" in shown.text

    def test_htmx_gets_the_set_up_in_place(self, browser: FlaskClient) -> None:
        sign_in(browser, "Ольга")

        note = browser.get("/employees/?q=x", headers={**HTMX, **ENGLISH})
        form = browser.post("/employees/", data=typed(), headers={**HTMX, **ENGLISH})

        assert "Your second factor must be set up first." in note.text
        assert QR.search(form.text)

    def test_new_password_comes_first(self, app: Flask, browser: FlaskClient) -> None:
        with app.app_context():
            db.session.execute(db.update(Operator).values(must_change_password=True))
            db.session.commit()
        sign_in(browser, "Ольга")

        assert browser.get("/employees/").location.startswith("/account/password")
        new = "совсем другая лодка"
        done = browser.post("/account/password", data={
            "password": OPERATOR_PASSWORD, "new_password": new, "repeated": new})  # fmt: skip
        assert done.status_code == 303
        assert browser.get("/employees/").location.startswith(PAGE)

    def test_tokens_of_the_api_are_not_affected(self, app: Flask) -> None:
        assert client_of(app, ADMIN).get("/api/users/").status_code == 200


def test_administrator_takes_the_factor_off_somebody_who_lost_it(app: Flask, browser: FlaskClient) -> None:
    client = client_of(app)
    with app.app_context():
        maria = operators.by_name("Мария")
        assert maria is not None
    page = client.get(f"/operators/{maria.id}", headers=ENGLISH).text
    assert "Take the second factor off" in page

    done = client.post(f"/operators/{maria.id}/second-factor/remove", follow_redirects=True, headers=ENGLISH)

    assert "Мария signs in by the password alone now." in html.unescape(done.text)
    assert "Second factor removed" in client.get("/audit/", headers=ENGLISH).text
    assert sign_in(browser).location == "/"
    assert browser.get("/employees/").status_code == 200
    assert "Take the second factor off" not in client.get(f"/operators/{maria.id}", headers=ENGLISH).text


def test_command_takes_it_off_too(app: Flask, browser: FlaskClient) -> None:  # noqa: ARG001 - it has the operators
    def run(*options: str) -> tuple[int, str]:
        done = app.test_cli_runner().invoke(args=["operator", "second-factor", *options])
        return done.exit_code, done.output

    assert run("мария") == (0, "Operator “Мария” has a second factor.\n")
    assert run("Мария", "--remove") == (0, "Operator “Мария” has no second factor any more.\n")
    assert run("Мария") == (0, "Operator “Мария” has no second factor.\n")
    assert run("Мария", "--remove") == (1, "Error: There is no second factor.\n")
    assert run("Никто")[0] == 1
