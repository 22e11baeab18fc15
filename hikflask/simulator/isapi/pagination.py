"""Pagination of search results. What a search says about its page differs from firmware to firmware."""

from __future__ import annotations

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, whole_number
from hikflask.simulator.profiles import Profile

LARGEST = 30
"""The largest page of the lists that are limited. The profile decides what a request for more gets."""


def page_of(profile: Profile, hits: list[str], condition: Fields, largest: int | None = LARGEST) -> list[str]:
    """The page of `hits` that `condition` asks for, at most `largest` long; None sets no limit."""
    start, wanted = whole_number(condition, "searchResultPosition", 0), whole_number(condition, "maxResults", LARGEST)
    if largest is not None and wanted > largest:
        if not profile.cuts_long_pages:
            raise Refusal("badJsonContent", "maxResults")
        wanted = largest
    return hits[start : start + wanted]


def page_summary(profile: Profile, hits: list[str], page: list[str], condition: Fields) -> Fields:
    """The fields of a search result around its `page`: the status and both totals."""
    hits = page if profile.tells_page_as_total else hits
    status = _status(profile, whole_number(condition, "searchResultPosition", 0) + len(page), len(hits)) if page else ""
    status = status or profile.search_no_match
    totals: Fields = {"numOfMatches": len(page), "totalMatches": len(hits)}
    return {"responseStatusStrg": status} | totals if status else {"totalMatches": len(hits)}


def _status(profile: Profile, read: int, total: int) -> str:
    return "MORE" if read < total or profile.more_at_the_end else "OK"
