"""What the tests of retention share: somebody enrolled, time that passed, and one pass of the worker."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from hikflask.background import worker
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support import trail
from tests.support.captures import IVAN, capture_face
from tests.support.employees import by_number

DAY = 86400.0


def age(table: Any, column: str, seconds: float) -> None:
    """Let this have been so many seconds ago in all rows."""
    db.session.execute(db.update(table).values({column: database_now(-seconds)}))
    db.session.commit()
    db.session.expire_all()


def save_and_die(simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Employee:
    """Save a picture under the number, and die before its name without a number is removed."""
    taken = capture_face(simulator, terminal, Draft())
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            save_employee(IVAN, FaceSource(taken.id, taken.requested_by))
    assert len(files()) == 2
    return by_number(IVAN.number)


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
    found: Photo = db.session.execute(db.select(Photo), execution_options={"populate_existing": True}).scalar_one()
    db.session.commit()
    return found


def reasons() -> list[str]:
    """Why photos were forgotten."""
    return [trail.fields(entry.after)["rule"] for entry in trail.entries("photo.forgotten")]
