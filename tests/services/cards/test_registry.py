"""A card is one employee's, by its very number; other numbers that may be the same card's are pointed out."""

from collections.abc import Iterable

import pytest

from hikflask.services.captures.drafts import Draft
from hikflask.services.cards import registry
from hikflask.services.core.errors import CardTaken, NotFound, ServiceError
from hikflask.services.employees.save import save_employee
from tests.support.captures import IVAN

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


@pytest.fixture
def ivan(context: None) -> int:  # noqa: ARG001
    return save_employee(IVAN).row.id


@pytest.fixture
def anna(context: None) -> int:  # noqa: ARG001
    return save_employee(Draft("5", "Анна Ким")).row.id


def test_card_of_somebody_here_is_refused_with_whose_it_is(ivan: int, anna: int) -> None:
    registry.give(ivan, "7A")

    with pytest.raises(CardTaken) as refused:
        registry.give(anna, "7A")

    assert refused.value.params == {"n": "7A", "name": "Иван Иванов", "number": "100222"}
    assert registry.give(anna, "7a").row.number == "7a"


@pytest.mark.parametrize("number", ["", " 7", "7;8", "Ж", "7" * 33])
def test_what_is_no_number_is_refused(ivan: int, number: str) -> None:
    with pytest.raises(ServiceError, match=r"^card_number_wrong$") as refused:
        registry.give(ivan, number)
    assert refused.value.fields == ("number",)


def test_card_of_another_employee_is_not_taken_away(ivan: int, anna: int) -> None:
    card = registry.give(ivan, "7").row
    with pytest.raises(NotFound, match=r"^card_unknown$"):
        registry.take_away(anna, card.id)


@pytest.mark.parametrize(
    ("number", "others"),
    [
        ("0012345", ["12345", "012345"]),
        ("04aB12", ["4AB12", "04ab12"]),
        ("85EF77B4", ["B477EF85"]),
        ("2247063476", ["3027758981"]),
        ("1", ["001"]),
    ],
)
def test_numbers_that_may_be_one_card_are_pointed_out(anna: int, number: str, others: Iterable[str]) -> None:
    registry.give(anna, number)
    for other in others:
        assert [card.number for card in registry.similar(other)] == [number]
    assert registry.similar("777777") == []
    assert registry.similar(number) == []
