"""The counts of what needs attention, cached for each answer, so that the header and the page show the same."""

from flask import g

from hikflask.services.attention import overview
from hikflask.services.attention.overview import Counts


def get() -> Counts:
    """Return the counts of this answer."""
    if "attention" not in g:
        g.attention = overview.count()
    counts: Counts = g.attention
    return counts
