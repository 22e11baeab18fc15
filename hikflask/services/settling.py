"""Makes a terminal as wanted, for one number: person → face → proof, or removal → proof.

Everything here happens under the terminal's lease, and every write repeats the lease's number and the wish it began
with. Nothing turns green but by the terminal's own answer afterwards.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update

from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.isapi.errors import NumberTaken, TerminalError
from hikflask.isapi.persons import Person
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.capture import SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, REFUSED
from hikflask.services import checks, conversations, enrolments, leases
from hikflask.services.binding import Binding, FaceOutcome
from hikflask.services.conversations import Conversation
from hikflask.services.errors import (
    CaptureLost,
    CaptureSuperseded,
    FaceNotProven,
    LeaseLost,
    LoginStopped,
    NumberTakenThere,
    ServiceError,
    TerminalInUse,
    WishChanged,
)

SAVE = "save"
SOON = 3.0
AS_IT_IS_NOW = {"synchronize_session": False, "populate_existing": True}
FACE_LOST = (CaptureSuperseded, CaptureLost)


def settle(enrolment_id: int, holder: str, *, again: bool = False) -> Enrolment:
    """Make the terminal as wanted and return the enrolment; what stopped it is in the row and raised.

    :param again: prove what was confirmed before once more.
    :raises TerminalError: what the terminal said, or that it is away. :raises ServiceError: why it was not done.
    """
    enrolment = enrolments.row(enrolment_id)
    if enrolment.is_confirmed and not again:
        return enrolment
    try:
        with conversations.converse(enrolment.terminal_id, holder, SAVE) as talk:
            enrolment = enrolments.row(enrolment_id)
            if enrolment.is_confirmed and not again:
                return enrolment  # Somebody else did it while this one waited for the terminal.
            settlement = Settlement(talk, enrolment, again)
            settlement.run()
    except (TerminalError, ServiceError) as error:
        _note_failure(enrolment_id, error)
        raise
    return settlement.row


class Settlement:
    """One number and one terminal, in one conversation."""

    def __init__(self, talk: Conversation, enrolment: Enrolment, again: bool) -> None:
        self.talk = talk
        self.row = enrolment
        self.again = again
        self.name = enrolment.employee.name if enrolment.employee else enrolment.written_name
        db.session.commit()

    def run(self) -> None:
        """Do what is wanted."""
        if self.row.wanted == ABSENT:
            self._remove()
            return
        if self.talk.terminal.face_mode is None:
            checks.learn(self.talk)
        enrolments.fits(self.talk.terminal, self.name)
        self._enrol()

    def note(self, **values: Any) -> None:
        """Write to the row, under the lease and only while the wish is the one that this conversation began with.

        :raises WishChanged: when it is not. :raises LeaseLost: when another holder came.
        """
        same = update(Enrolment).where(Enrolment.id == self.row.id, Enrolment.wish == self.row.wish)
        with self.talk.lease.write() as session:
            noted = session.execute(same.values(**values).returning(Enrolment), execution_options=AS_IT_IS_NOW)
            row = noted.scalar_one_or_none()
            if row is None:
                raise WishChanged
            if values.get("person") == CONFIRMED:
                self._synced()
        self.row = row

    def _synced(self) -> None:
        leases.changed_rows(
            update(Terminal).where(Terminal.id == self.row.terminal_id).values(last_sync=database_now())
        )

    def _enrol(self) -> None:
        there = self._put_person()
        self.note(step="face")
        binding = Binding(self.talk, self.row, self.note, self.again)
        try:
            outcome = self._refused_before() or binding.put(there)
        except FACE_LOST as error:
            self._supersede()
            self._refuse_face(error.code, "", error)
        except TerminalError as error:
            if error.retryable or binding.doubt:
                raise
            self._refuse_face(error.code, error.message, error)
        else:
            self._prove(binding, outcome)

    def _refused_before(self) -> FaceOutcome | None:
        """A face that was refused for good is not sent again until somebody wishes so."""
        if self.row.face != REFUSED:
            return None
        return FaceOutcome(self.row.refusal, REFUSED)

    def _put_person(self) -> Person | None:
        """Add the person, or bring the name of ours up to date; return who was there before, if anybody.

        :raises NumberTakenThere: when the number is there under a name that we did not write.
        """
        if self.row.replace_first:
            self._take_off()
            self.note(replace_first=False, written_name="")
        before = self.row.written_name
        self.note(step="person", written_name=before or self.name)
        try:
            persons.add(self.talk, self.row.number, self.name, begin=persons.FIRST_MOMENT)
        except NumberTaken:
            return self._adopt(before)
        if self.row.written_name != self.name:
            self.note(written_name=self.name)
        return None

    def _adopt(self, before: str) -> Person:
        """Take the person who has the number there as ours, when the name is one that we wrote or want."""
        there = persons.find(self.talk, self.row.number)
        if there is None:
            raise FaceNotProven
        if there.name not in {self.row.written_name, self.name}:
            self.note(written_name=before, person=REFUSED, face=PENDING, confirmed_photo_id=None, confirmed_at=None)
            raise NumberTakenThere(n=self.row.number, name=there.name)
        if there.name != self.name:
            persons.modify(self.talk, self.row.number, self.name)
        if self.row.written_name != self.name:
            self.note(written_name=self.name)
        return there

    def _prove(self, binding: Binding, outcome: FaceOutcome) -> None:
        """Search must find the number with our name and, where a face is wanted, with that face."""
        self.note(step="proof")
        found = self._found()
        if outcome.refusal:
            self._done(person=CONFIRMED, face=outcome.face, refusal=outcome.refusal)
        elif binding.shown(found, outcome):
            self._done(
                person=CONFIRMED,
                face=CONFIRMED,
                confirmed_photo_id=self.row.photo_id,
                confirmed_at=self._checked_at(outcome),
                doubt=False,
            )
        else:
            self.note(person=CONFIRMED, face=PENDING, confirmed_photo_id=None, confirmed_at=None)
            raise FaceNotProven

    def _checked_at(self, outcome: FaceOutcome) -> Any:
        return self.row.confirmed_at if outcome.kept else database_now()

    def _found(self) -> Person:
        found = persons.find(self.talk, self.row.number)
        if found is None or found.name != self.name:
            self.note(person=PENDING, face=PENDING, confirmed_photo_id=None, confirmed_at=None)
            raise FaceNotProven
        return found

    def _refuse_face(self, code: str, text: str, error: Exception) -> None:
        """The face was refused for good: the person's own state is still asked for, then the refusal is passed on."""
        self.note(face=REFUSED, refusal=code[:64], refusal_text=text[:255])
        self._found()
        self._done(person=CONFIRMED)
        raise error

    def _supersede(self) -> None:
        if self.row.photo_id is None:
            return
        with self.talk.lease.write():
            mine = update(Capture).where(Capture.photo_id == self.row.photo_id, Capture.state == USED)
            leases.changed_rows(mine.values(state=SUPERSEDED))

    def _done(self, **values: Any) -> None:
        self.note(step="", attempts=0, next_attempt_at=None, **{"refusal": self.row.refusal, **values})

    def _remove(self) -> None:
        """Take the number off, and believe it only when Search finds nobody."""
        self.note(step="removal")
        there = persons.find(self.talk, self.row.number)
        if there and not self._may_take_off(there):
            raise NumberTakenThere(n=self.row.number, name=there.name)
        if there is None or self.row.written_name or self.row.replace_first:
            self._take_off()
        self._gone()

    def _may_take_off(self, there: Person) -> bool:
        """A stranger's record is not ours to delete; one that we never wrote to is left alone without a question."""
        if self.row.replace_first or not self.row.written_name:
            return True
        return there.name in {self.row.written_name, self.name}

    def _take_off(self) -> None:
        persons.remove(self.talk, self.row.number)
        if persons.find(self.talk, self.row.number) is not None:
            raise FaceNotProven

    def _gone(self) -> None:
        """Nobody of ours is there: the row ends when its employee did, else it says when that was confirmed."""
        self._done(
            person=CONFIRMED,
            face=PENDING,
            confirmed_photo_id=None,
            confirmed_at=database_now(),
            doubt=False,
            written_name="",
            replace_first=False,
            refusal="",
            refusal_text="",
        )
        if self.row.employee_id is None:
            with self.talk.lease.write() as session:
                session.delete(session.get_one(Enrolment, self.row.id))


