"""The page that adds the first administrator."""

from typing import ClassVar

from flask import Flask

from hikflask.models.accounts import ADMIN
from hikflask.services.accounts import operators
from tests.support.desk import ENGLISH


class TestFirstRun:
    """The first administrator, made by whoever can read the log."""

    FORM: ClassVar = {"name": "Анна", "new_password": "четыре слова без связи", "repeated": "четыре слова без связи"}

    def test_without_operators_every_page_leads_there(self, app: Flask) -> None:
        browser = app.test_client()

        assert browser.get("/", follow_redirects=True).request.path == "/first-run"

    def test_the_code_makes_one_administrator_and_the_page_is_gone(self, app: Flask) -> None:
        browser = app.test_client()
        with app.app_context():
            code = operators.setup_code()

        assert browser.post("/first-run", data={**self.FORM, "code": code.lower()}).location == "/sign-in"

        assert browser.get("/first-run").status_code == 404
        assert browser.post("/first-run", data={**self.FORM, "code": code, "name": "Второй"}).status_code == 404
        with app.app_context():
            assert [one.role for one in operators.list_all()] == [ADMIN]

    def test_wrong_code_is_refused_and_guessing_throttled(self, app: Flask) -> None:
        browser = app.test_client()
        for _ in range(10):
            answer = browser.post("/first-run", data={**self.FORM, "code": "AAAA-AAAA-AAAA-AAAA"}, headers=ENGLISH)
            assert (answer.status_code, "The code is wrong." in answer.text) == (422, True)

        refused = browser.post("/first-run", data={**self.FORM, "code": "x"})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 900
        with app.app_context():
            assert not operators.exist()
