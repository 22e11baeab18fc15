"""The operator's own account: changing the password."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Operator
from hikflask.models.accounts import OPERATOR
from tests.support.desk import ENGLISH, typed
from tests.support.signed_in import OPERATOR_PASSWORD, client_of


class TestPassword:
    """One's own password."""

    def change(self, client: FlaskClient, **changed: str) -> Any:
        new = "четыре слова без связи"
        form = {"password": OPERATOR_PASSWORD, "new_password": new, "repeated": new, **changed}
        return client.post("/account/password", data=form, headers=ENGLISH)

    def test_change_ends_the_other_sessions_and_renews_this_one(self, app: Flask) -> None:
        here, there = client_of(app), client_of(app)
        copied = here.get_cookie("hikflask")
        assert copied is not None

        assert self.change(here).location == "/account/"

        assert here.get("/employees/").status_code == 200
        assert there.get("/employees/").status_code == 303
        thief = app.test_client()
        thief.set_cookie("hikflask", copied.value)
        assert thief.get("/employees/").status_code == 303

    def test_bad_ones_are_refused_and_never_shown(self, app: Flask) -> None:
        for changed, sentence in [
            ({"password": "wrong"}, "The password is wrong."),
            ({"new_password": "короткий", "repeated": "короткий"}, "at least 12 characters"),
            ({"new_password": "password1234", "repeated": "password1234"}, "too easy to guess"),
            ({"new_password": "йцукенгшщзхъ", "repeated": "йцукенгшщзхъ"}, "too easy to guess"),
            ({"new_password": "Анна Анна Анна", "repeated": "Анна Анна Анна"}, "too easy to guess"),
            ({"repeated": "другое"}, "not the same"),
            ({"new_password": "я" * 129, "repeated": "я" * 129}, "at most 128 characters"),
        ]:
            answer = self.change(client_of(app), **changed)

            assert answer.status_code == 422
            assert sentence in answer.text
            assert not any(f'value="{text}"' in answer.text for text in changed.values())

    @pytest.mark.parametrize("new", ["🚪 ключ 🔑 чай 🫖 👩🏽‍🚀", "  пробелы спереди и сзади  ", "<b>&quot; 李花 \\ é"])
    def test_any_character_may_be_in_it(self, app: Flask, new: str) -> None:
        assert self.change(client_of(app), new_password=new, repeated=new).status_code == 303

        form = {"name": "Анна", "password": new}
        assert app.test_client().post("/sign-in", data={**form, "password": f"{new}x"}).status_code == 401
        assert app.test_client().post("/sign-in", data=form).status_code == 303

    def test_password_that_was_given_must_be_changed_first(self, app: Flask) -> None:
        client = client_of(app, OPERATOR)
        with app.app_context():
            db.session.execute(db.update(Operator).values(must_change_password=True))
            db.session.commit()

        assert client.get("/employees/").location == "/account/password?next=/employees/"
        assert client.post("/employees/", data=typed()).status_code == 403
        assert self.change(client).status_code == 303
        assert client.get("/employees/").status_code == 200
