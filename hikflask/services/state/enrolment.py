"""The state machine of an enrolment: the only code that writes the state columns of its table.

A transition says from which states to which it leads (`moves`), which other facts a row needs for it (`needs`), what it
writes (`writes`), and which values the caller gives (`given`). It is one UPDATE by compare-and-set: `apply` returns how
many rows it changed. Callers add which rows they mean, mostly by id and generation. A conversation with a terminal
writes by `apply_under_lease`, one row at a time (see enrolments/attempt.py).

The transitions write facts. The state follows from them in the database (models/enrolment.py), and is drawn in
docs/en/states.md. `person` and `face` go pending → confirmed or refused, each on its own. Only CONFIRMED_WITH_FACE,
PERSON_CONFIRMED, FACE_NOT_SHOWN (the person alone), TAKEN_OVER, GONE and REMOVED_… write `confirmed`, which pages show
in green. A comparison takes that back (FOUND_…) where the terminal's list contradicts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    false,
    insert,
    inspect,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm.attributes import set_committed_value

from hikflask import request_id
from hikflask.extensions import db
from hikflask.isapi.errors import STOP_CODES
from hikflask.models import CardThere, Employee, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, LEAVING, PENDING, PRESENT, REFUSED, REMOVED, STATES, WAITING
from hikflask.models.refusal import Refusal, code_of
from hikflask.services.core.db import changed_rows, claim_rows
from hikflask.services.state import webhook_outbox

# The refusal of a person of the device before this one: nothing is sent before an operator says so.
NOT_RESTORED = "not_restored"
# The refusal where the terminal shows a person otherwise than the restored backup, or not at all: nothing is sent
# before a person decides.
CHANGED_SINCE_BACKUP = "changed_since_backup"
ASKS_FIRST = (NOT_RESTORED, CHANGED_SINCE_BACKUP)
# Refusal codes of a person there without a face: no photo; the terminal takes no files; captured elsewhere.
NO_PHOTO = "no_photo"
FILES_NOT_TAKEN = "files_not_taken"
OTHER_TERMINAL = "other_terminal"

# The tables, not the models: the ORM triples the cost of an UPDATE, and makes it anew each time it is executed.
ROWS = cast("Table", Enrolment.__table__)
TERMINALS = cast("Table", Terminal.__table__)
REFUSAL_CODE = code_of(ROWS.c.refusal)
# An attempt that never ends (killed worker, lost queue) is due again after this many seconds.
CLAIM_SECONDS = 60.0
# What is sent may arrive for so long: two minutes lives a TCP segment (RFC 9293, MSL), and one is for its answer.
LATE_SECONDS = 180.0
# The refusal code of a removal that is proven once more after that time.
REMOVAL_ASKED_AGAIN = "removal_asked_again"
# The refusal code of what a person left as it is on the terminal.
LEFT_ALONE = "left_alone"
# The refusal code of what was found otherwise than the terminal had confirmed it, until the next attempt tells more.
CHANGED_AT_TERMINAL = "changed_at_terminal"
LOST_BY_TERMINAL = "lost_by_terminal"
NOW = database_now()
# What programs are told of an enrolment, and when it was changed last.
TOLD = frozenset({"desired", "person", "face"})
CHANGED = {"changed_at": NOW}
COMES_BACK = {"next_attempt_at": database_now(CLAIM_SECONDS)}
DUE = {"attempts": 0, "next_attempt_at": NOW, "in_bulk": False}
# When the last attempt ended without what is desired.
TRIED = {"tried_at": NOW}
# What an attempt writes beside each transition.
OF_THE_ATTEMPT = frozenset({"step", "may_arrive_until", "unanswered", "next_attempt_at", "rights_before", "face_there"})
DONE = {"step": "", "attempts": 0, "next_attempt_at": None}
# Read when a statement is executed: whose request changes what is desired.
BY_REQUEST: BindParameter[str] = bindparam("by_request", callable_=request_id.current)
NEXT_GENERATION = {"generation": ROWS.c.generation + 1, "request_id": BY_REQUEST}
UNPROVEN_FACE = {"face": PENDING, "confirmed_photo_id": None, "confirmed_at": None}
NO_FACE = {**UNPROVEN_FACE, "face_there": ""}
NO_REFUSAL = {"refusal": None}
# Written before something is sent. The attempt takes it back with its next write, unless there was no answer.
SENT = {"may_arrive_until": database_now(LATE_SECONDS)}
BY_THE_TERMINAL = {"confirmed_by": "", "confirmation_note": ""}
# A confirmed face stays confirmed when only the person changes, or nothing.
FACE_IF_CONFIRMED = {
    "face": case((ROWS.c.face == CONFIRMED, CONFIRMED), else_=PENDING),
    "confirmed_photo_id": case((ROWS.c.face == CONFIRMED, ROWS.c.confirmed_photo_id)),
    "confirmed_at": case((ROWS.c.face == CONFIRMED, ROWS.c.confirmed_at)),
}
NO_VALIDITY = {"valid_there": "", "sent_valid": "", "rights_before": None}
# As Enrolment.name_there.
NAME_THERE = case((ROWS.c.sent_name != "", ROWS.c.sent_name), else_=ROWS.c.written_name)
WAS_WRITTEN = NAME_THERE != ""
# Somebody else has the number there, as far as is known: our name is not the one that the terminal showed last.
NOT_SHOWN_LAST = {"written_name": "", "sent_name": NAME_THERE}
NOT_ON_THIS_DEVICE = {
    **NO_VALIDITY,
    "face_unverified": False,
    "written_name": "",
    "sent_name": "",
    "overwrite": False,
}
NOBODY_THERE = {
    **NOT_ON_THIS_DEVICE,
    **NO_FACE,
    **NO_REFUSAL,
    **DONE,
    "person": CONFIRMED,
    "confirmed_at": NOW,
    "on_old_device": False,
    "name_on_old_device": "",
    "may_arrive_until": None,
    "unanswered": None,
}
# A person's statement ends a removal. The new generation keeps a running attempt from writing to the row.
BY_A_PERSON = {**NOBODY_THERE, **NEXT_GENERATION, "desired": ABSENT}


def is_in(*states: str) -> ColumnElement[bool]:
    """Return the condition that an enrolment is in one of these states (models/enrolment.py).

    They are written into the statement, not sent beside it: only so a database knows that a state is rare, and finds
    an index on those rows.
    """
    return or_(*(ROWS.c.state == literal(word, literal_execute=True) for word in states))


IS_LEAVING = is_in(LEAVING)
# The same where people are looked up: SQLite would go through all who are leaving, again for each. PostgreSQL uses the
# index all the same where that is quicker.
IS_LEAVING_UNINDEXED = ROWS.c.state.cast(Text) == literal(LEAVING, literal_execute=True)
# Desired there, or perhaps there still.
IS_THERE = ~is_in(REMOVED)
AWAITS_RESTORE = and_(ROWS.c.desired == PRESENT, REFUSAL_CODE == NOT_RESTORED, ROWS.c.next_attempt_at.is_(None))
# The terminal refused the password, or may not be asked for another such reason: it goes on once that is corrected.
AWAITS_CORRECTION = and_(REFUSAL_CODE.in_(STOP_CODES), ROWS.c.next_attempt_at.is_(None))
# Nothing that was sent, and got no answer, may still arrive at the terminal.
NOTHING_MAY_ARRIVE = or_(ROWS.c.may_arrive_until.is_(None), ROWS.c.may_arrive_until <= NOW)
# Nothing may be tried automatically, as awaits_a_person() says of one row.
AWAITS_A_PERSON = and_(ROWS.c.desired == PRESENT, REFUSAL_CODE.in_(ASKS_FIRST), ROWS.c.next_attempt_at.is_(None))


def awaits_a_person(enrolment: Enrolment) -> bool:
    """True while somebody must say whether the person belongs on the terminal: on the device that took the place of
    another one, or though the terminal and a restored backup differ.
    """
    rests = enrolment.desired == PRESENT and enrolment.next_attempt_at is None
    return rests and enrolment.refusal_code in ASKS_FIRST


def may_still_arrive(enrolment: Enrolment) -> bool:
    """True while something that was sent for this row, and got no answer, may still arrive at the terminal."""
    is_late = select(ROWS.c.id).where(ROWS.c.id == enrolment.id, ~NOTHING_MAY_ARRIVE)
    return db.session.execute(is_late).first() is not None


WANTED = (CONFIRMED, WAITING, REFUSED)
UNWANTED = (LEAVING, REMOVED)
# An attempt may be due in these.
TRIED_STATES = (CONFIRMED, WAITING, *UNWANTED)


def moves(sources: Sequence[str], *to: str) -> dict[str, tuple[str, ...]]:
    """Return that each of these states becomes one of the others; without these, that it stays."""
    return {state: to or (state,) for state in sources}


# These are told by one indexed column.
_DESIRED = {
    frozenset(STATES): true(),
    frozenset(WANTED): ROWS.c.desired == PRESENT,
    frozenset(UNWANTED): ROWS.c.desired == ABSENT,
}
# What was refused is tried again.
AGAIN = moves((REFUSED,), WAITING)


@dataclass(frozen=True, eq=False)
class Transition:
    """From which states to which it leads (`moves`), what it writes, which other facts a row needs for it, and which
    columns the caller must give.
    """

    moves: Mapping[str, tuple[str, ...]]
    writes: Mapping[str, Any]
    needs: ColumnElement[bool] = field(default_factory=true)
    given: tuple[str, ...] = ()
    # Ends a wish without a conversation: apply() tells webhooks of each row.
    ends: bool = False

    def __post_init__(self) -> None:
        """Ask for the states, and note the time of what the list for programs shows."""
        sources = _DESIRED.get(frozenset(self.moves), is_in(*self.moves))
        object.__setattr__(self, "needs", and_(sources, self.needs))
        if TOLD & {*self.writes, *self.given}:
            object.__setattr__(self, "writes", {**self.writes, **CHANGED})


# A terminal that accepts a removal only begins it. Whoever is wanted again before it was proven may still be removed.
REMOVAL_MAY_GO_ON = {
    "may_arrive_until": case(
        (and_(IS_LEAVING, ROWS.c.attempts > 0), database_now(LATE_SECONDS)), else_=ROWS.c.may_arrive_until
    )
}


def _desire(state: str) -> dict[str, Any]:
    """Return what every change of the desired state writes: nothing is confirmed yet, and an attempt is due."""
    since = case((ROWS.c.desired != state, NOW), else_=ROWS.c.desired_since)
    unknown = {**NEXT_GENERATION, **NO_REFUSAL, **BY_THE_TERMINAL, **DUE, "person": PENDING, "step": ""}
    late = {} if state == ABSENT else REMOVAL_MAY_GO_ON
    return {**unknown, **late, "desired": state, "desired_since": since}


# --- what is desired ---
# An absent row remembers that a group asked for it; desired there again, it counts as desired by hand.
BY_HAND_IF_NEW = {"by_group": case((ROWS.c.desired == PRESENT, ROWS.c.by_group), else_=false())}
DESIRED_PRESENT = Transition(
    moves(STATES, WAITING), {**_desire(PRESENT), **NO_FACE, **BY_HAND_IF_NEW}, given=("employee_id", "photo_id")
)
# The photo stays the same; name and validity may change.
DESIRED_AS_BEFORE = Transition(
    moves(STATES, WAITING),
    {**_desire(PRESENT), **FACE_IF_CONFIRMED, **BY_HAND_IF_NEW},
    given=("employee_id", "photo_id"),
)
# A group of terminals asks for it.
ASKED_BY_GROUP = Transition(moves(WANTED), {"by_group": True})
DESIRED_ABSENT = Transition(moves(WANTED, LEAVING), {**_desire(ABSENT), **NO_FACE, "overwrite": False})
# A person who has the number there under another name is removed first.
DESIRED_OVERWRITE = Transition(
    moves(WANTED, WAITING) | moves((LEAVING,)),
    {
        **NEXT_GENERATION,
        **NO_REFUSAL,
        **DUE,
        "overwrite": True,
        "person": PENDING,
        "face": case((ROWS.c.face == REFUSED, PENDING), else_=ROWS.c.face),
    },
)
# "Try again": what was refused becomes pending.
RETRIED = Transition(
    moves(STATES) | AGAIN,
    {
        **NEXT_GENERATION,
        **DUE,
        "person": case((ROWS.c.person == REFUSED, PENDING), else_=ROWS.c.person),
        "face": case((ROWS.c.face == REFUSED, PENDING), else_=ROWS.c.face),
        "refusal": case((ROWS.c.face == CONFIRMED, ROWS.c.refusal)),
    },
)
# The same for all who are there for one reason.
RETRIED_IN_BULK = Transition(RETRIED.moves, {**RETRIED.writes, "in_bulk": True})
# Refused for lack of room, of which there is some now.
ROOM_AGAIN = Transition(moves(WANTED) | AGAIN, RETRIED_IN_BULK.writes)
EMPLOYEE_DELETED = Transition(moves(UNWANTED), {"employee_id": None, "photo_id": None, "confirmed_photo_id": None})

# --- what the terminal lost ---
# It has fewer people or faces than it confirmed: everybody is verified again, after those for whom somebody waits.
PEOPLE_LOST = Transition(
    moves(WANTED, WAITING),
    {**NEXT_GENERATION, **DUE, "person": PENDING, "in_bulk": True},
    needs=and_(ROWS.c.person == CONFIRMED, ~AWAITS_A_PERSON),
)
EVERYBODY_LOST = Transition(
    PEOPLE_LOST.moves, {**PEOPLE_LOST.writes, "refusal": Refusal(code=LOST_BY_TERMINAL, params={})}, PEOPLE_LOST.needs
)
# Another device answers at its address. People who were written to the old device may still open doors with it.
LEFT_ON_OLD_DEVICE = Transition(
    moves(STATES),
    {
        "on_old_device": True,
        "name_on_old_device": case((WAS_WRITTEN, NAME_THERE), else_=ROWS.c.name_on_old_device),
        # What somebody else set there is set on the new device, too; what we sent is sent again where it is desired.
        "valid_there": case((ROWS.c.sent_valid == "", ROWS.c.valid_there), else_=""),
        "sent_valid": "",
        "rights_before": None,
        "written_name": "",
        "sent_name": "",
    },
    needs=or_(IS_LEAVING, WAS_WRITTEN),
)
LEAVING_OLD_DEVICE = Transition(moves((LEAVING,)), {"overwrite": False})
# They may not belong on it: somebody must say so, and nobody is sent before.
AWAITED_ON_NEW_DEVICE = Transition(
    moves(WANTED, REFUSED),
    {
        **NEXT_GENERATION,
        **NO_FACE,
        "person": PENDING,
        "overwrite": False,
        "next_attempt_at": None,
        "step": "",
        # The device that returns does not decide about these.
        "refusal": case(
            (REFUSAL_CODE == CHANGED_SINCE_BACKUP, ROWS.c.refusal),
            else_=literal(Refusal(code=NOT_RESTORED, params={}), ROWS.c.refusal.type),
        ),
    },
)
# The device that had them is back.
RESTORED = Transition(
    moves(WANTED) | AGAIN, {**NEXT_GENERATION, **NO_REFUSAL, **DUE, "in_bulk": True}, needs=AWAITS_RESTORE
)
# The terminal turned out to take pictures.
PHOTO_TAKEN_NOW = Transition(
    moves(WANTED, WAITING),
    {**_desire(PRESENT), **NO_FACE, "in_bulk": True},
    needs=~AWAITS_A_PERSON,
    given=("photo_id",),
)

# --- what a comparison of the whole terminal found ---
IS_SHOWN_THERE = and_(or_(ROWS.c.person == CONFIRMED, ROWS.c.face == CONFIRMED), ~AWAITS_A_PERSON)
HAS_CONFIRMED_FACE = ROWS.c.face == CONFIRMED
_FOUND_OTHERWISE = {
    **NEXT_GENERATION,
    "refusal": Refusal(code=CHANGED_AT_TERMINAL, params={}),
    "attempts": 0,
    "in_bulk": True,
    "step": "",
}
FOUND_GONE = Transition(
    moves(WANTED, WAITING),
    {**_FOUND_OTHERWISE, **NO_FACE, "person": PENDING},
    needs=IS_SHOWN_THERE,
    given=("next_attempt_at",),
)
# A person with another name there may have another face, too. A refused one is not sent again before a person asks.
FOUND_RENAMED = Transition(
    moves(WANTED, WAITING),
    {
        **_FOUND_OTHERWISE,
        **UNPROVEN_FACE,
        **NOT_SHOWN_LAST,
        "face": case((ROWS.c.face == REFUSED, REFUSED), else_=PENDING),
        "person": PENDING,
    },
    needs=IS_SHOWN_THERE,
    given=("next_attempt_at",),
)
FOUND_WITHOUT_FACE = Transition(
    moves(WANTED, WAITING), {**_FOUND_OTHERWISE, **NO_FACE}, needs=HAS_CONFIRMED_FACE, given=("next_attempt_at",)
)
# `face_unverified`: the photo can be sent again, so the face there goes first. Otherwise it stays.
FOUND_OTHER_FACE = Transition(
    moves(WANTED, WAITING),
    {**_FOUND_OTHERWISE, **NO_FACE},
    needs=HAS_CONFIRMED_FACE,
    given=("next_attempt_at", "face_unverified"),
)
# What an attempt, or a terminal that works again, would send.
IS_UNFINISHED = or_(
    ROWS.c.next_attempt_at.is_not(None),
    ROWS.c.person == PENDING,
    ROWS.c.face_unverified,
    and_(ROWS.c.face == PENDING, ROWS.c.photo_id.is_not(None)),
)
# The rows came from a backup: what is otherwise there, and what was not finished then, is for a person to decide.
HELD_SINCE_BACKUP = Transition(
    moves(WANTED) | moves((WAITING,), REFUSED),
    {
        **NEXT_GENERATION,
        "refusal": Refusal(code=CHANGED_SINCE_BACKUP, params={}),
        "overwrite": False,
        "attempts": 0,
        "next_attempt_at": None,
        "step": "",
    },
    needs=REFUSAL_CODE != LEFT_ALONE,
)
# A person decided to leave it so: it is neither shown in green nor tried again before the person decides otherwise.
_LEFT = {**NEXT_GENERATION, "attempts": 0, "next_attempt_at": None, "step": ""}
_NOT_LEFT_YET = REFUSAL_CODE != LEFT_ALONE
LEFT_PERSON = Transition(
    moves(WANTED, REFUSED), {**_LEFT, **NO_FACE, "person": REFUSED}, needs=_NOT_LEFT_YET, given=("refusal",)
)
LEFT_FACE = Transition(
    moves(WANTED, REFUSED),
    {**_LEFT, **NO_FACE, "face": REFUSED, "face_unverified": False},
    needs=_NOT_LEFT_YET,
    given=("refusal",),
)
# How the terminal stores the confirmed face, where that differs from the photo.
FACE_THERE_LEARNT = Transition(moves(WANTED), {}, needs=HAS_CONFIRMED_FACE, given=("face_there",))
# Somebody who was there already: the terminal's own answer confirms it, and nothing was sent.
TAKEN_OVER = Transition(
    moves(STATES, CONFIRMED, REFUSED),
    {
        **NEXT_GENERATION,
        **BY_THE_TERMINAL,
        **DONE,
        "next_attempt_at": case((ROWS.c.may_arrive_until > NOW, ROWS.c.may_arrive_until)),
        "desired": PRESENT,
        "desired_since": case((ROWS.c.desired != PRESENT, NOW), else_=ROWS.c.desired_since),
        "overwrite": False,
        "in_bulk": False,
        "face_unverified": False,
        "person": CONFIRMED,
        "sent_name": "",
        "rights_before": None,
        "confirmed_at": NOW,
    },
    given=(
        "employee_id",
        "photo_id",
        "face",
        "confirmed_photo_id",
        "face_there",
        "written_name",
        "valid_there",
        "sent_valid",
        "unanswered",
        "refusal",
    ),
    ends=True,
)
# Somebody who was there already, and whose time is over: exactly this record is removed.
OVER_THERE = Transition(
    moves(STATES, LEAVING),
    {**_desire(ABSENT), **NO_FACE, "in_bulk": True, "overwrite": False},
    given=("employee_id", "written_name"),
)
# The validity there is not the one asked for, so it is set, or lifted where none is asked for.
VALIDITY_THERE = Transition(moves(WANTED), {}, given=("sent_valid",))
# The terminal told by which schedules the person may pass there.
SCHEDULES_TOLD = Transition(moves(WANTED), {}, given=("plans_there",))
# A person said that the record with this other name is the employee's: it is renamed, and keeps its cards. Its face was
# read with the list, and may be another one by now, so it counts only when it is proven again.
RECORD_ADOPTED = Transition(
    moves(WANTED, WAITING),
    {**UNPROVEN_FACE, "next_attempt_at": NOW, "rights_before": None},
    given=("written_name",),
)
# A person saw who is there and chose to remove exactly this record: with another name there, the removal asks.
REMOVAL_CHOSEN = Transition(
    moves(STATES, LEAVING), {**_desire(ABSENT), **NO_FACE, "in_bulk": True}, given=("written_name", "overwrite")
)

# Something newer shows who was removed there: the removal is done and proven once more.
REMOVAL_DOUBTED = Transition(moves((REMOVED,), LEAVING), {**_desire(ABSENT), **NO_FACE}, given=("written_name",))

# --- when it is tried ---
# One of many: a job changed the desired state a moment ago, within the same transaction.
PUT_IN_BULK = Transition(moves(TRIED_STATES), {"in_bulk": True}, needs=ROWS.c.next_attempt_at.is_not(None))
CLAIMED = Transition(moves(TRIED_STATES), COMES_BACK)
# Everything that is not finished.
MADE_DUE = Transition(
    moves(STATES) | AGAIN,
    {"next_attempt_at": NOW, **CHANGED},
    needs=and_(
        or_(
            ROWS.c.person == PENDING,
            ROWS.c.face_unverified,
            ROWS.c.next_attempt_at.is_not(None),
            # Something may come late, or has come by now.
            ROWS.c.may_arrive_until.is_not(None),
        ),
        ~AWAITS_A_PERSON,
    ),
)
# Enrolments that are desired present and have a pending face.
FACE_MADE_DUE = Transition(
    moves((WAITING, REFUSED), WAITING),
    {"next_attempt_at": NOW, **CHANGED},
    needs=and_(ROWS.c.face == PENDING, ~AWAITS_A_PERSON),
)

# --- a conversation with the terminal ---
STEP = Transition(moves(STATES) | AGAIN, {}, given=("step",))
STEP_CLAIMED = Transition(moves(STATES) | AGAIN, COMES_BACK, given=("step",))
# A person or a face is removed, which may happen later, too.
SENDING_REMOVAL = Transition(moves(STATES), SENT)
# Our own record has the number there: the record and its face stay.
NOTHING_TO_OVERWRITE = Transition(moves(WANTED), {"overwrite": False})
OVERWRITTEN = Transition(moves(WANTED, WAITING), {**NO_FACE, **NO_VALIDITY, **COMES_BACK, "overwrite": False})
# written_name stays until this name is verified, because Search may have missed the person.
SENDING_PERSON = Transition(
    moves(WANTED, WAITING),
    {**COMES_BACK, **SENT, "step": "person", "person": PENDING},
    given=("sent_name", "sent_valid"),
)
# The person is not there any more, so the confirmed face is not there either.
SENDING_LOST_PERSON = Transition(
    moves(WANTED, WAITING), {**SENDING_PERSON.writes, **NO_FACE}, given=SENDING_PERSON.given
)
PERSON_NOT_SENT = Transition(moves(WANTED), {}, given=SENDING_PERSON.given)
NUMBER_TAKEN = Transition(moves(WANTED, WAITING), {**UNPROVEN_FACE, **NOT_SHOWN_LAST, **COMES_BACK, "person": REFUSED})
# Who is to be removed has another name there, so a person must decide.
SOMEBODY_ELSE_SHOWN = Transition(moves(UNWANTED), NOT_SHOWN_LAST)
# `rights_before` is written before Modify, which some firmware answers with OK and the loss of what is not sent again.
SENDING_CHANGES = Transition(
    moves(WANTED, WAITING),
    {**COMES_BACK, **SENT, "person": PENDING},
    given=("written_name", "sent_name", "sent_valid", "rights_before"),
)
FACE_LOST = Transition(moves(WANTED, WAITING), {**NO_FACE, **COMES_BACK})
# The face could not be taken off to prove it again. It opens doors as before; what proved that it is ours still does.
OLD_FACE_STAYS = Transition(
    moves(WANTED, REFUSED),
    {**DONE, **TRIED, "person": PENDING, "face": CONFIRMED, "confirmed_photo_id": ROWS.c.photo_id},
    given=("confirmed_at", "face_there", "refusal"),
)
# Written before FDSetUp, so that the row keeps it when the worker is killed or the answer is lost.
SENDING_FACE = Transition(moves(WANTED, WAITING), {**NO_FACE, **COMES_BACK, **SENT, "face_unverified": True})
# FDSetUp had no effect, or its effect was undone.
FACE_CERTAIN = Transition(moves(WANTED), {"face_unverified": False})
FACE_REFUSED = Transition(moves(WANTED, WAITING), {**NO_FACE, **COMES_BACK, "face": REFUSED}, given=("refusal",))
PERSON_NOT_SHOWN = Transition(moves(WANTED, WAITING), {**NO_FACE, **COMES_BACK, "person": PENDING})
FACE_NOT_SHOWN = Transition(moves(WANTED, WAITING), {**NO_FACE, **COMES_BACK, "person": CONFIRMED})
FACE_SHOWN = {
    "face": CONFIRMED,
    "confirmed_photo_id": ROWS.c.photo_id,
    "confirmed_at": NOW,
    "face_unverified": False,
}
PERSON_SHOWN = {"person": CONFIRMED, "sent_name": "", "rights_before": None}
CONFIRMED_WITH_FACE = Transition(
    moves(WANTED, CONFIRMED),
    {**NO_REFUSAL, **DONE, **FACE_SHOWN, **PERSON_SHOWN},
    given=("written_name", "valid_there", "sent_valid"),
)
# The face was confirmed before, and the terminal shows nothing that contradicts that.
CONFIRMED_AS_BEFORE = Transition(
    moves(WANTED, CONFIRMED),
    {**NO_REFUSAL, **DONE, **PERSON_SHOWN},
    needs=ROWS.c.face == CONFIRMED,
    given=("written_name", "valid_there", "sent_valid"),
)
PERSON_CONFIRMED = Transition(
    moves(WANTED, WAITING, REFUSED),
    {**DONE, **TRIED, **PERSON_SHOWN},
    given=("written_name", "face", "refusal", "valid_there", "sent_valid"),
)
PROOFS = frozenset({CONFIRMED_WITH_FACE, CONFIRMED_AS_BEFORE, PERSON_CONFIRMED})
# The person is there with our name, but not with the validity or the rights that must be there. The face may be there.
RIGHTS_NOT_SHOWN = Transition(
    moves(WANTED, WAITING), {**COMES_BACK, "person": PENDING}, given=("valid_there", "rights_before")
)
RIGHTS_NOT_SHOWN_BESIDE_FACE = Transition(
    moves(WANTED, WAITING), {**RIGHTS_NOT_SHOWN.writes, **FACE_SHOWN}, given=RIGHTS_NOT_SHOWN.given
)
# The device at the address does not have the person; an earlier device may.
GONE_FROM_NEW_DEVICE = Transition(moves(UNWANTED), NOT_ON_THIS_DEVICE)
GONE = Transition(moves(UNWANTED, REMOVED), {**NOBODY_THERE, **BY_THE_TERMINAL})

# --- how an attempt failed ---
ENDED = Transition(moves(STATES) | moves((WAITING,), WAITING, REFUSED), {**TRIED, "step": ""})
RESCHEDULED = Transition(
    moves(STATES) | AGAIN,
    {**TRIED, "step": "", "attempts": ROWS.c.attempts + 1},
    given=("next_attempt_at", "refusal"),
)
# The error stops every conversation with this terminal.
STOPPED = Transition(
    moves(STATES) | moves((WAITING, REFUSED), WAITING, REFUSED),
    {**TRIED, "step": ""},
    given=("next_attempt_at", "refusal"),
)
GIVEN_UP = Transition(
    moves((WAITING, REFUSED), REFUSED),
    {**TRIED, "step": "", "attempts": ROWS.c.attempts + 1, "next_attempt_at": None},
    given=("person", "refusal"),
)
# Written without the lease. The lease's holder may finish this row meanwhile; then nothing is left to postpone.
# Sent while the clock was ahead: it may arrive for no longer than what is sent now.
MAY_ARRIVE_FROM_NOW = Transition(moves(STATES), SENT)
# It was asked for while the clock was ahead.
ASKED_FOR_NOW = Transition(moves((LEAVING,)), {"desired_since": NOW})
POSTPONED = Transition(moves(TRIED_STATES), {}, needs=ROWS.c.next_attempt_at.is_not(None), given=("next_attempt_at",))
POSTPONED_FOR = Transition(
    moves(TRIED_STATES) | moves((WAITING,), WAITING, REFUSED),
    TRIED,
    needs=POSTPONED.needs,
    given=("next_attempt_at", "refusal"),
)
POSTPONED_BETWEEN_STEPS = Transition(
    moves(TRIED_STATES), {"step": ""}, needs=POSTPONED.needs, given=("next_attempt_at",)
)

# --- a person's statement ---
REMOVED_BY_HAND = Transition(
    moves((LEAVING,), REMOVED),
    {**BY_A_PERSON, "confirmation_note": ""},
    needs=and_(ROWS.c.on_old_device, ~WAS_WRITTEN, NOTHING_MAY_ARRIVE),
    given=("confirmed_by",),
    ends=True,
)
# Since when it is not desired tells who was on the terminal to its end.
REMOVED_WITH_TERMINAL = Transition(
    moves(STATES, REMOVED),
    {**BY_A_PERSON, "desired_since": case((ROWS.c.desired == PRESENT, NOW), else_=ROWS.c.desired_since)},
    given=("confirmed_by", "confirmation_note"),
    ends=True,
)
REMOVED_AS_SOMEBODY_ELSES = Transition(
    moves((LEAVING,), REMOVED),
    BY_A_PERSON,
    needs=and_(~ROWS.c.on_old_device, NOTHING_MAY_ARRIVE),
    given=("confirmed_by", "confirmation_note"),
    ends=True,
)
# An earlier device may still know the number.
SOMEBODY_ELSES_HERE = Transition(
    moves((LEAVING,)),
    {**NOT_ON_THIS_DEVICE, **NEXT_GENERATION},
    needs=and_(ROWS.c.on_old_device),
    given=("refusal",),
)


# Made once: to make a statement costs more than to run it. The ORM would take twice as long for it.
INSERTED = insert(ROWS).returning(*ROWS.c)
NEW = select(Enrolment).from_statement(INSERTED)
NEW_PRESENT = select(Enrolment).from_statement(
    INSERTED.values(
        {**DESIRED_PRESENT.writes, "generation": 1, "desired_since": NOW, "by_group": False, "may_arrive_until": None}
    )
)


def create_present(terminal_id: int, employee: Employee, photo_id: int | None) -> Enrolment:
    """Add the row of an employee who is desired on a terminal with this photo, by no group, to the open transaction.

    The caller knows that there is none: a second one raises IntegrityError.
    """
    given = {"terminal_id": terminal_id, "number": employee.number, "employee_id": employee.id, "photo_id": photo_id}
    enrolment: Enrolment = db.session.execute(NEW_PRESENT, given).scalar_one()
    return enrolment


def create_for(terminal_id: int, number: str) -> Enrolment:
    """Add the row of a number that may be nobody's here to the open transaction. The caller writes what is desired."""
    given = {"terminal_id": terminal_id, "number": number, "generation": 0, "request_id": request_id.current()}
    enrolment: Enrolment = db.session.execute(NEW, given).scalar_one()
    return enrolment


