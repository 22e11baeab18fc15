"""A form of a group that somebody else changes while it is open: ticks of both are applied, and nothing is undone."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models.accounts import ADMIN
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import locks, queries
from hikflask.services.groups.registry import Wanted
from tests.support.between import Between
from tests.support.filled_forms import Filled, digest_of, form_to, words
from tests.support.groups import ENTRANCE, STORE, YARD, add_terminals, change_group, make_group, wishes
from tests.support.signed_in import client_of

FORM = "/groups/1"


@pytest.fixture
def ids(app: Flask) -> dict[str, int]:
    """The terminals; a group has the first of them and one department."""
    with app.app_context():
        ids = add_terminals(ENTRANCE, STORE, YARD)
        make_group("Офис", [ids[ENTRANCE]], "Охрана")
        return ids


@pytest.fixture
def form(client: FlaskClient, ids: dict[str, int]) -> Filled:  # noqa: ARG001 - the group is there
    """The form of the group, as a page shows it."""
    return form_to(client.get(f"{FORM}/edit").text, FORM)


def saved(app: Flask) -> tuple[str, set[str], tuple[str, ...]]:
    with app.app_context():
        group = queries.get(1)
        assert group
        return group.name, {terminal.name for terminal in group.terminals}, group.departments


def change_as_boris(app: Flask, name: str, terminal_ids: list[int], *departments: str) -> None:
    with app.app_context():
        change_group(1, Wanted(name, terminal_ids, departments))


TOLD = {
    "ru": "Тем временем кто-то другой изменил: Терминалы, Отделы. Эти изменения остались.",
    "en": "Somebody else has changed meanwhile: Terminals, Departments. That stays.",
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_ticks_of_both_are_applied(
    app: Flask, client: FlaskClient, form: Filled, ids: dict[str, int], language: str
) -> None:
    change_as_boris(app, "Офис", [ids[ENTRANCE], ids[STORE]], "Склад")

    form.fields.setlist("terminals", [str(ids[YARD])])
    answer = form.send(client, {"Accept-Language": language}, name="Офисы")

    assert answer.status_code == 303
    assert saved(app) == ("Офисы", {STORE, YARD}, ("Склад",))
    assert TOLD[language] in words(client.get(answer.location))


CONFLICT = {
    "ru": "Пока форма была открыта, кто-то другой изменил эти данные. Ничего ещё не сохранено: «Сохранить» запишет то, "
    "что введено здесь. Название: сохранено «Контора», здесь введено «Офисы». Терминалы: сохранено «Вход, Склад», "
    "теперь и здесь.",
    "en": "Somebody else has changed this meanwhile. Nothing is saved yet: “Save” writes what is typed here. "
    "Name: “Контора” is saved, “Офисы” is typed here. Terminals: “Вход, Склад” is saved, and now stands here, too.",
}


def test_name_that_both_changed_is_shown_with_both_values_and_saved_by_a_second_press(
    app: Flask, client: FlaskClient, form: Filled, ids: dict[str, int]
) -> None:
    change_as_boris(app, "Контора", [ids[ENTRANCE], ids[STORE]], "Охрана")

    form.fields.add("terminals", str(ids[YARD]))
    for language, sentence in CONFLICT.items():
        shown = form.send(client, {"Accept-Language": language}, name="Офисы")

        assert shown.status_code == 409
        assert sentence in words(shown)
        assert saved(app) == ("Контора", {ENTRANCE, STORE}, ("Охрана",))
    assert form_to(shown.text, FORM).send(client).status_code == 303
    assert saved(app) == ("Офисы", {ENTRANCE, STORE, YARD}, ("Охрана",))


def test_answer_to_what_changes_for_people_keeps_the_ticks_of_both(
    app: Flask, client: FlaskClient, form: Filled, ids: dict[str, int]
) -> None:
    with app.app_context():
        save_employee(Draft("1", "Анна", "Охрана"))
    form.fields.add("terminals", str(ids[YARD]))
    asked = form.send(client)
    change_as_boris(app, "Офис", [ids[ENTRANCE], ids[STORE]], "Охрана", "Архив")

    answer = form_to(asked.text, FORM).send(client, shown=digest_of(asked.text))

    assert (asked.status_code, answer.status_code) == (422, 303)
    assert saved(app) == ("Офис", {ENTRANCE, STORE, YARD}, ("Архив", "Охрана"))
    with app.app_context():
        assert wishes("1") == {ENTRANCE: True, STORE: True}


@pytest.mark.both_databases
@pytest.mark.parametrize(("name", "status"), [("Офис", 303), ("Контора", 409)])
def test_change_that_comes_after_the_form_was_compared_is_not_undone(
    app: Flask, form: Filled, ids: dict[str, int], between: Between, name: str, status: int
) -> None:
    other = between(
        locks, "change_alone", lambda: change_as_boris(app, name, [ids[STORE]], "Охрана", "Склад"), before=True
    )

    form.fields.add("terminals", str(ids[YARD]))
    answer = form.send(client_of(app, ADMIN, "Ольга"), name="Офисы")

    other.finish()
    assert (answer.status_code, other.error) == (status, None)
    kept = ("Офисы", {STORE, YARD}, ("Охрана", "Склад"))
    assert saved(app) == (kept if status == 303 else (name, {STORE}, ("Охрана", "Склад")))
