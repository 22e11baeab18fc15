"""Binds one photo's face to one number, and knows which bytes were bound.

The terminal keeps a captured face in ONE file that the next capture overwrites, whoever starts it. So the file is read
before and after FDSetUp: the same SHA-256 as the photo's both times proves what was bound in between. Before FDSetUp is
sent, the row says `face_unverified`; such a face is proven, or taken off again before its capture is given up.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hikflask.extensions import db
from hikflask.isapi import faces, persons
from hikflask.isapi.codec import OK_CODES
from hikflask.isapi.errors import (
    FileTooLarge,
    Gone,
    Nonsense,
    NotSupported,
    PictureLost,
    Refused,
    TerminalError,
    Unreachable,
)
from hikflask.isapi.faces import FaceCall
from hikflask.isapi.persons import Person
from hikflask.models import Enrolment
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.models.terminal import BY_PICTURE, BY_URL, FACE_ADD_OR_REPLACE, FACE_SET_UP
from hikflask.services.core.errors import CaptureLost, CaptureSuperseded, FaceNotVerified, PhotoForgotten
from hikflask.services.enrolments.attempt import Attempt
from hikflask.services.photos import storage
from hikflask.services.state import enrolment as state

NO_PHOTO = "no_photo"
FILES_NOT_TAKEN = "files_not_taken"
OTHER_TERMINAL = "other_terminal"

# So a terminal refuses a picture that takes none: an unknown word, badJsonFormat on faceURL (two recordings), or that
# it could not download what it was never pointed at.
NO_PICTURES = {Refused, NotSupported, FileTooLarge, PictureLost}


@dataclass(frozen=True)
class Source:
    """What is to be sent: the photo's SHA-256, and its URL on this terminal, or its bytes.

    `picture` is None where the terminal takes no pictures, or the file is lost; `url` where it was not captured here.
    """

    sha256: str
    url: str | None
    picture: bytes | None


@dataclass(frozen=True)
class FaceThere:
    """The face that the number has on the terminal before anything is sent.

    `sha256` is that of its picture, None where there is none, or the terminal does not show it. `confirmed`: the row
    says that it is the one that is desired.
    """

    present: bool
    sha256: str | None
    confirmed: bool


@dataclass(frozen=True)
class FaceOutcome:
    """What was done about the face: `refusal` says why nothing could be; `kept` that the confirmed one was left alone.

    `previous` is the SHA-256 of a face that was there before and must have changed. `sent` is how it was sent now:
    BY_URL or BY_PICTURE.
    """

    refusal: str = ""
    face: str = PENDING
    kept: bool = False
    previous: str | None = None
    sent: str = ""

    @property
    def undone(self) -> bool:
        """True when nothing was bound and nothing may turn green, whatever the terminal shows."""
        return bool(self.refusal) or self.face == REFUSED


def bind_face(attempt: Attempt, there: Person | None) -> FaceOutcome:
    """Bind the face that is desired; `there` is the person who was there before, None for one who was just added.

    A face that is there and cannot be bound again (the photo is forgotten, its capture long gone) is proven by its
    hash; where the terminal gives no picture to compare, what was confirmed stays so.

    :raises CaptureSuperseded: when the terminal's file shows another face; none of it stays bound.
    :raises CaptureLost: when the file is gone and nothing proves what was bound; none of it stays bound.
    """
    there = _with_faces(attempt, there) if there else None
    present, confirmed = there is not None and bool(there.faces), attempt.row.face == CONFIRMED
    if confirmed and present and not attempt.prove_again:
        return FaceOutcome(kept=True)
    source, refusal = _source(attempt)
    if source is None or (refusal and not present):
        return _refused(attempt, refusal or FaceOutcome(NO_PHOTO))
    face = FaceThere(present, _enrolled_sha256(attempt, there) if present else None, confirmed)
    if face.sha256 == source.sha256:
        return FaceOutcome()
    if refusal:
        unknown = face.confirmed and face.sha256 is None
        return FaceOutcome(kept=True) if unknown else _refused(attempt, refusal)
    if face.confirmed and not (face.present and face.sha256 is None):
        attempt.write(state.FACE_LOST)  # It shows no face, or another picture than the confirmed one.
    return _bind(attempt, source, face)


def shows_face(attempt: Attempt, found: Person, outcome: FaceOutcome) -> bool:
    """True when the terminal's own answer shows a face, and another one than was there before."""
    found = _with_faces(attempt, found)
    if not found.faces:
        return False
    if outcome.previous is None or outcome.previous == _photo_sha256(attempt.row):
        return True
    return _enrolled_sha256(attempt, found) not in {None, outcome.previous}


