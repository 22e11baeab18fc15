"""Groups of terminals, with terminals that were never asked: nothing is sent in these tests."""

from collections.abc import Sequence

from sqlalchemy import select

from hikflask.extensions import db, vault
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.core.db import transaction
from hikflask.services.groups import differences, membership, registry
from hikflask.services.groups.differences import Scope
from hikflask.services.groups.registry import Wanted

ENTRANCE, STORE, YARD = "Вход", "Склад", "Двор"


def add_terminals(*names: str, **columns: object) -> dict[str, int]:
    """Add terminals that take pictures, and return their ids by name."""
    given = {"username": "admin", "password_encrypted": vault.encrypt("Abc12345"), "face_mode": BY_PICTURE, **columns}
    added = [Terminal(name=name, url=f"http://{number}.test", **given) for number, name in enumerate(names)]
    db.session.add_all(added)
    db.session.commit()
    return {terminal.name: terminal.id for terminal in added}


def make_group(name: str, terminal_ids: Sequence[int], *departments: str, added: Sequence[str] = ()) -> int:
    """Add a group, with what follows from it, and return its id."""
    return change_group(None, Wanted(name, terminal_ids, departments, added))


def change_group(group_id: int | None, wanted: Wanted) -> int:
    """Change a group, with what its job would do, and return its id; there is no job."""
    with transaction():
        written = registry.write(group_id, wanted)
        for _, employee_id in differences.employees(Scope(terminal_ids=written.touched)):
            membership.apply(db.session.get_one(Employee, employee_id, populate_existing=True))
    return written.group_id


def wishes(number: str) -> dict[str, bool]:
    """The terminals on which a number is desired present → whether a group asked for it."""
    rows = (
        select(Terminal.name, Enrolment.by_group)
        .join(Enrolment, Enrolment.terminal_id == Terminal.id)
        .where(Enrolment.number == number, Enrolment.desired == PRESENT)
    )
    found = {name: by_group for name, by_group in db.session.execute(rows.order_by(Terminal.name))}
    db.session.commit()
    return found
