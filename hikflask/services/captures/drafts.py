"""The employee form as it was typed; it travels with a capture, so that nothing typed is lost."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from hikflask.extensions import db
from hikflask.models import Capture
from hikflask.models.capture import CANCELLED, CAPTURED, USED
from hikflask.models.columns import storable
from hikflask.services.core.db import changed_rows
from hikflask.services.state.capture import NO_DRAFT

LONGEST = 255


@dataclass(frozen=True)
class Draft:
    """What is typed, right or wrong; `consent`: whether the box beside it says that consent was given today."""

    number: str = ""
    name: str = ""
    department: str = ""
    # Two drafts with the same fields are the same employee, whether or not the box is still ticked.
    consent: bool = field(default=False, compare=False)

    def columns(self) -> dict[str, Any]:
        """Return the draft as the columns of a capture."""
        return {
            "draft_number": storable(self.number[:LONGEST]),
            "draft_name": storable(self.name[:LONGEST]),
            "draft_department": storable(self.department[:LONGEST]),
            "draft_consent": self.consent,
        }


def is_blank() -> ColumnElement[bool]:
    """The captures with which nothing is kept of what was typed."""
    return and_(*(getattr(Capture, column) == value for column, value in NO_DRAFT.items()))


def blank(*where: ColumnElement[bool]) -> int:
    """Forget, within the caller's transaction, what was typed for those captures; return of how many."""
    return changed_rows(update(Capture).where(*where, ~is_blank()).values(**NO_DRAFT))


def of(capture: Capture) -> Draft:
    """Return the draft that a capture carries."""
    return Draft(capture.draft_number, capture.draft_name, capture.draft_department, capture.draft_consent)


def keep(capture_id: int, draft: Draft, requested_by: str) -> bool:
    """Keep the form as it is typed now with its capture, and with the earlier picture that a retake may leave standing.

    False when there is no such capture any more, or its picture is saved, or somebody else asked for it: the number in
    a draft says whose face a program will save, so nobody writes it into another's capture. One that was cancelled and
    says nothing any more stays so, too: an erasure may have made it so, and has its certificate.
    """
    emptied = and_(Capture.state == CANCELLED, is_blank())
    earlier = select(Capture.retake_of).where(Capture.id == capture_id).scalar_subquery()
    shown = or_(Capture.id == capture_id, and_(Capture.id == earlier, Capture.state == CAPTURED))
    mine = Capture.requested_by == requested_by[: Capture.requested_by.type.length]
    kept = update(Capture).where(shown, mine, Capture.state != USED, ~emptied)
    changed = changed_rows(kept.values(**draft.columns()))
    db.session.commit()
    return changed > 0
