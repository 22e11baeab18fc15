"""What the tests of retention share: somebody enrolled, time that passed, and one pass of the worker."""

import io
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from hikflask.background import worker
from hikflask.extensions import db
from hikflask.models import AuditEntry, Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.capture import TAKEN
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.runner import run_capture
from hikflask.services.captures.start import start_capture
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw

IVAN = Draft("100222", "Иван Иванов", "Охрана")
FACE, OTHER_FACE = (draw(name) for name in NAMES[:2])
DAY = 86400.0


def age(table: Any, column: str, seconds: float) -> None:
    """Let this have been so many seconds ago in all rows."""
    db.session.execute(db.update(table).values({column: database_now(-seconds)}))
    db.session.commit()
    db.session.expire_all()


def take(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Capture:
    """Capture a face."""
    simulator.present_alone(face)
    taken = run_capture(start_capture(terminal.id, draft, "Анна", take_over=True).id)
    assert taken.state == TAKEN, taken.reason
    return taken


def save(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    """Capture a face and save it to the employee with this number."""
    return saved(draft, FaceSource(take(simulator, terminal, draft, face).id, "Анна"))


def save_and_die(simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Employee:
    """Save a picture under the number, and die before its name without a number is removed."""
    taken = take(simulator, terminal, Draft())
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            save_employee(IVAN, FaceSource(taken.id, taken.requested_by))
    assert len(files()) == 2
    found = search.by_number(IVAN.number)
    assert found is not None
    return found


def upload(draft: Draft = IVAN, terminal_id: int | None = None) -> Employee:
    """Save a picture file to the employee with this number."""
    return saved(draft, FaceSource(upload=io.BytesIO(FACE), terminal_id=terminal_id))


def saved(draft: Draft, source: FaceSource) -> Employee:
    """Save, whether the number is known or not."""
    known = search.by_number(draft.number)
    return save_employee(draft, source, employee_id=known.id if known else None).row


def settle(position: int = 0, *, again: bool = False) -> Enrolment:
    """Bring the employee to a terminal."""
    return reconcile(queries.of_number("100222")[position].id, "test", prove_again=again)


def leave(employee: Employee, ago: float = 2 * DAY) -> None:
    """Deactivate somebody, so many seconds ago."""
    set_active(employee.id, active=False)
    age(Employee, "left_at", ago)


def forget() -> None:
    """One pass of the worker; what was read of rows before is not to be trusted any more."""
    db.session.commit()
    worker.forget_once()
    db.session.expire_all()


def files() -> list[str]:
    """The names in the uploads folder."""
    return sorted(path.name for path in storage.folder().iterdir())


def photo() -> Photo:
    """The only photo, as the database has it."""
    found = db.session.execute(db.select(Photo), execution_options={"populate_existing": True}).scalar_one()
    db.session.commit()
    return found


def entries(action: str = "photo.forgotten") -> list[AuditEntry]:
    """The audit entries of one kind."""
    found = list(db.session.execute(db.select(AuditEntry).where(AuditEntry.action == action)).scalars())
    db.session.commit()
    return found


def reasons() -> list[str]:
    """Why photos were forgotten."""
    return [entry.after["rule"] for entry in entries()]
