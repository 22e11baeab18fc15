"""Who acted, as a page says it."""

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.jobs import HOLDER
from hikflask.services import actor_names
from hikflask.services.errors import TerminalInUse
from hikflask.web import actors
from hikflask.web.errors import said


@pytest.mark.parametrize("holder", ["background", "worker"])
def test_terminal_in_use_by_the_worker_is_said_in_russian(app: Flask, holder: str) -> None:
    with app.app_context(), force_locale("ru"):
        assert said(TerminalInUse(who=holder, seconds=3)) == "Терминал занят: фоновый обработчик. Ещё около 3 с."
        assert said(TerminalInUse(who="", seconds=1)) == "Терминал занят."


@pytest.mark.parametrize("name", ["nobody", "command line", "worker"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_what_a_page_says_is_found_again(app: Flask, name: str, language: str) -> None:
    with app.app_context(), force_locale(language):
        assert actors.stored(actors.actor(name)) == name
        assert actors.stored("Ольга") == actors.actor("Ольга") == "Ольга"


@pytest.mark.parametrize("name", [*actors.ACTORS, HOLDER])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_nobody_can_be_called_as_a_page_says_it(app: Flask, name: str, language: str) -> None:
    with app.app_context(), force_locale(language):
        assert actor_names.is_reserved(actors.actor(name))
        assert actor_names.is_reserved(name)
