"""Writes a table as XLSX, row by row. Every cell is a text, so none is a formula and leading zeros stay.

This file is also the program of the child process that does it (see table_file.py). So it imports nothing of the app:
that would take a second for each table.
"""

import errno
import json
import re
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

# XML 1.0 cannot hold these characters (https://www.w3.org/TR/xml/#charsets).
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\ufffd"
# The type of a cell, and the number format: what somebody writes into the cell later is a text, too.
STRING, TEXT = "s", "@"
# The exit status on a full disk.
NO_SPACE = 28
# So many rows tell how wide the columns are, in characters.
MEASURED = 500
NARROWEST, WIDEST = 10, 60
Row = list[str]


def write(path: str, sheet: str, rows: Iterable[Row]) -> None:
    """Write rows, the header row first, as the only sheet of an XLSX file.

    :param sheet: the name of the sheet.
    """
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    following = iter(rows)
    head, *measured = islice(following, MEASURED)
    page.freeze_panes = "A2"
    for number, column in enumerate(zip(head, *measured, strict=True), start=1):
        width = min(max(NARROWEST, 2 + max(map(len, column))), WIDEST)
        page.column_dimensions[get_column_letter(number)].width = width
    _append(page, [head], Font(bold=True))
    _append(page, measured, Font())
    _append(page, following, Font())
    book.save(path)


def _append(page: Any, rows: Iterable[Row], font: Font) -> None:
    """Append rows. Their cells are the same objects: a new one with its style for each would take much longer."""

    def new_cell() -> Cell:
        cell = WriteOnlyCell(page)
        cell.font, cell.number_format = font, TEXT
        return cell

    cells: list[Cell] = []
    for row in rows:
        cells = cells or [new_cell() for _ in row]
        page.append([_filled(cell, text) if text else None for cell, text in zip(cells, row, strict=True)])


def _filled(cell: Cell, text: str) -> Cell:
    cell.value = NOT_IN_XML.sub(REPLACEMENT, text)
    # Whatever openpyxl took it for, such as a formula.
    cell.data_type = STRING
    return cell


def main(path: str, sheet: str) -> None:
    """Write the rows from standard input, where each line is a JSON array of rows; exit with NO_SPACE on a full disk.

    The exit tells it, since the half-written files go with it, and then the disk is not full any more.
    """
    try:
        write(path, sheet, (row for line in sys.stdin.buffer for row in json.loads(line)))
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        sys.exit(NO_SPACE)


if __name__ == "__main__":
    main(*sys.argv[1:])
