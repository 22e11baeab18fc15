"""Binds one photo's face to one number, and verifies which bytes were bound.

The terminal keeps a captured face in ONE file that the next capture overwrites, whoever starts it. So the file is read
before and after FDSetUp: if both have the photo's SHA-256, this photo was bound. Before FDSetUp is sent, the row gets
`face_unverified`. Such a face is verified later, or removed before its capture is given up.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hikflask.isapi import faces, persons
from hikflask.isapi.codec import OK_CODES
from hikflask.isapi.errors import (
    FileTooLarge,
    Gone,
    ModelingFailed,
    Nonsense,
    NotSupported,
    PictureLost,
    Refused,
    TerminalError,
    Unreachable,
)
from hikflask.isapi.faces import FaceCall
from hikflask.isapi.multipart import PICTURE_NAMES
from hikflask.isapi.persons import TerminalPerson
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.models.refusal import Refusal
from hikflask.models.terminal import BY_PICTURE, BY_URL, FACE_ADD_OR_REPLACE, FACE_SET_UP
from hikflask.services.core.errors import CaptureSuperseded, PhotoForgotten, ServiceError, refusal_of
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.photos import storage
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import FILES_NOT_TAKEN, NO_PHOTO, OTHER_TERMINAL
from hikflask.services.terminals import checks
from hikflask.services.terminals.connection import usable_answer

# How a terminal that takes no pictures refuses one: an unknown sub-status, badJsonFormat on faceURL (two recordings),
# or a failed download although no URL was sent.
NO_PICTURES = {Refused, NotSupported, FileTooLarge, PictureLost}


@dataclass(frozen=True)
class Source:
    """The face to send: the photo's SHA-256, with its URL on this terminal or its bytes.

    `picture` is None if the terminal takes no pictures or the file is lost. `url` is None if the photo was not captured
    at this terminal.
    """

    sha256: str
    url: str | None
    picture: bytes | None


@dataclass(frozen=True)
class FaceThere:
    """The face that the number has on the terminal before anything is sent.

    `sha256` is that of its picture, or None if there is none or the terminal does not show it. `confirmed`: the row
    says that it is the desired face. `stays`: the terminal refused to remove it.
    """

    present: bool
    sha256: str | None
    confirmed: bool
    stays: bool = False


@dataclass(frozen=True)
class FaceOutcome:
    """The result of binding a face. `refusal` says why it was impossible, `kept` that the confirmed face was kept.

    `previous` is the SHA-256 of an earlier face on the terminal, which must have changed; `stays`: it could not be
    removed before. `sent` is how the face was sent: BY_URL, BY_PICTURE, or empty.
    """

    refusal: Refusal | None = None
    face: str = PENDING
    kept: bool = False
    previous: str | None = None
    stays: bool = False
    sent: str = ""

    @property
    def nothing_bound(self) -> bool:
        """True when nothing was bound, so the face cannot be confirmed, whatever the terminal shows."""
        return bool(self.refusal) or self.face == REFUSED


def bind_face(attempt: Attempt, there: TerminalPerson | None) -> FaceOutcome:
    """Bind the desired face.

    A face that is on the terminal and cannot be bound again (its photo is forgotten, its capture is gone) is verified
    by its SHA-256. If the terminal shows no picture to compare, a confirmed face stays confirmed. So it does where only
    something else, such as a name, got no answer.

    :param there: the person who was there before, or None if the person was just added.
    :raises CaptureSuperseded: when the terminal's file holds another face; that face does not stay bound.
    :raises file_gone: when the file is gone and nothing proves what was bound; no unverified face stays bound.
    """
    there = _with_faces(attempt, there) if there else None
    present, confirmed = there is not None and bool(there.faces), attempt.row.face == CONFIRMED
    if confirmed and present and not attempt.prove_again:
        return FaceOutcome(kept=True)
    source, refusal = _source(attempt)
    if source is None or (refusal and not present):
        return _refused(attempt, refusal or FaceOutcome(Refusal(code=NO_PHOTO, params={})))
    face = FaceThere(present, _enrolled_sha256(attempt, there) if present else None, confirmed)
    if face.sha256 == source.sha256:
        return FaceOutcome()
    if _is_as_before(attempt, face) or (refusal and face.confirmed and face.sha256 is None):
        return FaceOutcome(kept=True)
    if refusal:
        return _refused(attempt, refusal)
    if face.confirmed and not (face.present and face.sha256 in {None, attempt.row.face_there}):
        attempt.write(state.FACE_LOST)  # The terminal shows no face, or not the confirmed one.
    return _bind(attempt, source, face)


def _is_as_before(attempt: Attempt, face: FaceThere) -> bool:
    """True when a confirmed face is proven once more only because something else got no answer, and is there still.

    Its picture is hidden, or is the known one. Where none is known, the terminal may store it in its own encoding.
    """
    if not (face.confirmed and face.present) or attempt.late is None or attempt.late["face"]:
        return False
    return not attempt.row.face_there or face.sha256 in {None, attempt.row.face_there}


def without_late_face(attempt: Attempt, there: TerminalPerson | None) -> TerminalPerson | None:
    """Remove a face that may have come late, after its answer was given up: by then, the file at its URL may have been
    somebody else's. Return the person as there now.

    The photo's own face stays, and one that the terminal stores as it stored the confirmed one; one that it does not
    remove stays, too, to be replaced.

    :raises old_face_stays: :raises face_not_shown: as in _take_off().
    """
    row = attempt.row
    if there is None or not (attempt.late or {}).get("face"):
        return there
    there = _with_faces(attempt, there)
    ours = {row.photo.sha256 if row.photo else None, row.face_there if row.face == CONFIRMED else None} - {None, ""}
    if not there.faces or (enrolled := _enrolled_sha256(attempt, there)) in ours:
        return there
    return replace(there, faces=0, face_url=None) if _take_off(attempt, enrolled) else there


def take_back_late_face(attempt: Attempt, there: TerminalPerson) -> None:
    """Remove the face of who leaves from a record that is somebody else's by now, where it may have come late.

    Only the very photo goes: somebody else's own face stays.
    """
    photo = attempt.row.photo
    if photo is None or not (attempt.late or {}).get("face"):
        return
    if _enrolled_sha256(attempt, _with_faces(attempt, there)) == photo.sha256:
        _remove_face(attempt)


def shows_face(attempt: Attempt, found: TerminalPerson, outcome: FaceOutcome) -> bool:
    """True when the terminal's own answer shows a face that differs from the previous one."""
    found = _with_faces(attempt, found)
    if not found.faces:
        return False
    # Nothing was bound where the previous face was the photo's own: bind_face returned before.
    return outcome.previous is None or _enrolled_sha256(attempt, found) not in {None, outcome.previous}


