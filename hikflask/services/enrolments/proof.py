"""Confirms an enrolment by the terminal's own answer after everything was sent."""

from hikflask.isapi import persons
from hikflask.isapi.persons import Person
from hikflask.models.enrolment import REFUSED
from hikflask.models.terminal import BY_PICTURE, UNKNOWN
from hikflask.services.core.errors import FaceNotVerified, NameNotVerified, PersonNotVerified, ValidityNotVerified
from hikflask.services.enrolments import validity
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.enrolments.face_binding import FaceOutcome, shows_face
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import recovery


def prove(attempt: Attempt, outcome: FaceOutcome) -> None:
    """Confirm the row if Search finds the number with our name and, if a face is desired, with that face.

    :raises PersonNotVerified: :raises NameNotVerified: :raises FaceNotVerified: :raises ValidityNotVerified: when
        Search does not show it.
    """
    attempt.begin("proof")
    found = _find_ours(attempt)
    if outcome.undone:
        text = attempt.row.refusal_text if attempt.row.face == REFUSED else ""
        _confirm_person(attempt, found, face=outcome.face, refusal_code=outcome.refusal, refusal_text=text)
        return
    if not shows_face(attempt, found, outcome):
        attempt.write(state.FACE_NOT_SHOWN)
        raise FaceNotVerified
    if not _has_validity(attempt, found):
        shown = state.VALIDITY_NOT_SHOWN if outcome.kept else state.VALIDITY_NOT_SHOWN_BESIDE_FACE
        attempt.write(shown, valid_there=_words(found))
        raise ValidityNotVerified(name=_words(found))
    confirmed = state.CONFIRMED_AS_BEFORE if outcome.kept else state.CONFIRMED_WITH_FACE
    attempt.write(confirmed, written_name=attempt.name, **_validity(attempt, found))
    if outcome.sent and attempt.talk.terminal.face_mode == UNKNOWN:
        attempt.talk.note(face_mode=outcome.sent)
        if outcome.sent == BY_PICTURE:
            with attempt.talk.lease.write():
                recovery.bring_photos(attempt.row.terminal_id)


def confirm_without_face(attempt: Attempt, code: str, text: str) -> None:
    """Write that the face was refused for good, and verify the person alone.

    :raises PersonNotVerified: :raises NameNotVerified: :raises ValidityNotVerified: when Search does not show the
        person so.
    """
    attempt.write(state.FACE_REFUSED, refusal_code=code[:64], refusal_text=text[:255])
    found = _find_ours(attempt)
    row = attempt.row
    _confirm_person(attempt, found, face=row.face, refusal_code=row.refusal_code, refusal_text=row.refusal_text)


def _confirm_person(attempt: Attempt, found: Person, *, face: str, refusal_code: str, refusal_text: str) -> None:
    if not _has_validity(attempt, found):
        attempt.write(state.VALIDITY_NOT_SHOWN, valid_there=_words(found))
        raise ValidityNotVerified(name=_words(found))
    known = {"face": face, "refusal_code": refusal_code, "refusal_text": refusal_text}
    attempt.write(state.PERSON_CONFIRMED, written_name=attempt.name, **_validity(attempt, found), **known)


def _has_validity(attempt: Attempt, found: Person) -> bool:
    """True when the terminal shows the validity that is asked for, or does not tell it, or none is asked for."""
    return attempt.validity is None or _words(found) in {"", validity.words(attempt.validity)}


def _validity(attempt: Attempt, found: Person) -> dict[str, str]:
    """Return what is known of the validity after a proof: a lifted limit needs not be lifted again."""
    return {"valid_there": _words(found), "sent_valid": validity.words(attempt.limits)}


def _words(found: Person) -> str:
    return found.valid.words if found.valid else ""


def _find_ours(attempt: Attempt) -> Person:
    """Return the person as the terminal shows it now.

    :raises PersonNotVerified: when it shows nobody. :raises NameNotVerified: when it shows another name.
    """
    found = persons.find(attempt.talk, attempt.number)
    if found is not None and found.name == attempt.name:
        return found
    attempt.write(state.PERSON_NOT_SHOWN)
    raise NameNotVerified(name=found.name[:255]) if found else PersonNotVerified