def lock_many(*where: ColumnElement[bool]) -> None:
    """Lock enrolments of several people in the order in which everybody does, until the transaction ends.

    Call this before applying a transition to more than one of them: an UPDATE locks them in any order.
    """
    rows = select(ROWS.c.id).where(*where).order_by(ROWS.c.terminal_id, ROWS.c.id)
    db.session.execute(rows.with_for_update(key_share=True)).all()


def apply(transition: Transition, *where: ColumnElement[bool], **given: Any) -> int:
    """Apply a transition to the rows that match `where`, in the open transaction; return how many changed.

    Rows in memory are stale afterwards: read them again.

    :param given: the values of `transition.given`.
    """
    statement = update(Enrolment).where(*where, transition.needs).values(**_values(transition, given))
    return _ended(statement) if transition.ends else changed_rows(statement)


def _ended(statement: Update) -> int:
    """Execute a statement that ends wishes, and tell webhooks of each row; return how many it changed."""
    options = {"synchronize_session": False, "populate_existing": True}
    ended = db.session.execute(statement.returning(Enrolment), execution_options=options).scalars().all()
    for enrolment in ended:
        webhook_outbox.tell("", enrolment)
    return len(ended)


def claim(due: Sequence[int]) -> set[int]:
    """Claim those of these enrolments that are due still; return their ids."""
    still_due = select(ROWS.c.id).where(ROWS.c.id.in_(due), ROWS.c.next_attempt_at <= database_now())
    return {row.id for row in claim_rows(still_due, CLAIMED.writes)}


