"""Form pages open with the focus on the first field, or on the first one that has an error."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from tests.support.import_batches import add_import
from tests.support.signed_in import add_operator, client_of

FOCUSED = re.compile(r"<(?:input|select|textarea)(?=[^>]* autofocus[ >])[^>]* id=\"(\w+)\"")


@pytest.fixture
def rows(app: Flask, terminal: Terminal) -> None:  # noqa: ARG001 - the terminal has id 1
    """An employee and an operator, so that each page has its row."""
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов"))
        add_operator("Ольга")
        add_import()


def focused(page: str) -> list[str]:
    return FOCUSED.findall(page)


@pytest.mark.usefixtures("rows")
def test_first_field_has_the_focus(app: Flask) -> None:
    for address, field in [
        ("/terminals/new", "name"),
        ("/terminals/1/edit", "name"),
        ("/terminals/1/edit?focus=password", "password"),
        ("/terminals/1/edit?focus=nothing", "name"),
        ("/groups/new", "name"),
        ("/terminals/1/retire", "note"),
        ("/operators/", "name"),
        ("/operators/2", "role"),
        ("/tokens/", "name"),
        ("/administration/settings/CAPTURE_HOLD", "value"),
        ("/administration/settings/CONSENT", "choice"),
        ("/employees/1/consent", "given_on"),
        ("/removals/bulk", "numbers"),
        ("/imports/new", "table"),
        ("/imports/1/columns", "number"),
        ("/account/password", "password"),
    ]:
        answer = client_of(app).get(address)

        assert (answer.status_code, focused(answer.text)) == (200, [field])


def test_sign_in_begins_with_the_name(app: Flask) -> None:
    with app.app_context():
        add_operator()
    assert focused(app.test_client().get("/sign-in").text) == ["name"]


def test_password_that_is_asked_for_again_has_the_focus(app: Flask) -> None:
    assert focused(client_of(app, confirmed=False).get("/confirm").text) == ["password"]


def test_first_error_has_the_focus(client: FlaskClient) -> None:
    refused = client.post(
        "/terminals/", data={"name": "Вход", "url": "http://terminal.test", "username": "", "password": ""}
    )

    assert focused(refused.text) == ["username"]