def stays_there(attempt: Attempt, found: TerminalPerson, outcome: FaceOutcome) -> bool:
    """True when the terminal shows the previous face, which it refused to remove, although it took another one."""
    return outcome.stays and _enrolled_sha256(attempt, found) == outcome.previous


def stored_otherwise(attempt: Attempt, found: TerminalPerson) -> str:
    """Return the SHA-256 of our face as the terminal stores it, just after it was bound; empty where it is the photo's,
    or not shown.
    """
    enrolled = _enrolled_sha256(attempt, found)
    return "" if attempt.row.photo is None or enrolled in {None, attempt.row.photo.sha256} else enrolled or ""


def has_face(attempt: Attempt, found: TerminalPerson) -> bool:
    """True when the terminal shows a face of this person."""
    told = usable_answer(lambda: _with_faces(attempt, found))
    return told is not None and bool(told.faces)


# --- the face to send ---


def _source(attempt: Attempt) -> tuple[Source | None, FaceOutcome | None]:
    """Return the face to send, and the reason if it cannot be sent."""
    photo = attempt.row.photo
    if photo is None:
        return None, FaceOutcome(Refusal(code=NO_PHOTO, params={}))
    capture, terminal = photo.capture, attempt.conversation.terminal
    captured_here = capture is not None and bool(capture.face_url) and capture.terminal_id == terminal.id
    source = Source(photo.sha256, capture.face_url if capture and captured_here else None, None)
    if terminal.face_mode == BY_URL:
        if captured_here:
            return source, None
        captured = capture is not None and bool(capture.face_url)
        return source, FaceOutcome(Refusal(code=OTHER_TERMINAL if captured else FILES_NOT_TAKEN, params={}), REFUSED)
    try:
        return replace(source, picture=storage.read_photo(photo)), None
    except PhotoForgotten as error:
        return source, FaceOutcome(refusal_of(error), REFUSED)


