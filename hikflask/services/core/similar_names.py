"""Whether two names may be the same person's, however they are spelled: a hint for people, never a decision."""

import re
from difflib import SequenceMatcher

from hikflask.text_rules import folded

# Of two words that long, so much is the same where one of them has a slip.
MIN_SIMILAR = 0.75
MIN_LENGTH = 3
_WORDS = re.compile(r"[^\W_]+")


def are_similar(one: str, other: str) -> bool:
    """True when each word of the shorter name is among those of the longer: in any order, with a slip, cut, or as an
    initial. A word in full must be among them.
    """
    fewer, more = sorted((_WORDS.findall(folded(name)) for name in (one, other)), key=len)
    left, in_full = list(more), 0
    # An initial takes what the words in full leave.
    for word in sorted(fewer, key=len, reverse=True):
        match = max(left, key=lambda candidate: _similarity(word, candidate), default="")
        if not _similarity(word, match):
            return False
        left.remove(match)
        in_full += min(len(word), len(match)) > 1
    return in_full > 0


def _similarity(one: str, other: str) -> float:
    """Return 1 for the same word, less for a similar one, and 0 for another one."""
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    if longer.startswith(shorter):
        return MIN_SIMILAR if shorter else 0.0
    ratio = SequenceMatcher(None, one, other).ratio() if len(shorter) >= MIN_LENGTH else 0.0
    return ratio if ratio >= MIN_SIMILAR else 0.0
