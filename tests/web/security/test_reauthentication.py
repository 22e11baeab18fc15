"""The operator's own password is asked for before a dangerous view runs, and the form is not lost."""

from functools import wraps
from typing import ClassVar

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.extensions import db, vault
from hikflask.models import AuditEntry, Operator, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.accounts import operators
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH, HTMX
from tests.support.filled_forms import form_to, forms
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, client_of

DONE_AT_ONCE = "It is done as soon as the password is right"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """An administrator whose password was asked for too long ago."""
    return client_of(app, confirmed=False)


@pytest.fixture
def olga(app: Flask) -> int:
    """The id of an operator who may sign in."""
    with app.app_context():
        return add_operator("Ольга", OPERATOR).id


@pytest.fixture
def employee(app: Flask) -> int:
    """The id of somebody."""
    with app.app_context():
        return save_employee(Draft("100222", "Иван Иванов")).row.id


def press(client: FlaskClient, path: str, form: dict[str, str], page: str = "/") -> TestResponse:
    """Press a button on a page, and be asked for the password."""
    headers = {**ENGLISH, "Referer": f"http://localhost{page}"}
    asked = client.post(path, data=form, headers=headers)
    assert asked.status_code == 403
    return asked


def confirm(client: FlaskClient, asked: TestResponse, password: str = OPERATOR_PASSWORD) -> TestResponse:
    """Type a password into the page that asks."""
    (form,) = forms(asked.text)
    return form.send(client, ENGLISH, own_password=password)


class TestDone:
    """Each deed is done once the password is right."""

    def test_operator_is_kept_out(self, app: Flask, client: FlaskClient, olga: int) -> None:
        asked = press(client, f"/operators/{olga}", {"role": VIEWER})

        answer = confirm(client, asked)

        assert DONE_AT_ONCE in asked.text
        assert answer.location == "/operators/"
        with app.app_context():
            found = db.session.get_one(Operator, olga)
            assert (found.role, found.is_active) == (VIEWER, False)
        assert "Saved." in client.get("/operators/", headers=ENGLISH).text

    def test_number_is_looked_for_and_the_view_says_what_is_wrong(self, client: FlaskClient) -> None:
        answer = confirm(client, press(client, "/erasures/", {"number": "100222"}))

        assert "Nothing is stored here about this ID." in answer.text

    def test_form_sent_by_htmx_is_asked_about_in_place_and_done(self, client: FlaskClient, olga: int) -> None:
        asked = client.post(f"/operators/{olga}", data={"role": VIEWER}, headers={**HTMX, **ENGLISH})

        assert (asked.status_code, asked.headers["HX-Retarget"], asked.headers["HX-Reswap"]) == (
            403,
            "#main",
            "innerHTML",
        )
        assert "<html" not in asked.text
        assert confirm(client, asked).location == "/operators/"

    def test_page_asked_for_by_htmx_leads_to_the_question(self, client: FlaskClient) -> None:
        asked = client.get("/operators/", headers={**HTMX, "HX-Current-URL": "http://localhost/administration"})

        assert asked.headers["HX-Redirect"] == "/confirm?next=/administration"


class TestFiles:
    """A file leaves the page where it is: so it goes back to the one with the button, and says so."""

    @pytest.mark.parametrize("page", ["/audit/?actor=%D0%90&action=sign_in", "/employees/1"])
    @pytest.mark.usefixtures("employee")
    def test_nothing_is_downloaded_and_that_is_said(self, client: FlaskClient, page: str) -> None:
        path = "/employees/1/export" if page == "/employees/1" else "/audit/export"
        asked = press(client, path, {"actor": "А", "action": "sign_in"}, page)
        again = confirm(client, asked, "wrong")

        answer = confirm(client, again)

        assert DONE_AT_ONCE not in asked.text
        assert (answer.status_code, answer.location) == (303, page)
        assert "Nothing is downloaded yet: press the button again." in client.get(page, headers=ENGLISH).text
        file = client.post(path, data={"actor": "А"})
        assert file.headers["Content-Disposition"].startswith("attachment")
        file.close()


