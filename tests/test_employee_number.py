"""Which texts are employee numbers."""

import pytest

from hikflask import employee_number


@pytest.mark.parametrize("text", ["1", "100222", "A7b", "9" * 32])
def test_letters_and_digits_are_a_number(text: str) -> None:
    assert employee_number.is_valid(text)


@pytest.mark.parametrize("text", ["", "9" * 33, "10 22", "10-22", "10_22", "сто", "٣", "100222\n", None, True, 100222])
def test_anything_else_is_none(text: object) -> None:
    assert not employee_number.is_valid(text)