def _note_failure(enrolment_id: int, error: TerminalError | ServiceError) -> None:
    """Write why it was not done, and when it is tried again by itself."""
    db.session.rollback()
    enrolment = enrolments.row(enrolment_id)
    values: dict[str, Any] = {"step": ""}
    if isinstance(error, TerminalInUse):
        # Nothing was begun here; whoever holds the terminal may be doing this very wish, and may end it before this.
        values = {"next_attempt_at": case((Enrolment.next_attempt_at.is_not(None), database_now(SOON)))}
    elif isinstance(error, (LeaseLost, WishChanged)):
        values["next_attempt_at"] = database_now(SOON)
    elif isinstance(error, LoginStopped):
        values |= {"refusal": error.code, "refusal_text": "", "next_attempt_at": _unlock_at(enrolment)}
    elif enrolment.next_attempt_at is None:
        return  # The conversation ended with a refusal that it wrote itself.
    else:
        values |= _refusal(enrolment, error)
    statement = update(Enrolment).where(Enrolment.id == enrolment_id, Enrolment.wish == enrolment.wish)
    leases.changed_rows(statement.values(**values))
    db.session.commit()


def _refusal(enrolment: Enrolment, error: TerminalError | ServiceError) -> dict[str, Any]:
    text = error.message if isinstance(error, TerminalError) else str(error.params.get("name", ""))
    again = enrolment.doubt or isinstance(error, FaceNotProven) or getattr(error, "retryable", False)
    values: dict[str, Any] = {
        "refusal": error.code[:64],
        "refusal_text": text[:255],
        "attempts": enrolment.attempts + 1,
    }
    if again or enrolment.wanted == ABSENT:
        values["next_attempt_at"] = database_now(enrolments.pause(enrolment.attempts))
        return values
    person = REFUSED if enrolment.step in {"", "person"} else enrolment.person
    return values | {"next_attempt_at": None, "person": person}


def _unlock_at(enrolment: Enrolment) -> datetime | None:
    statement = select(Terminal.unlock_at).where(Terminal.id == enrolment.terminal_id)
    return db.session.execute(statement).scalar_one()
