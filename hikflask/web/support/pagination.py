"""Pagination of long lists."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

ROWS = 50
LAST_PAGE = 10**6
Row = TypeVar("Row")


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """The rows of one page, the number of all rows, the number of this page (from 1) and of all pages."""

    rows: list[Row]
    total: int
    page: int = 1
    pages: int = 0


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
