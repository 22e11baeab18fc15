"""What the tests of erasures share: somebody on a terminal, removals that are tried, and what is left of the person."""

from contextlib import suppress
from typing import Any

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import Employee, Erasure, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.erasure import erase_by_number
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
from tests.support.enrolments import enrol_employee
from tests.support.removals import open_removals

IVAN = Draft("100222", "Иван Иванов", "Охрана", consent=True)


def enrol(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Employee:
    """Capture a face, save it, and bring it to the terminals."""
    return enrol_employee(simulator, terminal, draft, face)


def erase_number(number: str = IVAN.number) -> Erasure:
    """Erase the data of a number that no employee has any more."""
    erased = erase_by_number(number)
    assert erased is not None
    return erased.row


def settle_all() -> None:
    """Try every removal that is open."""
    for enrolment in open_removals():
        with suppress(TerminalError, ServiceError):
            reconcile(enrolment.id, "test")


def count(kind: Any) -> int:
    """How many rows a table has."""
    return int(db.session.execute(db.select(db.func.count()).select_from(kind)).scalar_one())


def fresh(erasure: Erasure) -> Erasure:
    """The erasure as the database has it now."""
    return db.session.get_one(Erasure, erasure.id, populate_existing=True)


def every_text() -> str:
    """All that the database holds, save what the certificate says that it keeps."""
    tables = [table for table in db.metadata.sorted_tables if table.name not in {"erasure", "erasure_removal"}]
    return "\n".join(str(tuple(row)) for table in tables for row in db.session.execute(table.select()))
