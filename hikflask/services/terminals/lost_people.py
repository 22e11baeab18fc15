"""Detects that a terminal has fewer people or faces than it confirmed."""

from sqlalchemy import ColumnElement, and_, func, select

from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, PRESENT
from hikflask.services import audit
from hikflask.services.state import enrolment as state


def prove_again_if_lost(terminal: Terminal, count: persons.Count | None) -> None:
    """Make every enrolment pending again if the terminal has fewer people or faces than it confirmed.

    Pending enrolments do not count as confirmed, so the same loss is noticed only once.
    """
    if count is None or terminal.restored_from is not None:
        return  # A restored backup does not know whom the terminal has confirmed since.
    confirmed = and_(Enrolment.terminal_id == terminal.id, Enrolment.desired == PRESENT, Enrolment.person == CONFIRMED)
    here = _counted(confirmed), _counted(and_(confirmed, Enrolment.face == CONFIRMED))
    if count.people >= here[0] and (count.faces is None or count.faces >= here[1]):
        return
    state.apply(state.PEOPLE_LOST, Enrolment.terminal_id == terminal.id)
    there = {"people": count.people, "faces": count.faces}
    audit.record(
        "terminal.people_lost", terminal=terminal.name, before=dict(zip(there, here, strict=True)), after=there
    )


def _counted(those: ColumnElement[bool]) -> int:
    return db.session.execute(select(func.count()).select_from(Enrolment).where(those)).scalar_one()
