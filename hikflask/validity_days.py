"""The days of a validity: as they are typed, as the API takes them, and as terminals accept them."""

import re
from datetime import date

# Terminals accept no others.
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2037, 12, 31)
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def day_of(text: object) -> date | None:
    """Return the day of a text as YYYY-MM-DD, or None for anything else."""
    if not isinstance(text, str) or not _WRITTEN.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def written(day: date | None) -> str:
    """Return a day as YYYY-MM-DD, or an empty text for no limit."""
    return day.isoformat() if day else ""


def is_accepted(day: date) -> bool:
    """Return True for a day that terminals accept."""
    return FIRST_DAY <= day <= LAST_DAY
