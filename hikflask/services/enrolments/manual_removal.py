"""Removals that no terminal can confirm: a person says that the number is gone, or whose record has it there."""

from typing import Any

from sqlalchemy import Update, and_, update

from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, SOMEBODY_ELSES
from hikflask.services import audit
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import NumberTakenThere, OtherDevice
from hikflask.services.privacy import certificates

NOT_HERE = {"face_unverified": False, "written_name": "", "sent_name": "", "overwrite": False}
# What the row of a removal says once it is done, by the terminal's answer or by a person's word.
GONE = {
    **NOT_HERE,
    "person": CONFIRMED,
    "face": PENDING,
    "confirmed_photo_id": None,
    "on_old_device": False,
    "name_on_old_device": "",
    "confirmed_by": "",
    "confirmation_note": "",
    "refusal_code": "",
    "refusal_text": "",
    "step": "",
    "attempts": 0,
    "next_attempt_at": None,
}


def end_by_hand(enrolment_id: int, wish: int) -> bool:
    """End a removal, since a person took the number off the old device by hand; False when it changed meanwhile.

    The device that is at the address now has nobody of ours: it said so, or it was never told.
    """
    not_here = and_(Enrolment.on_old_device, Enrolment.written_name == "", Enrolment.sent_name == "")
    ended = changed_rows(_said(_open(enrolment_id, wish).where(not_here), "")) == 1
    if ended:
        _note(db.session.get_one(Enrolment, enrolment_id, populate_existing=True))
    db.session.commit()
    return ended


def end_as_somebody_elses(enrolment_id: int, wish: int, name: str) -> bool:
    """End a removal, since a person says that who has the number there, under this name, is somebody else and stays.

    Where a device that was there before may know the number, too, that stays open. False when it changed meanwhile.
    """
    asked = and_(Enrolment.refusal_code == NumberTakenThere.code, Enrolment.refusal_text == name)
    mine = _open(enrolment_id, wish).where(asked)
    old_device = {
        **NOT_HERE,
        "refusal_code": OtherDevice.code,
        "refusal_text": "",
        "generation": Enrolment.generation + 1,
    }
    waits = changed_rows(mine.where(Enrolment.on_old_device).values(**old_device)) == 1
    ended = not waits and changed_rows(_said(mine, SOMEBODY_ELSES)) == 1
    if waits or ended:
        enrolment = db.session.get_one(Enrolment, enrolment_id, populate_existing=True)
        audit.note("enrolment.somebody_elses", **_about(enrolment))
    if ended:
        certificates.end_removal(enrolment)
    db.session.commit()
    return waits or ended


def end_for_good(enrolment: Enrolment, note: str) -> None:
    """End, within the open transaction, what is wanted of a terminal that is out of service for good."""
    changed_rows(_said(update(Enrolment).where(Enrolment.id == enrolment.id), note))
    db.session.refresh(enrolment)
    _note(enrolment)


def _open(enrolment_id: int, wish: int) -> Update:
    open_still = and_(Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED, Enrolment.generation == wish)
    return update(Enrolment).where(Enrolment.id == enrolment_id, open_still)


def _said(statement: Update, note: str) -> Update:
    said: dict[str, Any] = {**GONE, "confirmed_by": audit.present_actor().name[:128], "confirmation_note": note}
    return statement.values(**said, desired=ABSENT, confirmed_at=database_now(), generation=Enrolment.generation + 1)


def _note(enrolment: Enrolment) -> None:
    """Note whose word ended it; a row that is nobody's goes, and erasures that wait for it learn of it."""
    after = {"note": enrolment.confirmation_note} if enrolment.confirmation_note else None
    audit.note("enrolment.removed_by_hand", **_about(enrolment), after=after)
    certificates.end_removal(enrolment)


def _about(enrolment: Enrolment) -> dict[str, Any]:
    return {
        "employee_id": enrolment.employee_id,
        "number": enrolment.number,
        "terminal": enrolment.terminal.name,
    }
