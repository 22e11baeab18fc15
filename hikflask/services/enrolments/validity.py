"""The validity that an employee is to have on terminals: whole days, in the terminal's local time."""

from datetime import datetime, time

from hikflask.isapi import persons
from hikflask.isapi.persons import Validity, Window
from hikflask.models import Employee, Enrolment
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.state.columns import EmployeeColumns, EnrolmentColumns

FIRST_DAY, LAST_DAY = persons.FIRST_MOMENT.date(), persons.LAST_MOMENT.date()
LAST_OF_DAY = persons.LAST_MOMENT.time()
UNLIMITED: Window = (persons.FIRST_MOMENT, persons.LAST_MOMENT)


def wanted(employee: Employee | EmployeeColumns | None) -> Window | None:
    """Return begin and end of an employee's validity, within the terminals' calendar, or None when there is no limit.

    From 00:00:00 of the first day to 23:59:59 of the last one: some terminals refuse a window without length.
    """
    if employee is None or (employee.valid_from is None and employee.valid_to is None):
        return None
    days = (employee.valid_from or FIRST_DAY, employee.valid_to or LAST_DAY)
    first, last = (min(max(day, FIRST_DAY), LAST_DAY) for day in days)
    return datetime.combine(first, time.min), datetime.combine(last, LAST_OF_DAY)


def asked(enrolment: Enrolment | EnrolmentColumns) -> Window | None:
    """Return the validity that the terminal is to have, or None when nothing is asked of it.

    A limit that was sent before is lifted by the unlimited window; a validity set at the terminal stays.
    """
    window = wanted(enrolment.employee)
    return UNLIMITED if window is None and enrolment.sent_valid else window


def for_record(window: Window | None, row: Enrolment) -> Window:
    """Return the validity to send with a person who is not there: the one asked for, else the one that was shown last.

    A person who was lost, or is brought to a new device, is limited as somebody at the terminal has decided.
    """
    begin, _, end = row.valid_there.partition("/")
    if window is None and end:
        return datetime.fromisoformat(begin), datetime.fromisoformat(end)
    return window or UNLIMITED


def to_send(window: Window | None, there: Validity | None, row: Enrolment) -> Window | None:
    """Return the validity to send to a person who is there, or None when there is nothing to send.

    A terminal that does not tell its validity gets ours with every change of what is desired; and where the validity is
    in another zone, ours is in the terminal's.
    """
    if there is None or not there.words:
        return None if row.person == CONFIRMED else window
    is_there = there.words == words(window) and there.offset is None
    return None if is_there else window


def words(window: Window | None) -> str:
    """Return a window as Enrolment stores it, or an empty text for None."""
    return Validity(*window).words if window else ""
