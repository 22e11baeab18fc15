"""More than twenty, or a tenth of a terminal's people, lose access by an administrator who confirms their number."""

import pytest

from hikflask import messages
from hikflask.services.core.errors import AdministratorNeeded, UnsafePlan
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Agreed, Loss, Losses


@pytest.mark.parametrize(
    ("count", "people", "many"), [(0, 0, False), (20, 200, False), (21, 1000, True), (10, 100, False), (11, 100, True)]
)
def test_what_is_many(count: int, people: int, many: bool) -> None:
    assert mass_removals.are_many(count, people) is many


def losses(people: int, *terminals: tuple[str, int, int]) -> Losses:
    return Losses(tuple(Loss(at, *loss) for at, loss in enumerate(terminals, 1)), people)


def test_few_lose_access_by_anybody() -> None:
    losses(1, ("Вход", 1, 100)).require(Agreed(None, by_admin=False))
    Losses().require(Agreed(None, by_admin=False))


def test_one_terminal_that_loses_many_is_enough() -> None:
    many = losses(31, ("Вход", 1, 100), ("Склад", 30, 400))

    many.require(Agreed(31, by_admin=True))
    for typed in (None, 30):
        with pytest.raises(UnsafePlan) as refused:
            many.require(Agreed(typed, by_admin=True))
        assert (refused.value.count, refused.value.fields) == (31, ("confirm",))


def test_many_lose_access_by_an_administrator_alone_and_the_refusal_names_people_and_terminals() -> None:
    with pytest.raises(AdministratorNeeded) as refused:
        losses(31, ("Вход", 1, 100), ("Склад", 30, 400)).require(Agreed(31, by_admin=False))

    assert messages.english(refused.value.code, **refused.value.params) == (
        "31 people lose access to Вход, Склад. Only an administrator may do that."
    )
    seven = losses(70, *((f"Вход {at}", 10, 10) for at in range(7)))
    assert seven.refusal.params["t"] == "Вход 0, Вход 1, Вход 2, Вход 3, Вход 4, …"
