"""Diagnosis: what `hikflask doctor` checks of an installation when somebody runs it, a module for each part."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One fact about an installation: `sentence` says what is so, and what to do where it is wrong.

    What cannot be known counts as good.
    """

    is_good: bool
    sentence: str
    is_known: bool = True

    @property
    def mark(self) -> str:
        """The word before the sentence."""
        if not self.is_known:
            return "?"
        return "ok" if self.is_good else "WRONG"


def good(sentence: str) -> Finding:
    """Return what is as it should be."""
    return Finding(True, sentence)


def unknown(sentence: str) -> Finding:
    """Return what cannot be known here."""
    return Finding(True, sentence, is_known=False)


def wrong(sentence: str) -> Finding:
    """Return what is not as it should be."""
    return Finding(False, sentence)
