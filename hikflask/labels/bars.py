"""A bar of parts, each with its words: how the items of a job ended, or what the rows of a table are."""

from collections.abc import Iterable
from dataclasses import dataclass

# A part that is not empty is at least so wide, in percent.
MIN_WIDTH = 1.0


@dataclass(frozen=True)
class Part:
    """A part of a bar: "good", "mended", "changed", "warn", "bad" or "none", in words, and its place in percent."""

    tone: str
    words: str
    start: float
    width: float


def bar(counts: Iterable[tuple[str, int, str]]) -> list[Part]:
    """Return the parts of a bar; those that are empty are left out.

    :param counts: tone, count and words of each part.
    """
    filled = [part for part in counts if part[1]]
    total = sum(count for _tone, count, _words in filled)
    widths = [max(100 * count / total, MIN_WIDTH) for _tone, count, _words in filled]
    widths = [round(100 * width / sum(widths), 2) for width in widths]
    return [
        Part(tone, str(words), round(sum(widths[:index]), 2), widths[index])
        for index, (tone, _count, words) in enumerate(filled)
    ]
