"""More than twenty, or a tenth of a terminal's people, lose access by an administrator who confirms their number."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from hikflask import messages
from hikflask.extensions import db
from hikflask.models import Throttle
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.dates import today
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import AdministratorNeeded, UnsafePlan
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses

pytestmark = pytest.mark.usefixtures("context")
OPERATOR = Confirmation(None, by_admin=False)


def test_what_is_many() -> None:
    for count, people, many in [
        *[(0, 0, False), (20, 200, False), (21, 1000, True), (10, 100, False), (11, 100, True)],
        # A tenth of a small terminal is one person.
        *[(1, 1, False), (2, 9, False), (3, 9, True)],
    ]:
        assert mass_removals.exceeds_limit(count, people) is many


def losses(people: int, *terminals: tuple[str, int, int]) -> Losses:
    return Losses(tuple(Loss(at, *loss) for at, loss in enumerate(terminals, 1)), people)


def test_few_lose_access_by_anybody() -> None:
    losses(1, ("Вход", 1, 100)).require(OPERATOR)
    Losses().require(OPERATOR)


def test_one_terminal_that_loses_many_is_enough() -> None:
    many = losses(31, ("Вход", 1, 100), ("Склад", 30, 400))

    many.require(Confirmation(31, by_admin=True))
    for typed in (None, 30):
        with pytest.raises(UnsafePlan) as refused:
            many.require(Confirmation(typed, by_admin=True))
        assert (refused.value.count, refused.value.fields) == (31, ("confirm",))


def test_many_lose_access_by_an_administrator_alone_and_the_refusal_names_people_and_terminals() -> None:
    with pytest.raises(AdministratorNeeded) as refused:
        losses(31, ("Вход", 1, 100), ("Склад", 30, 400)).require(Confirmation(31, by_admin=False))

    assert messages.english(refused.value.code, **refused.value.params) == (
        "31 people lose access to Вход, Склад. Only an administrator may do that."
    )
    seven = losses(70, *((f"Вход {at}", 10, 10) for at in range(7)))
    assert seven.refusal.params["t"] == "Вход 0, Вход 1, Вход 2, Вход 3, Вход 4, …"


def test_days_that_take_access() -> None:
    for before, after, takes in [
        # However far ahead the last day is: who sets it for many would only have to wait. In days from today.
        ((None, None), (None, 31), True),
        ((None, 400), (None, 399), True),
        ((None, 30), (None, 31), False),
        ((None, 30), (None, None), False),
        ((None, None), (1, None), True),
        ((None, None), (0, None), False),
    ]:
        then, now = ([None if at is None else today() + timedelta(days=at) for at in days] for days in (before, after))

        assert mass_removals.take_access((then[0], then[1]), (now[0], now[1])) is takes


def take(name: str, people: int, of: int, terminal: int = 1) -> None:
    """Somebody takes a terminal from so many of its people."""
    with audit.acting(Actor(name)), transaction():
        Losses((Loss(terminal, "Вход", people, of),), people).require(OPERATOR)


@pytest.mark.both_databases
def test_few_and_few_are_many_by_the_same_hand_within_a_day(app: Flask) -> None:  # noqa: ARG001
    take("Анна", 8, 100)
    take("Борис", 8, 92)
    with pytest.raises(AdministratorNeeded):
        take("Анна", 8, 84)
    take("Анна", 1, 84)
    with pytest.raises(AdministratorNeeded):
        take("Анна", 1, 83)

    with transaction():
        db.session.execute(update(Throttle).values(since=database_now(-86401.0)))
    take("Анна", 8, 83)


def test_twenty_people_of_all_terminals_together_are_the_limit() -> None:
    for terminal in range(5):
        take("API кадры", 4, 1000, terminal)
    with pytest.raises(AdministratorNeeded):
        take("API кадры", 1, 1000, 9)


def test_what_an_administrator_confirmed_is_not_counted_again() -> None:
    many = losses(31, ("Вход", 31, 100))
    many.require(Confirmation(31, by_admin=True))

    assert db.session.execute(select(Throttle)).first() is None
    losses(1, ("Вход", 1, 69)).require(Confirmation(None, by_admin=True))


def test_administrator_is_asked_for_the_last_small_piece_too() -> None:
    few = losses(2, ("Вход", 2, 30))
    few.require(Confirmation(None, by_admin=True))
    rest = losses(2, ("Вход", 2, 28))

    assert (rest.exceeds_limit, rest.taken_before) == (True, 2)
    with pytest.raises(UnsafePlan):
        rest.require(Confirmation(None, by_admin=True))
    rest.require(Confirmation(2, by_admin=True))
