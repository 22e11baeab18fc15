"""Takes over somebody who is on a terminal already: number, name, validity, and the enrolled picture where it is given.

Nothing is written to the terminal, so cards, fingerprints and rights stay as they are. The terminal's own answer, asked
anew, is what confirms the enrolment. Only where its validity is not in whole days, these are sent afterwards; and
somebody whose time is over comes in as inactive, to be removed from the terminal like any other who left.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import select, update

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.isapi import faces, persons
from hikflask.isapi.errors import Nonsense, Refused
from hikflask.isapi.persons import Person
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, PRESENT
from hikflask.models.photo import TAKEN_OVER
from hikflask.models.terminal import BY_PICTURE
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons.queries import MAX_VALUE_LENGTH, name_wanted
from hikflask.services.comparisons.validity_there import Limits, limits_taken
from hikflask.services.core.db import Require, changed_rows, lock_numbers, locked_employee
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import audit_notes, search
from hikflask.services.employees.save import save_changes
from hikflask.services.enrolments import desired, queries, validity
from hikflask.services.groups import locks, membership
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import connection
from hikflask.services.terminals.connection import Conversation

TAKE_OVER = "take_over"
MAX_SECONDS = 60.0
MAX_NAME_LENGTH = 128
# In bytes. Terminals take pictures of 200 KB; one that shows more for all of its people would fill the disk.
MAX_FACE = 1024 * 1024
DAYS = ("valid_from", "valid_to")


# The SHA-256 of the face here, and of the one there.
Faces = tuple[str, str]


@dataclass(frozen=True)
class Agreed:
    """What a person said of somebody who is both here and there.

    `same_person`: the employee here has another name, and it is the same person: the name there counts. `faces`: the
    employee has another face here, and the person saw both and chose the one there; it comes to the employee's other
    terminals, too. `may_take_days`: False where nobody was asked about days there by which the employee's access ends
    sooner; these are refused.
    """

    same_person: bool = False
    faces: Faces | None = None
    may_take_days: bool = True


@dataclass(frozen=True)
class Found:
    """What the terminal shows of one person: the person, and the JPEG of the enrolled face where it is given."""

    person: Person
    picture: bytes | None

    @property
    def number(self) -> str:
        """The number."""
        return self.person.number

    @property
    def sha256(self) -> str:
        """The SHA-256 of the picture, an empty text without one."""
        return storage.sha256(self.picture) if self.picture else ""


@contextmanager
def taking_over(
    terminal_id: int, number: str, name_seen: str, holder: str, agreed: Agreed, require: Require | None = None
) -> Iterator[Callable[[], Enrolment]]:
    """Ask the terminal for the person with this number, and yield what makes an employee of the person, or joins the
    employee who has the number. It is called within this, in a transaction.

    :param name_seen: the name that the plan was made with; another name there meanwhile is refused.
    :param require: is called once the number is locked, and raises when nothing is to be done.
    :raises not_there: :raises changed_there: when the terminal shows nobody, or another name or other days.
    :raises name_differs: :raises face_differs: :raises number_not_usable: :raises employee_inactive: :raises
        number_leaving:
    :raises consent_missing: when that person cannot be taken over; likewise because of the validity there: see
        limits_taken().
    :raises TerminalError: when the terminal refuses or does not answer.
    """
    if not persons.NUMBER.match(number):
        raise ServiceError("number_not_usable", n=number)
    with (
        connection.converse(terminal_id, holder, TAKE_OVER, total=MAX_SECONDS, yields=True) as talk,
        storage.Files() as files,
    ):
        found = _found(talk, number, name_seen)
        photo = _photo(terminal_id, found, files)

        def take_over() -> Enrolment:
            lock_numbers(number)
            if require:
                require()
            with talk.lease.write():
                return _write(talk.terminal, found, photo, agreed, files)

        yield take_over


def _found(talk: Conversation, number: str, name_seen: str) -> Found:
    person = persons.find(talk, number)
    if person is None:
        raise ServiceError("not_there", n=number)
    if person.name[:MAX_VALUE_LENGTH] != name_seen:
        raise ServiceError("changed_there", n=number)
    if not person.name.strip() or len(person.name) > MAX_NAME_LENGTH:
        raise ServiceError("name_not_usable", n=number)
    return Found(person, _picture(talk, person))


def _picture(talk: Conversation, person: Person) -> bytes | None:
    """Return the picture of the enrolled face, or None when there is no face, or the terminal does not give it."""
    try:
        url = person.face_url
        if person.faces is None:
            enrolled = faces.find(talk, person.number)
            url = enrolled.face_url if enrolled else None
        return faces.fetch_picture(talk, url) if url and person.faces != 0 else None
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def _photo(terminal_id: int, found: Found, files: storage.Files) -> Photo | None:
    """Return the photo of the enrolled picture: the one that the employee has already, or a new one.

    None without a picture, and for a new one that is too large to be kept.
    """
    if found.picture is None:
        return None
    known = search.by_number(found.number)
    same = (Photo.sha256 == found.sha256, Photo.forgotten_at.is_(None))
    mine = select(Photo).where(Photo.employee_id == (known.id if known else None), *same).order_by(Photo.id).limit(1)
    kept = db.session.execute(mine).scalar_one_or_none() if known else None
    kept = kept or _encoded_photo(terminal_id, found)
    if kept or len(found.picture) > MAX_FACE:
        return kept
    return files.add(storage.keep(found.picture, found.number, TAKEN_OVER))


def _encoded_photo(terminal_id: int, found: Found) -> Photo | None:
    """Return the desired photo of which the enrolled picture counts as the terminal's own encoding, or None.

    The photo stays the employee's face: nobody saw the picture there and chose it.
    """
    enrolment = queries.find(terminal_id, found.number)
    return enrolment.photo if enrolment and found.picture and enrolment.face_there == found.sha256 else None


def _write(terminal: Terminal, found: Found, photo: Photo | None, agreed: Agreed, files: storage.Files) -> Enrolment:
    known = search.by_number(found.number)
    joined = _joined(terminal, known.id, found, agreed.same_person, files) if known else None
    # Decided on locked rows; the photo may have been read a moment before.
    encoded = _encoded_photo(terminal.id, found) if joined else None
    photo = encoded or photo
    is_new_face = joined is not None and _is_chosen(terminal, joined, found, photo, agreed.faces)
    is_desired = _is_desired(terminal.id, found.number)
    limits = limits_taken(found.person.valid, terminal, joined, is_desired=is_desired)
    # Nobody was asked whether so many may lose access.
    if joined and not agreed.may_take_days and limits.take_from(Limits(joined.valid_from, joined.valid_to)):
        raise ServiceError("changed_there", n=found.number)
    if joined is None and limits.is_over:
        return _come_in_inactive(terminal, found, limits, photo, files)
    employee = joined or _added(found, limits, files)
    consents.require_for_save(employee, with_face=photo is not None)
    present = {one.terminal_id: one for one in queries.of_number(employee.number, lock=True)}
    enrolment = present.get(terminal.id) or state.create_for(terminal.id, employee.number)
    if photo is not None and encoded is None:
        _give(employee, photo, replaces=is_new_face)
    _confirm(enrolment, employee, found, photo)
    if (employee.valid_from, employee.valid_to) != (limits.first, limits.last):
        save_changes(
            _limited(Draft(), limits), files, employee_id=employee.id, fields=DAYS, by_groups=membership.ignore
        )
        _confirm(enrolment, employee, found, photo)
    _send_limits(enrolment, employee, found, limits)
    if photo is not None and is_new_face:
        _send_elsewhere(employee, photo, terminal.id)
    _note(terminal, employee, photo)
    db.session.refresh(enrolment)
    return enrolment


def _note(terminal: Terminal, employee: Employee, photo: Photo | None) -> None:
    changed_rows(update(Terminal).where(Terminal.id == terminal.id).values(last_sync=database_now()))
    audit.record("enrolment.taken_over", employee=employee, terminal=terminal.name, after={"photo": photo is not None})


# --- who it is ---


def _added(found: Found, limits: Limits, files: storage.Files) -> Employee:
    draft = _limited(Draft(found.number, found.person.name), limits)
    return save_changes(draft, files)


def _come_in_inactive(
    terminal: Terminal, found: Found, limits: Limits, photo: Photo | None, files: storage.Files
) -> Enrolment:
    """Add somebody whose time is over as inactive, and desire the removal from this terminal as of any who left."""
    employee = save_changes(Draft(found.number, found.person.name), files, active=False)
    save_changes(_limited(Draft(), limits), files, employee_id=employee.id, fields=DAYS)
    consents.require_for_save(employee, with_face=photo is not None)
    if photo is not None:
        _give(employee, photo, replaces=False)
    enrolment = queries.find(terminal.id, employee.number, lock=True) or state.create_for(terminal.id, employee.number)
    state.apply(
        state.OVER_THERE,
        Enrolment.id == enrolment.id,
        employee_id=employee.id,
        written_name=found.person.name,
    )
    _note(terminal, employee, photo)
    db.session.refresh(enrolment)
    return enrolment


def _joined(terminal: Terminal, employee_id: int, found: Found, same_person: bool, files: storage.Files) -> Employee:
    """Return the employee who has the number, with the name that is there.

    :raises name_differs: when the employee has another name, and nobody said that it is the same person.
    """
    employee = locked_employee(employee_id)
    if not employee.is_active:
        raise ServiceError("employee_inactive")
    # Before the enrolment (see core/db.py), though the employee may be saved after it.
    departments.resolve(employee.department)
    locks.share()
    name, whole = found.person.name, {employee.name, employee.terminal_name}
    wanted = name_wanted(terminal, employee)
    if name in whole or (name == wanted and _is_desired(terminal.id, employee.number)):
        return employee
    if not same_person:
        raise ServiceError("name_differs", n=employee.number, here=employee.name, there=name)
    if name == wanted:
        return employee  # A shorter form of the employee's own name.
    names = {"name", "terminal_name"}
    return save_changes(Draft(name=name), files, employee_id=employee.id, fields=names, by_groups=membership.ignore)


def _is_desired(terminal_id: int, number: str) -> bool:
    enrolment = queries.find(terminal_id, number)
    return enrolment is not None and enrolment.desired == PRESENT


# --- the face ---


def _is_chosen(terminal: Terminal, employee: Employee, found: Found, photo: Photo | None, chosen: Faces | None) -> bool:
    """Tell whether the face there is another one than here, which a person who saw both has chosen.

    :raises face_differs: when it is another one, and nobody chose it in place of the one that is here now, or it is not
        kept.
    """
    enrolment = queries.find(terminal.id, employee.number)
    desired = enrolment if enrolment and enrolment.desired == PRESENT else None
    own = (desired and desired.photo) or employee.picture
    ours = {desired.face_there if desired else "", *(one.sha256 for one in (own, employee.picture) if one)}
    if own is None or found.picture is None or found.sha256 in ours:
        return False
    if photo is None or chosen != (own.sha256, photo.sha256):
        raise ServiceError("face_differs", n=employee.number)
    return True


def _give(employee: Employee, photo: Photo, *, replaces: bool) -> None:
    """Give the picture to the employee: as the photo where there is none, or where a person chose it instead."""
    storage.save(photo)
    photo.employee_id = employee.id
    db.session.flush()
    if employee.photo_id != photo.id and (employee.picture is None or replaces):
        employee.photo_id = photo.id
        audit_notes.record_photo(employee, photo, None)
        db.session.flush()
        db.session.refresh(employee)


def _send_elsewhere(employee: Employee, photo: Photo, terminal_id: int) -> None:
    """Desire the new photo on the employee's other terminals that take pictures."""
    for enrolment in queries.of_number(employee.number):
        elsewhere = enrolment.terminal_id != terminal_id and enrolment.desired == PRESENT
        if elsewhere and enrolment.photo_id != photo.id and enrolment.terminal.face_mode == BY_PICTURE:
            desired.desire_present(enrolment.terminal, employee, photo)