# --- what is to be sent ---


def _source(attempt: Attempt) -> tuple[Source | None, FaceOutcome | None]:
    """Return the face as it is to be sent, and why it cannot be."""
    photo = attempt.row.photo
    if photo is None:
        return None, FaceOutcome(NO_PHOTO)
    capture, terminal = photo.capture, attempt.talk.terminal
    captured_here = capture is not None and bool(capture.face_url) and capture.terminal_id == terminal.id
    source = Source(photo.sha256, capture.face_url if capture and captured_here else None, None)
    db.session.commit()
    if terminal.face_mode == BY_URL:
        if captured_here:
            return source, None
        captured = capture is not None and bool(capture.face_url)
        return source, FaceOutcome(OTHER_TERMINAL if captured else FILES_NOT_TAKEN, REFUSED)
    try:
        return replace(source, picture=storage.to_send(photo)), None
    except PhotoForgotten as error:
        return source, FaceOutcome(error.code, REFUSED)


def _refused(attempt: Attempt, refusal: FaceOutcome) -> FaceOutcome:
    _undo_unverified(attempt)
    if attempt.row.face == CONFIRMED:
        attempt.write(state.FACE_LOST)
    return refusal


# --- sending it ---


def _bind(attempt: Attempt, source: Source, face: FaceThere) -> FaceOutcome:
    """By URL or by picture, as the terminal takes it; where that is unknown, by picture and then by URL."""
    mode = attempt.talk.terminal.face_mode
    if mode == BY_URL:
        return _bind_url(attempt, source, face)
    try:
        return _bind_picture(attempt, source, face)
    except Refused as error:
        if mode == BY_PICTURE or type(error) not in NO_PICTURES:
            raise
    if source.url is None:
        return _refused(attempt, FaceOutcome(FILES_NOT_TAKEN, REFUSED))
    return _bind_url(attempt, source, face)


def _bind_url(attempt: Attempt, source: Source, face: FaceThere) -> FaceOutcome:
    url = source.url or ""
    try:
        _look_before(attempt, url, source.sha256)
    except (CaptureSuperseded, CaptureLost):
        if face.confirmed and face.present and face.sha256 is None:
            return FaceOutcome(kept=True)  # Nothing contradicts what was proven before.
        raise
    face = _make_room(attempt, face)
    _send(attempt, lambda call: faces.bind_url(attempt.talk, attempt.number, url, call), face.present)
    _look_after(attempt, url, source.sha256)
    return FaceOutcome(previous=face.sha256, sent=BY_URL)


def _bind_picture(attempt: Attempt, source: Source, face: FaceThere) -> FaceOutcome:
    """Send the bytes that were read before anything was unverified; a file that was gone then is captured anew."""
    picture = source.picture
    if picture is None:
        _undo_unverified(attempt)
        raise CaptureLost
    face = _make_room(attempt, face)
    _send(attempt, lambda call: faces.bind_picture(attempt.talk, attempt.number, picture, call), face.present)
    return FaceOutcome(previous=face.sha256, sent=BY_PICTURE)


