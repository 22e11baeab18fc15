"""Signing in and out, the end of sessions, and forms that are carried through a sign-in."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.columns import database_now
from tests.support.desk import ENGLISH, HTMX, typed
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, client_of

NAME = "Мария"


@pytest.fixture
def settings() -> dict[str, Any]:
    """A proxy in front says where requests come from."""
    return {"TRUSTED_PROXY": "127.0.0.1"}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser on which nobody is signed in; there is an operator."""
    with app.app_context():
        add_operator(NAME, OPERATOR)
    return app.test_client()


def sign_in(browser: FlaskClient, **changed: str) -> Any:
    """Send the sign-in form."""
    form = {"name": NAME, "password": OPERATOR_PASSWORD, **changed}
    return browser.post("/sign-in", data=form, headers=ENGLISH)


def age_sessions(app: Flask, **columns: float) -> None:
    """Put the sessions' times so many seconds back."""
    with app.app_context():
        values = {name: database_now(-seconds) for name, seconds in columns.items()}
        db.session.execute(db.update(OperatorSession).values(**values))
        db.session.commit()


def test_page_sends_nobody_to_sign_in_and_back(browser: FlaskClient) -> None:
    asked = browser.get("/employees/?q=%D0%98&page=2")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/employees/?q%3D%25D0%2598%26page%3D2"

    page = browser.get(asked.location).text
    path = re.search(r'name="next" value="([^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]

    assert sign_in(browser, next=path).location == "/employees/?q=%D0%98&page=2"
    assert browser.get("/employees/").status_code == 200


@pytest.mark.parametrize("name", [NAME, "МАРИЯ", " мария "])
def test_name_is_known_however_it_is_written(browser: FlaskClient, name: str) -> None:
    assert sign_in(browser, name=name).status_code == 303


@pytest.mark.parametrize("changed", [{"password": "another password"}, {"name": "Никто"}, {"name": "x" * 400}])
def test_wrong_name_and_wrong_password_hear_the_same(browser: FlaskClient, changed: dict[str, str]) -> None:
    answer = sign_in(browser, **changed)

    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert OPERATOR_PASSWORD not in answer.text
    assert browser.get("/employees/").status_code == 303


def test_somebody_who_is_kept_out_hears_the_same(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        db.session.execute(db.update(Operator).values(is_active=False))
        db.session.commit()

    assert "The name or the password is wrong." in sign_in(browser).text


def test_sign_in_goes_on_to_no_other_site(browser: FlaskClient) -> None:
    for wanted in [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/\tevil",
        "javascript:alert(1)",
        "evil",
    ]:
        assert sign_in(browser, next=wanted).location == "/"


def test_session_gets_a_fresh_key_that_nobody_could_plant(app: Flask, browser: FlaskClient) -> None:
    with browser.session_transaction() as session:
        session["_user_id"] = "planted"
        session["kept"] = "planted"
    with app.app_context():
        before = {row.key_sha256 for row in db.session.execute(db.select(OperatorSession)).scalars()}

    sign_in(browser)

    with browser.session_transaction() as session:
        assert session["_user_id"] != "planted"
        assert "kept" not in session
    with app.app_context():
        (row,) = [
            row for row in db.session.execute(db.select(OperatorSession)).scalars() if row.key_sha256 not in before
        ]
        assert len(row.key_sha256) == 64


def test_password_is_not_asked_for_again_within_ten_minutes(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        add_operator("Ольга", ADMIN)
    sign_in(browser, name="Ольга")
    assert browser.get("/operators/").status_code == 200

    age_sessions(app, confirmed_at=601)
    assert browser.get("/operators/").location == "/confirm?next=/operators/"


def test_signing_in_anew_ends_the_session_before(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser)
    sign_in(browser)

    with app.app_context():
        assert len(db.session.execute(db.select(OperatorSession)).scalars().all()) == 1


def test_cookie_that_was_copied_is_worthless_after_signing_out(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser)
    with browser.session_transaction() as held:
        held["factor"] = "a secret that is being set up"
    copied = browser.get_cookie("hikflask")
    assert copied is not None
    assert browser.post("/sign-out").headers["Clear-Site-Data"] == '"cache"'
    with browser.session_transaction() as left:
        assert dict(left) == {}

    thief = app.test_client()
    thief.set_cookie("hikflask", copied.value)

    assert thief.get("/employees/").status_code == 303


def test_signing_out_everywhere_ends_the_other_browser_too(app: Flask) -> None:
    here, there = client_of(app), client_of(app)
    copied = here.get_cookie("hikflask")
    assert copied is not None

    assert here.post("/account/sign-out-everywhere").location == "/sign-in"

    assert there.get("/employees/").status_code == 303
    thief = app.test_client()
    thief.set_cookie("hikflask", copied.value)
    assert thief.get("/employees/").status_code == 303


def test_one_session_is_ended_from_another_place_and_only_an_own_one(app: Flask) -> None:
    here, there, other = client_of(app), client_of(app), client_of(app, OPERATOR)

    for session_id in (2, 3):
        assert here.post(f"/account/sessions/{session_id}/end").location == "/account/"

    assert here.get("/employees/").status_code == 200
    assert there.get("/employees/").status_code == 303
    assert other.get("/employees/").status_code == 200


def test_sessions_are_told_apart_by_the_day_and_second_they_began(app: Flask) -> None:
    here = client_of(app)
    client_of(app)
    app.config.update(TIMEZONE="Europe/Moscow", SESSION_LIFETIME=10**9)
    began = datetime(2025, 3, 10, 12, 0, 5, tzinfo=UTC)
    with app.app_context():
        db.session.execute(db.update(OperatorSession).where(OperatorSession.id == 2).values(started_at=began))
        db.session.commit()

    russian, english = here.get("/account/").text, here.get("/account/", headers=ENGLISH).text

    assert "вход 10 марта 2025 г., 15:00:05<" in russian
    assert re.search(r"последний раз <time [^>]+>только что</time> · 127\.0\.0\.1", russian)
    assert "signed in 10 March 2025, 15:00:05<" in english
    assert re.search(r"last seen <time [^>]+>just now</time> · 127\.0\.0\.1", english)


def test_cookie_has_its_attributes(app: Flask, browser: FlaskClient) -> None:
    plain = sign_in(browser)
    secure = app.test_client().post(
        "/sign-in",
        data={"name": NAME, "password": OPERATOR_PASSWORD},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9"},
    )

    for answer, is_secure in ((plain, False), (secure, True)):
        cookies = [cookie.split("; ") for cookie in answer.headers.getlist("Set-Cookie")]
        assert [cookie[0].partition("=")[0].removeprefix("__Host-") for cookie in cookies] == [
            "hikflask_device",
            "hikflask",
        ]
        for cookie in cookies:
            assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie)
            assert ("Secure" in cookie) is is_secure
            assert cookie[0].startswith("__Host-") is is_secure


@pytest.mark.parametrize(("column", "seconds", "open_still"), [
    ("seen_at", 7100, True), ("seen_at", 7300, False), ("started_at", 43100, True), ("started_at", 43300, False),
])  # fmt: skip
def test_session_ends_when_idle_and_in_any_case(app: Flask, column: str, seconds: float, open_still: bool) -> None:
    client = client_of(app)

    age_sessions(app, **{column: seconds})

    assert (client.get("/employees/").status_code == 200) is open_still


def test_what_a_page_asks_by_itself_does_not_keep_a_session_open(app: Flask) -> None:
    client = client_of(app)
    age_sessions(app, seen_at=7000)
    with app.app_context():
        before = db.session.execute(db.select(OperatorSession.seen_at)).scalar_one()

    client.get("/captures/1", headers=HTMX)
    client.get("/employees/1/enrolments", headers=HTMX)
    with app.app_context():
        assert db.session.execute(db.select(OperatorSession.seen_at)).scalar_one() == before
    client.get("/employees/")

    with app.app_context():
        assert db.session.execute(db.select(OperatorSession.seen_at)).scalar_one() > before


@pytest.mark.usefixtures("quick_passwords")
class TestThrottling:
    """Tries are counted by account and by address."""

    def test_address_is_closed_after_thirty(self, app: Flask, browser: FlaskClient) -> None:
        for number in range(30):
            sign_in(browser, name=f"nobody{number}", password="wrong")

        assert sign_in(browser).status_code == 429
        elsewhere = app.test_client().post(
            "/sign-in", data={"name": NAME, "password": OPERATOR_PASSWORD}, headers={"X-Forwarded-For": "10.0.0.9"}
        )
        assert elsewhere.status_code == 303

    def test_good_sign_in_forgets_the_wrong_tries(self, browser: FlaskClient) -> None:
        for _ in range(9):
            sign_in(browser, password="wrong")
        sign_in(browser)
        for _ in range(9):
            sign_in(browser, password="wrong")

        assert sign_in(browser).status_code == 303


def test_each_sign_in_is_in_the_audit_trail_without_its_secrets(app: Flask, browser: FlaskClient) -> None:
    for _ in range(2):
        assert sign_in(browser).status_code == 303

    with browser.session_transaction() as session:
        key = session["_user_id"]
    with app.app_context():
        entries = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "sign_in")).scalars().all()
        told = [(entry.actor, entry.subject, entry.address) for entry in entries]
        written = " ".join(str(vars(entry)) for entry in entries)
    assert told == [(NAME, NAME, "127.0.0.1")] * 2
    assert not any(secret in written for secret in (OPERATOR_PASSWORD, key, "scrypt"))


