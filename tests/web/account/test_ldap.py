"""Signing in by the company's directory on the pages, and what is not changed here of its operators."""

import html
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.extensions import vault
from hikflask.models.accounts import LDAP, OPERATOR
from hikflask.services.accounts import operators
from tests.support.desk import ENGLISH
from tests.support.ldap import PASSWORD, Directory
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, client_of

DECIDES = "The company's directory has the password and the role of this operator. Change them there."


@pytest.fixture
def settings(company: Directory) -> dict[str, Any]:
    company.members("admins", "ivanov")
    company.members("operators", "petrov")
    company.members("viewers")
    return company.settings()


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A browser on which nobody is signed in; there is a local operator."""
    with app.app_context():
        add_operator("Мария", OPERATOR)
    return app.test_client()


def sign_in(browser: FlaskClient, name: str, password: str = PASSWORD, language: str = "en") -> TestResponse:
    form = {"name": name, "password": password}
    return browser.post("/sign-in", data=form, headers={"Accept-Language": language})


def test_operator_of_the_directory_works_and_confirms_with_its_password(browser: FlaskClient) -> None:
    assert sign_in(browser, "ivanov").location == "/"
    assert browser.get("/administration").status_code == 200
    assert browser.post("/confirm", data={"password": "wrong"}).status_code == 422
    assert browser.post("/confirm", data={"password": PASSWORD}).status_code == 303


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", "Имя или пароль неверны либо каталог организации сейчас не отвечает."),
        ("en", "The name or the password is wrong, or the company's directory does not answer just now."),
    ],
)
def test_every_refusal_reads_the_same(app: Flask, browser: FlaskClient, language: str, said: str) -> None:
    tries = [("ivanov", "wrong"), ("missing", PASSWORD), ("Мария", "wrong"), ("nobody", PASSWORD)]
    answers = [sign_in(browser, *one, language=language) for one in tries]
    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"
    answers += [sign_in(browser, *one, language=language) for one in (("petrov", PASSWORD), ("Мария", "wrong"))]

    assert [one.status_code for one in answers] == [401] * 6
    assert all(said in html.unescape(one.text) for one in answers)
    assert sign_in(browser, "Мария", OPERATOR_PASSWORD).status_code == 303


def test_directory_that_is_away_is_said_to_who_is_signed_in(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser, "ivanov")
    app.config["LDAP_URL"] = "ldaps://127.0.0.1:1"

    asked = browser.post("/confirm", data={"password": PASSWORD}, headers=ENGLISH)

    assert asked.status_code == 503
    assert "The company's directory does not answer just now. Try again in half a minute." in html.unescape(asked.text)


def test_password_is_not_changed_here(browser: FlaskClient) -> None:
    sign_in(browser, "ivanov")

    assert "/account/password" not in browser.get("/account/").text
    for asked in (browser.get("/account/password", follow_redirects=True, headers=ENGLISH),
                  browser.post("/account/password", data={}, follow_redirects=True, headers=ENGLISH)):  # fmt: skip
        assert DECIDES in html.unescape(asked.text)


def test_administrator_changes_neither_password_nor_role(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser, "petrov")
    client = client_of(app)
    with app.app_context():
        petrov = operators.by_name("petrov")
        assert petrov is not None
    address = f"/operators/{petrov.id}"

    assert "of the company's directory" in html.unescape(client.get("/operators/", headers=ENGLISH).text)
    page = html.unescape(client.get(address, headers=ENGLISH).text)
    assert DECIDES in page
    assert "Give a new password" not in page
    reset = client.post(f"{address}/password", follow_redirects=True, headers=ENGLISH)
    assert DECIDES in html.unescape(reset.text)
    role = client.post(address, data={"role": "admin", "is_active": "y"}, headers=ENGLISH)
    assert (role.status_code, DECIDES in html.unescape(role.text)) == (422, True)
    assert client.post(address, data={"role": "operator"}).status_code == 303
    assert browser.get("/employees/").status_code == 303


def test_second_factor_holds_for_the_directory_too(app: Flask, browser: FlaskClient) -> None:
    with app.app_context():
        sealed = vault.encrypt("JBSWY3DPEHPK3PXP")
        add_operator("ivanov", OPERATOR, password_hash="", directory=LDAP, totp_encrypted=sealed)

    assert sign_in(browser, "ivanov").location == "/sign-in/code?next=/"
    assert browser.get("/employees/").status_code == 303


def test_commands_change_no_password_of_the_directory_either(app: Flask, browser: FlaskClient) -> None:
    sign_in(browser, "petrov")
    options = ["operator", "password", "petrov", "--password-stdin"]

    done = app.test_cli_runner().invoke(args=options, input="совсем другая лодка\n")

    assert (done.exit_code, done.stderr) == (1, f"Error: {DECIDES}\n")
