"""When the validity that a terminal shows differs, and which whole days an employee gets by it at a take-over."""

from datetime import UTC, date, datetime, timedelta

import pytest

from hikflask.isapi.persons import Validity
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.comparisons import validity_there
from hikflask.services.comparisons.validity_there import Limits, limits_of, limits_taken, validity_of, words_of
from hikflask.services.core.dates import today
from hikflask.services.core.errors import ServiceError

pytestmark = pytest.mark.usefixtures("context")

JUNE = date(2036, 6, 30)
MARCH, SUMMER = date(2026, 3, 1), date(2026, 6, 30)
MARCH_TO_JUNE = "2026-03-01T00:00:00/2026-06-30T23:59:59"
NO_END = "2000-01-01T00:00:00/2037-12-31T23:59:59"
HOURS = {None: None, "UTC": timedelta(), "+5": timedelta(hours=5), "-3": timedelta(hours=-3), "+9": timedelta(hours=9)}


@pytest.fixture
def terminal() -> Terminal:
    """One whose clock is five hours ahead of UTC."""
    return Terminal(zone="CST-5:00:00", clock_checked_at=datetime.now(UTC))


def window(begin: str, end: str, zone: str | None = None, *, enabled: bool = True) -> Validity:
    return Validity(datetime.fromisoformat(begin), datetime.fromisoformat(end), enabled, HOURS[zone])


FIRST, LAST = "2000-01-01T00:00:00", "2037-12-31T23:59:59"
NO_LIMIT = (
    None,
    window(FIRST, LAST),
    window(FIRST, "2099-12-31T23:59:59"),
    window(FIRST, "2025-12-31T23:59:59", enabled=False),
)


def test_only_a_validity_that_is_off_or_not_there_or_to_the_calendars_end_is_no_limit(terminal: Terminal) -> None:
    for valid in (*NO_LIMIT, window(FIRST, LAST, "UTC"), window(FIRST, LAST, "-3")):
        assert limits_of(valid, terminal) == Limits()
    assert limits_of(window("2030-01-01T00:00:00", LAST), terminal) == Limits(date(2030, 1, 1))


def test_whole_days_are_kept_however_long_the_window_is(terminal: Terminal) -> None:
    for begin, end, days in (
        (FIRST, "2025-12-31T23:59:59", (None, date(2025, 12, 31))),
        ("2016-01-01T00:00:00", "2026-01-01T23:59:59", (date(2016, 1, 1), date(2026, 1, 1))),
        ("2025-01-01T00:00:00", "2035-12-31T23:59:59", (date(2025, 1, 1), date(2035, 12, 31))),
        ("2016-05-03T14:21:07", "2036-06-30T23:59:59", (date(2016, 5, 3), JUNE)),
    ):
        assert limits_of(window(begin, end), terminal) == Limits(*days)


def test_within_a_day_and_in_another_zone_the_days_before_it_are_kept(terminal: Terminal) -> None:
    for begin, end, zone, (first, last) in (
        (FIRST, "2036-07-01T18:00:00", None, (None, JUNE)),
        (FIRST, "2036-07-01T00:00:00", None, (None, JUNE)),
        ("2036-03-01T08:00:00", "2036-06-30T23:59:59", None, (date(2036, 3, 2), JUNE)),
        (FIRST, "2036-06-30T23:59:59", "UTC", (None, JUNE)),
        (FIRST, "2036-06-30T19:00:00", "UTC", (None, date(2036, 6, 29))),
        (FIRST, "2036-06-30T18:59:59", "UTC", (None, date(2036, 6, 29))),
        (FIRST, "2036-07-01T03:00:00", "-3", (None, JUNE)),
    ):
        assert limits_of(window(begin, end, zone), terminal) == Limits(first, last, is_rounded=True)


def test_zone_of_the_terminal_itself_changes_nothing(terminal: Terminal) -> None:
    assert limits_of(window(FIRST, "2036-06-30T23:59:59", "+5"), terminal) == Limits(None, JUNE)


REFUSED = [
    (window("1999-12-31T00:00:00", LAST), "validity_outside"),
    (window("0001-01-01T00:00:00", LAST, "+9"), "validity_outside"),
    (window("2038-01-01T00:00:00", "2040-12-31T23:59:59"), "validity_outside"),
    (window("2037-12-31T08:00:00", LAST), "validity_outside"),
    (window(FIRST, "1999-12-31T23:59:59"), "validity_outside"),
    (window(FIRST, "2000-01-01T18:00:00"), "validity_outside"),
    (window("2036-03-01T08:00:00", "2036-03-01T18:00:00"), "no_whole_day"),
    (Validity(None, None), "validity_not_readable"),
]


