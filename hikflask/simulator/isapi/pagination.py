"""One page of a list, and the words around it, which differ from firmware to firmware."""

from __future__ import annotations

from hikflask.simulator.http.request_body import Fields, whole
from hikflask.simulator.profiles import Profile

LARGEST = 30
"""More asked for is cut to this in silence, where a list is cut at all."""


def page_of(hits: list[str], wish: Fields, largest: int | None = LARGEST) -> list[str]:
    """The part of `hits` that `wish` asks for, of at most `largest`; None cuts nothing."""
    start, wanted = whole(wish, "searchResultPosition", 0), whole(wish, "maxResults", LARGEST)
    return hits[start : start + (wanted if largest is None else min(wanted, largest))]


def told(profile: Profile, hits: list[str], page: list[str], wish: Fields) -> Fields:
    """What a search says about its `page`: the word for it, and both numbers."""
    status = _status(profile, whole(wish, "searchResultPosition", 0) + len(page), len(hits)) if page else ""
    numbers: Fields = {"numOfMatches": len(page), "totalMatches": len(hits)}
    word = status or profile.search_no_match
    return {"responseStatusStrg": word} | numbers if word else {"totalMatches": len(hits)}


def _status(profile: Profile, read: int, total: int) -> str:
    return "MORE" if read < total or profile.more_at_the_end else "OK"
