"""Reads enrolments, always fresh from the database."""

from collections.abc import Collection, Sequence

from sqlalchemy import ScalarResult, Select, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload, with_expression

from hikflask.extensions import db
from hikflask.models import Capture, Card, CardThere, Enrolment, Photo, Terminal
from hikflask.models.enrolment import CONFIRMED, PRESENT, REMOVED
from hikflask.services.core.db import HELD_TERMINALS, fresh
from hikflask.services.core.errors import EnrolmentUnknown
from hikflask.services.core.keyset import Keyset, Page, PagePosition, first_of_rows, read
from hikflask.services.state.badges import badge_of, detail_of
from hikflask.services.state.enrolment import IS_LEAVING, IS_THERE

REMOVALS = Keyset((Enrolment.desired_since.asc(), Enrolment.id.asc()), "removals")


# Made once: to make a statement costs more than to run it.
FRESH = select(Enrolment).execution_options(populate_existing=True)
THERE = FRESH.where(Enrolment.terminal_id == bindparam("terminal_id"), Enrolment.number == bindparam("number"))
THERE_LOCKED = THERE.with_for_update(key_share=True)
EVERYWHERE = FRESH.where(Enrolment.number == bindparam("number")).order_by(Enrolment.terminal_id)
EVERYWHERE_LOCKED = EVERYWHERE.with_for_update(key_share=True)
TERMINALS_OF_NUMBER = HELD_TERMINALS.where(
    Terminal.id.in_(select(Enrolment.terminal_id).where(Enrolment.number == bindparam("number")))
)
ALONE = FRESH.where(Enrolment.id == bindparam("its_id"))
HAS_CARDS = or_(
    exists().where(Card.employee_id == Enrolment.employee_id),
    exists().where(CardThere.terminal_id == Enrolment.terminal_id, CardThere.owner == Enrolment.number),
)
WITH_EMPLOYEE = ALONE.options(
    with_expression(Enrolment.has_cards, HAS_CARDS),
    joinedload(Enrolment.employee),
    joinedload(Enrolment.photo).joinedload(Photo.capture).load_only(Capture.terminal_id, Capture.face_url),
)


def get(enrolment_id: int) -> Enrolment | None:
    """Return the enrolment, or None."""
    return fresh(Enrolment, enrolment_id)


def get_one(enrolment_id: int, *, with_employee: bool = False) -> Enrolment:
    """Return the enrolment.

    :param with_employee: read its employee and its photo with the capture, too, by the same statement.
    :raises EnrolmentUnknown: when there is no such row; a confirmed removal may delete it.
    """
    statement = WITH_EMPLOYEE if with_employee else ALONE
    enrolment = db.session.execute(statement, {"its_id": enrolment_id}).scalar_one_or_none()
    if enrolment is None:
        raise EnrolmentUnknown
    return enrolment


def find(terminal_id: int, number: str, *, lock: bool = False) -> Enrolment | None:
    """Return the enrolment of a number on a terminal, or None.

    :param lock: lock the row until the caller's transaction ends, so that conversations cannot write to it. The caller
        has locked the terminal's row, or its key.
    """
    given = {"terminal_id": terminal_id, "number": number}
    return db.session.execute(THERE_LOCKED if lock else THERE, given).scalar_one_or_none()


def of_number(number: str, *, lock: bool = False) -> list[Enrolment]:
    """Return the enrolments of a number, by terminal.

    :param lock: lock the rows until the caller's transaction ends, so that conversations cannot write to them, and the
        keys of their terminals before.
    """
    if lock and db.engine.dialect.name == "postgresql":
        db.session.execute(TERMINALS_OF_NUMBER, {"number": number})
    return list(db.session.execute(EVERYWHERE_LOCKED if lock else EVERYWHERE, {"number": number}).scalars())


def of_person(number: str, employee_id: int | None, *, lock: bool = False) -> list[Enrolment]:
    """Return the enrolments of a number and of the employee's earlier numbers; `lock` as in of_number()."""
    mine = or_(Enrolment.number == number, Enrolment.employee_id == employee_id)
    if employee_id is None:
        mine = Enrolment.number == number
    rows = select(Enrolment).where(mine).order_by(Enrolment.terminal_id, Enrolment.id)
    if lock:
        theirs = select(Enrolment.terminal_id).where(mine)
        db.session.execute(HELD_TERMINALS.where(Terminal.id.in_(theirs)))
        rows = rows.with_for_update(key_share=True)
    return list(_fresh(rows))


def desired_of(number: str, *, lock: bool = False) -> list[Enrolment]:
    """Return the enrolments of a number that are desired present; `lock` as in of_number()."""
    return [enrolment for enrolment in of_number(number, lock=lock) if enrolment.desired == PRESENT]


def keeping_number(number: str) -> Enrolment | None:
    """Return an enrolment because of which the employee's number cannot be changed; confirmed removals do not count."""
    return next((one for one in of_number(number) if one.state != REMOVED), None)


def numbers_there(numbers: Collection[str]) -> set[str]:
    """Return those of these numbers that have an enrolment, of whomever and in whatever state."""
    return set(db.session.execute(select(Enrolment.number).where(Enrolment.number.in_(numbers))).scalars())


def page_of_removals(limit: int, place: PagePosition) -> Page[Enrolment]:
    """Return a page of the unconfirmed removals with their employees, the oldest first; :raises CursorUnknown:."""
    leaving = select(Enrolment).where(IS_LEAVING).options(selectinload(Enrolment.employee))
    return first_of_rows(read(leaving, REMOVALS, limit, place))


def badges(employee_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Return what lists say of these employees: by id, each terminal's name with the badge there, in order.

    The badges are those of services/state/badges.py. A terminal that confirmed a removal is left out. Most enrolments
    are confirmed, and of these no more is read than that.
    """
    if not employee_ids:
        return {}
    columns = (Enrolment.employee_id, Enrolment.id, Terminal.name, Enrolment.is_green)
    mine = select(*columns).join(Terminal).where(Enrolment.employee_id.in_(employee_ids), IS_THERE)
    rows = db.session.execute(mine.order_by(Enrolment.employee_id, Enrolment.terminal_id)).all()
    others = _badges_of([row.id for row in rows if not row[3]])
    found: dict[int, list[tuple[str, str]]] = {}
    for employee_id, enrolment_id, terminal, _ in rows:
        badge = others.get(enrolment_id, CONFIRMED)
        if badge != REMOVED:  # As by now, between the two statements.
            found.setdefault(employee_id or 0, []).append((terminal, badge))
    return found


def _badges_of(enrolment_ids: list[int]) -> dict[int, str]:
    statement = select(Enrolment).where(Enrolment.id.in_(enrolment_ids)).options(joinedload(Enrolment.terminal))
    rows = _fresh(statement) if enrolment_ids else ()
    return {row.id: badge_of(row, detail_of(row)) for row in rows}


def synced(employee_ids: Sequence[int]) -> set[int]:
    """Return those of these employees who are desired present somewhere, and confirmed wherever they are."""
    wanted = (Enrolment.employee_id.in_(employee_ids), Enrolment.desired == PRESENT)
    ids = select(Enrolment.employee_id).join(Terminal).where(*wanted).group_by(Enrolment.employee_id)
    # An employee with an enrolment that is not green has a 0 among the ones.
    green = ids.having(func.min(case((Enrolment.is_green, 1), else_=0)) == 1)
    return {one for one in db.session.execute(green).scalars() if one}


def _fresh(statement: Select[Enrolment]) -> ScalarResult[Enrolment]:
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
