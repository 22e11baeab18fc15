"""Reads long lists page by page: from a row on, and not by counting rows, so that no page is slower than the first.

A cursor says where a page begins: the values of a row that the list is sorted by, and its id. It is encrypted, as names
are among the values and addresses get into logs; and it still leads on when the row itself is deleted.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, UnaryExpression, false, literal, tuple_
from sqlalchemy.sql.operators import desc_op

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models.columns import UTCDateTime
from hikflask.services.core.errors import CursorUnknown

Row = TypeVar("Row")
Order = tuple[UnaryExpression[Any], ...]


@dataclass(frozen=True)
class PagePosition:
    """Where a page begins: behind a row, or so that it ends before one. Without a cursor it is the first page."""

    after: str = ""
    before: str = ""

    @property
    def cursor(self) -> str:
        """The one cursor that counts."""
        return self.after or self.before

    @property
    def is_backwards(self) -> bool:
        """True when the page is read from its end."""
        return bool(self.before and not self.after)


FIRST = PagePosition()


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, with the cursors to the next page and to the one before; "" where there is none."""

    rows: list[Row]
    after: str = ""
    before: str = ""


@dataclass(frozen=True)
class Keyset:
    """A list's order. All of its columns go in one direction, and the last one is unique.

    A row that comes first whatever its values are, has None for each of them.
    """

    order: Order
    name: str = field(default="")

    @property
    def columns(self) -> list[Any]:
        """The columns, without their direction."""
        return [column.element for column in self.order]

    @property
    def descends(self) -> bool:
        """True when the list begins with the highest."""
        return self.order[0].modifier is desc_op

    def condition(self, place: PagePosition) -> list[ColumnElement[bool]]:
        """Return the condition for rows on the far side of the cursor. :raises CursorUnknown: as values()."""
        if not place.cursor:
            return []
        columns, values = self.columns, self.values(place.cursor)
        if values[-1] is None:
            return [false()] if place.is_backwards else []
        here = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
        goes_up = self.descends == place.is_backwards
        place_of_row = tuple_(*columns)
        return [place_of_row > here if goes_up else place_of_row < here]

    def sorted(self, statement: Select[Any], place: PagePosition) -> Select[Any]:
        """Return the statement in this order, or in the opposite one for what is before a cursor."""
        if not place.is_backwards:
            return statement.order_by(*self.order)
        return statement.order_by(*(column.asc() if self.descends else column.desc() for column in self.columns))

    def chosen(self, statement: Select[Any], place: PagePosition) -> Select[Any]:
        """Return the statement for rows on the far side of the cursor, the nearest first. :raises CursorUnknown:"""
        return self.sorted(statement.where(*self.condition(place)), place)

    def cursor(self, values: Sequence[Any]) -> str:
        """Return the cursor of a row with these values, one for each column."""
        plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        return vault.encrypt(json.dumps([self.name, *plain], ensure_ascii=False)).rstrip("=")

    def values(self, cursor: str) -> list[Any]:
        """Return the values of a cursor. :raises CursorUnknown: when it is none of a list in this order."""
        try:
            name, *values = json.loads(vault.decrypt(cursor + "=" * (-len(cursor) % 4)))
        except (VaultError, ValueError, TypeError) as error:
            raise CursorUnknown from error
        if name != self.name or len(values) != len(self.order):
            raise CursorUnknown
        return [
            datetime.fromisoformat(value) if value and isinstance(column.type, UTCDateTime) else value
            for value, column in zip(values, self.columns, strict=True)
        ]


def read(statement: Select[Any], keyset: Keyset, limit: int, place: PagePosition) -> Page[Any]:
    """Return a page of rows, fresh from the database, each with the values of its place in `keyset` behind it.

    :param statement: selects what is shown.
    :raises CursorUnknown: when the cursor does not fit this list.
    """
    chosen = keyset.chosen(statement.add_columns(*keyset.columns), place).limit(limit + 1)
    rows = list(db.session.execute(chosen, execution_options={"populate_existing": True}))
    return cut(rows, keyset, limit, place)


def cut(rows: list[Any], keyset: Keyset, limit: int, place: PagePosition) -> Page[Any]:
    """Return a page of rows that were read in the direction of `place`, one more than it has if there are more."""
    backwards = place.is_backwards
    more, shown = len(rows) > limit, rows[:limit]
    if backwards:
        shown.reverse()
    width = len(keyset.order)
    follows, precedes = (bool(place.cursor), more) if backwards else (more, bool(place.cursor))
    after = keyset.cursor(shown[-1][-width:]) if shown and follows else ""
    before = keyset.cursor(shown[0][-width:]) if shown and precedes else ""
    return Page([row[:-width] for row in shown], after, before)


def first_of_rows(page: Page[Any]) -> Page[Any]:
    """Return a page of what is first in each row: of a statement that selects one thing."""
    return replace(page, rows=[row[0] for row in page.rows])
