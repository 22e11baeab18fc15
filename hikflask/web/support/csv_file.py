"""Tables as CSV files: UTF-8 with a byte order mark and semicolons, which a Russian Excel opens without a question.

Protects against CSV injection: no cell, and no part of one that a spreadsheet with other settings reads as a cell,
begins like a formula, which would run on the computer of whoever opens the file.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from flask import Response, stream_with_context

from hikflask.services.core.dates import today

BYTE_ORDER_MARK = "\ufeff"
SEPARATOR = ";"
# Where a cell begins or could begin: after any separator that a spreadsheet may use, and after quotes.
BEGINNING = re.compile(r'(^|[,;|"\t\r\n])([ \u00a0]*)(?=[=+\-@＝＋－＠])')
STRIPPED = ("\t", "\r", "\n")
TIME = "%Y-%m-%d %H:%M:%S"
Rows = list[list[str]]


def download(name: str, parts: Iterable[Rows]) -> Response:
    """Answer rows as a file, part by part, so that a long one takes no more memory than a short one.

    :param name: the first word of the file's name, before the day.
    """
    response = Response(stream_with_context(_texts(parts)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{today().isoformat()}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def without_formula(cell: str) -> str:
    """Return a cell in which no spreadsheet finds a formula."""
    without = BEGINNING.sub(r"\1\2'", cell)
    return f"'{without}" if without.startswith(STRIPPED) else without


def _texts(parts: Iterable[Rows]) -> Iterator[str]:
    mark = BYTE_ORDER_MARK
    for rows in parts:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=SEPARATOR, quoting=csv.QUOTE_ALL)
        writer.writerows([without_formula(cell) for cell in row] for row in rows)
        yield mark + out.getvalue()
        mark = ""