def _refused(attempt: Attempt, refusal: FaceOutcome) -> FaceOutcome:
    _undo_unverified(attempt)
    if attempt.row.face == CONFIRMED:
        attempt.write(state.FACE_LOST)
    return refusal


# --- sending it ---


def _bind(attempt: Attempt, source: Source, face: FaceThere) -> FaceOutcome:
    """Bind by URL or by picture, as the terminal supports it. If that is unknown, try by picture, then by URL."""
    mode = attempt.conversation.terminal.face_mode
    if mode == BY_URL:
        return _bind_url(attempt, source, face)
    try:
        return _bind_picture(attempt, source, face)
    except Refused as error:
        if mode == BY_PICTURE or type(error) not in NO_PICTURES:
            raise
    if source.url is None:
        return _refused(attempt, FaceOutcome(Refusal(code=FILES_NOT_TAKEN, params={}), REFUSED))
    return _bind_url(attempt, source, face)


def _bind_url(attempt: Attempt, source: Source, face: FaceThere) -> FaceOutcome:
    url = source.url or ""
    try:
        _require_file(attempt, url, source.sha256, is_sent=False)
    except CaptureSuperseded:
        if face.confirmed and face.present and face.sha256 in {None, attempt.row.face_there}:
            return FaceOutcome(kept=True)  # Nothing contradicts the earlier proof.
        raise
    face = _remove_old_face(attempt, face)
    _send(attempt, lambda call: faces.bind_url(attempt.conversation, attempt.number, url, call), face.present)
    _require_file(attempt, url, source.sha256, is_sent=True)
    return FaceOutcome(previous=face.sha256, stays=face.stays, sent=BY_URL)


def _bind_picture(attempt: Attempt, source: Source, face: FaceThere) -> FaceOutcome:
    """Send the bytes that were read before. If the file was lost, the face must be captured again."""
    picture = source.picture
    if picture is None:
        _undo_unverified(attempt)
        raise CaptureSuperseded("file_gone")
    face = _remove_old_face(attempt, face)
    _send(attempt, lambda call: _send_picture(attempt, picture, call), face.present)
    return FaceOutcome(previous=face.sha256, stays=face.stays, sent=BY_PICTURE)


def _send_picture(attempt: Attempt, picture: bytes, call: FaceCall) -> None:
    """Send the picture in the form that the terminal takes. If that is unknown, a refusal is followed by the other."""
    conversation, number = attempt.conversation, attempt.number
    known = conversation.pending_updates.get("picture_name", conversation.terminal.picture_name)
    usual, other = PICTURE_NAMES
    name = known or usual
    try:
        faces.bind_picture(conversation, number, picture, call, name)
    except ModelingFailed as refusal:
        if known or not refusal.may_be_about_form:
            raise
        name = other
        try:
            faces.bind_picture(conversation, number, picture, call, name)
        except Refused as error:
            if type(error) in NO_PICTURES and _did_nothing(error):
                raise refusal from None  # It does not know the other form, so the refusal was about the picture.
            raise
    attempt.picture_name = name


def _remove_old_face(attempt: Attempt, face: FaceThere) -> FaceThere:
    """Remove the old face if the new one could not be told from it, also if it is the same face re-encoded there.

    :raises old_face_stays: :raises face_not_shown: as in _take_off().
    """
    known = face.sha256 not in {None, attempt.row.face_there}
    told_apart = known and not attempt.row.face_unverified and not face.confirmed
    if not face.present or told_apart:
        return face
    if _take_off(attempt, face.sha256):
        return FaceThere(present=False, sha256=None, confirmed=face.confirmed)
    return replace(face, stays=True)


def _take_off(attempt: Attempt, sha256: str | None) -> bool:
    """Remove a face, with this picture, of which the row may have a proof.

    :return: False when the terminal refuses that, and the picture contradicts the proof. The face can be replaced:
        another picture in its place proves that.
    :raises old_face_stays: when the terminal refuses that, and the picture tells nothing.
    :raises face_not_shown: then, where it may be the right face; what was proven of it before is so still.
    """
    row = attempt.row
    contradicts = sha256 not in {None, row.face_there}
    proven = {"confirmed_at": row.confirmed_at, "face_there": row.face_there} if row.face == CONFIRMED else None
    if proven:
        attempt.write(state.FACE_LOST)
    try:
        _remove_face(attempt)
    except Refused as error:
        if error.retryable or not _did_nothing(error):
            raise
        if contradicts:
            return False
        stays = ServiceError("face_not_shown" if proven or row.face_unverified else "old_face_stays")
        if proven:
            attempt.write(state.OLD_FACE_STAYS, **proven, refusal=refusal_of(stays))
        raise stays from error
    return True


