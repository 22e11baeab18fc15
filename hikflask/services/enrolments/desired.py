"""Changes the desired state of a number on a terminal: present with a face, or absent."""

from collections.abc import Iterable

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.models.terminal import BY_PICTURE, UNKNOWN
from hikflask.services import audit
from hikflask.services.core import dates
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import transactional
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.terminal_name import name_for
from hikflask.services.enrolments import audit_notes, mass_removals, queries
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import connection, registry


def desire_present(terminal: Terminal, employee: Employee, photo: Photo | None, *, by_group: bool = False) -> Enrolment:
    """Set an employee's desired state on a terminal to present with this photo, within the caller's transaction.

    :param by_group: a group of terminals asks for it, so it ends with the membership.
    :raises terminal_unknown: :raises TerminalRetired: when the terminal was deleted or retired meanwhile.
    :raises NameTooLong: when not one letter of the name fits on this terminal.
    :raises validity_over: when the employee's last day is past.
    """
    terminal = registry.in_service(terminal.id)
    enrolment = queries.find(terminal.id, employee.number, lock=True)
    return desire_present_on(enrolment, terminal, employee, photo, by_group=by_group)


def desire_present_on(
    enrolment: Enrolment | None, terminal: Terminal, employee: Employee, photo: Photo | None, *, by_group: bool = False
) -> Enrolment:
    """Set an employee's desired state on a terminal to present; the terminal and the enrolment are locked already.

    :param enrolment: the row of the number on the terminal, or None where there is none.
    :raises NameTooLong: when not one letter of the name fits. :raises validity_over: when the last day is past.
    """
    refuse_over(employee)
    refuse_long_name(terminal, employee)
    if enrolment is None:
        enrolment = state.create_present(terminal.id, employee, photo.id if photo else None)
    else:
        photo_id = _photo_id(terminal, enrolment, employee, photo)
        same_face = enrolment.desired == PRESENT and enrolment.photo_id == photo_id
        transition = state.DESIRED_AS_BEFORE if same_face else state.DESIRED_PRESENT
        state.apply_to_locked(enrolment, transition, employee_id=employee.id, photo_id=photo_id)
    if by_group:
        state.apply_to_locked(enrolment, state.ASKED_BY_GROUP)
    audit.record("enrolment.wanted", employee=employee, terminal=terminal.name)
    return enrolment


def bring_elsewhere(enrolments: Iterable[Enrolment], employee: Employee, photo: Photo, terminal_id: int | None) -> None:
    """Mark a new photo as desired on the employee's other terminals that take pictures; the enrolments are locked."""
    for enrolment in enrolments:
        elsewhere = enrolment.desired == PRESENT and enrolment.terminal_id != terminal_id
        if not elsewhere or has_photo(enrolment, photo) or state.awaits_a_person(enrolment):
            continue
        # Where it is not known yet, a first face does no harm; a later one comes as soon as it is known.
        unknown = enrolment.terminal.face_mode in {None, UNKNOWN} and enrolment.photo_id is None
        if unknown or enrolment.terminal.face_mode == BY_PICTURE:
            desire_present(enrolment.terminal, employee, photo)


def has_photo(enrolment: Enrolment | None, photo: Photo) -> bool:
    """True when this photo is desired already, as by a group a moment ago."""
    return enrolment is not None and enrolment.desired == PRESENT and enrolment.photo_id == photo.id


def _photo_id(terminal: Terminal, enrolment: Enrolment, employee: Employee, photo: Photo | None) -> int | None:
    """Return the photo to desire. On a terminal that takes no pictures, only a face captured there replaces another."""
    # The row may be left of an earlier owner of the number.
    own = enrolment.photo_id if enrolment.employee_id == employee.id else None
    if photo is None:
        return own
    captured_here = photo.capture is not None and photo.capture.terminal_id == terminal.id
    return own if own and not captured_here and terminal.face_mode != BY_PICTURE else photo.id


