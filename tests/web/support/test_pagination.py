"""Which page of a long list an address asks for."""

from flask import Flask

from hikflask.web.support.pagination import LAST_PAGE, ROWS, Listing, listed


def numbers(total: int, asked: list[tuple[int, int]]) -> Listing[int]:
    """The page of a list of numbers that the request asks for; what was read of it goes into `asked`."""

    def read(limit: int, offset: int) -> tuple[list[int], int]:
        asked.append((limit, offset))
        return list(range(total))[offset : offset + limit], total

    return listed(read)


def test_address_says_which_page(app: Flask) -> None:
    for query, page, first in [("", 1, 0), ("?page=2", 2, ROWS), ("?page=0", 1, 0), ("?page=x", 1, 0)]:
        with app.test_request_context(f"/{query}"):
            shown = numbers(ROWS + 1, [])

        assert (shown.page, shown.pages, shown.total) == (page, 2, ROWS + 1)
        assert shown.rows[0] == first


def test_page_after_the_last_is_the_last(app: Flask) -> None:
    asked: list[tuple[int, int]] = []
    with app.test_request_context(f"/?page={LAST_PAGE * 10}"):
        shown = numbers(ROWS + 1, asked)

    assert (shown.page, shown.rows) == (2, [ROWS])
    assert asked == [(ROWS, (LAST_PAGE - 1) * ROWS), (ROWS, ROWS)]


def test_empty_list_has_one_page_to_show_and_none_to_turn(app: Flask) -> None:
    with app.test_request_context("/?page=3"):
        shown = numbers(0, [])

    assert (shown.rows, shown.page, shown.pages) == ([], 1, 0)
