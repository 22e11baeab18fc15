"""The wrong rows of an import as a file with the reason beside each, to be corrected and imported again."""

from collections.abc import Iterator
from itertools import islice

from flask import Response
from flask_babel import gettext as _

from hikflask.http.permissions import OPERATOR, allow
from hikflask.labels.imports import row_error
from hikflask.models import ImportBatch, ImportRow
from hikflask.services.imports import queries
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.web.imports.imports import batch_or_404, bp
from hikflask.web.support.responses import csv_file

BATCH = 100


@bp.get("/<int:batch_id>/wrong")
@allow(OPERATOR)
def wrong(batch_id: int) -> Response:
    """The wrong rows with the columns of their table, blank for a photo alone; without a table, ID and file."""
    batch = batch_or_404(batch_id)
    return csv_file(f"wrong-rows-{batch_id}", _parts(batch, queries.wrong_rows(batch_id)))


def _parts(batch: ImportBatch, rows: Iterator[ImportRow]) -> Iterator[Rows]:
    columns = batch.layout.get("columns", []) if batch.table_name else [_("Employee ID"), _("Photo")]
    yield [[*columns, _("Why it is wrong")]]
    while some := list(islice(rows, BATCH)):
        yield [[*_cells(batch, row, len(columns)), row_error(row)] for row in some]


def _cells(batch: ImportBatch, row: ImportRow, width: int) -> list[str]:
    """Return as many cells as there are columns, so that the reason stands below its header."""
    cells = row.cells or [] if batch.table_name else [row.number, row.photo]
    return [*cells[:width], *[""] * (width - len(cells))]
