"""Binds one photo's face to one number, and knows which bytes were bound.

The terminal keeps a captured face in ONE file that the next capture overwrites, whoever starts it. So the file is read
before and after FDSetUp: the same SHA-256 as the photo's both times proves what was bound in between. `doubt` is
written to the row before FDSetUp is sent, and a face in doubt is proven or taken off before its capture is given up.
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
from hikflask.models import Enrolment, Photo
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.models.terminal import BY_PICTURE, BY_URL, FACE_ADD_OR_REPLACE, FACE_SET_UP
from hikflask.services.core.errors import CaptureLost, CaptureSuperseded, FaceNotVerified, PhotoForgotten
from hikflask.services.enrolments import desired, failures
from hikflask.services.photos import storage
from hikflask.services.terminals.connection import Conversation

NO_PHOTO = "no_photo"
FILES_NOT_TAKEN = "files_not_taken"
OTHER_TERMINAL = "other_terminal"

# So a terminal refuses a picture that takes none: an unknown word, badJsonFormat on faceURL (two recordings), or that
# it could not download what it was never pointed at.
NO_PICTURES = {Refused, NotSupported, FileTooLarge, PictureLost}


@dataclass(frozen=True)
class FaceOutcome:
    """What was done about the face: `refusal` says why nothing could be; `kept` that the confirmed one was left alone.

    `previous` is the SHA-256 of a face that was there before and must have changed. `by` is how it was sent now.
    """

    refusal: str = ""
    face: str = PENDING
    kept: bool = False
    previous: str | None = None
    by: str = ""

    @property
    def undone(self) -> bool:
        """True when nothing was bound and nothing may turn green, whatever the terminal shows."""
        return bool(self.refusal) or self.face == REFUSED


class Binding:
    """One photo, one number, one terminal, in one conversation."""

    def __init__(self, talk: Conversation, enrolment: Enrolment, note: Callable[..., None], again: bool) -> None:
        self.talk = talk
        self.note = note
        self.again = again
        self.number = enrolment.number
        self.doubt = enrolment.face_unverified
        self.confirmed = enrolment.face == CONFIRMED
        self.mode = talk.terminal.face_mode
        self.photo: Photo | None = enrolment.photo
        self.capture = enrolment.photo.capture if enrolment.photo else None
        self.picture: bytes | None = None
        db.session.commit()

    def put(self, there: Person | None) -> FaceOutcome:
        """Bind the face; `there` is the person who was there before, or None when just added.

        A face that is there and cannot be bound again (the photo is forgotten, its capture long gone) is proven by its
        hash; where the terminal gives no picture to compare, what was confirmed stays so.

        :raises CaptureSuperseded: when the terminal's file shows another face; none of it stays bound.
        :raises CaptureLost: when the file is gone and nothing proves what was bound; none of it stays bound.
        """
        there = self._counted(there) if there else None
        has_face = there is not None and bool(there.faces)
        if self.confirmed and has_face and not self.again:
            return FaceOutcome(kept=True)
        refusal = self._unbindable()
        if refusal and not (has_face and self.photo):
            return self._refused(refusal)
        previous = self._enrolled_sha256(there) if has_face else None
        if previous == self._wanted.sha256:
            return FaceOutcome()
        if refusal:
            kept = self.confirmed and previous is None
            return FaceOutcome(kept=True) if kept else self._refused(refusal)
        return self._bind(has_face, previous)

    def _refused(self, refusal: FaceOutcome) -> FaceOutcome:
        self._clear_doubt()
        if self.confirmed:
            self.note(**desired.unproven())
        return refusal

    def shown(self, found: Person, outcome: FaceOutcome) -> bool:
        """True when the terminal's own answer shows a face, and another one than was there before."""
        found = self._counted(found)
        if not found.faces:
            return False
        if outcome.previous is None or outcome.previous == self._wanted.sha256:
            return True
        return self._enrolled_sha256(found) not in {None, outcome.previous}

    def _counted(self, person: Person) -> Person:
        """The person with the number of faces, asked of the face library where Search does not tell it."""
        if person.faces is not None:
            return person
        enrolled = faces.find(self.talk, self.number)
        return replace(person, faces=1 if enrolled else 0, face_url=enrolled.face_url if enrolled else None)

    @property
    def _wanted(self) -> Photo:
        if self.photo is None:
            raise FaceNotVerified
        return self.photo

    def _unbindable(self) -> FaceOutcome | None:
        if self.photo is None:
            return FaceOutcome(NO_PHOTO)
        if self.mode != BY_URL:
            return self._read(self.photo)
        if self.capture is None or not self.capture.face_url:
            return FaceOutcome(FILES_NOT_TAKEN, REFUSED)
        return None if self._is_of_this_terminal else FaceOutcome(OTHER_TERMINAL, REFUSED)

    def _read(self, photo: Photo) -> FaceOutcome | None:
        try:
            self.picture = storage.to_send(photo)
        except PhotoForgotten as error:
            return FaceOutcome(error.code, REFUSED)
        return None

    def _bind(self, has_face: bool, previous: str | None) -> FaceOutcome:
        """By URL or by picture, as the terminal takes it; where that is unknown, by picture and then by URL."""
        if self.confirmed and not (has_face and previous is None):
            self.note(**desired.unproven())  # It shows no face, or another picture than the confirmed one.
        if self.mode == BY_URL:
            return self._bind_url(has_face, previous)
        try:
            return self._bind_picture(has_face, previous)
        except Refused as error:
            if self.mode == BY_PICTURE or type(error) not in NO_PICTURES:
                raise
        if not self._is_captured_here:
            return self._refused(FaceOutcome(FILES_NOT_TAKEN, REFUSED))
        return self._bind_url(has_face, previous)

    def _bind_url(self, has_face: bool, previous: str | None) -> FaceOutcome:
        try:
            self._first_look()
        except (CaptureSuperseded, CaptureLost):
            if self.confirmed and has_face and previous is None:
                return FaceOutcome(kept=True)  # Nothing contradicts what was proven before.
            raise
        has_face, previous = self._make_room(has_face, previous)
        self._send(lambda call: faces.bind_url(self.talk, self.number, self._face_url, call), has_face)
        self._second_look()
        return FaceOutcome(previous=previous, by=BY_URL)

    def _bind_picture(self, has_face: bool, previous: str | None) -> FaceOutcome:
        """Send the file that was read while nothing was in doubt yet; one that was gone then is captured anew."""
        picture = self.picture
        if picture is None:
            self._clear_doubt()
            raise CaptureLost
        has_face, previous = self._make_room(has_face, previous)
        self._send(lambda call: faces.bind_picture(self.talk, self.number, picture, call), has_face)
        return FaceOutcome(previous=previous, by=BY_PICTURE)

    def _make_room(self, has_face: bool, previous: str | None) -> tuple[bool, str | None]:
        """Take off a face that the new one could not be told from: also the same one in the terminal's own coding."""
        if not has_face or (previous is not None and not self.doubt and not self.confirmed):
            return has_face, previous
        if self.confirmed:
            self.note(**desired.unproven())
        self._take_face_off()
        return False, None

    @property
    def _is_captured_here(self) -> bool:
        return self.capture is not None and bool(self.capture.face_url) and self._is_of_this_terminal

    @property
    def _is_of_this_terminal(self) -> bool:
        return self.capture is not None and self.capture.terminal_id == self.talk.terminal.id

    def _first_look(self) -> None:
        seen = self._file_sha256()
        if seen == self._wanted.sha256:
            return
        self._clear_doubt()
        raise CaptureLost if seen is None else CaptureSuperseded

    def _send(self, bind: Callable[[FaceCall], None], has_face: bool) -> None:
        """Bind, with the doubt written first: a worker killed now, or an answer lost, leaves it in the row."""
        self.note(face_unverified=True, **desired.unproven())
        self.doubt = True
        try:
            self._call(bind, has_face)
        except TerminalError as error:
            if _did_nothing(error):
                self._no_doubt()
            raise

    def _call(self, bind: Callable[[FaceCall], None], has_face: bool) -> None:
        """By FDSetUp; by the older calls where that is not listed, or not known and nothing was listed."""
        known = self.talk.terminal.face_calls
        if known != FACE_ADD_OR_REPLACE:
            try:
                bind(FaceCall.SET_UP)
            except NotSupported:
                if known == FACE_SET_UP:
                    raise
            else:
                return
        bind(FaceCall.REPLACE if has_face else FaceCall.ADD)
        if known is None:
            self.talk.note(face_calls=FACE_ADD_OR_REPLACE)

    def _second_look(self) -> None:
        seen = self._file_sha256()
        if seen == self._wanted.sha256:
            return
        if seen is None and self._enrolled_sha256(persons.find(self.talk, self.number)) == self._wanted.sha256:
            return
        self._clear_doubt()
        raise CaptureLost if seen is None else CaptureSuperseded

    @property
    def _face_url(self) -> str:
        return (self.capture.face_url if self.capture else None) or ""

    def _file_sha256(self) -> str | None:
        """The hash of what the terminal's file holds now; None when the file is gone."""
        try:
            return storage.sha256(faces.fetch_picture(self.talk, self._face_url))
        except Gone:
            return None

    def _enrolled_sha256(self, person: Person | None) -> str | None:
        """The hash of the picture enrolled for a person; None where the terminal does not show it."""
        if person is None or not person.face_url:
            return None
        try:
            return storage.sha256(faces.fetch_picture(self.talk, person.face_url))
        except (Refused, Nonsense) as error:
            if error.retryable:
                raise
            return None

    def _clear_doubt(self) -> None:
        """Undo an FDSetUp whose effect is not proven."""
        if self.doubt:
            self._take_face_off()
            self._no_doubt()

    def _no_doubt(self) -> None:
        self.note(face_unverified=False)
        self.doubt = False

    def _take_face_off(self) -> None:
        """Take the number's face off, and believe it only when the terminal shows none."""
        faces.remove(self.talk, self.number)
        found = persons.find(self.talk, self.number)
        if found and self._counted(found).faces:
            raise FaceNotVerified


def _did_nothing(error: TerminalError) -> bool:
    """True when FDSetUp surely had no effect: it was not sent, or the terminal itself said no (not OK beside a 500)."""
    if isinstance(error, (Unreachable, *failures.STOPS)):
        return True
    return isinstance(error, Refused) and error.status_code not in {None, *OK_CODES}
