"""Which validity a terminal is to have."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikflask.isapi.persons import FIRST_MOMENT, LAST_MOMENT
from hikflask.models import Employee, Enrolment
from hikflask.services.enrolments import validity

UNLIMITED = "2000-01-01T00:00:00/2037-12-31T23:59:59"
MARCH_TO_JUNE = "2026-03-01T00:00:00/2026-06-30T23:59:59"
MARCH, JUNE = date(2026, 3, 1), date(2026, 6, 30)
LIMITS = st.one_of(st.none(), st.dates())


def employee(valid_from: date | None = None, valid_to: date | None = None) -> Employee:
    return Employee(number="100222", name="Иван", valid_from=valid_from, valid_to=valid_to)


def enrolment(of: Employee | None, sent_valid: str = "") -> Enrolment:
    return Enrolment(employee=of, valid_there="", sent_valid=sent_valid)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "words"),
    [
        (None, None, ""),
        (MARCH, JUNE, MARCH_TO_JUNE),
        (MARCH, None, "2026-03-01T00:00:00/2037-12-31T23:59:59"),
        (None, JUNE, "2000-01-01T00:00:00/2026-06-30T23:59:59"),
        (MARCH, MARCH, "2026-03-01T00:00:00/2026-03-01T23:59:59"),
        (date(1990, 1, 1), date(2050, 1, 1), UNLIMITED),
    ],
)
def test_whole_days_count_within_the_terminals_calendar(
    valid_from: date | None, valid_to: date | None, words: str
) -> None:
    assert validity.words(validity.wanted(employee(valid_from, valid_to))) == words


def test_somebody_deleted_has_no_limit() -> None:
    assert validity.wanted(None) is None


@settings(deadline=None)
@given(LIMITS, LIMITS)
def test_any_pair_of_days_stays_within_the_calendar_in_order(one: date | None, other: date | None) -> None:
    first, last = (min(one, other), max(one, other)) if one and other else (one, other)
    window = validity.wanted(employee(first, last))
    assert (window is None) == (first is None and last is None)
    if window:
        assert FIRST_MOMENT <= window[0] < window[1] <= LAST_MOMENT
        assert (window[0].time(), window[1].time()) == (FIRST_MOMENT.time(), LAST_MOMENT.time())


def test_a_limit_that_was_sent_before_is_lifted_by_the_unlimited_window() -> None:
    assert validity.asked(enrolment(employee(), sent_valid=MARCH_TO_JUNE)) == validity.UNLIMITED
    assert validity.asked(enrolment(employee())) is None
