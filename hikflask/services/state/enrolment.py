"""The state machine of an enrolment: the only code that writes the state columns of its table.

A transition says which rows it may change (`needs`), what it writes (`writes`), and which values the caller gives
(`given`). It is one UPDATE by compare-and-set: `apply` returns how many rows it changed. Callers add to `needs` which
rows they mean, mostly by id and generation. A conversation with a terminal writes under its lease, too (see
enrolments/attempt.py).

`person` and `face` go pending → confirmed or refused, each on its own:

    desired present   SENDING_PERSON → SENDING_FACE → CONFIRMED_WITH_FACE, or PERSON_CONFIRMED without a face
    desired absent    → GONE, by the terminal's answer; REMOVED_…, by a person's statement
    retried           WAITING, STOPPED, POSTPONED; not retried automatically: GIVEN_UP

Only CONFIRMED_WITH_FACE, PERSON_CONFIRMED, FACE_NOT_SHOWN (the person alone), TAKEN_OVER, GONE and REMOVED_… write
`confirmed`, which pages show in green. A comparison takes that back (FOUND_…) where the terminal's list contradicts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, true, update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.services.core.db import changed_rows

# An attempt that never ends (killed worker, lost queue) is due again after this many seconds.
CLAIM_SECONDS = 60.0
# The refusal code of what a person left as it is on the terminal.
LEFT_ALONE = "left_alone"
NOW = database_now()
COMES_BACK = {"next_attempt_at": database_now(CLAIM_SECONDS)}
DUE = {"attempts": 0, "next_attempt_at": NOW, "in_bulk": False}
# When the last attempt ended without what is desired.
TRIED = {"tried_at": NOW}
DONE = {"step": "", "attempts": 0, "next_attempt_at": None}
NEXT_GENERATION = {"generation": Enrolment.generation + 1}
NO_FACE = {"face": PENDING, "confirmed_photo_id": None, "confirmed_at": None, "face_there": ""}
NO_REFUSAL = {"refusal_code": "", "refusal_text": ""}
BY_THE_TERMINAL = {"confirmed_by": "", "confirmation_note": ""}
# A confirmed face stays confirmed when only the person changes, or nothing.
FACE_IF_CONFIRMED = {
    "face": case((Enrolment.face == CONFIRMED, CONFIRMED), else_=PENDING),
    "confirmed_photo_id": case((Enrolment.face == CONFIRMED, Enrolment.confirmed_photo_id)),
    "confirmed_at": case((Enrolment.face == CONFIRMED, Enrolment.confirmed_at)),
}
NOT_ON_THIS_DEVICE = {"face_unverified": False, "written_name": "", "sent_name": "", "overwrite": False}
NOBODY_THERE = {
    **NOT_ON_THIS_DEVICE,
    **NO_FACE,
    **NO_REFUSAL,
    **DONE,
    "person": CONFIRMED,
    "confirmed_at": NOW,
    "on_old_device": False,
    "name_on_old_device": "",
}
# A person's statement ends a removal. The new generation keeps a running attempt from writing to the row.
BY_A_PERSON = {**NOBODY_THERE, **NEXT_GENERATION, "desired": ABSENT}

IS_LEAVING = and_(Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED)
WAS_WRITTEN = or_(Enrolment.written_name != "", Enrolment.sent_name != "")


@dataclass(frozen=True)
class Transition:
    """Which rows a change may affect, what it writes, and which columns the caller must give."""

    writes: Mapping[str, Any]
    needs: ColumnElement[bool] = field(default_factory=true)
    given: tuple[str, ...] = ()


def _desire(state: str) -> dict[str, Any]:
    """Return what every change of the desired state writes: nothing is confirmed yet, and an attempt is due."""
    since = case((Enrolment.desired != state, NOW), else_=Enrolment.desired_since)
    unknown = {**NEXT_GENERATION, **NO_REFUSAL, **BY_THE_TERMINAL, **DUE, "person": PENDING, "step": ""}
    return {**unknown, "desired": state, "desired_since": since}


# --- what is desired ---
DESIRED_PRESENT = Transition({**_desire(PRESENT), **NO_FACE}, given=("employee_id", "photo_id"))
# The photo stays the same; the name may change.
DESIRED_AS_BEFORE = Transition({**_desire(PRESENT), **FACE_IF_CONFIRMED}, given=("employee_id", "photo_id"))
DESIRED_ABSENT = Transition({**_desire(ABSENT), **NO_FACE, "overwrite": False}, needs=Enrolment.desired == PRESENT)
# A person who has the number there under another name is removed first.
DESIRED_OVERWRITE = Transition(
    {
        **NEXT_GENERATION,
        **NO_REFUSAL,
        **DUE,
        "overwrite": True,
        "person": PENDING,
        "face": case((Enrolment.face == REFUSED, PENDING), else_=Enrolment.face),
    }
)
# "Try again": what was refused becomes pending.
RETRIED = Transition(
    {
        **NEXT_GENERATION,
        **DUE,
        "person": case((Enrolment.person == REFUSED, PENDING), else_=Enrolment.person),
        "face": case((Enrolment.face == REFUSED, PENDING), else_=Enrolment.face),
        "refusal_code": case((Enrolment.face == CONFIRMED, Enrolment.refusal_code), else_=""),
        "refusal_text": case((Enrolment.face == CONFIRMED, Enrolment.refusal_text), else_=""),
    }
)
EMPLOYEE_DELETED = Transition({"employee_id": None, "photo_id": None, "confirmed_photo_id": None})

# --- what the terminal lost ---
# It has fewer people or faces than it confirmed: everybody is verified again, after those for whom somebody waits.
PEOPLE_LOST = Transition(
    {**NEXT_GENERATION, **DUE, "person": PENDING, "in_bulk": True},
    needs=and_(Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED),
)
# Another device answers at its address. People who were written to the old device may still open doors with it.
LEFT_ON_OLD_DEVICE = Transition(
    {
        "on_old_device": True,
        "name_on_old_device": case(
            (Enrolment.sent_name != "", Enrolment.sent_name),
            (Enrolment.written_name != "", Enrolment.written_name),
            else_=Enrolment.name_on_old_device,
        ),
        "written_name": "",
        "sent_name": "",
    },
    needs=or_(IS_LEAVING, WAS_WRITTEN),
)
LEAVING_OLD_DEVICE = Transition({"overwrite": False}, needs=IS_LEAVING)
DESIRED_ON_NEW_DEVICE = Transition(
    {**NEXT_GENERATION, **NO_FACE, "person": PENDING, "overwrite": False, "next_attempt_at": NOW, "in_bulk": True},
    needs=Enrolment.desired == PRESENT,
)

# --- what a comparison of the whole terminal found ---
IS_SHOWN_THERE = and_(Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
HAS_CONFIRMED_FACE = and_(Enrolment.desired == PRESENT, Enrolment.face == CONFIRMED)
_FOUND_OTHERWISE = {**NEXT_GENERATION, **NO_REFUSAL, "attempts": 0, "in_bulk": True, "step": ""}
FOUND_GONE = Transition(
    {**_FOUND_OTHERWISE, **NO_FACE, "person": PENDING}, needs=IS_SHOWN_THERE, given=("next_attempt_at",)
)
FOUND_RENAMED = Transition({**_FOUND_OTHERWISE, "person": PENDING}, needs=IS_SHOWN_THERE, given=("next_attempt_at",))
FOUND_WITHOUT_FACE = Transition({**_FOUND_OTHERWISE, **NO_FACE}, needs=HAS_CONFIRMED_FACE, given=("next_attempt_at",))
# `face_unverified`: the photo can be sent again, so the face there goes first. Otherwise it stays.
FOUND_OTHER_FACE = Transition(
    {**_FOUND_OTHERWISE, **NO_FACE}, needs=HAS_CONFIRMED_FACE, given=("next_attempt_at", "face_unverified")
)
# A person decided to leave it so: it is neither shown in green nor tried again before the person decides otherwise.
_LEFT = {**NEXT_GENERATION, "refusal_code": LEFT_ALONE, "attempts": 0, "next_attempt_at": None, "step": ""}
_NOT_LEFT_YET = and_(Enrolment.desired == PRESENT, Enrolment.refusal_code != LEFT_ALONE)
LEFT_PERSON = Transition({**_LEFT, **NO_FACE, "person": REFUSED}, needs=_NOT_LEFT_YET, given=("refusal_text",))
LEFT_FACE = Transition(
    {**_LEFT, **NO_FACE, "face": REFUSED, "face_unverified": False}, needs=_NOT_LEFT_YET, given=("refusal_text",)
)
# How the terminal stores the confirmed face, where that differs from the photo.
FACE_THERE_LEARNT = Transition({}, needs=HAS_CONFIRMED_FACE, given=("face_there",))
# Somebody who was there already: the terminal's own answer confirms it, and nothing was sent.
TAKEN_OVER = Transition(
    {
        **NEXT_GENERATION,
        **NO_REFUSAL,
        **BY_THE_TERMINAL,
        **DONE,
        "desired": PRESENT,
        "desired_since": case((Enrolment.desired != PRESENT, NOW), else_=Enrolment.desired_since),
        "overwrite": False,
        "in_bulk": False,
        "face_unverified": False,
        "person": CONFIRMED,
        "sent_name": "",
        "sent_valid": "",
        "face_there": "",
        "confirmed_at": NOW,
    },
    given=("employee_id", "photo_id", "face", "confirmed_photo_id", "written_name", "valid_there"),
)
# The validity there is not the one asked for, so it is set, or lifted where none is asked for.
VALIDITY_THERE = Transition({}, needs=Enrolment.desired == PRESENT, given=("sent_valid",))
# A person saw who is there and chose to remove exactly this record: with another name there, the removal asks.
REMOVAL_CHOSEN = Transition({**_desire(ABSENT), **NO_FACE, "in_bulk": True}, given=("written_name", "overwrite"))

# --- when it is tried ---
# One of many: a job changed the desired state a moment ago, within the same transaction.
PUT_IN_BULK = Transition({"in_bulk": True}, needs=Enrolment.next_attempt_at.is_not(None))
CLAIMED = Transition(COMES_BACK)
# Everything that is not finished.
MADE_DUE = Transition(
    {"next_attempt_at": NOW},
    needs=or_(Enrolment.person == PENDING, Enrolment.face_unverified, Enrolment.next_attempt_at.is_not(None)),
)
# Enrolments that are desired present and have a pending face.
FACE_MADE_DUE = Transition(
    {"next_attempt_at": NOW}, needs=and_(Enrolment.desired == PRESENT, Enrolment.face == PENDING)
)

# --- a conversation with the terminal ---
STEP = Transition({}, given=("step",))
STEP_CLAIMED = Transition(COMES_BACK, given=("step",))
# Our own record has the number there: the record and its face stay.
NOTHING_TO_OVERWRITE = Transition({"overwrite": False})
OVERWRITTEN = Transition({**NO_FACE, **COMES_BACK, "overwrite": False})
# written_name stays until this name is verified, because Search may have missed the person.
SENDING_PERSON = Transition({**COMES_BACK, "step": "person", "person": PENDING}, given=("sent_name",))
# The person is not there any more, so the confirmed face is not there either.
SENDING_LOST_PERSON = Transition({**SENDING_PERSON.writes, **NO_FACE}, given=("sent_name",))
PERSON_NOT_SENT = Transition({}, given=("sent_name",))
NUMBER_TAKEN = Transition({**NO_FACE, **COMES_BACK, "person": REFUSED})
SENDING_NAME = Transition({}, given=("written_name", "sent_name"))
FACE_LOST = Transition({**NO_FACE, **COMES_BACK})
# Written before FDSetUp, so that the row keeps it when the worker is killed or the answer is lost.
SENDING_FACE = Transition({**NO_FACE, **COMES_BACK, "face_unverified": True})
# FDSetUp had no effect, or its effect was undone.
FACE_CERTAIN = Transition({"face_unverified": False})
FACE_REFUSED = Transition({**NO_FACE, **COMES_BACK, "face": REFUSED}, given=("refusal_code", "refusal_text"))
PERSON_NOT_SHOWN = Transition({**NO_FACE, **COMES_BACK, "person": PENDING})
FACE_NOT_SHOWN = Transition({**NO_FACE, **COMES_BACK, "person": CONFIRMED})
CONFIRMED_WITH_FACE = Transition(
    {
        **NO_REFUSAL,
        **DONE,
        "person": CONFIRMED,
        "face": CONFIRMED,
        "confirmed_photo_id": Enrolment.photo_id,
        "face_unverified": False,
        "sent_name": "",
    },
    given=("written_name", "confirmed_at"),
)
PERSON_CONFIRMED = Transition(
    {**DONE, **TRIED, "person": CONFIRMED, "sent_name": ""},
    given=("written_name", "face", "refusal_code", "refusal_text"),
)
# The device at the address does not have the person; an earlier device may.
GONE_FROM_NEW_DEVICE = Transition(NOT_ON_THIS_DEVICE)
GONE = Transition({**NOBODY_THERE, **BY_THE_TERMINAL})

# --- how an attempt failed ---
ENDED = Transition({**TRIED, "step": ""})
WAITING = Transition(
    {**TRIED, "step": "", "attempts": Enrolment.attempts + 1}, given=("next_attempt_at", "refusal_code", "refusal_text")
)
# The error stops every conversation with this terminal.
STOPPED = Transition({**TRIED, "step": ""}, given=("next_attempt_at", "refusal_code", "refusal_text"))
GIVEN_UP = Transition(
    {**TRIED, "step": "", "attempts": Enrolment.attempts + 1, "next_attempt_at": None},
    given=("person", "refusal_code", "refusal_text"),
)
# Written without the lease. The lease's holder may finish this row meanwhile; then nothing is left to postpone.
POSTPONED = Transition({}, needs=Enrolment.next_attempt_at.is_not(None), given=("next_attempt_at",))
POSTPONED_FOR = Transition(TRIED, needs=POSTPONED.needs, given=("next_attempt_at", "refusal_code", "refusal_text"))
POSTPONED_BETWEEN_STEPS = Transition({"step": ""}, needs=POSTPONED.needs, given=("next_attempt_at",))

# --- a person's statement ---
REMOVED_BY_HAND = Transition(
    {**BY_A_PERSON, "confirmation_note": ""},
    needs=and_(IS_LEAVING, Enrolment.on_old_device, ~WAS_WRITTEN),
    given=("confirmed_by",),
)
REMOVED_WITH_TERMINAL = Transition(BY_A_PERSON, given=("confirmed_by", "confirmation_note"))
REMOVED_AS_SOMEBODY_ELSES = Transition(
    BY_A_PERSON, needs=and_(IS_LEAVING, ~Enrolment.on_old_device), given=("confirmed_by", "confirmation_note")
)
# An earlier device may still know the number.
SOMEBODY_ELSES_HERE = Transition(
    {**NOT_ON_THIS_DEVICE, **NEXT_GENERATION, "refusal_text": ""},
    needs=and_(IS_LEAVING, Enrolment.on_old_device),
    given=("refusal_code",),
)


def create(terminal_id: int, employee: Employee) -> Enrolment:
    """Add the row of an employee on a terminal to the open transaction. The caller then writes the desired state."""
    return create_for(terminal_id, employee.number)


def create_for(terminal_id: int, number: str) -> Enrolment:
    """Add the row of a number that may be nobody's here; see create()."""
    enrolment = Enrolment(terminal_id=terminal_id, number=number, generation=0)
    db.session.add(enrolment)
    db.session.flush()
    return enrolment


def apply(transition: Transition, *where: ColumnElement[bool], **given: Any) -> int:
    """Apply a transition to the rows that match `where`, in the open transaction; return how many changed.

    Rows in memory are stale afterwards: read them again.

    :param given: the values of `transition.given`.
    """
    return changed_rows(update(Enrolment).where(*where, transition.needs).values(**_values(transition, given)))


def apply_to(enrolment_id: int, generation: int, transition: Transition, **given: Any) -> Enrolment | None:
    """Apply a transition to one row if it still has this generation; return the changed row, or None."""
    statement = update(Enrolment).where(
        Enrolment.id == enrolment_id, Enrolment.generation == generation, transition.needs
    )
    changed = db.session.execute(
        statement.values(**_values(transition, given)).returning(Enrolment),
        execution_options={"populate_existing": True, "synchronize_session": False},
    )
    return changed.scalar_one_or_none()


def _values(transition: Transition, given: dict[str, Any]) -> dict[str, Any]:
    if given.keys() != set(transition.given):
        raise TypeError(f"{sorted(transition.given)} come with this transition, not {sorted(given)}")
    return {**transition.writes, **given}
