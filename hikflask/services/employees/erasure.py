"""Erases one person: here at once, and on each terminal as soon as it confirms (see privacy/certificates.py)."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Erasure, JobItem, Photo
from hikflask.services import audit
from hikflask.services.captures import personal_data
from hikflask.services.core.db import after_commit, fresh, lock_numbers, locked_with_number, transactional
from hikflask.services.core.errors import NotFound
from hikflask.services.employees import export_files, search
from hikflask.services.employees.lifecycle import apply_deleted
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile_now import ChangedRow
from hikflask.services.groups import locks
from hikflask.services.photos import deletion, storage
from hikflask.services.privacy import certificates, import_traces, passage_traces, traces
from hikflask.services.privacy.import_traces import ErasedPerson


def erase_employee(employee_id: int) -> ChangedRow[Erasure]:
    """Erase an employee with consent, photos, captures and drafts, and start the removal from every terminal.

    The database is changed in one transaction; the files are removed after it. certificates.complete_all() retries the
    files that cannot be removed now.

    :raises employee_unknown: when the employee was erased or deleted meanwhile.
    """
    erasure_id = None
    while erasure_id is None:
        employee = fresh(Employee, employee_id)
        if employee is None:
            raise NotFound("employee_unknown")
        numbers = _numbers_of(employee)
        # To write the files anew, and to read the wrong rows, may take long, so nothing is locked meanwhile.
        person = ErasedPerson(numbers, {employee.name} | audit.names_known(numbers, employee_id))
        import_traces.forget_files(person)
        erasure_id = _erase(employee_id, person, import_traces.wrong_rows(person))
    return _complete(erasure_id)


@transactional
def _erase(employee_id: int, person: ErasedPerson, wrong: list[int]) -> int | None:
    """Return the id of the erasure; None when the employee has got another number, whose traces are to be found first.

    :param person: the person to find in imports. :param wrong: the ids of the wrong rows with that person.
    """
    employee = locked_with_number(employee_id, *person.numbers)
    numbers = _numbers_of(employee)
    if not numbers <= {*person.numbers}:
        return None
    locks.share()
    # A transaction that adds a row about the employee has committed it before, or waits for the end of this one.
    db.session.execute(select(Employee.id).where(Employee.id == employee_id).with_for_update())
    enrolments = queries.of_person(employee.number, employee_id, lock=True)
    captures = personal_data.find_by_number(employee.number, employee_id)
    captures += personal_data.find_by_name(employee.number, employee.name)
    # The numbers that the captures were taken for, mistyped ones, too.
    typed = {capture.draft_number for capture in captures} - {""}
    import_traces.forget_rows(replace(person, numbers=numbers), employee_id, wrong)
    shown = {employee.terminal_name, *_names_on(enrolments), *person.names}
    files, passages = _forget(numbers, shown, employee.name, employee_id)
    erasure = certificates.begin(employee.number, employee.name, employee_id, enrolments, files, passages, shown)
    deleted = apply_deleted(employee)
    # Last of all, because each step writes to the audit trail.
    audit.destroy_keys(numbers | typed, employee_id)
    after_commit(lambda: deletion.remove_at_once(deleted.files))
    return erasure.id


def erase_by_number(number: str) -> ChangedRow[Erasure] | None:
    """Erase the data of a number that no employee has; return None when there is none, or an employee has the number.

    A deleted employee may have left open removals, captures, reports, and pictures that could not be removed. While an
    erasure of the number waits for a file or a terminal, new data is added to it.
    """
    unfinished = certificates.unfinished_of(number)
    if not has_data_of(number):
        return _complete(unfinished.id) if unfinished else None
    names = {row.last_name for row in queries.of_number(number)} | audit.names_known([number], None)
    person = ErasedPerson({number}, names | ({unfinished.name} if unfinished else set()))
    import_traces.forget_files(person)
    erasure_id = _erase_left(number, person, import_traces.wrong_rows(person))
    return _complete(erasure_id) if erasure_id else None


@transactional
def _erase_left(number: str, person: ErasedPerson, wrong: list[int]) -> int | None:
    lock_numbers(number)
    if search.by_number(number):  # Somebody was saved with it meanwhile.
        return None
    # Locked before the erasure's row: a confirmed removal locks in the same order.
    enrolments = queries.of_number(number, lock=True)
    erasure = certificates.lock_to_extend(number)
    shown = {*_names_on(enrolments), *person.names}
    if erasure is None:
        name = next((row.last_name for row in enrolments if row.last_name), "")
        numbers = {number, *(row.number for row in enrolments)}
        erasure = certificates.begin(number, name, None, enrolments, *_forget(numbers, shown, name, None), shown)
    else:
        numbers = {number, *(row.number for row in enrolments), *(row.number for row in erasure.removals)}
        certificates.extend(erasure, enrolments, *_forget(numbers, shown, erasure.name, None), shown)
    import_traces.forget_rows(replace(person, numbers=numbers), None, wrong)
    audit.destroy_keys(numbers, None)
    return erasure.id


def has_data_of(number: str) -> bool:
    """True when no employee has the number, but a removal, a capture, a picture, a report or an audit entry has it."""
    finders = (
        queries.of_number,
        personal_data.find_by_number,
        personal_data.leftover_photos,
        storage.files_without_row,
        lambda number: db.session.execute(select(JobItem.id).where(JobItem.number == number).limit(1)).first(),
        import_traces.of_number,
        lambda number: traces.in_comparisons([number]),
        audit.keys_left_by,
        passage_traces.has_any,
    )
    return search.by_number(number) is None and any(find(number) for find in finders)


def _complete(erasure_id: int) -> ChangedRow[Erasure]:
    """Complete what can be completed now, and return the removals that no terminal has confirmed yet as due."""
    # Exported lists with the person are recognised by the blanked reports.
    export_files.remove_old()
    erasure = certificates.complete(erasure_id)
    return ChangedRow(erasure, tuple(row.enrolment_id for row in erasure.removals if row.gone_at is None))


def _names_on(enrolments: Iterable[Enrolment]) -> set[str]:
    return set[str]().union(*(enrolment.names_sent for enrolment in enrolments))


def _forget(numbers: set[str], shown: set[str], name: str, employee_id: int | None) -> tuple[list[str], int]:
    """Delete a person's captures; return the files to remove, one for each picture, and how many passages there were.

    :param numbers: the numbers that the person has, or had on terminals.
    :param shown: the names under which terminals may have recorded the person.
    """
    traces.forget(numbers, employee_id)
    traces.blank_answers()
    strays = storage.files_without_row(*numbers)
    captured = [file for number in numbers for file in personal_data.forget_person(number, name, employee_id)]
    passages, seen = passage_traces.forget(numbers, employee_id, shown)
    # The rows are deleted with the employee. A photo that is marked as forgotten may still have its file.
    own = select(Photo.file).where(Photo.employee_id == employee_id, Photo.file_deleted_at.is_(None))
    photos = [] if employee_id is None else list(db.session.execute(own).scalars())
    return strays + captured + photos + seen, passages


def _numbers_of(employee: Employee) -> set[str]:
    """Return the numbers that the employee has or had, without those that another employee has by now."""
    enrolled = {enrolment.number for enrolment in queries.of_person(employee.number, employee.id)}
    numbers = {employee.number} | enrolled | audit.numbers_of(employee.id)
    taken = select(Employee.number).where(Employee.number.in_(numbers), Employee.id != employee.id)
    return numbers - set(db.session.execute(taken).scalars())
