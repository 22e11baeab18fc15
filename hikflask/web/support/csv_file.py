"""Answers a table as a CSV file to download."""

from collections.abc import Iterable

from flask import Response, stream_with_context

from hikflask.services.core.dates import today
from hikflask.services.spreadsheets import csv_writer
from hikflask.services.spreadsheets.csv_writer import Rows


def download(name: str, parts: Iterable[Rows]) -> Response:
    """Answer rows as a file, part by part, so that a long one takes no more memory than a short one.

    :param name: the first word of the file's name, before the day.
    """
    texts = csv_writer.texts(parts, csv_writer.BYTE_ORDER_MARK)
    response = Response(stream_with_context(texts), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{today().isoformat()}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response