def test_name_that_nobody_has_is_not_in_the_audit_trail(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser, name="a password in the wrong field")
    sign_in(browser, password="wrong")

    with app.app_context():
        noted = db.session.execute(db.select(AuditEntry).order_by(AuditEntry.id)).scalars().all()
        refused = [(entry.action, entry.subject) for entry in noted if entry.action == "sign_in.refused"]
        assert refused == [("sign_in.refused", ""), ("sign_in.refused", NAME)]


class TestNothingTypedIsLost:
    """A form that comes when the session has ended."""

    def test_form_is_shown_again_as_typed(self, browser: FlaskClient) -> None:
        asked = browser.post("/employees/", data=typed(department="Охрана <1>", csrf_token="old"), headers=ENGLISH)

        assert asked.status_code == 401
        assert "Nothing typed is lost" in asked.text
        again = sign_in(browser, kept_path=_hidden(asked.text, "kept_path"), kept=_hidden(asked.text, "kept"))

        assert again.status_code == 200
        assert 'value="100222"' in again.text
        assert 'value="Иван Иванов"' in again.text
        assert "Охрана &lt;1&gt;" in again.text
        assert browser.get("/employees/").status_code == 200

    def test_wrong_password_loses_nothing_either(self, browser: FlaskClient) -> None:
        asked = browser.post("/employees/", data=typed())
        again = sign_in(browser, password="wrong", kept_path="/employees/", kept=_hidden(asked.text, "kept"))

        assert _hidden(again.text, "kept") == _hidden(asked.text, "kept")

    def test_capture_button_asks_in_place_and_keeps_the_form(self, browser: FlaskClient) -> None:
        asked = browser.post("/captures", data=typed(), headers={**HTMX, "HX-Current-URL": "http://x/employees/new"})

        assert (asked.status_code, asked.headers["HX-Retarget"]) == (401, "#main")
        assert "<html" not in asked.text
        again = sign_in(browser, kept_path="/captures", kept=_hidden(asked.text, "kept"))
        assert 'value="Иван Иванов"' in again.text

    def test_draft_that_is_kept_by_itself_leaves_the_page_alone(self, browser: FlaskClient) -> None:
        asked = browser.post("/captures/draft", data=typed(), headers=HTMX)

        assert asked.status_code == 401
        assert "HX-Redirect" not in asked.headers

    def test_page_that_asks_by_itself_goes_to_sign_in_and_comes_back(self, browser: FlaskClient) -> None:
        asked = browser.get(
            "/captures/7", headers={**HTMX, "HX-Current-URL": "http://localhost/employees/new?capture=7"}
        )

        assert asked.headers["HX-Redirect"] == "/sign-in?next=/employees/new?capture%3D7"

    def test_password_of_a_terminal_does_not_travel(self, browser: FlaskClient) -> None:
        form = {"name": "Вход", "url": "http://10.0.0.5", "username": "admin", "password": "Abc12345"}

        asked = browser.post("/terminals/", data=form)

        assert "Abc12345" not in asked.text
        assert json.loads(_hidden(asked.text, "kept"))[:2] == [["name", "Вход"], ["url", "http://10.0.0.5"]]

    def test_form_that_is_not_for_this_operator_is_not_shown(self, browser: FlaskClient) -> None:
        for path in ["/terminals/", "/operators/", "/nowhere", "//evil.example", "/language"]:
            answer = sign_in(browser, kept_path=path, kept='[["name", "x"]]')

            assert answer.location == "/"

    def test_fields_that_make_no_sense_are_let_go(self, browser: FlaskClient) -> None:
        for fields in ["", "{", "[1]", "{}", "null", "[" * 60_000, '[["a"]]', '[["a", "b", "c"]]']:
            assert sign_in(browser, kept_path="/employees/", kept=fields).status_code in {200, 303}


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1].replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_language_is_chosen_before_signing_in(browser: FlaskClient) -> None:
    answer = browser.get("/sign-in?lang=en", headers={"Accept-Language": "ru"})

    assert 'lang="en"' in answer.text
    assert "lang=en" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("role", [VIEWER, OPERATOR])
def test_pages_show_no_button_that_would_be_refused(app: Flask, role: str, terminal: object) -> None:  # noqa: ARG001
    page = client_of(app, role).get("/terminals/1", headers=ENGLISH).text

    assert "Delete" not in page
    assert "admin" not in page.split("<main", 1)[1]
    assert ("Check" in page) is (role == OPERATOR)
