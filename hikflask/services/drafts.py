"""The employee form as it was typed; it travels with a capture, so that nothing typed is lost."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_

from hikflask.models import Capture

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
            "draft_number": self.number[:LONGEST],
            "draft_name": self.name[:LONGEST],
            "draft_department": self.department[:LONGEST],
            "draft_consent": self.consent,
        }


NO_DRAFT = Draft().columns()


def is_blank() -> ColumnElement[bool]:
    """The captures with which nothing is kept of what was typed."""
    return and_(*(getattr(Capture, column) == value for column, value in NO_DRAFT.items()))


def of(capture: Capture) -> Draft:
    """Return the draft that a capture carries."""
    return Draft(capture.draft_number, capture.draft_name, capture.draft_department, capture.draft_consent)
