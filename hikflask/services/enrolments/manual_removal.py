"""Removals that no terminal can confirm: a person states that the number is gone, or that its record is another's."""

from typing import Any

from hikflask.models import Enrolment
from hikflask.models.enrolment import SOMEBODY_ELSES
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.core.db import transactional
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.enrolments import audit_notes, queries
from hikflask.services.privacy import certificates
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import Transition


@transactional
def confirm_by_hand(enrolment_id: int, generation: int) -> bool:
    """End a removal because a person removed the number from the old device. Return False when the row changed.

    The current device does not have the person: it confirmed that, or the number was never sent to it.

    :raises may_still_arrive: while something may still arrive at the current device.
    """
    _refuse_while_late(enrolment_id)
    ended = _end(enrolment_id, state.REMOVED_BY_HAND, Enrolment.generation == generation)
    if ended:
        _note_end(ended)
    return ended is not None


@transactional
def confirm_as_somebody_elses(enrolment_id: int, generation: int, name: str) -> bool:
    """End a removal because a person states that the number there, under this name, belongs to somebody else.

    The removal stays open if an earlier device may also know the number. Return False when the row changed.

    :raises may_still_arrive: while something may still arrive there, as a face would under that name.
    """
    _refuse_while_late(enrolment_id)
    asked = (
        Enrolment.generation == generation,
        Enrolment.refusal_code == NumberTakenThere.code,
        Enrolment.refusal[("params", "name")].as_string() == name,
    )
    mine = (Enrolment.id == enrolment_id, *asked)
    waits = state.apply(state.SOMEBODY_ELSES_HERE, *mine, refusal=Refusal(code="other_device", params={})) == 1
    ended = None
    if not waits:
        ended = _end(enrolment_id, state.REMOVED_AS_SOMEBODY_ELSES, *asked, confirmation_note=SOMEBODY_ELSES)
    changed = queries.get(enrolment_id) if waits else ended
    if changed:
        audit_notes.record("enrolment.somebody_elses", changed)
    if ended:
        certificates.end_removal(ended)
    return changed is not None


def end_with_terminal(enrolment: Enrolment, note: str) -> None:
    """End an enrolment of a terminal that is out of service for good, within the open transaction."""
    ended = _end(enrolment.id, state.REMOVED_WITH_TERMINAL, confirmation_note=note)
    if ended:
        _note_end(ended)


def _refuse_while_late(enrolment_id: int) -> None:
    enrolment = queries.get(enrolment_id)
    if enrolment and state.may_still_arrive(enrolment):
        raise ServiceError("may_still_arrive")


def _end(enrolment_id: int, transition: Transition, *where: Any, **given: Any) -> Enrolment | None:
    who = audit.current_actor().name[:128]
    if state.apply(transition, Enrolment.id == enrolment_id, *where, confirmed_by=who, **given) != 1:
        return None
    return queries.get(enrolment_id)


def _note_end(enrolment: Enrolment) -> None:
    """Write who ended the removal, delete the row if it has no employee, and update erasures that wait for it."""
    after = {"note": enrolment.confirmation_note} if enrolment.confirmation_note else None
    audit_notes.record("enrolment.removed_by_hand", enrolment, after)
    certificates.end_removal(enrolment)
    state.forget_cards(enrolment)
