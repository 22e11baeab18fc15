"""What is said of the terminals in use."""

import pytest
from flask import Flask

from hikflask.diagnosis import terminals
from hikflask.services.attention import terminal_problems
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST

PLACE = f"Terminal “Вход” (http://{HOST})"


def told(app: Flask) -> list[tuple[bool, str]]:
    with app.app_context():
        return [(finding.is_good, finding.sentence) for finding in terminals.check()]


def test_without_terminals_it_is_said_how_to_add_one(app: Flask) -> None:
    assert told(app) == [(True, "There are no terminals yet: `hikflask terminal add NAME URL USERNAME` adds one.")]


@pytest.mark.usefixtures("terminal")
def test_terminal_that_answers_is_asked_and_good(app: Flask, simulator: Simulated) -> None:
    assert told(app) == [(True, f"{PLACE} answers, and its login works.")]
    assert simulator.log


@pytest.mark.usefixtures("terminal")
def test_terminal_that_is_off_is_said(app: Flask, simulator: Simulated) -> None:
    simulator.faults.add("drop")

    assert told(app) == [(False, f"{PLACE} does not answer: is it on, and in a network that this machine reaches?")]


@pytest.mark.usefixtures("terminal")
def test_refused_password_is_said_and_nothing_more_is_sent(app: Flask, simulator: Simulated) -> None:
    simulator.login.password = "Changed99"
    first = told(app)
    simulator.log.clear()

    assert (
        first
        == told(app)
        == [
            (False, f"{PLACE} refused our password; nothing more is sent to it until another one is typed on its page.")
        ]
    )
    assert simulator.log == []


def test_every_trouble_has_a_sentence() -> None:
    assert set(terminals.SENTENCES) == set(terminal_problems.KINDS)
