"""Audit entries about enrolments; of an attempt, what the terminal confirmed or refused.

A repeated proof, and an attempt that fails like the one before, leave no entry.
"""

from typing import Any

from hikflask.codes.refusals import DECISIONS
from hikflask.models import Enrolment
from hikflask.models.enrolment import CONFIRMED, REFUSED, REMOVED
from hikflask.services import audit
from hikflask.services.core.errors import told


def record(action: str, enrolment: Enrolment, after: dict[str, str] | None = None) -> None:
    """Add an entry about an enrolment to the caller's transaction."""
    employee_id, number, terminal = enrolment.employee_id, enrolment.number, enrolment.terminal.name
    audit.record(action, employee_id=employee_id, number=number, terminal=terminal, after=after)


class AttemptTrail:
    """Compares the row with its state when the attempt began, and writes entries in the transaction that changes it."""

    def __init__(self, enrolment: Enrolment) -> None:
        self._person = enrolment.person
        self._photo_id = enrolment.confirmed_photo_id if enrolment.is_confirmed else None
        self._refusal = _refusal(enrolment)
        self._was_gone = enrolment.state == REMOVED

    def note(self, row: Enrolment, values: dict[str, Any]) -> None:
        """Write an entry if the values just written are a new refusal or a new confirmation."""
        if values.get("refusal"):
            refusal = _refusal(row)
            if refusal and refusal != self._refusal:
                code, text = told(row.refusal)
                record("enrolment.refused", row, {"reason": code, **({"text": text} if text else {})})
            self._refusal = refusal
        if values.get("person") == CONFIRMED and values.get("attempts") == 0:
            if row.is_confirmed and row.confirmed_photo_id != self._photo_id:
                record("enrolment.confirmed", row)
            if not row.is_confirmed and self._person != CONFIRMED:
                record("enrolment.person_confirmed", row)

    def note_gone(self, row: Enrolment) -> None:
        """Write that the terminal confirmed the removal."""
        if not self._was_gone:
            record("enrolment.removed", row)


def _refusal(row: Enrolment) -> str:
    for_good = REFUSED in {row.person, row.face} or row.refusal_code in DECISIONS
    return row.refusal_code if for_good else ""
