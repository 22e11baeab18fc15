"""An employee who is saved, with a captured face or with a picture file."""

import io

from hikflask.models import Capture, Employee, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, capture_face


def by_number(number: str) -> Employee:
    """The employee with this number, whom there is."""
    found = search.by_number(number)
    assert found is not None, number
    return found


def create_or_change(draft: Draft, source: FaceSource) -> Employee:
    """Save the employee with this number, whether there was one or not."""
    known = search.by_number(draft.number)
    return save_employee(draft, source, employee_id=known.id if known else None).row


def save_capture(capture: Capture, draft: Draft = IVAN) -> Employee:
    """Save a captured face to the employee with this number."""
    return create_or_change(draft, FaceSource(capture.id, capture.requested_by))


def save_with_face(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    """Capture a face and save it to the employee with this number."""
    return save_capture(capture_face(simulator, terminal, draft, face), draft)


def save_with_file(draft: Draft = IVAN, terminal_id: int | None = None, face: bytes = FACE) -> Employee:
    """Save a picture file to the employee with this number."""
    return create_or_change(draft, FaceSource(upload=io.BytesIO(face), terminal_id=terminal_id))
