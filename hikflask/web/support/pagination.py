"""A long list, a page of rows at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

ROWS = 50
LAST_PAGE = 10**6
Row = TypeVar("Row")


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """The rows of one page, how many rows there are in all, which page it is, and of how many."""

    rows: list[Row]
    total: int
    page: int = 1
    pages: int = 0


def listed(read: Callable[[int, int], tuple[list[Row], int]]) -> Listing[Row]:
    """Return the page that the address asks for (`?page=`, from 1), or the last one where the list is shorter.

    :param read: returns at most so many rows from an offset on, and how many there are in all.
    """
    page = min(max(1, request.args.get("page", 1, int)), LAST_PAGE)
    rows, total = read(ROWS, (page - 1) * ROWS)
    pages = -(-total // ROWS)
    if page > max(1, pages):
        page = max(1, pages)
        rows, total = read(ROWS, (page - 1) * ROWS)
    return Listing(rows, total, page, pages)