def _send(attempt: Attempt, bind: Callable[[FaceCall], None], replaces: bool) -> None:
    """Mark the face as unverified in the row, then bind it: the worker may be killed, or the answer may be lost.

    :raises Full: when the terminal has no room for one more face.
    """
    if not replaces:
        checks.require_room(attempt.conversation, for_face=True)
    attempt.conversation.yield_to_urgent()
    attempt.write(state.SENDING_FACE)
    try:
        _call(attempt, bind, replaces)
    except TerminalError as error:
        if _did_nothing(error):
            attempt.write(state.FACE_CERTAIN)
        raise
    attempt.faces += not replaces


def _call(attempt: Attempt, bind: Callable[[FaceCall], None], replaces: bool) -> None:
    """Use FDSetUp, or the older calls if the terminal lists only those, or lists nothing and does not know FDSetUp."""
    known = attempt.conversation.terminal.face_calls
    if known != FACE_ADD_OR_REPLACE:
        try:
            bind(FaceCall.SET_UP)
        except NotSupported:
            if known == FACE_SET_UP:
                raise
        else:
            return
    bind(FaceCall.REPLACE if replaces else FaceCall.ADD)
    if known is None:
        attempt.conversation.update_row(face_calls=FACE_ADD_OR_REPLACE)


# --- which bytes were bound ---


def _require_file(attempt: Attempt, url: str, sha256: str, *, is_sent: bool) -> None:
    """Check that the terminal's file has the photo's bytes. Once the face is sent, the enrolled picture counts as well
    where the file is gone.

    :raises CaptureSuperseded: when it has not; no unverified face stays bound.
    """
    try:
        file = storage.sha256(faces.fetch_picture(attempt.conversation, url))
    except Gone:
        file = None
    by_enrolled = is_sent and file is None
    enrolled = _enrolled_sha256(attempt, persons.find(attempt.conversation, attempt.number)) if by_enrolled else None
    if sha256 in {file, enrolled}:
        return
    _undo_unverified(attempt)
    raise CaptureSuperseded("file_gone" if file is None else "superseded")


def _enrolled_sha256(attempt: Attempt, person: TerminalPerson | None) -> str | None:
    """Return the SHA-256 of a person's enrolled picture, or None when neither Search nor the face library shows it."""
    if person is None:
        return None
    try:
        enrolled = person if person.face_url else faces.find(attempt.conversation, attempt.number)
        url = enrolled.face_url if enrolled else None
        return storage.sha256(faces.fetch_picture(attempt.conversation, url)) if url else None
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def _with_faces(attempt: Attempt, person: TerminalPerson) -> TerminalPerson:
    """Return the person with the count of faces. If Search did not tell it, ask the face library."""
    if person.faces is not None:
        return person
    enrolled = faces.find(attempt.conversation, attempt.number)
    return replace(person, faces=1 if enrolled else 0, face_url=enrolled.face_url if enrolled else None)


# --- undoing it ---


def _undo_unverified(attempt: Attempt) -> None:
    """Remove a face that is unverified. :raises face_not_shown: when the terminal refuses that."""
    if attempt.row.face_unverified:
        _take_off(attempt, None)
        attempt.write(state.FACE_CERTAIN)


def _remove_face(attempt: Attempt) -> None:
    """Remove the number's face, and verify that the terminal shows none.

    :raises face_not_verified: when it still shows one.
    """
    attempt.write(state.SENDING_REMOVAL)
    faces.remove(attempt.conversation, attempt.number)
    found = persons.find(attempt.conversation, attempt.number)
    if found and _with_faces(attempt, found).faces:
        raise ServiceError("face_not_verified")


def _did_nothing(error: TerminalError) -> bool:
    """True when a request certainly had no effect: not sent, or refused (an OK code with HTTP 500 is no refusal)."""
    if isinstance(error, Unreachable) or error.stops:
        return True
    if not isinstance(error, Refused) or error.status_code in OK_CODES:
        return False
    # Without a code, HTTP itself refused it, such as a body that is too long.
    return error.status_code is not None or 400 <= (error.http_status or 0) < 500
