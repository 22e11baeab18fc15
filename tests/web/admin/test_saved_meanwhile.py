"""A form of an operator whom somebody else changes while it is open: nothing is undone without being shown."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Operator
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.services.accounts import operators
from tests.support.between import Between
from tests.support.filled_forms import Filled, form_to, words
from tests.support.signed_in import add_operator


@pytest.fixture
def olga(app: Flask) -> int:
    with app.app_context():
        return add_operator("Ольга", OPERATOR).id


@pytest.fixture
def form(client: FlaskClient, olga: int) -> Filled:
    """The form of the operator, as a page shows it."""
    return form_to(client.get(f"/operators/{olga}").text, f"/operators/{olga}")


def saved(app: Flask, operator_id: int) -> tuple[str, bool]:
    with app.app_context():
        operator = db.session.get_one(Operator, operator_id)
        return operator.role, operator.is_active


def change(app: Flask, operator_id: int, role: str, is_active: bool) -> None:
    with app.app_context():
        operators.change(operator_id, role, is_active)


TOLD = {
    "ru": "Тем временем кто-то другой изменил: Может входить. Эти изменения остались.",
    "en": "Somebody else has changed meanwhile: May sign in. That stays.",
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_operator_who_was_kept_out_meanwhile_stays_out(
    app: Flask, client: FlaskClient, form: Filled, olga: int, language: str
) -> None:
    change(app, olga, OPERATOR, is_active=False)

    answer = form.send(client, {"Accept-Language": language}, role=VIEWER)

    assert (answer.status_code, saved(app, olga)) == (303, (VIEWER, False))
    assert TOLD[language] in words(client.get(answer.location))


CONFLICT = {
    "ru": "Пока форма была открыта, кто-то другой изменил эти данные. Ничего ещё не сохранено: «Сохранить» запишет то, "
    "что введено здесь. Роль: сохранено «Администратор», здесь введено «Наблюдатель».",
    "en": "Somebody else has changed this meanwhile. Nothing is saved yet: “Save” writes what is typed here. "
    "Role: “Administrator” is saved, “Viewer” is typed here.",
}


def test_role_that_both_changed_is_shown_with_both_values_and_saved_by_a_second_press(
    app: Flask, client: FlaskClient, form: Filled, olga: int
) -> None:
    change(app, olga, ADMIN, is_active=True)

    for language, sentence in CONFLICT.items():
        shown = form.send(client, {"Accept-Language": language}, role=VIEWER)

        assert (shown.status_code, saved(app, olga)) == (409, (ADMIN, True))
        assert sentence in words(shown)
    assert form_to(shown.text, f"/operators/{olga}").send(client).status_code == 303
    assert saved(app, olga) == (VIEWER, True)


@pytest.mark.both_databases
@pytest.mark.parametrize(("role", "status"), [(OPERATOR, 303), (ADMIN, 409)])
def test_change_that_comes_after_the_form_was_compared_is_not_undone(
    app: Flask, client: FlaskClient, form: Filled, olga: int, between: Between, role: str, status: int
) -> None:
    other = between(operators, "change", lambda: change(app, olga, role, is_active=False), before=True)

    answer = form.send(client, role=VIEWER)

    other.finish()
    assert (answer.status_code, other.error) == (status, None)
    assert saved(app, olga) == (VIEWER if status == 303 else role, False)
