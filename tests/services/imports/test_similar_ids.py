"""IDs that nobody has, and the one here that each may mean."""

import pytest

from hikflask.services.imports.similar_ids import find_similar, read_forms
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("context")


def similar(number: str) -> str | None:
    found = find_similar([number], read_forms())
    return found[number][0] if number in found else None


@pytest.mark.both_databases
def test_zeros_prefix_and_letters_that_look_alike_make_no_difference() -> None:
    add_people("00012", "T00345", "AB7")

    assert {number: similar(number) for number in ("12", "0000012", "X-12", "ОО12", "l2", "№ 00 012")} == dict.fromkeys(
        ("12", "0000012", "X-12", "ОО12", "l2", "№ 00 012"), "00012"
    )
    assert [similar(number) for number in ("345", "t345", "00345")] == ["T00345"] * 3
    assert similar("АВ7") == "AB7"


def test_nobody_is_guessed_where_several_may_be_meant_or_nobody() -> None:
    add_people("00012", "T00012")

    assert [similar(number) for number in ("12", "13", "", "Имя", "0", "٣")] == [None] * 6
