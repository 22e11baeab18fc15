"""Tables as CSV: UTF-8 and semicolons, which a Russian Excel opens without a question. No cell is a formula.

A formula in a cell would run on the computer of the person who opens the file (CSV injection). So no cell begins like a
formula, nor does any part of one that a spreadsheet with other settings reads as a cell: an apostrophe stands before
it, which spreadsheets take as the mark of a text.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

# Without it Excel reads a file as Windows-1251.
BYTE_ORDER_MARK = "\ufeff"
SEPARATOR = ";"
Rows = list[list[str]]
# Where a cell begins or could begin: after any separator that a spreadsheet may use, and after quotes.
_BEGINNING = r'(^|[,;|"\t\r\n])([ \u00a0]*)'
# A text that has the apostrophe already gets another one, so that each marked text comes from one text only.
_FORMULA = r"(?='*[=+\-@＝＋－＠])"
UNMARKED = re.compile(_BEGINNING + _FORMULA)
MARKED = re.compile(f"{_BEGINNING}'{_FORMULA}")
# Spreadsheets skip these before they look for a formula.
SKIPPED = re.compile(r"'*[\t\r\n]")
MARKED_SKIPPED = re.compile(r"''*[\t\r\n]")


def texts(parts: Iterable[Rows], mark: str = "", separator: str = SEPARATOR) -> Iterator[str]:
    """Yield the text of each part of the rows.

    :param mark: what the first part begins with: the byte order mark of a file.
    :param separator: another one for a program that reads no semicolons.
    """
    for rows in parts:
        out = io.StringIO()
        out.write(mark)
        writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writerows([without_formula(cell) for cell in row] for row in rows)
        yield out.getvalue()
        mark = ""


def without_formula(cell: str) -> str:
    """Return a cell in which no spreadsheet finds a formula."""
    marked = UNMARKED.sub(r"\1\2'", cell)
    return f"'{marked}" if SKIPPED.match(marked) else marked


def with_formula_mark_removed(cell: str) -> str:
    """Return the cell that without_formula() made this one of; a cell that it did not mark is returned as it is."""
    marked = cell[1:] if MARKED_SKIPPED.match(cell) else cell
    return MARKED.sub(r"\1\2", marked)
