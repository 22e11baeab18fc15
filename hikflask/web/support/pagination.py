"""Pagination of long lists."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

ROWS = 50
# So many pages before and after the present one are linked by their numbers.
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
