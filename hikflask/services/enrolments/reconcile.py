"""Makes a terminal as wanted, for one number: person → face → proof, or removal → proof.

Everything here happens under the terminal's lease, and every write repeats the lease's number and the wish it began
with. Nothing turns green but by the terminal's own answer afterwards.
"""

from contextlib import suppress
from typing import Any

from sqlalchemy import Update, update

from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.isapi.errors import NumberTaken, TerminalError
from hikflask.isapi.persons import Person
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.capture import SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.models.terminal import UNKNOWN
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import (
    CaptureLost,
    CaptureSuperseded,
    EmployeeInactive,
    EnrolmentUnknown,
    FaceNotVerified,
    LeaseLost,
    LoginStopped,
    NameNotVerified,
    NumberTakenThere,
    OtherDevice,
    PersonNotVerified,
    RemovalNotVerified,
    ServiceError,
    TerminalInUse,
    TerminalRetired,
    WishChanged,
)
from hikflask.services.enrolments import desired, failures, manual_removal
from hikflask.services.enrolments.audit_notes import Trail
from hikflask.services.enrolments.face_binding import Binding, FaceOutcome
from hikflask.services.privacy import certificates
from hikflask.services.state import capture as capture_state
from hikflask.services.terminals import checks, connection
from hikflask.services.terminals.connection import Conversation

SAVE = "save"
FACE_LOST = (CaptureSuperseded, CaptureLost)
NOT_OURS = (LeaseLost, WishChanged, EnrolmentUnknown)
AS_IT_IS_NOW = {"populate_existing": True, "synchronize_session": False}
FINISHED = {"step": "", "attempts": 0, "next_attempt_at": None}


def settle(enrolment_id: int, holder: str, *, again: bool = False, wait: float | None = None) -> Enrolment:
    """Make the terminal as wanted and return the enrolment; what stopped it is in the row and raised.

    :param again: prove what was confirmed before once more; so does a wish that is confirmed and due all the same.
    :param wait: how long to wait for whoever has the terminal (default: LEASE_WAIT), in seconds.
    :raises TerminalError: what the terminal said, or that it is away. :raises ServiceError: why it was not done.
    """
    enrolment = desired.row(enrolment_id)
    if _is_done(enrolment) and not again:
        return enrolment
    try:
        total = connection.SETTLE_SECONDS
        with connection.converse(enrolment.terminal_id, holder, SAVE, wait=wait, total=total) as talk:
            enrolment = desired.row(enrolment_id)
            if _is_done(enrolment) and not again:
                return enrolment  # Somebody else did it while this one waited for the terminal.
            settlement = Settlement(talk, enrolment, again or enrolment.is_confirmed)
            settlement.run()
    except (TerminalInUse, TerminalRetired, LeaseLost, LoginStopped) as error:
        failures.put_off(enrolment_id, error)
        raise
    return settlement.row


def _is_done(enrolment: Enrolment) -> bool:
    return enrolment.is_confirmed and enrolment.next_attempt_at is None


