"""The validity that a terminal shows: whether it differs, and the whole days that an employee gets at a take-over."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from hikflask import text_rules
from hikflask.isapi.persons import Validity
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.core.dates import local, today
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments import mass_removals, validity
from hikflask.services.enrolments.validity import LAST_OF_DAY
from hikflask.services.state.columns import EmployeeColumns, EnrolmentColumns
from hikflask.services.terminals import clock

UNREADABLE = "unreadable"
ONE_DAY = timedelta(days=1)


def words_of(valid: Validity | None) -> str:
    """Return a validity as PersonThere keeps it: as Enrolment does, with its zone, or UNREADABLE."""
    if valid is None:
        return ""
    return f"{valid.words}{valid.suffix if valid.enabled else ''}" if valid.words else UNREADABLE


def validity_of(words: str) -> Validity | None:
    """Return the validity that these words stand for, or None when the terminal told none."""
    if words == UNREADABLE:
        return Validity(None, None)
    return Validity.of(words) if words else None


def differs(enrolment: Enrolment | EnrolmentColumns, valid: Validity | None) -> bool:
    """True when the validity that the terminal shows is not the one asked for.

    Where none is asked for, any limit differs, and else only what is not as at the last proof. What is not told differs
    where one is asked for and was shown at the last proof, as the terminal has lost it, or was confirmed without being
    shown.
    """
    expected = validity.words(validity.asked(enrolment))
    if valid is None or not valid.words:
        return bool(expected and (enrolment.valid_there or enrolment.person == CONFIRMED))
    return valid.words != (expected or enrolment.valid_there or valid.words) or (not expected and _limits(valid))


def _limits(valid: Validity) -> bool:
    """True when the person may not pass now, or not for ever."""
    if not valid.enabled or valid.begin is None or valid.end is None:
        return False
    return valid.end.date() < validity.LAST_DAY or valid.begin.date() > today()


@dataclass(frozen=True)
class Limits:
    """The first and the last day of an employee, None for no limit.

    `is_rounded`: the validity there begins or ends within a day, or in another zone; these are the whole days in it.
    """

    first: date | None = None
    last: date | None = None
    is_rounded: bool = False

    @property
    def written(self) -> tuple[str, str]:
        """The days as YYYY-MM-DD, "" for no limit."""
        return text_rules.written_day(self.first), text_rules.written_day(self.last)

    @property
    def is_over(self) -> bool:
        """True when the last day is past."""
        return self.last is not None and self.last < today()

    def take_from(self, before: "Limits") -> bool:
        """True when these days take access that the others gave, by mass_removals.take_access()."""
        return mass_removals.take_access((before.first, before.last), (self.first, self.last))


def limits_of(valid: Validity | None, terminal: Terminal) -> Limits:
    """Return the whole days within a validity. Not told, switched off, and to the calendar's end mean no limit.

    A first day that has begun already counts as a whole one. Where the zone is not the terminal's own, the days are
    whole both as they are written and by the terminal's clock: firmware marks its local time as UTC, too.

    :raises validity_not_readable: :raises validity_outside: :raises no_whole_day: when there are no such days.
    """
    if valid is None or not valid.enabled:
        return Limits()
    if valid.begin is None or valid.end is None:
        raise ServiceError("validity_not_readable")
    _refuse_outside(valid.begin.date(), min(valid.end.date(), text_rules.LAST_DAY))
    shift = _shift(valid, terminal)
    first = None if valid.begin.date() == text_rules.FIRST_DAY else _first_day({valid.begin, valid.begin + shift})
    last = None if valid.end.date() >= text_rules.LAST_DAY else _last_day({valid.end, valid.end + shift})
    _refuse_outside(first, last)
    is_moved = first not in {None, valid.begin.date()} or last not in {None, valid.end.date()}
    limits = Limits(first, last, is_rounded=is_moved or bool(shift and (first or last)))
    if first is None or last is None or first <= last:
        return limits
    if not limits.is_over:
        raise ServiceError("no_whole_day")
    return replace(limits, first=None)


def limits_taken(
    valid: Validity | None, terminal: Terminal, employee: Employee | EmployeeColumns | None, *, is_desired: bool
) -> Limits:
    """Return the days that somebody has after a take-over: those on the terminal.

    An employee keeps the own ones where the terminal tells none, and where it has no limit for somebody who was not to
    be there: nobody chose to lift a limit.

    :raises over_there: when the validity there is over, which the employee's is not.
    :raises validity_not_readable: :raises validity_outside: :raises no_whole_day: as limits_of().
    """
    limits = limits_of(valid, terminal)
    if employee is None:
        return limits
    if valid is None or (limits == Limits() and not is_desired):
        return Limits(employee.valid_from, employee.valid_to)
    if limits.is_over:
        raise ServiceError("over_there")
    return limits


def _shift(valid: Validity, terminal: Terminal) -> timedelta:
    """Return by how much the terminal's clock is ahead of the one that the validity is written in."""
    if valid.offset is None:
        return timedelta()
    own = clock.offset_there(terminal)
    return (clock.offset_here(terminal) if own is None else own) - valid.offset


def _refuse_outside(*days: date | None) -> None:
    if not all(text_rules.is_accepted_day(day) for day in days if day):
        raise ServiceError("validity_outside")


def _first_day(begins: set[datetime]) -> date:
    now = local(datetime.now(UTC)).replace(tzinfo=None)
    return max(begin.date() if begin <= now or begin.time() == time.min else begin.date() + ONE_DAY for begin in begins)


def _last_day(ends: set[datetime]) -> date:
    return min(end.date() if end.time() == LAST_OF_DAY else end.date() - ONE_DAY for end in ends)
