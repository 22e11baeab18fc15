"""Employees as the rows of a table, with a column for each terminal. The import recognises the columns again."""

from collections.abc import Iterable, Iterator, Sequence

from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload, load_only, selectinload

from hikflask import text_rules
from hikflask.codes.badges import BADGES
from hikflask.employee_fields import COLUMNS, NO, SHEET, YES
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.core.dates import TABLE_TIME, local
from hikflask.services.core.db import end_read
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.services.state import badges
from hikflask.services.terminals import registry

LANGUAGES = ("ru", "en")
BATCH = 500
# No more than the rows need: with all columns a large table takes twice as long.
_WITH_STATES = select(Employee).options(
    load_only(
        Employee.number,
        Employee.name,
        Employee.department,
        Employee.is_active,
        Employee.valid_from,
        Employee.valid_to,
        Employee.created_at,
        raiseload=True,
    ),
    selectinload(Employee.enrolments).options(
        load_only(
            Enrolment.terminal_id,
            Enrolment.state,
            Enrolment.person,
            Enrolment.face,
            Enrolment.face_unverified,
            Enrolment.written_name,
            Enrolment.sent_name,
            Enrolment.step,
            Enrolment.photo_id,
            Enrolment.refusal,
            Enrolment.next_attempt_at,
            Enrolment.tried_at,
            raiseload=True,
        ),
        joinedload(Enrolment.terminal).load_only(
            Terminal.face_mode, Terminal.restored_from, Terminal.backoff_until, Terminal.refused_since, raiseload=True
        ),
    ),
)


class PeopleTable:
    """A table of employees in one of LANGUAGES, with a column for each terminal in service."""

    def __init__(self, language: str) -> None:
        terminals = [terminal for terminal in registry.list_all() if terminal.retired_at is None]
        self.terminal_ids = [terminal.id for terminal in terminals]
        with force_locale(language):
            self.sheet = gettext(SHEET)
            self.head = [*map(gettext, COLUMNS), *(terminal.name for terminal in terminals)]
            self.yes, self.no = gettext(YES), gettext(NO)
            self.words = {word: gettext(badge.word) for word, badge in BADGES.items()}

    def parts(self, batches: Iterable[list[Employee]]) -> Iterator[Rows]:
        """Yield the rows in parts: the header row, then one part for each batch."""
        yield [self.head]
        for batch in batches:
            yield [self._cells(employee) for employee in batch]

    def _cells(self, employee: Employee) -> list[str]:
        words = {
            row.terminal_id: self.words[badges.badge_of(row, badges.detail_of(row))] for row in employee.enrolments
        }
        return [
            employee.number,
            employee.name,
            employee.department,
            self.yes if employee.is_active else self.no,
            local(employee.created_at).strftime(TABLE_TIME),
            text_rules.written_day(employee.valid_from),
            text_rules.written_day(employee.valid_to),
            *(words.get(terminal_id, "") for terminal_id in self.terminal_ids),
        ]


def batches(employee_ids: Sequence[int]) -> Iterator[list[Employee]]:
    """Yield employees in batches, in this order, without deleted ones; between batches no transaction is open."""
    for first in range(0, len(employee_ids), BATCH):
        ids = employee_ids[first : first + BATCH]
        # So that the current state is read, and nothing is kept in memory.
        db.session.expunge_all()
        by_id = {row.id: row for row in db.session.execute(_WITH_STATES.where(Employee.id.in_(ids))).scalars()}
        end_read()
        yield [by_id[employee_id] for employee_id in ids if employee_id in by_id]