class Settlement:
    """One number and one terminal, in one conversation."""

    def __init__(self, talk: Conversation, enrolment: Enrolment, again: bool) -> None:
        self.talk = talk
        self.row = enrolment
        self.id, self.generation = enrolment.id, enrolment.generation
        self.again = again
        self.trail = Trail(enrolment)
        self.name = enrolment.employee.name if enrolment.employee else enrolment.last_name
        db.session.commit()

    def run(self) -> None:
        """Do what is wanted; what stops it is written while the lease is still held."""
        try:
            self._remove() if self.row.desired == ABSENT else self._enrol()
        except NOT_OURS:
            raise
        except (TerminalError, ServiceError) as error:
            db.session.rollback()
            with suppress(*NOT_OURS):
                self.row = desired.row(self.id)
                self.note(**failures.told(self.row, error))
            raise

    def note(self, **values: Any) -> None:
        """Write to the row, under the lease and only while the wish is the one that this conversation began with.

        :raises WishChanged: when it is not. :raises LeaseLost: when another holder came.
        """
        with self.talk.lease.write() as session:
            noted = session.execute(self._mine().values(**values).returning(Enrolment), execution_options=AS_IT_IS_NOW)
            row = noted.scalar_one_or_none()
            if row is None:
                raise WishChanged
            self.trail.note(row, values)
            if values.get("person") == CONFIRMED:
                self._synced()
        self.row = row

    def _mine(self) -> Update:
        return update(Enrolment).where(Enrolment.id == self.id, Enrolment.generation == self.generation)

    def _synced(self) -> None:
        changed_rows(update(Terminal).where(Terminal.id == self.row.terminal_id).values(last_sync=database_now()))

    def _enrol(self) -> None:
        if self.row.employee and not self.row.employee.is_active:
            raise EmployeeInactive
        if self.talk.terminal.face_mode is None:
            checks.learn(self.talk)
        desired.fits(self.talk.terminal, self.name)
        there = self._put_person()
        self.note(step="face")
        binding = Binding(self.talk, self.row, self.note, self.again)
        try:
            outcome = self._refused_before() or binding.put(there)
        except FACE_LOST as error:
            self._supersede()
            self._refuse_face(error.code, "", error)
        except TerminalError as error:
            if error.retryable or binding.doubt or isinstance(error, failures.STOPS):
                raise
            self._refuse_face(error.code, error.text, error)
        else:
            self._prove(binding, outcome)

    def _refused_before(self) -> FaceOutcome | None:
        """A face that was refused for good is not sent again until somebody wishes so."""
        if self.row.face != REFUSED:
            return None
        return FaceOutcome(self.row.refusal_code, REFUSED)

    def _put_person(self) -> Person | None:
        """Add the person, or bring the name of ours up to date; return who was there before, if anybody.

        A number that was never sent there is added at once; otherwise who has it now is asked first, for a Record
        that is answered with OK would not tell.

        :raises NumberTakenThere: when the number is there under a name that we did not write.
        """
        if not (self.row.name_there or self.row.overwrite or self.row.on_old_device):
            return self._add()
        self.note(step="person", **self._claim())
        there = persons.find(self.talk, self.row.number)
        if self.row.overwrite:
            there = self._replaced(there)
        return self._add() if there is None else self._adopt(there)

    def _claim(self) -> dict[str, Any]:
        """What is not confirmed is claimed while it is done, so that a killed worker leaves it due."""
        return {} if self.row.is_confirmed else {"next_attempt_at": database_now(desired.CLAIM_SECONDS)}

    def _replaced(self, there: Person | None) -> Person | None:
        """Take a stranger off first; a record that is ours already is kept, with its face."""
        if there and not self._is_ours(there):
            self._take_off()
            self.note(overwrite=False, **desired.unproven())
            return None
        self.note(overwrite=False)
        return there

    def _is_ours(self, there: Person) -> bool:
        return there.name in {self.row.written_name, self.row.sent_name, self.row.name_on_old_device, self.name} - {""}

    def _add(self) -> Person | None:
        """Record; the names that we gave before stay until it is proven, for Search may have missed who has them."""
        lost = desired.unproven() if self.row.face == CONFIRMED else {}
        sent_before = self.row.sent_name
        self.note(step="person", person=PENDING, sent_name=self.name, **{**self._claim(), **lost})
        try:
            persons.add(self.talk, self.row.number, self.name, begin=persons.FIRST_MOMENT)
        except NumberTaken:
            there = persons.find(self.talk, self.row.number)
            if there is None:
                raise PersonNotVerified from None
            if there.name != self.name:
                self.note(sent_name=sent_before)  # This Record wrote nothing.
            return self._adopt(there)
        return None

    def _adopt(self, there: Person) -> Person:
        """Take the person who has the number there as ours, when the name is one that we wrote or want."""
        if not self._is_ours(there):
            self.note(person=REFUSED, **desired.unproven())
            raise NumberTakenThere(n=self.row.number, name=there.name[:255])
        if there.name != self.name:
            self.note(written_name=there.name, sent_name=self.name)
            persons.modify(self.talk, self.row.number, self.name)
        return there

    def _prove(self, binding: Binding, outcome: FaceOutcome) -> None:
        """Search must find the number with our name and, where a face is wanted, with that face."""
        self.note(step="proof")
        found = self._found()
        if outcome.undone:
            text = self.row.refusal_text if self.row.face == REFUSED else ""
            self._done(person=CONFIRMED, face=outcome.face, refusal_code=outcome.refusal, refusal_text=text)
        elif binding.shown(found, outcome):
            self._done(
                person=CONFIRMED,
                face=CONFIRMED,
                confirmed_photo_id=self.row.photo_id,
                confirmed_at=self._checked_at(outcome),
                face_unverified=False,
                refusal_code="",
                refusal_text="",
            )
            if outcome.by and self.talk.terminal.face_mode == UNKNOWN:
                self.talk.note(face_mode=outcome.by)
        else:
            self.note(person=CONFIRMED, **desired.unproven())
            raise FaceNotVerified

    def _checked_at(self, outcome: FaceOutcome) -> Any:
        return self.row.confirmed_at if outcome.kept else database_now()

    def _found(self) -> Person:
        found = persons.find(self.talk, self.row.number)
        if found is None or found.name != self.name:
            self.note(person=PENDING, **desired.unproven())
            raise NameNotVerified(name=found.name[:255]) if found else PersonNotVerified
        return found

    def _refuse_face(self, code: str, text: str, error: Exception) -> None:
        """The face was refused for good: the person's own state is still asked for, then the refusal is passed on."""
        self.note(**{**desired.unproven(), "face": REFUSED}, refusal_code=code[:64], refusal_text=text[:255])
        self._found()
        self._done(person=CONFIRMED)
        raise error

    def _supersede(self) -> None:
        if self.row.photo_id is None:
            return
        with self.talk.lease.write():
            mine = update(Capture).where(Capture.photo_id == self.row.photo_id, Capture.state == USED)
            capture_state.execute(mine.values(state=SUPERSEDED))

    def _done(self, **values: Any) -> None:
        """The terminal answered as wanted, or refused for good: nothing is open, and the name there is proven."""
        self.note(**{"written_name": self.name, "sent_name": "", **FINISHED, **values})

    def _remove(self) -> None:
        """Take the number off, and believe it only when the device that had it finds nobody.

        :raises NumberTakenThere: when somebody has it under a name that we did not write: a person says who that is.
        """
        checks.recognise(self.talk)
        self.row = desired.row(self.id)
        self.note(step="removal", **self._claim())
        there = persons.find(self.talk, self.row.number)
        # What this device has under our name may have been written to it before it was known to be another one.
        if self.row.waits_for_hand and not (there and self._is_ours(there)):
            raise OtherDevice
        if there and not (self.row.overwrite or self._is_ours(there)):
            raise NumberTakenThere(n=self.row.number, name=there.name[:255])
        self._take_off()
        self._gone()

    def _take_off(self) -> None:
        persons.remove(self.talk, self.row.number)
        there = persons.find(self.talk, self.row.number)
        if there is not None:
            raise RemovalNotVerified(name=there.name[:255] if self.row.desired == PRESENT else "")

    def _gone(self) -> None:
        """Nobody of ours is there: the row says when that was confirmed, and ends when its employee did.

        :raises OtherDevice: when a device that was there before may still know the number.
        """
        if self.row.on_old_device:
            self.note(**manual_removal.NOT_HERE)
            raise OtherDevice
        with self.talk.lease.write():
            changed = changed_rows(self._mine().values(**manual_removal.GONE, confirmed_at=database_now()))
            if changed != 1:
                raise WishChanged
            self.trail.note_gone(self.row)
            self._synced()
            ended = certificates.end_removal(self.row)
        if not ended:
            self.row = desired.row(self.row.id)