def desire_new_facts(employee: Employee, *, is_renamed: bool) -> None:
    """Make terminals get an employee's new name and validity, within the caller's transaction. The face stays as it is.

    New days are refused by no terminal's length of names: the others must get them.

    :raises NameTooLong: when not one letter of the name fits on a terminal.
    """
    for enrolment in queries.of_number(employee.number, lock=True):
        if enrolment.desired == PRESENT and not state.awaits_a_person(enrolment):
            if is_renamed:
                refuse_long_name(enrolment.terminal, employee)
            same = {"employee_id": enrolment.employee_id, "photo_id": enrolment.photo_id}
            state.apply_to_locked(enrolment, state.DESIRED_AS_BEFORE, **same)


def desire_absent(number: str) -> None:
    """Set the desired state of a number to absent on every terminal, within the caller's transaction."""
    queries.of_number(number, lock=True)
    state.apply(state.DESIRED_ABSENT, Enrolment.number == number)
    queries.of_number(number)


def doubt_old_removals(employee: Employee, enrolments: Iterable[Enrolment]) -> None:
    """Let terminals confirm once more, within the caller's transaction, that somebody is gone who is deleted here.

    What a terminal confirmed more than a day ago may not be so any more, as after it was put back to an earlier state;
    and of nobody who is deleted here a comparison would say so.

    :param enrolments: the locked ones of the employee.
    """
    old = Enrolment.confirmed_at < database_now(-SECONDS_PER_DAY)
    for enrolment in enrolments:
        if enrolment.desired == ABSENT and enrolment.terminal.retired_at is None:
            name = enrolment.name_there or name_for(enrolment.terminal, employee.name, employee.terminal_name)
            state.apply(state.REMOVAL_DOUBTED, Enrolment.id == enrolment.id, old, written_name=name[:128])


def desire_absent_at(enrolment: Enrolment, employee: Employee) -> None:
    """Set an employee's desired state on one terminal to absent, within the caller's transaction."""
    if state.apply(state.DESIRED_ABSENT, Enrolment.id == enrolment.id):
        mass_removals.add_loss(employee.id, enrolment.terminal_id)
        audit.record("enrolment.unwanted", employee=employee, terminal=enrolment.terminal.name)
    db.session.refresh(enrolment)


@transactional
def desire_overwrite(enrolment_id: int, generation: int | None = None) -> bool:
    """Mark a person with this number under another name to be removed first. False: the row has another generation."""
    same = () if generation is None else (Enrolment.generation == generation,)
    changed = state.apply(state.DESIRED_OVERWRITE, Enrolment.id == enrolment_id, *same) == 1
    if changed:
        audit_notes.record("enrolment.replaced", queries.get_one(enrolment_id))
    return changed


@transactional
def retry(enrolment_id: int) -> None:
    """Make an attempt due now, also at a silent terminal, as by "Try again". What was refused becomes pending."""
    its_terminal = select(Enrolment.terminal_id).where(Enrolment.id == enrolment_id).scalar_subquery()
    connection.end_back_off(its_terminal)
    retry_when_it_answers(enrolment_id)


def retry_when_it_answers(enrolment_id: int) -> None:
    """Make an attempt due within the caller's transaction. A silent terminal is asked after its back-off."""
    state.apply(state.RETRIED, Enrolment.id == enrolment_id)
    enrolment = queries.get(enrolment_id)
    if enrolment:
        audit_notes.record("enrolment.retried", enrolment)


def refuse_long_name(terminal: Terminal, employee: Employee) -> None:
    """Refuse a name of which no form fits on the terminal; :raises NameTooLong: with limit and length in bytes."""
    name_for(terminal, employee.name, employee.terminal_name)


def refuse_over(employee: Employee) -> None:
    """Refuse an employee whose last day is past; :raises validity_over: then."""
    if employee.valid_to and employee.valid_to < dates.today():
        raise ServiceError("validity_over")


def refuse_leaving(enrolments: Iterable[Enrolment], employee_id: int | None) -> None:
    """Refuse a number for an employee while another owner's enrolment of it, among these, waits for its removal.

    :raises number_leaving: with the terminal's name.
    """
    for enrolment in enrolments:
        if enrolment.is_leaving and (enrolment.employee_id is None or enrolment.employee_id != employee_id):
            raise ServiceError("number_leaving", n=enrolment.number, t=enrolment.terminal.name)
