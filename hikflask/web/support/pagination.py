"""Pagination of lists: by numbers where a list is short, by cursors where it may be of any length."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request
from flask_babel import format_decimal
from flask_babel import gettext as _

from hikflask.services.core.db import MAX_COUNTED, Exact
from hikflask.services.core.errors import CursorUnknown
from hikflask.services.core.keyset import FIRST, Page, PagePosition

ROWS = 50
# So many pages before and after the current one are linked by their numbers.
AROUND = 2
LAST_PAGE = 10**6
Row = TypeVar("Row")


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """The rows of one page, the number of all rows, the number of this page (from 1) and of all pages."""

    rows: list[Row]
    total: int
    page: int = 1
    pages: int = 0

    @property
    def numbers(self) -> list[int | None]:
        """The pages to link: the first, the last, and those around this one; None where some are left out."""
        near = range(self.page - AROUND, self.page + AROUND + 1)
        shown = sorted({1, self.pages, *(page for page in near if 1 <= page <= self.pages)})
        numbers: list[int | None] = []
        for before, page in zip([0, *shown], shown, strict=False):
            numbers += [page] if page == before + 1 else [None, page]
        return numbers


def listed(read: Callable[[int, int], tuple[list[Row], int]]) -> Listing[Row]:
    """Return the page that `?page=` asks for (from 1), or the last one where the list is shorter.

    :param read: returns at most so many rows from an offset on, and how many there are in all.
    """
    page = min(max(1, request.args.get("page", 1, int)), LAST_PAGE)
    rows, total = read(ROWS, (page - 1) * ROWS)
    pages = -(-total // ROWS)
    if page > max(1, pages):
        page = max(1, pages)
        rows, total = read(ROWS, (page - 1) * ROWS)
    return Listing(rows, total, page, pages)


@dataclass(frozen=True)
class CursorPage(Generic[Row]):
    """One page of a list in pages by cursors: they are in the addresses of the next page and the one before.

    `total` is as count_rows_up_to() counts.
    """

    page: Page[Row]
    total: int
    place: PagePosition = FIRST

    @property
    def rows(self) -> list[Row]:
        """The rows of the page."""
        return self.page.rows

    @property
    def is_counted(self) -> bool:
        """False when there are more than were counted."""
        return not is_many(self.total)


def paginate(read: Callable[[int, PagePosition], tuple[Page[Row], int]], most: int = ROWS) -> CursorPage[Row]:
    """Return the page that `?after=` or `?before=` asks for; the first one where the list has no such place.

    :param read: returns at most so many rows from a place on, and how many there are in all.
    :param most: rows of one page.
    """
    place = PagePosition(request.args.get("after", ""), request.args.get("before", ""))
    try:
        page, total = read(most, place)
    except CursorUnknown:
        place = FIRST
        page, total = read(most, place)
    # Before a row may be less than a page, and nothing where all were deleted.
    if (place.is_backwards and not page.before) or (place.after and not page.rows):
        place = FIRST
        page, total = read(most, place)
    return CursorPage(page, total, place)


def is_many(count: int) -> bool:
    """True for a number that was counted up to MAX_COUNTED, where there are more. A larger one is exact."""
    return count == MAX_COUNTED + 1 and not isinstance(count, Exact)


def counted(count: int) -> str:
    """Return a number that was counted up to MAX_COUNTED, in words where there are more."""
    if is_many(count):
        return str(_("more than %(n)s", n=format_decimal(MAX_COUNTED)))
    return str(format_decimal(count))


def counted_shortly(count: int) -> str:
    """Return a number that was counted up to MAX_COUNTED where there is little room."""
    return f"{format_decimal(MAX_COUNTED)}+" if is_many(count) else str(count)
