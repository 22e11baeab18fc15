"""A form of a terminal that somebody else changes while it is open: nothing is undone without being shown."""

import pytest
from flask import Flask

from hikflask.extensions import db, vault
from hikflask.models import Terminal
from hikflask.models.accounts import ADMIN
from hikflask.services.terminals import leases
from tests.conftest import PASSWORD
from tests.support.between import Between
from tests.support.desk import Desk
from tests.support.filled_forms import Filled, form_to, words
from tests.support.signed_in import client_of

FORM = "/terminals/1"
OTHER = "http://192.168.1.66"


@pytest.fixture
def form(desk: Desk) -> Filled:
    """The form of a terminal, as a page shows it."""
    return form_to(desk.text(f"{FORM}/edit"), FORM)


def saved(app: Flask) -> tuple[str, str, str, bool]:
    with app.app_context():
        terminal = db.session.get_one(Terminal, 1)
        return terminal.name, terminal.url, terminal.username, terminal.is_active


def save_as_boris(app: Flask, **changed: str) -> None:
    boris = client_of(app, ADMIN, "Борис")
    form = form_to(boris.get(f"{FORM}/edit").text, FORM)
    if changed.get("is_active") == "":
        del form.fields["is_active"], changed["is_active"]
    answer = form.send(boris, **changed)
    assert answer.status_code == 303, answer.text


TOLD = {
    "ru": "Тем временем кто-то другой изменил: Учётная запись, Используется. Эти изменения остались.",
    "en": "Somebody else has changed meanwhile: Account, In use. That stays.",
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_fields_that_somebody_else_changed_stay_and_are_told(
    app: Flask, desk: Desk, form: Filled, language: str
) -> None:
    save_as_boris(app, username="door", is_active="")

    answer = form.send(desk.client, {"Accept-Language": language}, name="Проходная")

    assert answer.status_code == 303
    assert saved(app) == ("Проходная", "http://terminal.test", "door", False)
    assert TOLD[language] in words(desk.client.get(answer.location))


CONFLICT = {
    "ru": "Пока форма была открыта, кто-то другой изменил эти данные. Ничего ещё не сохранено: «Сохранить» запишет то, "
    "что введено здесь. Название: сохранено «Двор», здесь введено «Склад». Используется: сохранено «нет», теперь и "
    "здесь.",
    "en": "Somebody else has changed this meanwhile. Nothing is saved yet: “Save” writes what is typed here. "
    "Name: “Двор” is saved, “Склад” is typed here. In use: “no” is saved, and now stands here, too.",
}


def test_field_that_both_changed_is_shown_with_both_values_and_saved_by_a_second_press(
    app: Flask, desk: Desk, form: Filled
) -> None:
    save_as_boris(app, name="Двор", is_active="")

    for language, sentence in CONFLICT.items():
        shown = form.send(desk.client, {"Accept-Language": language}, name="Склад", face_by_picture="y")

        assert shown.status_code == 409
        assert sentence in words(shown)
        assert saved(app)[0] == "Двор"
    again = form_to(shown.text, FORM)
    assert (again.fields["name"], again.fields["face_by_picture"]) == ("Склад", "y")
    assert again.send(desk.client).status_code == 303
    assert saved(app) == ("Склад", "http://terminal.test", "admin", False)


def test_password_goes_only_to_the_address_beside_which_it_was_typed(app: Flask, desk: Desk, form: Filled) -> None:
    save_as_boris(app, url=OTHER, password="Another12")

    shown = form.send(desk.client, password=PASSWORD)

    assert shown.status_code == 409
    assert f"Адрес: сохранено «{OTHER}», здесь введено «http://terminal.test»." in words(shown)
    assert "Введите пароль ещё раз." in words(shown)
    with app.app_context():
        assert vault.decrypt(db.session.get_one(Terminal, 1).password_encrypted) == "Another12"
    again = form_to(shown.text, FORM).send(desk.client, password=PASSWORD)
    assert (again.status_code, saved(app)[1]) == (303, "http://terminal.test")


@pytest.mark.both_databases
@pytest.mark.parametrize(("changed", "status"), [({"username": "door"}, 303), ({"name": "Двор"}, 409)])
def test_change_that_comes_after_the_form_was_compared_is_not_undone(
    app: Flask, desk: Desk, form: Filled, between: Between, changed: dict[str, str], status: int
) -> None:
    other = between(leases, "acquire", lambda: save_as_boris(app, **changed), before=True)

    answer = form.send(desk.client, name="Склад")

    other.finish()
    assert (answer.status_code, other.error) == (status, None)
    name, _, username, _ = saved(app)
    assert (name, username) == (changed.get("name", "Склад"), changed.get("username", "admin"))
