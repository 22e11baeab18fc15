"""Counts who loses access to which terminals by an import, or by undoing one, as it would be now; nothing changes."""

from typing import Any

from sqlalchemy import ColumnElement, or_, select

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Department, Employee, ImportRow, Terminal
from hikflask.models.import_batch import APPLIED, CHANGED, OPEN
from hikflask.services.employees.undo import ENROLMENTS
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Losses, Pair
from hikflask.services.groups import differences
from hikflask.services.groups.differences import Scope
from hikflask.services.imports import effects
from hikflask.services.imports.apply import FORMER_ENROLMENTS
from hikflask.services.imports.effects import LOSE_TERMINALS
from hikflask.services.imports.table.columns import DAYS, DEPARTMENT, LEFT, VALID_FROM, VALID_TO

# Rows whose losses are computed together: to compare departments with groups takes as long for few.
BATCH = 5000
Rows = tuple[ColumnElement[bool], ...]


def of_import(batch_id: int) -> Losses:
    """Return who loses access when the rows of an import that are left are applied.

    An employee who leaves, or gets days by which access ends soon, loses all terminals; one who changes the department,
    those that groups gave, and do not give any more.
    """
    rows = (ImportRow.batch_id == batch_id, ImportRow.verdict == CHANGED, ImportRow.state == OPEN)
    return mass_removals.losses_of(_pairs((*rows, effects.IS_AGREED)))


def taking_rows(batch_id: int) -> list[int]:
    """Return the ids of the rows of an import that may take a terminal from somebody, in the order of the file."""
    changes = or_(*(_changes(field) for field in (LEFT, DEPARTMENT, *DAYS)))
    rows = select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.verdict == CHANGED, changes)
    return list(db.session.execute(rows.order_by(ImportRow.id)).scalars())


def of_rows(batch_id: int, *where: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Return the ids of those of an import's rows that take terminals, and their effects with the names of these.

    Who gets a wholly other name is among them, though such a row is left out until it is confirmed.
    """
    rows = (ImportRow.batch_id == batch_id, ImportRow.verdict == CHANGED, *where)
    names = {terminal_id: name for terminal_id, name in db.session.execute(select(Terminal.id, Terminal.name))}
    terminals: dict[int, list[str]] = {}
    for employee_id, terminal_id in _pairs(rows):
        terminals.setdefault(employee_id, []).append(names[terminal_id])
    columns = (ImportRow.id, ImportRow.employee_id, ImportRow.effects)
    return [
        {"id": row.id, "effects": {**(row.effects or {}), LOSE_TERMINALS: sorted(terminals[row.employee_id])}}
        for row in db.session.execute(select(*columns).where(*rows))
        if row.employee_id in terminals
    ]


def _pairs(rows: Rows) -> set[Pair]:
    """Return what the people of rows lose by leaving, by the days that they get, and by another department."""
    leaving = mass_removals.pairs_of(select(ImportRow.employee_id).where(*rows, _changes(LEFT)))
    return {*leaving, *_shut_out(rows), *_moved(rows)}


def of_undo(batch_id: int) -> Losses:
    """Return who loses access when an import is undone: the terminals that it gave, and all where a validity ends."""
    rows = (ImportRow.batch_id == batch_id, ImportRow.state == APPLIED)
    current = mass_removals.pairs_of(select(ImportRow.employee_id).where(*rows))
    added = set()
    for employee_id, written in db.session.execute(select(ImportRow.employee_id, ImportRow.written).where(*rows)):
        enrolments, former = (
            {enrolment[0] for enrolment in (written or {}).get(name, ())} for name in (ENROLMENTS, FORMER_ENROLMENTS)
        )
        added |= {(employee_id, terminal_id) for terminal_id in enrolments - former}
    return mass_removals.losses_of(added & current | _shut_out(rows, undone=True))


def _changes(field: str) -> ColumnElement[bool]:
    changed: ColumnElement[bool] = ImportRow.before[field].as_string().is_not(None)
    return changed


def _moved(rows: Rows) -> set[Pair]:
    """Return what people lose by another department; all who come into one are counted together."""
    moved, to = (*rows, _changes(DEPARTMENT)), ImportRow.values[DEPARTMENT].as_string()
    ids = {name: its_id for name, its_id in db.session.execute(select(Department.name, Department.id))}
    pairs: set[Pair] = set()
    for name in db.session.execute(select(to).where(*moved).distinct()).scalars():
        people = select(ImportRow.employee_id).where(*moved, to == name)
        pairs |= differences.losing(Scope(people, department_id=ids.get(name, 0)))
    return pairs


def _shut_out(rows: Rows, *, undone: bool = False) -> set[Pair]:
    """Return the terminals of people whose access ends soon by the days that they get, and not by those they have."""
    changed = (*rows, or_(*(_changes(day) for day in DAYS)))
    people = db.session.execute(
        select(ImportRow.employee_id, ImportRow.values, ImportRow.before, Employee.valid_from, Employee.valid_to)
        .join(Employee, Employee.id == ImportRow.employee_id)
        .where(*changed)
    )
    ids = set()
    for row in people:
        now = {VALID_FROM: text_rules.written_day(row.valid_from), VALID_TO: text_rules.written_day(row.valid_to)}
        then = {**now, **((row.before if undone else row.values) or {})}
        days = (text_rules.day_of(then[day]) for day in DAYS)
        if mass_removals.take_access((row.valid_from, row.valid_to), (next(days), next(days))):
            ids.add(row.employee_id)
    pairs = mass_removals.pairs_of(select(ImportRow.employee_id).where(*changed)) if ids else set()
    return {pair for pair in pairs if pair[0] in ids}
