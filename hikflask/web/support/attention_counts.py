"""How much needs attention: counted once for each answer, so that the header and the page show the same.

Very many employees take so long to count that each page would be slow by the number in its header. There the number is
as old as a few seconds, save on the start page itself. Open removals are counted anew always.
"""

import time

from flask import current_app, g

from hikflask.services.attention import overview
from hikflask.services.attention.overview import Counts, People
from hikflask.services.employees import search

VERY_MANY = 10_000
KEPT_SECONDS = 5.0
KEY = "attention_people"


def get() -> Counts:
    """Return the counts of this answer."""
    if "attention" not in g:
        kept = _kept()
        g.attention = overview.count(kept) if kept else _counted_anew()
    counts: Counts = g.attention
    return counts


def get_fresh() -> Counts:
    """Count anew for this answer, and for the headers of the next few seconds."""
    g.attention = _counted_anew()
    return get()


def _counted_anew() -> Counts:
    counts = overview.count()
    people = People(counts.refused, counts.no_face, counts.consents)
    current_app.extensions[KEY] = (people, time.monotonic() + KEPT_SECONDS)
    return counts


def _kept() -> People | None:
    """Return the people as they were counted a few seconds ago, where there are very many."""
    people, until = current_app.extensions.get(KEY, (None, 0.0))
    return people if time.monotonic() < until and search.is_above(VERY_MANY) else None
