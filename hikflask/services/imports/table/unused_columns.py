"""What the columns say that no field is read from.

Nobody knows all words by which programs say that somebody left. So who imports a table is told what was not read, and
of a column with few different words, which may be a status, these words.
"""

import re
from collections.abc import Mapping, Sequence

from hikflask.services.imports.table.columns import told_apart
from hikflask.text_rules import storable

# A status has no more words than these; each of them stands, on the average, in two rows at least.
MAX_WORDS, ROWS_OF_A_WORD = 6, 2
# What looks like somebody's name is not told.
NAME = re.compile(r"[^\W\d_a-zа-яё]\S*(?:\s+[^\W\d_a-zа-яё]\S*)+\Z")
# Longer numbers are telephones, cards and papers.
MAX_DIGITS = 4
MAX_COLUMNS, MAX_LENGTH = 50, 64


class UnusedColumns:
    """The columns without a field that have anything in them, and their different words while these are few."""

    def __init__(self, columns: Sequence[str], fields: Mapping[str, int]) -> None:
        self._names = dict(enumerate(told_apart(columns)))
        self._read = set(fields.values())
        self._words: dict[int, set[str]] = {}
        self._rows = 0

    def add(self, cells: Sequence[str]) -> None:
        """Look at a row."""
        self._rows += 1
        for index, cell in enumerate(cells[:MAX_COLUMNS]):
            if cell and index not in self._read:
                words = self._words.setdefault(index, set())
                if len(words) <= MAX_WORDS:
                    words.add(storable(cell)[:MAX_LENGTH])

    def told(self) -> dict[str, list[str]]:
        """Return the words by the name of their column; none where they are many, or say who somebody is."""
        filled = [
            (self._names.get(index, str(index + 1)), sorted(words)) for index, words in sorted(self._words.items())
        ]
        return {name: words if self._may_be_a_status(words) else [] for name, words in filled}

    def _may_be_a_status(self, words: Sequence[str]) -> bool:
        are_few = len(words) <= min(MAX_WORDS, self._rows // ROWS_OF_A_WORD)
        is_short = all("@" not in word and sum(map(str.isdigit, word)) <= MAX_DIGITS for word in words)
        return are_few and is_short and not any(map(NAME.match, words))
