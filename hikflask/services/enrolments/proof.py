"""Confirms an enrolment by the terminal's own answer after everything was sent."""

import logging
from typing import Any

from hikflask.isapi import persons
from hikflask.isapi.errors import TerminalError
from hikflask.isapi.persons import TerminalPerson
from hikflask.models.enrolment import REFUSED
from hikflask.models.refusal import OLD_FACE, Refusal
from hikflask.models.terminal import BY_PICTURE, UNKNOWN
from hikflask.services.core.errors import ServiceError
from hikflask.services.enrolments import cards, rights, validity
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.enrolments.face_binding import FaceOutcome, has_face, shows_face, stays_there, stored_otherwise
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import Transition
from hikflask.services.terminals import recovery

log = logging.getLogger(__name__)


def prove(attempt: Attempt, outcome: FaceOutcome) -> None:
    """Confirm the row if Search finds the number with our name, with the rights that must be there and, if a face is
    desired, with that face.

    :raises person_not_verified: :raises name_not_verified: :raises face_not_verified: :raises validity_not_verified:
    :raises validity_not_shown: :raises rights_not_verified: when Search does not show it.
    :raises face_not_shown: when it shows the picture of before, which it did not remove: of the old face, or of ours.
    """
    attempt.begin("proof")
    person = _find_ours(attempt)
    if outcome.nothing_bound:
        _confirm_person(attempt, person, face=outcome.face, refusal=outcome.refusal)
        return
    if not shows_face(attempt, person, outcome):
        attempt.write(state.PERSON_NOT_SHOWN if rights.unproven(attempt, person) else state.FACE_NOT_SHOWN)
        if stays_there(attempt, person, outcome):
            attempt.write(state.FACE_CERTAIN)
            raise ServiceError("face_not_shown")
        raise ServiceError("face_not_verified")
    if attempt.picture_name:
        attempt.conversation.pending_updates["picture_name"] = attempt.picture_name
    _require_rights(attempt, person, state.RIGHTS_NOT_SHOWN if outcome.kept else state.RIGHTS_NOT_SHOWN_BESIDE_FACE)
    confirmed = state.CONFIRMED_AS_BEFORE if outcome.kept else state.CONFIRMED_WITH_FACE
    # By this, a face that is there when nothing may arrive any more is known as the one that was bound now.
    known = {"face_there": stored_otherwise(attempt, person)} if attempt.is_late and outcome.sent else {}
    attempt.write(confirmed, written_name=attempt.name, **_rights(attempt, person), **known)
    if outcome.sent and attempt.conversation.terminal.face_mode == UNKNOWN:
        attempt.conversation.update_row(face_mode=outcome.sent)
        if outcome.sent == BY_PICTURE:
            with attempt.conversation.lease.write():
                recovery.bring_photos(attempt.row.terminal_id)


def confirm_without_face(attempt: Attempt, refusal: Refusal) -> None:
    """Write that the face was refused for good, and verify the person alone.

    :raises person_not_verified: :raises name_not_verified: :raises validity_not_verified: :raises validity_not_shown:
    :raises rights_not_verified: when Search does not show the person so.
    """
    attempt.write(state.FACE_REFUSED, refusal=refusal)
    _confirm_person(attempt, _find_ours(attempt), face=REFUSED, refusal=refusal)


def _confirm_person(attempt: Attempt, person: TerminalPerson, *, face: str, refusal: Refusal | None) -> None:
    _require_rights(attempt, person, state.RIGHTS_NOT_SHOWN)
    if refusal:
        params = {name: value for name, value in refusal["params"].items() if name != OLD_FACE}
        # What was not replaced opens doors as before.
        old_face = {OLD_FACE: True} if has_face(attempt, person) else {}
        refusal = Refusal(code=refusal["code"], params=params | old_face)
    why = {"face": face, "refusal": refusal}
    attempt.write(state.PERSON_CONFIRMED, written_name=attempt.name, **_rights(attempt, person), **why)


def _rights(attempt: Attempt, person: TerminalPerson) -> dict[str, Any]:
    """Return what is known of the rights after a proof: a lifted limit needs not be lifted again.

    While something may arrive that changes them, what must be there then is kept.
    """
    proven: dict[str, Any] = {"valid_there": _words(person), "sent_valid": validity.words(attempt.limits)}
    if attempt.is_late:
        must_be_there = rights.to_store(rights.expected(attempt))
        proven |= {"sent_valid": validity.words(attempt.validity), "rights_before": must_be_there}
    return proven


def _words(person: TerminalPerson) -> str:
    return person.valid.words if person.valid else ""


# --- what the person may do ---


def _require_rights(attempt: Attempt, person: TerminalPerson, not_shown: Transition) -> None:
    """Refuse to confirm a person without the rights that must be there, or who lost cards by a change.

    :raises validity_not_verified: when it shows another validity than the one asked for. :raises validity_not_shown:
        when it has never shown one. :raises rights_not_verified: when other rights are missing.
    :raises cards_lost: when a change lost cards or fingerprints, which cannot be sent again.
    """
    unproven = rights.unproven(attempt, person)
    if not unproven and not rights.lost_cards(attempt, person):
        _require_cards(attempt, person, not_shown)
        return
    _write_unproven(attempt, person, not_shown)
    if unproven - rights.asked(attempt):
        raise ServiceError("rights_not_verified")
    if unproven and person.rights.valid:
        raise ServiceError("validity_not_verified", text=_words(person))
    if unproven and attempt.rights_shown.valid is not None:
        raise ServiceError("rights_not_verified")
    # Another attempt would not show more, so the person is refused.
    attempt.begin("person")
    raise ServiceError("validity_not_shown" if unproven else "cards_lost")


def _require_cards(attempt: Attempt, person: TerminalPerson, not_shown: Transition) -> None:
    """Bring the employee's cards; :raises ServiceError: :raises TerminalError: as cards.bring()."""
    try:
        cards.bring(attempt)
    except (TerminalError, ServiceError) as error:
        _write_unproven(attempt, person, not_shown)
        if not error.retryable:
            attempt.begin("person")
        raise


def _write_unproven(attempt: Attempt, person: TerminalPerson, not_shown: Transition) -> None:
    kept = rights.only(attempt.rights, rights.unproven(attempt, person) - rights.asked(attempt))
    attempt.write(not_shown, valid_there=_words(person), rights_before=rights.to_store(kept))


# --- the person ---


def _find_ours(attempt: Attempt) -> TerminalPerson:
    """Return the person as the terminal shows it now. Rights that are missing or other ones are set again, once.

    :raises person_not_verified: :raises name_not_verified: as in _find_by_name().
    """
    person = _find_by_name(attempt)
    lost = rights.lost(attempt.rights, person.rights)
    if not lost:
        return person
    log.warning("terminal %s: %s lost by a change, and set again", attempt.row.terminal_id, ", ".join(sorted(lost)))
    _write_unproven(attempt, person, state.RIGHTS_NOT_SHOWN)
    rights.change(attempt, attempt.rights)
    return _find_by_name(attempt)


def _find_by_name(attempt: Attempt) -> TerminalPerson:
    """Return the person as the terminal shows it now.

    :raises person_not_verified: when it shows nobody. :raises name_not_verified: when it shows another name.
    """
    person = persons.find(attempt.conversation, attempt.number)
    if person is not None and person.name == attempt.name:
        return person
    attempt.write(state.PERSON_NOT_SHOWN)
    raise ServiceError("name_not_verified", name=person.name[:255]) if person else ServiceError("person_not_verified")