def apply_to_locked(enrolment: Enrolment, transition: Transition, **given: Any) -> None:
    """Apply a transition to a row that the open transaction has locked, and read the row again."""
    _values(transition, given)
    if not _execute(enrolment, _one_row(transition, tuple(given)), {"its_id": enrolment.id}, given):
        db.session.refresh(enrolment)


def apply_under_lease(
    enrolment: Enrolment, generation: int, lease_number: int, transition: Transition, **given: Any
) -> bool:
    """Apply a transition in the open transaction if the row has this generation, and its terminal this lease.

    Both rows stay locked until the commit, so no other holder can begin before it. The row is read again.

    :param given: the values of `transition.given`, and those OF_THE_ATTEMPT that the transition does not write.
    :return: False when the generation or the lease is another one; then nothing is written.
    """
    besides = OF_THE_ATTEMPT - set(transition.given)
    _values(transition, {name: value for name, value in given.items() if name not in besides})
    mine = {
        "its_id": enrolment.id,
        "its_generation": generation,
        "its_terminal": enrolment.terminal_id,
        "its_lease": lease_number,
    }
    return _execute(enrolment, _under_lease(transition, tuple(given)), mine, given)


def _execute(enrolment: Enrolment, statement: Update, mine: dict[str, int], given: dict[str, Any]) -> bool:
    """Execute a statement of one row, and give the row in memory what it returns; False when it changed none.

    An expression among the values is part of the statement, not a parameter.
    """
    expressions = {name: value for name, value in given.items() if isinstance(value, ClauseElement)}
    if expressions:
        statement = statement.values(expressions)
    plain = {f"new_{name}": value for name, value in given.items() if name not in expressions}
    written = db.session.execute(statement, {**mine, **plain}).mappings().first()
    if written is None:
        return False
    before, known = enrolment.state, inspect(enrolment).dict
    changed = {name for name, value in written.items() if name not in known or known[name] != value}
    for name in changed:
        set_committed_value(enrolment, name, written[name])
    if changed & {"employee_id", "photo_id"}:
        db.session.expire(enrolment, ["employee", "photo"])
    webhook_outbox.tell(before, enrolment)
    return True


