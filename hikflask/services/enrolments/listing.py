"""The enrolments for programs, the one that changed first at first, page by page along an index.

A page of all states is merged from the first rows of each: the index begins with the state.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.enrolment import STATES
from hikflask.services.core import keyset
from hikflask.services.core.keyset import FIRST, Keyset, Page, PagePosition
from hikflask.services.state.enrolment import is_in

ORDER = Keyset((Enrolment.changed_at.asc(), Enrolment.id.asc()), "enrolments")


@dataclass(frozen=True)
class EnrolmentFilter:
    """Which enrolments are asked for; an empty value is ignored."""

    state: str = ""
    terminal_id: int | None = None
    since: datetime | None = None


def page(wanted: EnrolmentFilter, limit: int, place: PagePosition = FIRST) -> Page[Enrolment]:
    """Return a page of enrolments; :raises CursorUnknown: when the cursor does not fit this list."""
    states = [wanted.state] if wanted.state else STATES
    each = [_along_index(state, wanted, place).limit(limit + 1).subquery() for state in states]
    merged = union_all(*(select(one) for one in each)).subquery()
    columns = tuple(merged.columns)
    first = select(*columns).order_by(columns[1], columns[2]).limit(limit + 1)
    found = keyset.first_of_rows(keyset.cut(list(db.session.execute(first)), ORDER, limit, place))
    rows = select(Enrolment).where(Enrolment.id.in_(found.rows)).options(joinedload(Enrolment.terminal))
    known = {one.id: one for one in db.session.execute(rows, execution_options={"populate_existing": True}).scalars()}
    # A row that was deleted between the two statements is left out.
    return Page([known[row_id] for row_id in found.rows if row_id in known], found.after, found.before)


def _along_index(state: str, wanted: EnrolmentFilter, place: PagePosition) -> Select[Any]:
    statement: Any = select(Enrolment.id.label("row_id"), Enrolment.changed_at, Enrolment.id)
    statement = statement.where(is_in(state))
    if wanted.terminal_id is not None:
        statement = statement.where(Enrolment.terminal_id == wanted.terminal_id)
    if wanted.since is not None:
        statement = statement.where(Enrolment.changed_at >= wanted.since)
    chosen: Select[Any] = ORDER.chosen(statement, place)
    return chosen
