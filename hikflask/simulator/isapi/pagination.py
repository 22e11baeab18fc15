"""Pagination of search results. What a search says about its page differs from firmware to firmware."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, whole_number
from hikflask.simulator.profiles import Profile

Hit = TypeVar("Hit")
MAX_RESULTS = 30
"""The largest page of the lists that are limited. The profile decides what a request for more gets."""


def search_result(
    profile: Profile,
    hits: Sequence[Hit],
    condition: Fields,
    list_name: str,
    row: Callable[[Hit], Fields],
    largest: int | None = MAX_RESULTS,
) -> Fields:
    """The page of `hits` that `condition` asks for, as the list `list_name` of rows, with its status and both totals.

    A page has at most `largest` rows; None sets no limit.
    """
    start, length = (
        whole_number(condition, "searchResultPosition", 0),
        whole_number(condition, "maxResults", MAX_RESULTS),
    )
    if largest is not None and length > largest:
        if not profile.cuts_long_pages:
            raise Refusal("badJsonContent", "maxResults")
        length = largest
    page = hits[start : start + length]
    total = len(page) if profile.tells_page_as_total else len(hits)
    status = profile.search_no_match
    if page:
        status = "MORE" if start + len(page) < total or profile.more_at_the_end else "OK"
    result: Fields = {"responseStatusStrg": status, "numOfMatches": len(page)} if status else {}
    result["totalMatches"] = total
    return result | {list_name: [row(hit) for hit in page]} if page else result
