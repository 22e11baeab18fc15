"""Reads a table of texts from a CSV or XLSX file, row by row.

This is the program of a child process (reader_process.py), since the file comes from outside: its memory and its time
are limited here. It imports nothing of the app. The file is its standard input.

    reader.py look                     writes one line: what is in the file (see _look)
    reader.py read ENCODING DELIMITER  writes a line for each row that has something: [line, cells, formulas, too long]

Everything is JSON. What is refused is the last line, {"refused": code, "params": {…}}, and the exit status is 3.
Lines are counted as a spreadsheet shows them: a cell with line breaks does not add any, an empty row is one.
"""

import codecs
import csv
import io
import json
import re
import resource
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, BinaryIO

REFUSED = 3
MOST_MEMORY = 256 * 1024 * 1024
# Fifty thousand people take three to five seconds.
MOST_SECONDS = 60
MOST_COLUMNS = 256
MOST_ROWS = 200_000
# In characters. A row with more is cut, a spreadsheet would not open it either.
LONGEST_ROW = 64 * 1024
CUT_CELL = 200
# The header is looked for among so many rows; below it some rows are shown.
HEAD = 20
SAMPLE = 5
SEPARATORS = (";", "\t", ",")
SEPARATOR_ROWS = 100
# Excel's own first line; it is no row of the table.
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*\Z', re.IGNORECASE)
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# A line after the end of the file: whoever does not see it is inside of quotes.
END = "\0end"
NOT_FOR_DATABASES = re.compile("[\0\ud800-\udfff]")

Row = tuple[int, list[str], list[int], bool]


class Refused(Exception):
    """The file is not read: `code` is that of an error in services/core/errors.py."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


@dataclass
class Found:
    """What is in a file. `rows` counts those that have something, `head` are the first of them."""

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: int = 1
    rows: int = 0
    head: list[Row] = field(default_factory=list)


def look(file: BinaryIO) -> Found:
    """Return what is in a file.

    :raises Refused: when it cannot be read as a table.
    """
    return _look_at_csv(file)


def read(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[Row]:
    """Yield the rows of a file that was looked at before.

    :raises Refused: when it cannot be read to its end.
    """
    return _rows_with_something(_csv_records(file, encoding, delimiter))


def _look_at_csv(file: BinaryIO) -> Found:
    data = file.read()
    if not data:
        raise Refused("table_empty")
    encoding = _encoding(data)
    del data
    delimiter = _delimiter(file, encoding)
    found = Found("csv", encoding, delimiter)
    rows = _rows_with_something(_csv_records(file, encoding, delimiter))
    found.head = list(islice(rows, HEAD + SAMPLE))
    found.rows = len(found.head) + sum(1 for _ in rows)
    return found


def _encoding(data: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1251"
    return "utf-8"


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    return io.TextIOWrapper(file, encoding, newline="")


def _delimiter(file: BinaryIO, encoding: str) -> str:
    """Return the separator that cuts the first rows into the same number of cells, most of them."""
    text = _text(file, encoding)
    try:
        lines = list(islice(text, SEPARATOR_ROWS))
    finally:
        text.detach()
    named = SEPARATOR_LINE.match(lines[0]) if lines else None
    return named[1] if named else max(SEPARATORS, key=lambda separator: _regularity(lines, separator))


def _regularity(lines: list[str], separator: str) -> tuple[float, int]:
    widths = [len(record) for record in csv.reader(lines, delimiter=separator) if any(record)]
    cut = [width for width in widths if width > 1]
    if not cut:
        return 0.0, 0
    usual = max(set(cut), key=lambda width: (cut.count(width), width))
    return cut.count(usual) / len(widths), usual


def _csv_records(file: BinaryIO, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str], list[int]]]:
    text = _text(file, encoding)
    try:
        lines = chain(_without_separator_line(text), [END])
        line = 0
        for line, record in enumerate(csv.reader(lines, delimiter=delimiter), 1):
            if record == [END]:
                return
            last = line
            yield line, record, []
        raise Refused("table_quote", line=last)
    finally:
        text.detach()


def _without_separator_line(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number or not SEPARATOR_LINE.match(line):
            yield line


def _rows_with_something(records: Iterable[tuple[int, list[str], list[int]]]) -> Iterator[Row]:
    for line, cells, formulas in records:
        texts = [_clean(cell) for cell in cells]
        if any(map(str.strip, texts)):
            yield _row(line, texts, formulas)


def _clean(cell: str) -> str:
    return NOT_FOR_DATABASES.sub("", cell) if NOT_FOR_DATABASES.search(cell) else cell


def _row(line: int, cells: list[str], formulas: list[int]) -> Row:
    while cells and not cells[-1].strip():
        cells.pop()
    too_long = sum(map(len, cells)) > LONGEST_ROW
    if too_long:
        cells = [cell[:CUT_CELL] for cell in cells[:MOST_COLUMNS]]
    return line, cells, formulas, too_long


def main(arguments: list[str]) -> int:
    """Do what the arguments say, and return the exit status."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    csv.field_size_limit(sys.maxsize)
    try:
        _write(sys.stdin.buffer, arguments)
    except Refused as refusal:
        print(json.dumps({"refused": refusal.code, "params": refusal.params}), flush=True)
        return REFUSED
    return 0


def _write(file: BinaryIO, arguments: list[str]) -> None:
    if arguments[0] == "look":
        print(json.dumps(vars(look(file))))
        return
    for row in read(file, *arguments[1:]):
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
