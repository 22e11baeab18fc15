"""Which texts are days of a validity, and which days terminals accept."""

from datetime import date

import pytest

from hikflask import validity_days
from hikflask.isapi import persons


def test_day_is_read_as_it_is_written() -> None:
    assert validity_days.day_of("2036-02-29") == date(2036, 2, 29)
    assert validity_days.written(date(2036, 2, 29)) == "2036-02-29"
    assert validity_days.written(None) == ""


@pytest.mark.parametrize("text", ["", "2035-02-29", "20360229", "2036-W09-5", "29.02.2036", "2036-02-29 ", None, 2036])
def test_anything_else_is_none(text: object) -> None:
    assert validity_days.day_of(text) is None


def test_accepted_days_are_those_of_terminals() -> None:
    assert persons.FIRST_MOMENT.date() == validity_days.FIRST_DAY
    assert persons.LAST_MOMENT.date() == validity_days.LAST_DAY
    days = (date(1999, 12, 31), date(2000, 1, 1), date(2037, 12, 31), date(2038, 1, 1))
    assert [validity_days.is_accepted(day) for day in days] == [False, True, True, False]
