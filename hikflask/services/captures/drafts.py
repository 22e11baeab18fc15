"""The employee form as typed. It is stored with the capture, so that nothing typed is lost."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from hikflask import text_rules
from hikflask.employee_fields import DRAFT_COLUMNS, FORM_NAMES
from hikflask.models import Capture, Employee
from hikflask.models.capture import CANCELLED, CAPTURED, USED
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.state.capture import NO_DRAFT, lock_many
from hikflask.text_rules import storable

MAX_LENGTH = 255
# As ids in a text of 255 characters.
MAX_GROUPS = 20
# The fields of a draft that a save may change, or leave as they are.
FIELDS = {*FORM_NAMES, "groups"}
# The draft of a capture is empty.
IS_BLANK = and_(*(getattr(Capture, column) == value for column, value in NO_DRAFT.items()))


@dataclass(frozen=True)
class Draft:
    """The form's input, valid or not. `consent`: the box "consent was given today" is ticked.

    `terminal_name`: the employee's own name for terminals, "" for the full name. `valid_from` and `valid_to`: the first
    and the last day of the validity as YYYY-MM-DD, "" for no limit. `groups`: the ids of the groups of terminals that
    the employee belongs to alone; None where the form has no such field. `version`: of a page that changes an employee,
    see forms/versions.py.
    """

    number: str = ""
    name: str = ""
    department: str = ""
    terminal_name: str = ""
    valid_from: str = ""
    valid_to: str = ""
    # Not compared: drafts with the same fields mean the same employee, with or without the tick.
    consent: bool = field(default=False, compare=False)
    groups: tuple[int, ...] | None = field(default=None, compare=False)
    version: str = field(default="", compare=False)

    def columns(self) -> dict[str, Any]:
        """Return the draft as the columns of a capture."""
        return {
            **{column: storable(getattr(self, name)[:MAX_LENGTH]) for name, column in DRAFT_COLUMNS.items()},
            "draft_consent": self.consent,
            "draft_groups": "" if self.groups is None else json.dumps(self.groups[:MAX_GROUPS]),
            "draft_version": storable(self.version[:MAX_LENGTH]),
        }

    def applied_to(self, saved: "Draft", fields: Collection[str] | None) -> "Draft":
        """Return what a save of these fields makes of what is saved; None: of all. The consent is saved in any case."""
        kept = set() if fields is None else FIELDS - {*fields}
        return replace(self, **{name: getattr(saved, name) for name in kept})

    def days(self) -> tuple[date | None, date | None]:
        """Return the first and the last day of the validity; the form has checked them."""
        return text_rules.day_of(self.valid_from), text_rules.day_of(self.valid_to)


def blank(*where: ColumnElement[bool]) -> int:
    """Empty the drafts of these captures within the caller's transaction; return how many were emptied."""
    return changed_rows(update(Capture).where(*where, ~IS_BLANK).values(**NO_DRAFT))


def of(capture: Capture) -> Draft:
    """Return the draft of a capture."""
    return Draft(
        **{name: getattr(capture, column) for name, column in DRAFT_COLUMNS.items()},
        consent=capture.draft_consent,
        groups=tuple(json.loads(capture.draft_groups)) if capture.draft_groups else None,
        version=capture.draft_version,
    )


def of_saved(employee: Employee) -> Draft:
    """Return the form as it is filled in for an employee."""
    return Draft(**employee.typed())


def keep(capture_id: int, draft: Draft, requested_by: str) -> bool:
    """Store the form with its capture and, during a retake, with the earlier unsaved capture, too.

    Return False when nothing was stored: the capture is gone, its picture is saved, or somebody else requested it. The
    draft's number decides whose face a program saves, so nobody changes the draft of another caller. A cancelled
    capture with an empty draft stays empty, too: an erasure may have emptied it.
    """
    emptied = and_(Capture.state == CANCELLED, IS_BLANK)
    earlier = select(Capture.retake_of).where(Capture.id == capture_id).scalar_subquery()
    shown = or_(Capture.id == capture_id, and_(Capture.id == earlier, Capture.state == CAPTURED))
    own = Capture.requested_by == requested_by[: Capture.requested_by.type.length]
    kept = update(Capture).where(shown, own, Capture.state != USED, ~emptied)
    with transaction():
        lock_many(shown, own)
        return changed_rows(kept.values(**draft.columns())) > 0
