"""The state machine of an enrolment: the only code that writes the state columns of its table.

A transition says which rows may make it (`needs`), what it writes (`writes`), and which values come with it (`given`).
It is one UPDATE by compare-and-set: `apply` returns how many rows made it. Callers add the rows that they mean to
`needs`: by id and generation, mostly; a conversation with a terminal adds its lease (see enrolments/attempt.py).

`person` and `face` go pending → confirmed or refused, each on its own:

    desired present   SENDING_PERSON → SENDING_FACE → FACE_CERTAIN → CONFIRMED, or PERSON_CONFIRMED without a face
    desired absent    → GONE, by the terminal's answer; the REMOVED_… by a person's word
    to be tried again WAITING, STOPPED, POSTPONED; not by itself: GIVEN_UP

Green is `confirmed`, and only CONFIRMED, PERSON_CONFIRMED, FACE_NOT_SHOWN (the person alone), GONE and the REMOVED_…
write it.
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

# An attempt that nobody finishes (a killed worker, a lost queue) is due again after this many seconds.
CLAIM_SECONDS = 60.0
NOW = database_now()
COMES_BACK = {"next_attempt_at": database_now(CLAIM_SECONDS)}
DUE = {"attempts": 0, "next_attempt_at": NOW}
DONE = {"step": "", "attempts": 0, "next_attempt_at": None}
NEXT_GENERATION = {"generation": Enrolment.generation + 1}
NO_FACE = {"face": PENDING, "confirmed_photo_id": None, "confirmed_at": None}
NO_REFUSAL = {"refusal_code": "", "refusal_text": ""}
BY_THE_TERMINAL = {"confirmed_by": "", "confirmation_note": ""}
# A confirmed face stays when only the person, or nothing, changes.
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
# A person's word ends a removal: nothing that is under way may write to the row afterwards.
BY_A_PERSON = {**NOBODY_THERE, **NEXT_GENERATION, "desired": ABSENT}

IS_LEAVING = and_(Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED)
WAS_WRITTEN = or_(Enrolment.written_name != "", Enrolment.sent_name != "")


@dataclass(frozen=True)
class Transition:
    """Which rows may make a change, what it writes, and which columns are given with it."""

    writes: Mapping[str, Any]
    needs: ColumnElement[bool] = field(default_factory=true)
    given: tuple[str, ...] = ()


def _desire(state: str) -> dict[str, Any]:
    """Return what every change of the desired state writes: nothing is confirmed of the new one, and it is due."""
    since = case((Enrolment.desired != state, NOW), else_=Enrolment.desired_since)
    unknown = {**NEXT_GENERATION, **NO_REFUSAL, **BY_THE_TERMINAL, **DUE, "person": PENDING, "step": ""}
    return {**unknown, "desired": state, "desired_since": since}


# --- what is desired ---
DESIRED_PRESENT = Transition({**_desire(PRESENT), **NO_FACE}, given=("employee_id", "photo_id"))
# The same photo as before, or another name.
DESIRED_AS_BEFORE = Transition({**_desire(PRESENT), **FACE_IF_CONFIRMED}, given=("employee_id", "photo_id"))
DESIRED_ABSENT = Transition({**_desire(ABSENT), **NO_FACE, "overwrite": False}, needs=Enrolment.desired == PRESENT)
# Whoever has the number there under another name is taken off first.
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
# "Try again": what was refused is pending once more.
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
# It has fewer people, or faces, than it confirmed: everybody is proven again, in turn.
PEOPLE_LOST = Transition(
    {**NEXT_GENERATION, **DUE, "person": PENDING},
    needs=and_(Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED),
)
# Another device answers at its address: who was written to the old one may still open doors by it.
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
    {**NEXT_GENERATION, **NO_FACE, "person": PENDING, "overwrite": False, "next_attempt_at": NOW},
    needs=Enrolment.desired == PRESENT,
)

# --- when it is tried ---
CLAIMED = Transition(COMES_BACK)
# Whatever is not done.
MADE_DUE = Transition(
    {"next_attempt_at": NOW},
    needs=or_(Enrolment.person == PENDING, Enrolment.face_unverified, Enrolment.next_attempt_at.is_not(None)),
)
# Those who are there, and whose face waits.
FACE_MADE_DUE = Transition(
    {"next_attempt_at": NOW}, needs=and_(Enrolment.desired == PRESENT, Enrolment.face == PENDING)
)

# --- a conversation with the terminal ---
STEP = Transition({}, given=("step",))
STEP_CLAIMED = Transition(COMES_BACK, given=("step",))
# A record of ours has the number there: it is kept, with its face.
NOTHING_TO_OVERWRITE = Transition({"overwrite": False})
OVERWRITTEN = Transition({**NO_FACE, **COMES_BACK, "overwrite": False})
# The earlier name stays until this one is proven, for Search may have missed who has it.
SENDING_PERSON = Transition({**COMES_BACK, "step": "person", "person": PENDING}, given=("sent_name",))
# Nobody is there any more, so the face that was confirmed is not there either.
SENDING_LOST_PERSON = Transition({**SENDING_PERSON.writes, **NO_FACE}, given=("sent_name",))
PERSON_NOT_SENT = Transition({}, given=("sent_name",))
NUMBER_TAKEN = Transition({**NO_FACE, **COMES_BACK, "person": REFUSED})
SENDING_NAME = Transition({}, given=("written_name", "sent_name"))
FACE_LOST = Transition({**NO_FACE, **COMES_BACK})
# Written before FDSetUp: a worker killed now, or an answer lost, leaves it in the row.
SENDING_FACE = Transition({**NO_FACE, **COMES_BACK, "face_unverified": True})
# What FDSetUp did is known: nothing, or it is undone.
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
    {**DONE, "person": CONFIRMED, "sent_name": ""}, given=("written_name", "face", "refusal_code", "refusal_text")
)
# The device at the address has nobody of ours; one that was there before may.
GONE_FROM_NEW_DEVICE = Transition(NOT_ON_THIS_DEVICE)
GONE = Transition({**NOBODY_THERE, **BY_THE_TERMINAL})

# --- how an attempt failed ---
ENDED = Transition({"step": ""})
WAITING = Transition(
    {"step": "", "attempts": Enrolment.attempts + 1}, given=("next_attempt_at", "refusal_code", "refusal_text")
)
# Nothing more is asked of this terminal now.
STOPPED = Transition({"step": ""}, given=("next_attempt_at", "refusal_code", "refusal_text"))
GIVEN_UP = Transition(
    {"step": "", "attempts": Enrolment.attempts + 1, "next_attempt_at": None},
    given=("person", "refusal_code", "refusal_text"),
)
# Without the lease: its holder may be doing this very thing, and then there is nothing to postpone.
POSTPONED = Transition({}, needs=Enrolment.next_attempt_at.is_not(None), given=("next_attempt_at",))
POSTPONED_FOR = Transition({}, needs=POSTPONED.needs, given=("next_attempt_at", "refusal_code", "refusal_text"))
POSTPONED_BETWEEN_STEPS = Transition({"step": ""}, needs=POSTPONED.needs, given=("next_attempt_at",))

# --- a person's word ---
REMOVED_BY_HAND = Transition(
    {**BY_A_PERSON, "confirmation_note": ""},
    needs=and_(IS_LEAVING, Enrolment.on_old_device, ~WAS_WRITTEN),
    given=("confirmed_by",),
)
REMOVED_WITH_TERMINAL = Transition(BY_A_PERSON, given=("confirmed_by", "confirmation_note"))
REMOVED_AS_SOMEBODY_ELSES = Transition(
    BY_A_PERSON, needs=and_(IS_LEAVING, ~Enrolment.on_old_device), given=("confirmed_by", "confirmation_note")
)
# A device that was there before may still know the number.
SOMEBODY_ELSES_HERE = Transition(
    {**NOT_ON_THIS_DEVICE, **NEXT_GENERATION, "refusal_text": ""},
    needs=and_(IS_LEAVING, Enrolment.on_old_device),
    given=("refusal_code",),
)


def create(terminal_id: int, employee: Employee) -> Enrolment:
    """Add the row of a number on a terminal to the open transaction; what is desired of it is written next."""
    enrolment = Enrolment(terminal_id=terminal_id, number=employee.number, generation=0)
    db.session.add(enrolment)
    db.session.flush()
    return enrolment


def apply(transition: Transition, *where: ColumnElement[bool], **given: Any) -> int:
    """Let those rows make a transition, in the open transaction; return how many did.

    Rows that are in memory are stale afterwards: read them again.
    """
    return changed_rows(update(Enrolment).where(*where, transition.needs).values(**_values(transition, given)))


def apply_to(enrolment_id: int, generation: int, transition: Transition, **given: Any) -> Enrolment | None:
    """Let one row make a transition while its generation is this one; return it as it is then, or None."""
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