def _make_room(attempt: Attempt, face: FaceThere) -> FaceThere:
    """Take off a face that the new one could not be told from: also the same one in the terminal's own coding."""
    told_apart = face.sha256 is not None and not attempt.row.face_unverified and not face.confirmed
    if not face.present or told_apart:
        return face
    if face.confirmed:
        attempt.write(state.FACE_LOST)
    _take_off(attempt)
    return FaceThere(present=False, sha256=None, confirmed=face.confirmed)


def _send(attempt: Attempt, bind: Callable[[FaceCall], None], replaces: bool) -> None:
    """Bind; the row says first that the face is unverified, for a worker may be killed now, or the answer be lost."""
    attempt.write(state.SENDING_FACE)
    try:
        _call(attempt, bind, replaces)
    except TerminalError as error:
        if _did_nothing(error):
            attempt.write(state.FACE_CERTAIN)
        raise


def _call(attempt: Attempt, bind: Callable[[FaceCall], None], replaces: bool) -> None:
    """By FDSetUp; by the older calls where that is not listed, or not known and nothing was listed."""
    known = attempt.talk.terminal.face_calls
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
        attempt.talk.note(face_calls=FACE_ADD_OR_REPLACE)


# --- which bytes it was ---


def _look_before(attempt: Attempt, url: str, sha256: str) -> None:
    seen = _file_sha256(attempt, url)
    if seen == sha256:
        return
    _undo_unverified(attempt)
    raise CaptureLost if seen is None else CaptureSuperseded


def _look_after(attempt: Attempt, url: str, sha256: str) -> None:
    seen = _file_sha256(attempt, url)
    if seen == sha256:
        return
    if seen is None and _enrolled_sha256(attempt, persons.find(attempt.talk, attempt.number)) == sha256:
        return
    _undo_unverified(attempt)
    raise CaptureLost if seen is None else CaptureSuperseded


def _file_sha256(attempt: Attempt, url: str) -> str | None:
    """The hash of what the terminal's file holds now; None when the file is gone."""
    try:
        return storage.sha256(faces.fetch_picture(attempt.talk, url))
    except Gone:
        return None


def _enrolled_sha256(attempt: Attempt, person: Person | None) -> str | None:
    """The hash of the picture enrolled for a person; None where the terminal does not show it."""
    if person is None or not person.face_url:
        return None
    try:
        return storage.sha256(faces.fetch_picture(attempt.talk, person.face_url))
    except (Refused, Nonsense) as error:
        if error.retryable:
            raise
        return None


def _photo_sha256(row: Enrolment) -> str:
    if row.photo is None:
        raise FaceNotVerified
    return row.photo.sha256


def _with_faces(attempt: Attempt, person: Person) -> Person:
    """The person with the number of faces, asked of the face library where Search does not tell it."""
    if person.faces is not None:
        return person
    enrolled = faces.find(attempt.talk, attempt.number)
    return replace(person, faces=1 if enrolled else 0, face_url=enrolled.face_url if enrolled else None)


# --- undoing it ---


def _undo_unverified(attempt: Attempt) -> None:
    """Take off a face of which nobody knows which one it is."""
    if attempt.row.face_unverified:
        _take_off(attempt)
        attempt.write(state.FACE_CERTAIN)


def _take_off(attempt: Attempt) -> None:
    """Take the number's face off, and believe it only when the terminal shows none.

    :raises FaceNotVerified: when it shows one still.
    """
    faces.remove(attempt.talk, attempt.number)
    found = persons.find(attempt.talk, attempt.number)
    if found and _with_faces(attempt, found).faces:
        raise FaceNotVerified


def _did_nothing(error: TerminalError) -> bool:
    """True when FDSetUp surely had no effect: it was not sent, or the terminal itself said no (not OK beside a 500)."""
    if isinstance(error, Unreachable) or error.stops:
        return True
    return isinstance(error, Refused) and error.status_code not in {None, *OK_CODES}
