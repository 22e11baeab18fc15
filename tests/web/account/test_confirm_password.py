"""The page that asks for the operator's own password before a dangerous one opens."""

from flask import Flask

from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.signed_in import OPERATOR_PASSWORD, client_of


class TestConfirmation:
    """The operator's own password is asked for again before what can hurt."""

    def test_page_that_can_hurt_asks_first_and_then_opens(self, app: Flask) -> None:
        client = client_of(app, confirmed=False)
        assert client.get("/operators/").location == "/confirm?next=/operators/"

        assert client.post("/confirm", data={"password": "wrong"}).status_code == 422
        assert client.get("/operators/").status_code == 303
        right = client.post("/confirm", data={"password": OPERATOR_PASSWORD, "next": "/operators/"})

        assert right.location == "/operators/"
        assert client.get("/operators/").status_code == 200

    def test_form_that_comes_too_late_is_shown_again_as_typed(self, app: Flask) -> None:
        client = client_of(app, confirmed=False)
        form = {"name": "Вход 2", "url": "http://10.0.0.5", "username": "admin", "password": "Abc12345"}
        asked = client.post("/terminals/", data=form, headers=ENGLISH)
        assert asked.status_code == 403
        assert "Abc12345" not in asked.text

        again = form_to(asked.text, "/confirm").send(client, ENGLISH, password=OPERATOR_PASSWORD)

        assert 'value="Вход 2"' in again.text
        assert "Enter the password again" in again.text