@cache
def _under_lease(transition: Transition, given: tuple[str, ...]) -> Update:
    lease = select(literal(1)).where(
        TERMINALS.c.id == bindparam("its_terminal"), TERMINALS.c.lease_number == bindparam("its_lease")
    )
    statement = _one_row(transition, given).where(ROWS.c.generation == bindparam("its_generation"))
    # The key stays, so rows that refer to the terminal (FOR KEY SHARE) neither wait nor are waited for.
    return statement.where(lease.with_for_update(key_share=True).exists())


@cache
def _one_row(transition: Transition, given: tuple[str, ...]) -> Update:
    """Return the statement that makes a transition of one row. To make it costs more than to run it, so it is kept."""
    values = {**transition.writes, **{name: bindparam(f"new_{name}") for name in given}}
    return update(ROWS).where(ROWS.c.id == bindparam("its_id"), transition.needs).values(values).returning(*ROWS.c)


def _values(transition: Transition, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a transition writes. :raises TypeError: when not exactly its columns are given."""
    if given.keys() != set(transition.given):
        raise TypeError(f"{sorted(transition.given)} come with this transition, not {sorted(given)}")
    return {**transition.writes, **given}


def forget_cards(enrolment: Enrolment) -> None:
    """Forget which cards a number had on a terminal that has nobody with it any more, in the caller's transaction."""
    here = (CardThere.terminal_id == enrolment.terminal_id, CardThere.owner == enrolment.number)
    changed_rows(delete(CardThere).where(*here))


def doubt_cards(terminal_id: int) -> None:
    """Write that no card is confirmed on a terminal any more, within the caller's transaction."""
    changed_rows(update(CardThere).where(CardThere.terminal_id == terminal_id).values(confirmed_at=None))