def test_days_that_no_employee_can_have_are_refused(terminal: Terminal) -> None:
    for valid, code in REFUSED:
        with pytest.raises(ServiceError, match=f"^{code}$"):
            limits_of(valid, terminal)


def test_visit_of_a_day_that_is_past_is_over(terminal: Terminal) -> None:
    visit = limits_of(window("2026-03-01T08:00:00", "2026-03-01T18:00:00"), terminal)

    assert (visit, visit.is_over) == (Limits(None, date(2026, 2, 28), is_rounded=True), True)


def test_last_day_is_not_over_before_its_end(terminal: Terminal) -> None:
    ends = datetime.combine(today(), datetime.max.time()).replace(microsecond=0)
    assert [limits_of(window(FIRST, f"{end}"), terminal).is_over for end in (ends, ends - timedelta(days=1))] == [
        False,
        True,
    ]


def test_employee_keeps_days_that_nobody_chose_to_lift(terminal: Terminal) -> None:
    own, other = Employee(number="900", name="Иван", valid_to=JUNE), window(FIRST, "2035-12-31T23:59:59")
    for valid in NO_LIMIT:
        assert limits_taken(valid, terminal, own, is_desired=False) == Limits(None, JUNE)
    assert limits_taken(None, terminal, own, is_desired=True) == Limits(None, JUNE)

    assert limits_taken(window(FIRST, LAST), terminal, own, is_desired=True) == Limits()
    assert limits_taken(other, terminal, own, is_desired=False) == Limits(None, date(2035, 12, 31))
    with pytest.raises(ServiceError, match=r"^over_there$"):
        limits_taken(window(FIRST, "2025-12-31T23:59:59"), terminal, own, is_desired=False)


def test_validity_is_kept_with_its_zone() -> None:
    for valid, words in (
        (None, ""),
        (Validity(None, None, enabled=False), "off"),
        (Validity(None, None), "unreadable"),
        (window(FIRST, LAST), f"{FIRST}/{LAST}"),
        (window(FIRST, LAST, "UTC"), f"{FIRST}/{LAST}+00:00"),
        (window(FIRST, LAST, "-3"), f"{FIRST}/{LAST}-03:00"),
    ):
        assert (words_of(valid), validity_of(words)) == (words, valid)
        assert len(words) <= 48


def enrolment_of(first: date | None, last: date | None, valid_there: str = "", sent_valid: str = "") -> Enrolment:
    employee = Employee(number="100222", name="Иван", valid_from=first, valid_to=last)
    return Enrolment(employee=employee, valid_there=valid_there, sent_valid=sent_valid)


@pytest.mark.parametrize(
    ("ours", "valid_there", "sent_valid", "there", "differs"),
    [
        ((MARCH, SUMMER), "", "", MARCH_TO_JUNE, False),
        ((MARCH, SUMMER), MARCH_TO_JUNE, "", NO_END, True),
        ((MARCH, SUMMER), "", "", "off", True),
        ((MARCH, SUMMER), "", "", "", False),
        ((MARCH, SUMMER), MARCH_TO_JUNE, "", "", True),
        ((None, None), MARCH_TO_JUNE, "", "", False),
        ((None, None), "", "", MARCH_TO_JUNE, True),
        ((None, None), NO_END, "", NO_END, False),
        ((None, None), NO_END, "", MARCH_TO_JUNE, True),
        ((None, None), MARCH_TO_JUNE, "", "off", True),
        ((None, None), MARCH_TO_JUNE, MARCH_TO_JUNE, MARCH_TO_JUNE, True),
        ((None, None), MARCH_TO_JUNE, MARCH_TO_JUNE, NO_END, False),
    ],
)
def test_it_differs_from_what_is_asked_or_from_what_was_there(
    ours: tuple[date | None, date | None], valid_there: str, sent_valid: str, there: str, differs: bool
) -> None:
    row = enrolment_of(*ours, valid_there, sent_valid)
    assert validity_there.differs(row, validity_of(there)) is differs


def test_a_time_that_is_not_told_differs_from_nothing() -> None:
    row = enrolment_of(MARCH, SUMMER)
    assert not validity_there.differs(row, Validity(None, datetime.fromisoformat("2000-01-02T00:00:00")))
