"""Groups of terminals, with terminals that were never asked: nothing is sent in these tests."""

from collections.abc import Sequence

from sqlalchemy import select

from hikflask.extensions import db, vault
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.enrolments.mass_removals import Losses
from hikflask.services.groups import changing, membership
from hikflask.services.groups.changing import Done
from hikflask.services.groups.registry import Wanted
from tests.support.removals import AGREED

ENTRANCE, STORE, YARD = "Вход", "Склад", "Двор"


def add_terminals(*names: str, **columns: object) -> dict[str, int]:
    """Add terminals that take pictures, and return their ids by name."""
    given = {"username": "admin", "password_encrypted": vault.encrypt("Abc12345"), "face_mode": BY_PICTURE, **columns}
    added = [Terminal(name=name, url=f"http://{number}.test", **given) for number, name in enumerate(names)]
    db.session.add_all(added)
    db.session.commit()
    return {terminal.name: terminal.id for terminal in added}


def apply_at_once(name: str, people: list[tuple[str, int]], lost: Losses) -> int:  # noqa: ARG001 - as a job would
    """Do what the job does, before the change is committed."""
    for _, employee_id in people:
        membership.apply(db.session.get_one(Employee, employee_id, populate_existing=True))
    return 1


def make_group(name: str, terminal_ids: Sequence[int], *departments: str, added: Sequence[str] = ()) -> int:
    """Add a group, with what follows from it, and return its id."""
    return changing.change(None, Wanted(name, terminal_ids, departments, added), apply_at_once, AGREED).group_id


def change_group(group_id: int, wanted: Wanted) -> Done:
    """Change a group, with what follows from it."""
    return changing.change(group_id, wanted, apply_at_once, AGREED)


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
