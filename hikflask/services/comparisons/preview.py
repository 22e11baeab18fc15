"""The two faces that a page shows of a difference: the photo here, and the face on the terminal."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi import faces
from hikflask.models import PersonThere, Photo, Terminal
from hikflask.models.comparison import Comparison
from hikflask.services import audit
from hikflask.services.comparisons import queries
from hikflask.services.photos import storage
from hikflask.services.terminals import connection

LOOK = "look"
MAX_SECONDS = 10.0


def files_here(shown: Collection[str]) -> Mapping[str, str]:
    """Return the files of kept photos with these SHA-256."""
    kept = select(Photo.sha256, Photo.file).where(Photo.sha256.in_(shown), Photo.forgotten_at.is_(None))
    return {sha256: file for sha256, file in db.session.execute(kept.order_by(Photo.id.desc()))}


def picture_there(comparison: Comparison, number: str, holder: str) -> bytes | None:
    """Ask the terminal for somebody's face; None unless it is the very picture that the comparison read.

    :raises TerminalError: :raises ServiceError: when the terminal refuses, does not answer, or is in use.
    """
    person = queries.person_there(comparison.id, number)
    if person is None or not person.face_url or not person.face_sha256:
        return None
    with connection.converse(comparison.terminal_id, holder, LOOK, total=MAX_SECONDS, yields=True) as conversation:
        picture = faces.fetch_picture(conversation, person.face_url)
    return picture if storage.sha256(picture) == person.face_sha256 else None


def record_view(terminal: Terminal, comparison: Comparison, number: str) -> None:
    """Record that the actor viewed the face of somebody on the terminal."""
    seen = select(PersonThere.id).where(PersonThere.comparison_id == comparison.id, PersonThere.number == number)
    audit.record_photo_view(None, terminal.name, number, seen)
