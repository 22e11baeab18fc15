"""Tables as CSV: UTF-8 and semicolons, which a Russian Excel opens without a question. No cell is a formula."""

import csv
import io
from collections.abc import Iterable, Iterator

from hikflask.services.spreadsheets.formulas import without_formula

# Without it Excel reads a file as Windows-1251.
BYTE_ORDER_MARK = "\ufeff"
SEPARATOR = ";"
Rows = list[list[str]]


def texts(parts: Iterable[Rows], mark: str = "") -> Iterator[str]:
    """Yield the text of each part of the rows.

    :param mark: what the first part begins with: the byte order mark of a file.
    """
    for rows in parts:
        out = io.StringIO()
        out.write(mark)
        writer = csv.writer(out, delimiter=SEPARATOR, quoting=csv.QUOTE_ALL)
        writer.writerows([without_formula(cell) for cell in row] for row in rows)
        yield out.getvalue()
        mark = ""