class TestSecrets:
    """A terminal's password is written into no page, so its form comes back and says what is missing."""

    FORM: ClassVar = {"name": "Склад", "url": "http://terminal.test", "username": "admin", "password": "New-secret-99"}

    def ask(self, client: FlaskClient, path: str) -> TestResponse:
        asked = press(client, path, {**self.FORM, "is_active": "y"})
        assert self.FORM["password"] not in asked.text
        assert "password must then be typed again" in asked.text
        (form,) = forms(asked.text)
        assert form.action == "/confirm"
        return form.send(client, ENGLISH, password=OPERATOR_PASSWORD)

    @pytest.mark.parametrize("path", ["/terminals/", "/terminals/1", "/terminals/fingerprint"])
    @pytest.mark.usefixtures("terminal")
    def test_form_is_shown_as_typed_and_asks_for_the_password_again(self, client: FlaskClient, path: str) -> None:
        shown = self.ask(client, path).text

        assert 'value="Склад"' in shown
        assert "Your password is confirmed. Nothing is saved yet: type the terminal&#39;s password again" in shown
        assert "You are signed in again" not in shown
        assert 'id="password-error"' in shown
        assert self.FORM["password"] not in shown

    def test_new_password_of_a_known_terminal_is_saved_in_the_end(
        self, app: Flask, client: FlaskClient, terminal: Terminal
    ) -> None:
        form = form_to(self.ask(client, "/terminals/1").text, "/terminals/1")

        assert form.send(client, password=self.FORM["password"]).location == "/terminals/1"

        with app.app_context():
            found = db.session.get_one(Terminal, terminal.id)
            assert (found.name, vault.decrypt(found.password_encrypted)) == ("Склад", self.FORM["password"])


class TestRefused:
    """What is asked for is not given."""

    @pytest.mark.parametrize(("password", "sentence"), [
        ("wrong", "The password is wrong."), ("", "must not be empty"), ("x" * 513, "too long"),
    ])  # fmt: skip
    def test_wrong_password_keeps_the_form_and_does_nothing(
        self, app: Flask, client: FlaskClient, olga: int, password: str, sentence: str
    ) -> None:
        again = confirm(client, press(client, f"/operators/{olga}", {"role": VIEWER}), password)

        assert again.status_code == 422
        assert sentence in again.text
        with app.app_context():
            assert db.session.get_one(Operator, olga).role == OPERATOR
        assert confirm(client, again).location == "/operators/"

    def test_guessing_is_throttled_and_the_form_still_kept(self, client: FlaskClient, olga: int) -> None:
        asked = press(client, f"/operators/{olga}", {"role": VIEWER})
        for _ in range(10):
            confirm(client, asked, "wrong")

        answer = confirm(client, asked)

        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 900
        assert form_to(answer.text, f"/operators/{olga}").fields["role"] == VIEWER

    def test_role_is_asked_for_before_the_password(self, app: Flask) -> None:
        viewer = client_of(app, VIEWER, confirmed=False)

        answer = viewer.post("/operators/", data={"name": "x", "role": VIEWER, "own_password": OPERATOR_PASSWORD})

        assert answer.status_code == 403
        with app.app_context():
            assert operators.by_name("x") is None

    def test_somebody_who_is_signed_out_meanwhile_gets_the_form_back(self, app: Flask, client: FlaskClient) -> None:
        (form,) = forms(press(client, "/operators/", {"name": "Борис", "role": VIEWER}).text)
        client.delete_cookie("hikflask")

        asked = form.send(client, ENGLISH, own_password=OPERATOR_PASSWORD)
        shown = form_to(asked.text, "/sign-in").send(client, name="Анна", password=OPERATOR_PASSWORD)

        assert OPERATOR_PASSWORD not in asked.text
        assert "own_" not in asked.text
        assert form_to(shown.text, "/operators/").fields["name"] == "Борис"
        with app.app_context():
            assert operators.by_name("Борис") is None


class TestNowhereElse:
    """The password of the question goes no further than the question."""

    def test_view_never_sees_it(self, app: Flask, client: FlaskClient) -> None:
        seen: list[list[str]] = []

        @wraps(app.view_functions["operators.create"])
        def create() -> str:
            seen.append(sorted({*request.form, *request.values}))
            return ""

        app.view_functions["operators.create"] = create
        (form,) = forms(press(client, "/operators/", {"name": "Борис", "role": VIEWER}).text)

        for _ in range(2):  # the second time it is confirmed already
            form.send(client, own_password=OPERATOR_PASSWORD)

        assert seen == [["csrf_token", "name", "role"]] * 2

    def test_it_is_neither_in_the_trail_nor_in_the_log(
        self, app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        asked = press(client, "/operators/", {"name": "Борис", "role": VIEWER})
        for password in ("Zq7-wrong-pw", OPERATOR_PASSWORD):
            confirm(client, asked, password)

        with app.app_context():
            trail = "\n".join(repr(tuple(row)) for row in db.session.execute(db.select(AuditEntry.__table__)))
            assert {"operator.created", "confirmation.refused"} <= set(
                db.session.execute(db.select(AuditEntry.action)).scalars()
            )
        for text in (trail, caplog.text):
            assert "Zq7-wrong-pw" not in text
            assert OPERATOR_PASSWORD not in text