# --- the enrolment ---


def _confirm(enrolment: Enrolment, employee: Employee, found: Found, photo: Photo | None) -> None:
    """Write what the terminal shows of the person as desired and confirmed."""
    # Where the terminal shows that there is no face, none is desired; where it does not tell, nothing changes.
    untold = photo is None and found.person.faces != 0 and enrolment.desired == PRESENT
    kept = enrolment.photo_id if untold else None
    # Whoever got another name there may have got another face, too.
    same_name = found.person.name in enrolment.names_sent
    confirmed = photo is not None or (kept is not None and same_name and enrolment.face == CONFIRMED)
    photo_id = photo.id if photo else kept
    face_there = enrolment.face_there if enrolment.face_there == found.sha256 else ""
    state.apply(
        state.TAKEN_OVER,
        Enrolment.id == enrolment.id,
        employee_id=employee.id,
        photo_id=photo_id,
        face=CONFIRMED if confirmed else PENDING,
        confirmed_photo_id=photo_id if confirmed else None,
        face_there=face_there,
        written_name=found.person.name,
        valid_there=found.person.valid.words if found.person.valid else "",
        # As if it had been sent from here: it is lifted there once it is lifted here.
        sent_valid=validity.words(validity.wanted(employee)),
    )
    db.session.refresh(enrolment)


def _send_limits(enrolment: Enrolment, employee: Employee, found: Found, limits: Limits) -> None:
    """Have the days of the employee sent where the terminal does not show just these: its own may be within a day."""
    window, valid = validity.wanted(employee), found.person.valid
    is_there = valid is not None and valid.words == validity.words(window) and not limits.is_rounded
    if window and not is_there:
        state.apply(
            state.DESIRED_AS_BEFORE,
            Enrolment.id == enrolment.id,
            employee_id=employee.id,
            photo_id=Enrolment.photo_id,
        )
        state.apply(state.PUT_IN_BULK, Enrolment.id == enrolment.id)


def _limited(draft: Draft, limits: Limits) -> Draft:
    """Return the form with these days."""
    first, last = text_rules.written_day(limits.first), text_rules.written_day(limits.last)
    return replace(draft, valid_from=first, valid_to=last)
