"""Takes over somebody who is on a terminal already: number, name, validity, and the enrolled picture where it is given.

Nothing is written to the terminal, so cards, fingerprints and rights stay as they are. The terminal's own answer, asked
anew, is what confirms the enrolment. Only where its validity is not in whole days, these are sent afterwards, and so is
a photo that was still to be sent, or whose face is no longer proven there; and somebody whose time is
over comes in as inactive, to be removed from the terminal like everybody who left.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import select, update

from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.extensions import db
from hikflask.isapi import faces, persons
from hikflask.isapi.persons import TerminalPerson
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, PRESENT
from hikflask.models.people import TAKEN_OVER
from hikflask.models.refusal import OLD_FACE, Refusal
from hikflask.models.terminal import BY_PICTURE
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons.queries import MAX_VALUE_LENGTH, name_wanted
from hikflask.services.comparisons.validity_there import Limits, limits_taken
from hikflask.services.core.db import Require, changed_rows, lock_numbers, locked_employee
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.shown import digest
from hikflask.services.departments import registry as departments
from hikflask.services.employees import audit_notes, search, undo
from hikflask.services.employees.save import save_changes
from hikflask.services.employees.undo import EmployeeFacts
from hikflask.services.enrolments import desired, queries, validity
from hikflask.services.groups import locks, membership
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import connection
from hikflask.services.terminals.connection import Conversation, usable_answer

TAKE_OVER = "take_over"
MAX_SECONDS = 60.0
# In bytes. Terminals take pictures of 200 KB; one that shows more for all of its people would fill the disk.
MAX_FACE = 1024 * 1024
DAYS = ("valid_from", "valid_to")
# The SHA-256 of the face here, and of the one there.
Faces = tuple[str, str]


@dataclass(frozen=True)
class Confirmed:
    """What was shown to an operator of one person, and confirmed by the choice.

    `same_person`: the employee here has another name, and it is the same person: the name there counts, or with
    `keeps_name` the one here, and the record there keeps its own. `faces`: the
    employee has another face here, and the person saw both and chose the one there; it comes to the employee's other
    terminals, too. `may_take_days`: False where nobody was asked about days there by which the employee's access ends
    sooner; these are refused. `days_here` are the days that the employee had when a person chose those there ("" for no
    limit), and `name_here` names the name then, see services/core/shown.py; None: not known. Others that somebody saved
    since are not overwritten. `replaces`: sending replaces another record there. `comes_in_inactive`: the days there
    are over.
    """

    same_person: bool = False
    faces: Faces | None = None
    may_take_days: bool = True
    keeps_name: bool = False
    days_here: tuple[str, str] | None = None
    name_here: str | None = None
    replaces: bool = False
    comes_in_inactive: bool = False

    @property
    def as_json(self) -> dict[str, Any] | None:
        """The values as an item keeps them, without those that say nothing."""
        return {name: value for name, value in asdict(self).items() if value} or None

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Confirmed":
        """Return what as_json made."""
        lists = {name: tuple(value) for name, value in (kept or {}).items() if isinstance(value, list)}
        return cls(**{"may_take_days": False, **(kept or {}), **lists})


@dataclass(frozen=True)
class PersonWithPicture:
    """What the terminal shows of one person: the person, and the JPEG of the enrolled face where it is given."""

    person: TerminalPerson
    picture: bytes | None

    @property
    def sha256(self) -> str:
        """The SHA-256 of the picture, an empty text without one."""
        return storage.sha256(self.picture) if self.picture else ""


class TakenOver(NamedTuple):
    """The enrolment of somebody who was taken over, and the employee before (None: there was none) and after it."""

    enrolment: Enrolment
    before: EmployeeFacts | None
    after: EmployeeFacts


@contextmanager
def taking_over(
    terminal_id: int, number: str, name_seen: str, holder: str, confirmed: Confirmed, require: Require | None = None
) -> Iterator[Callable[[], TakenOver]]:
    """Ask the terminal for the person with this number, and yield what makes an employee of the person, or joins the
    employee who has the number. It is called within this, in a transaction.

    :param name_seen: the name that the plan was made with; another name there meanwhile is refused.
    :param require: is called once the number is locked, and raises when nothing is to be done.
    :raises not_there: :raises changed_there: when the terminal shows nobody, or another name or other days.
    :raises name_differs: :raises face_differs: :raises number_not_usable: :raises employee_inactive:
    :raises number_leaving: :raises consent_missing: when that person cannot be taken over.
    :raises validity_outside: and others of limits_taken(): because of the validity there.
    :raises TerminalError: when the terminal refuses or does not answer.
    """
    if not persons.NUMBER.match(number):
        raise ServiceError("number_not_usable", n=number)
    with (
        connection.converse(terminal_id, holder, TAKE_OVER, total=MAX_SECONDS, yields=True) as conversation,
        storage.Files() as files,
    ):
        shown = _ask(conversation, number, name_seen)
        photo = _photo(terminal_id, shown, files)

        def take_over() -> TakenOver:
            lock_numbers(number)
            if require:
                require()
            with conversation.lease.write():
                writing = _TakeOver(conversation.terminal, shown, photo, confirmed, files)
                enrolment, employee = writing.write()
                return TakenOver(enrolment, writing.before, undo.facts(employee))

        yield take_over


def _ask(conversation: Conversation, number: str, name_seen: str) -> PersonWithPicture:
    person = persons.find(conversation, number)
    if person is None:
        raise ServiceError("not_there", n=number)
    if person.name[:MAX_VALUE_LENGTH] != name_seen:
        raise ServiceError("changed_there", n=number)
    if not person.name.strip() or len(person.name) > MAX_NAME_LENGTH:
        raise ServiceError("name_not_usable", n=number)

    def picture() -> bytes | None:
        url = person.face_url
        if person.faces is None:
            enrolled = faces.find(conversation, number)
            url = enrolled.face_url if enrolled else None
        return faces.fetch_picture(conversation, url) if url and person.faces != 0 else None

    return PersonWithPicture(person, usable_answer(picture))


def _photo(terminal_id: int, shown: PersonWithPicture, files: storage.Files) -> Photo | None:
    """Return the photo of the enrolled picture: the one that the employee has already, or a new one.

    None without a picture, and for a new one that is too large to be kept.
    """
    if shown.picture is None:
        return None
    employee, kept = search.by_number(shown.person.number), None
    if employee:
        same = (Photo.employee_id == employee.id, Photo.sha256 == shown.sha256, Photo.forgotten_at.is_(None))
        kept = db.session.execute(select(Photo).where(*same).order_by(Photo.id).limit(1)).scalar_one_or_none()
    kept = kept or _encoded_photo(terminal_id, shown)
    if kept or len(shown.picture) > MAX_FACE:
        return kept
    return files.add(storage.keep(shown.picture, shown.person.number, TAKEN_OVER))


def _encoded_photo(terminal_id: int, shown: PersonWithPicture) -> Photo | None:
    """Return the desired photo of which the enrolled picture counts as the terminal's own encoding, or None.

    The photo stays the employee's face: nobody saw the picture there and chose it.
    """
    enrolment = queries.find(terminal_id, shown.person.number)
    return enrolment.photo if enrolment and shown.picture and enrolment.face_there == shown.sha256 else None


@dataclass
class _TakeOver:
    """Writes what a terminal shows of one person, within one transaction that has locked the number."""

    terminal: Terminal
    shown: PersonWithPicture
    photo: Photo | None
    confirmed: Confirmed
    files: storage.Files
    # The employee who has the number already.
    before: EmployeeFacts | None = None
    # A photo was still to be sent to the terminal.
    is_face_due: bool = False

    def write(self) -> tuple[Enrolment, Employee]:
        """Create an employee from the person, or use the one with that number; return the enrolment, too."""
        terminal, person = self.terminal, self.shown.person
        current = search.by_number(person.number)
        joined = self._join(current.id) if current else None
        # Decided on locked rows; the photo may have been read a moment before.
        encoded = _encoded_photo(terminal.id, self.shown) if joined else None
        self.photo = encoded or self.photo
        is_new_face = joined is not None and self._is_chosen(joined)
        limits = limits_taken(person.valid, terminal, joined, is_desired=self._desired() is not None)
        # Nobody was asked whether so many may lose access.
        if joined and not self.confirmed.may_take_days and limits.take_from(Limits(joined.valid_from, joined.valid_to)):
            raise ServiceError("changed_there", n=person.number)
        own = Limits(joined.valid_from, joined.valid_to).written if joined else None
        if self.confirmed.days_here and own not in {None, self.confirmed.days_here, limits.written}:
            raise ServiceError("changed_since")
        if joined is None and limits.is_over:
            return self._come_in_inactive(limits)
        employee = joined or save_changes(_limited(Draft(person.number, person.name), limits), self.files)
        consents.require_for_save(employee, with_face=self.photo is not None)
        enrolments = {row.terminal_id: row for row in queries.of_number(employee.number, lock=True)}
        enrolment = enrolments.get(terminal.id) or state.create_for(terminal.id, employee.number)
        if self.photo is not None and encoded is None:
            self._give(employee, self.photo, replaces=is_new_face)
        tried = enrolment.face_unverified or enrolment.next_attempt_at is not None
        self.is_face_due = tried and enrolment.desired == PRESENT and enrolment.face == PENDING
        self._confirm(enrolment, employee)
        if (employee.valid_from, employee.valid_to) != (limits.first, limits.last):
            days = _limited(Draft(), limits)
            save_changes(days, self.files, employee_id=employee.id, fields=DAYS, by_groups=membership.ignore)
            self._confirm(enrolment, employee)
        self._send_rest(enrolment, employee, limits)
        if is_new_face:
            self._send_elsewhere(employee)
        return self._end(enrolment, employee)

    def _come_in_inactive(self, limits: Limits) -> tuple[Enrolment, Employee]:
        """Add somebody whose time is over as inactive, and desire the removal from this terminal as of all who left."""
        person, terminal_id = self.shown.person, self.terminal.id
        employee = save_changes(Draft(person.number, person.name), self.files, active=False)
        save_changes(_limited(Draft(), limits), self.files, employee_id=employee.id, fields=DAYS)
        consents.require_for_save(employee, with_face=self.photo is not None)
        if self.photo is not None:
            self._give(employee, self.photo, replaces=False)
        enrolment = queries.find(terminal_id, person.number, lock=True) or state.create_for(terminal_id, person.number)
        given = {"employee_id": employee.id, "written_name": person.name}
        state.apply(state.OVER_THERE, Enrolment.id == enrolment.id, **given)
        return self._end(enrolment, employee)

    def _end(self, enrolment: Enrolment, employee: Employee) -> tuple[Enrolment, Employee]:
        changed_rows(update(Terminal).where(Terminal.id == self.terminal.id).values(last_sync=database_now()))
        after = {"photo": self.photo is not None}
        audit.record("enrolment.taken_over", employee=employee, terminal=self.terminal.name, after=after)
        db.session.refresh(enrolment)
        return enrolment, employee

    def _join(self, employee_id: int) -> Employee:
        """Return the employee who has the number, with the name that is there.

        :raises name_differs: when the employee has another name, and nobody said that it is the same person.
        """
        employee = locked_employee(employee_id)
        if not employee.is_active:
            raise ServiceError("employee_inactive")
        self.before = undo.facts(employee)
        # Before the enrolment (see core/db.py), though the employee may be saved after it.
        departments.resolve(employee.department)
        locks.share()
        name, wanted = self.shown.person.name, name_wanted(self.terminal, employee)
        if name in {employee.name, employee.terminal_name} or (name == wanted and self._desired()):
            return employee
        if not self.confirmed.same_person:
            raise ServiceError("name_differs", n=employee.number, here=employee.name, there=name)
        if name == wanted or self.confirmed.keeps_name:
            return employee  # A shorter form of the employee's own name, or another one that stays there.
        if self.confirmed.name_here not in {None, digest(wanted)}:
            raise ServiceError("changed_since")
        draft, fields = Draft(name=name), {"name", "terminal_name"}
        return save_changes(draft, self.files, employee_id=employee.id, fields=fields, by_groups=membership.ignore)

    def _desired(self) -> Enrolment | None:
        """Return the enrolment as it is now if it is desired, or None."""
        enrolment = queries.find(self.terminal.id, self.shown.person.number)
        return enrolment if enrolment and enrolment.desired == PRESENT else None

    def _is_chosen(self, employee: Employee) -> bool:
        """Tell whether the face there is another one than here, which a person who saw both has chosen.

        :raises face_differs: when it is another one, and nobody chose it in place of the one that is here now, or it is
            not kept.
        """
        desired = self._desired()
        own = (desired and desired.photo) or employee.picture
        ours = {desired.face_there if desired else "", *(photo.sha256 for photo in (own, employee.picture) if photo)}
        if own is None or self.shown.picture is None or self.shown.sha256 in ours:
            return False
        if self.photo is None or self.confirmed.faces != (own.sha256, self.photo.sha256):
            raise ServiceError("face_differs", n=employee.number)
        return True

    def _give(self, employee: Employee, photo: Photo, *, replaces: bool) -> None:
        """Give the picture to the employee: as the photo where there is none, or where a person chose it instead."""
        storage.save(photo)
        photo.employee_id = employee.id
        db.session.flush()
        if employee.photo_id != photo.id and (employee.picture is None or replaces):
            employee.photo_id = photo.id
            audit_notes.record_photo(employee, photo, None)
            db.session.flush()
            db.session.refresh(employee)

    def _send_elsewhere(self, employee: Employee) -> None:
        """Mark the new photo as desired on the employee's other terminals that take pictures."""
        for row in queries.of_number(employee.number):
            elsewhere = row.terminal_id != self.terminal.id and row.desired == PRESENT
            if elsewhere and self.photo and row.photo_id != self.photo.id and row.terminal.face_mode == BY_PICTURE:
                desired.desire_present(row.terminal, employee, self.photo)

    def _confirm(self, enrolment: Enrolment, employee: Employee) -> None:
        """Write what the terminal shows of the person as desired and confirmed."""
        person, photo = self.shown.person, self.photo
        # Where the terminal shows that there is no face, none is desired, but for one that was still to be sent; where
        # it does not tell, nothing changes.
        untold = photo is None and (person.faces != 0 or self.is_face_due) and enrolment.desired == PRESENT
        kept = enrolment.photo_id if untold else None
        # With another name there, the face may be another one, too.
        same_name = person.name in enrolment.names_sent
        late = enrolment.may_come_late
        confirmed = photo is not None or (kept is not None and same_name and enrolment.face == CONFIRMED)
        photo_id = photo.id if photo else kept
        # A face that the terminal has and does not show opens doors all the same.
        unseen_face = Refusal(code=state.NO_PHOTO, params={OLD_FACE: True})
        state.apply(
            state.TAKEN_OVER,
            Enrolment.id == enrolment.id,
            employee_id=employee.id,
            photo_id=photo_id,
            face=CONFIRMED if confirmed else PENDING,
            confirmed_photo_id=photo_id if confirmed else None,
            face_there=enrolment.face_there if enrolment.face_there == self.shown.sha256 else "",
            written_name=person.name,
            valid_there=person.valid.words if person.valid else "",
            # As if it had been sent from here: it is lifted there once it is lifted here.
            sent_valid=validity.words(validity.wanted(employee)) or (enrolment.sent_valid if late else ""),
            unanswered=late,
            refusal=unseen_face if person.faces and photo_id is None else None,
        )
        db.session.refresh(enrolment)

    def _send_rest(self, enrolment: Enrolment, employee: Employee, limits: Limits) -> None:
        """Have the employee's days sent where the terminal does not show just these: its own may be within a day. A
        photo whose face is not proven there is sent, too.
        """
        window, valid = validity.wanted(employee), self.shown.person.valid
        is_there = valid is not None and valid.words == validity.words(window) and not limits.is_rounded
        is_photo_due = enrolment.photo_id is not None and enrolment.face == PENDING
        if is_photo_due or (window and not is_there):
            own = Enrolment.id == enrolment.id
            state.apply(state.DESIRED_AS_BEFORE, own, employee_id=employee.id, photo_id=Enrolment.photo_id)
            state.apply(state.PUT_IN_BULK, own)


def _limited(draft: Draft, limits: Limits) -> Draft:
    """Return the form with these days."""
    first, last = limits.written
    return replace(draft, valid_from=first, valid_to=last)
