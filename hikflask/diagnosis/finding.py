"""One fact about an installation, as a sentence for whoever runs it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`sentence` says what is so, and what to do where it is wrong."""

    is_good: bool
    sentence: str


def good(sentence: str) -> Finding:
    """Return what is as it should be."""
    return Finding(True, sentence)


def wrong(sentence: str) -> Finding:
    """Return what is not as it should be."""
    return Finding(False, sentence)
