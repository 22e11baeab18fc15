"""The names of actors on a page."""

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.background.tasks import HOLDER
from hikflask.labels import actors
from hikflask.labels.refusals import error_sentence
from hikflask.services.accounts import reserved_names
from hikflask.services.core.errors import TerminalInUse


@pytest.mark.parametrize("holder", ["background", "worker"])
def test_terminal_in_use_by_the_worker_is_said_in_russian(app: Flask, holder: str) -> None:
    with app.app_context(), force_locale("ru"):
        assert (
            error_sentence(TerminalInUse(who=holder, seconds=3)) == "Терминал занят: фоновый обработчик. Ещё около 3 с."
        )
        assert error_sentence(TerminalInUse(who="", seconds=1)) == "Терминал занят."


@pytest.mark.parametrize("name", ["nobody", "command line", "worker"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_what_a_page_says_is_found_again(app: Flask, name: str, language: str) -> None:
    with app.app_context(), force_locale(language):
        assert actors.stored_name(actors.actor_name(name)) == name
        assert actors.stored_name("Ольга") == actors.actor_name("Ольга") == "Ольга"


@pytest.mark.parametrize("name", [*actors.ACTORS, HOLDER])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_nobody_can_be_called_as_a_page_says_it(app: Flask, name: str, language: str) -> None:
    with app.app_context(), force_locale(language):
        assert reserved_names.is_reserved(actors.actor_name(name))
        assert reserved_names.is_reserved(name)
