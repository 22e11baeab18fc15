"""Runs reader.py in a child process for each table, and takes the rows through a pipe: nobody holds all of them."""

import json
import logging
import math
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from flask import current_app

from hikflask.config import MEGABYTE
from hikflask.services import audit
from hikflask.services.core.errors import ServiceError
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)

# Not imported: openpyxl, and numpy with it, would take 15 MB of each process that serves.
READER = Path(__file__).with_name("reader.py")
# As the program has them.
HEAD, SAMPLE, MAX_COLUMNS = 20, 5, 256
# -P: modules of the app are not to be taken for modules of the standard library with the same name.
PROGRAM = [sys.executable, "-P", "-W", "ignore", str(READER)]
# In place of a sheet's name: all sheets whose columns are the same, one after another.
ALL = "*"
# Of processor time. Fifty thousand people in an XLSX take about five seconds, and a request waits for the inspection.
INSPECT_SECONDS, READ_SECONDS = 20, 120
# The next line may need all of that, and on a busy machine some times as long.
LINE_SECONDS = 4.0 * READ_SECONDS
OUT_OF_TIME = {-signal.SIGXCPU, -signal.SIGKILL}
# Each takes up to 256 MB, and keeps a thread of the pages waiting. Nobody has more than one of them.
AT_ONCE = 2
_TURNS, _HOLDERS = threading.Condition(), list[str]()
# Names of columns → field and index of what is recognised. It decides which row is the header.
Recognise = Callable[[Sequence[str]], Mapping[str, int]]
# So many texts are looked at in the first rows of all sheets, whether they are names of columns. One with brackets
# takes as long as BRACKETS others, and each few letters of one with two alphabets as long as another.
MAX_NAMES, BRACKETS, FEW_LETTERS = 30_000, 20, 3
LATIN = re.compile("[A-Za-z]")
# The fields of the ID and of the name in it: a header says where these are, unless other words are used there.
KEY, NAMES = "number", {"name", "last_name"}
# A cell of a person: an ID such as 101, T-17 or HR-EMP-00001, a day, a telephone.
# Names of columns may be days or years.
OF_A_PERSON = re.compile(r"\d+\Z|(?=\S*\d\d)[A-ZА-ЯЁ\d/._+-]+\Z")
NAME_OF_A_COLUMN = re.compile(r"(?:[12]?\d|3[01]|(?:19|20)\d\d)\Z")


@dataclass(frozen=True)
class Row:
    """A row of a table that is not empty: as many cells as the table has columns, or more.

    `line` is counted as a spreadsheet counts, from 1. `formulas` are the indexes of the cells that have a formula or an
    error in place of a value. These are all where the row is `typed`, as in a workbook: a text of it is no formula,
    whatever it begins with. A row that is `too_long` has more cells, which are left out. A cell of more than 256
    characters is cut, and ends with “…”. `sheet` is the name of its sheet where the rows of several are read. A row of
    a text that is `shifted` has something right of the last name of a column, as after a separator within a name.
    """

    line: int
    cells: list[str]
    formulas: frozenset[int] = frozenset()
    too_long: bool = False
    sheet: str = ""
    typed: bool = False
    shifted: bool = False


@dataclass(frozen=True)
class Layout:
    """How a table is read. `sample` has the first rows below the header; `rows` are all of them, of a long XLSX about.

    `sheet` is the name of the sheet that is read, ALL for all that are alike, or empty for a CSV. `sheets` are those of
    the file, as {name, rows, people, hidden, alike, header_line}: whether the header has the columns of people, whether
    the sheet is hidden, and whether it is one of ALL: not hidden, with the same columns as the one that is read.
    `hidden_rows` counts rows that are not shown there, but read; `filtered` is True where a filter hides them.
    `pictures` counts those in or over the cells, which are not read.
    With `since_1904` a number of a day counts from 1904, as on a Mac.
    The dry run adds what it did not read: `unused` columns with their words, where these are few; how many rows it left
    out that have nothing in its columns, and the first of their lines.
    `group_column` is the index of a column that the file does not have, behind its own ones: for the departments that
    stand in rows of their own.

    It is stored, so it has nothing of the file that is not shown to people, and each name and each cell of the sample
    has at most 64 characters.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    header_line: int = 1
    columns: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    rows: int = 0
    sheet: str = ""
    sheets: list[dict[str, Any]] = field(default_factory=list)
    hidden_rows: int = 0
    filtered: bool = False
    group_column: int | None = None
    pictures: int = 0
    since_1904: bool = False
    unused: dict[str, list[str]] = field(default_factory=dict)
    rows_left_out: int = 0
    lines_left_out: list[str] = field(default_factory=list)


class _Names:
    """Recognises names of columns: each row of them once, and no more than a request can wait for."""

    def __init__(self, recognise: Recognise) -> None:
        self._recognise, self._left = recognise, MAX_NAMES
        self._found: dict[tuple[str, ...], Mapping[str, int]] = {}
        self._seen: set[str] = set()

    def __call__(self, names: Sequence[str]) -> Mapping[str, int]:
        """Return what is recognised.

        :raises table_unpacked: when the file has too many other texts in its first rows.
        """
        row = tuple(names)
        if row not in self._found:
            new = set(row) - self._seen
            self._seen |= new
            self._left -= sum(map(_cost, new))
            if self._left < 0:
                raise ServiceError("table_unpacked")
            self._found[row] = self._recognise(row)
        return self._found[row]


def _cost(text: str) -> int:
    if "(" in text or "[" in text:
        return BRACKETS
    return 1 if text.isascii() or not LATIN.search(text) else 1 + len(text) // FEW_LETTERS


class _Sheet:
    """A sheet as the child process tells of it, with its header, which is the one row in a CSV, too."""

    def __init__(self, contents: dict[str, Any], recognise: Recognise) -> None:
        self.name: str = contents.pop("sheet")
        self.head: list[Any] = contents.pop("head")
        self.is_hidden: bool = contents.pop("hidden")
        self.hidden_rows: int = contents.pop("hidden_rows")
        self.is_filtered: bool = contents.pop("filtered")
        self.pictures: int = contents.pop("pictures")
        place, names = _header(self.head, recognise)
        self.rows = max(contents.pop("rows") - place - 1, 0)
        self.how = contents
        self.line = self.head[place][0] if self.head and place >= 0 else 0
        self.is_too_wide: bool = bool(self.head) and self.head[max(place, 0)][3]
        below = [_filled(cells, merged) for _, cells, _, _, merged, _ in self.head[place + 1 : place + 1 + SAMPLE]]
        # A note may stand beside a person further down.
        further = 0 if contents["format"] == "csv" else max((len(row[1]) for row in self.head[place + 1 :]), default=0)
        width = min(max(contents.pop("width"), further, *map(len, [names, *below])), MAX_COLUMNS)
        self.columns = [" ".join(name.split()) for name in _padded(names, width)]
        self.sample = [_padded(cells, width)[:width] for cells in below]
        self.fields = dict(recognise(self.columns))
        self.has_people = len(self.fields) > 1


def inspect(path: Path, recognise: Recognise, sheet: str = "") -> Layout:
    """Return how a table is read.

    The header is the row in which most columns are recognised, among the first 20; else the first row, unless
    that is a person already. Of rows that
    are a header together, as where a group of columns has a name above, it is the lowest one.

    :param sheet: the name of a sheet, or ALL. Without one it is the first with people, else the first that has
        something; hidden ones come last.
    :raises table_unreadable: when the file is too large, cannot be read as a table, or has no rows below the header.
    :raises table_sheet_unknown: when it has no sheet of that name.
    :raises tables_waiting: when its turn does not come within HIKFLASK_UPLOAD_WAIT seconds, because of other tables.
    """
    limit: int = current_app.config["IMPORT_FILE_LIMIT"]
    if path.stat().st_size > limit * MEGABYTE:
        raise ServiceError("table_too_large", n=limit)
    names = _Names(recognise)
    with wait_for_turn(), _output(path, ["inspect", str(INSPECT_SECONDS)]) as lines:
        sheets = [_Sheet(contents, names) for contents in lines]
    chosen = _chosen(sheets, sheet)
    if chosen.is_too_wide:
        raise ServiceError("table_columns", n=MAX_COLUMNS)
    if not chosen.sample:
        raise ServiceError("table_no_rows")
    alike = [one for one in sheets if one is chosen or _is_alike(one, chosen)]
    read_here = alike if sheet == ALL else [chosen]
    about = [
        {
            "name": one.name,
            "rows": one.rows,
            "people": one.has_people,
            "hidden": one.is_hidden,
            "alike": one in alike,
            "header_line": one.line,
        }
        for one in sheets
    ]
    return Layout(
        **chosen.how,
        header_line=chosen.line,
        columns=chosen.columns,
        sample=chosen.sample,
        rows=sum(one.rows for one in read_here),
        sheet=ALL if sheet == ALL else chosen.name,
        sheets=[] if chosen.how["format"] == "csv" else about,
        hidden_rows=sum(one.hidden_rows for one in read_here),
        filtered=any(one.is_filtered for one in read_here),
        pictures=sum(one.pictures for one in read_here),
    )


def _chosen(sheets: list[_Sheet], name: str) -> _Sheet:
    filled = [sheet for sheet in sheets if sheet.head]
    named = [sheet for sheet in sheets if sheet.name == name]
    if name not in {"", ALL} and not named:
        raise ServiceError("table_sheet_unknown")
    if not filled or (named and not named[0].head):
        raise ServiceError("table_empty")
    # min gives the first of equal ones.
    return (
        named[0] if named else min(filled, key=lambda sheet: (sheet.is_hidden, not (sheet.has_people and sheet.rows)))
    )


def _is_alike(sheet: _Sheet, chosen: _Sheet) -> bool:
    same = sheet.fields == chosen.fields and sheet.has_people and bool(sheet.sample)
    return same and not sheet.is_hidden and not sheet.is_too_wide


def _header(head: list[Any], recognise: Recognise) -> tuple[int, list[str]]:
    """Return the place of the header among the first rows, and the names of the columns; -1 where there is none.

    Of several rows that are a header it is the place of the lowest one.

    A row with a number, and without a name that is known, is the first person and no header. So is a person who works
    in “Цех” and of whom it says “Работает”, which could be names of columns.
    """
    if template := _template(head, recognise):
        return template
    # A single name of a column counts in the first row only: a cell below may have it, too.
    most, place, columns = 1, 0, head[0][1] if head else []
    for at, (line, cells, _, _, merged, _) in enumerate(head[:HEAD]):
        if _has_a_person(head[place + 1 : at], recognise(columns)):
            break  # Whatever is a header below is that of another table.
        above = _filled(head[at - 1][1], head[at - 1][4]) if at and head[at - 1][0] == line - 1 else []
        is_second = place == at - 1 and _is_second_head(above, cells, recognise)
        if _is_person(head, at, recognise) and not is_second:
            continue
        for names in (cells, _under(above, cells, recognise)) if above else (cells,):
            count = len(recognise(names))
            goes_on = merged or is_second or all(recognise([cell]) for cell in cells if cell)
            if count > most or (count == most and goes_on and place == at - 1 and names is not cells):
                most, place, columns = count, at, names
    if most == 1 and not recognise(columns):
        place, columns = next(_wide_heads(head, recognise), (place, columns))
    is_first_person = any(map(str.isdecimal, columns)) and not recognise(columns)
    if place == 0 and head and (is_first_person or _is_person(head, 0, recognise)):
        return -1, []
    return place, columns


def _wide_heads(head: list[Any], recognise: Recognise) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with a name that is known and no number, which have as many cells as any below: no titles."""
    for at, (_, cells, *_) in enumerate(head[:HEAD]):
        most = max((_count(row[1]) for row in head[at + 1 :]), default=0)
        is_told = {KEY, *NAMES} & recognise(cells).keys()
        is_head = is_told and _count(cells) >= max(most, 2) and not any(map(str.isdecimal, cells))
        if is_head and not _is_person(head, at, recognise):
            yield at, cells


def _is_second_head(above: list[str], cells: list[str], recognise: Recognise) -> bool:
    """Return whether a row below a header belongs to it without merged cells, as in a CSV.

    Some of its names stand where the header has nothing, right of the name of their group. A row of a person has the ID
    or a name, that of a department has nothing or amounts beside its name.
    """
    fields = recognise(above)
    tops = _padded(above, len(cells))
    below = [cell for at, cell in enumerate(cells) if cell and not tops[at] and any(tops[:at])]
    told = [fields[field] for field in (KEY, *NAMES) if field in fields]
    is_told = any(cells[index] for index in told if index < len(cells))
    return bool(below) and _count(cells) > 1 and not is_told and not any(map(OF_A_PERSON.match, cells))


def _template(head: list[Any], recognise: Recognise) -> tuple[int, list[str]] | None:
    """Return where the people of frappe's template begin, and the labels of its columns; None for another table.

    Each row of its head begins with what it has, and a colon, in any language: labels, names of fields, whether one is
    needed, kinds. A line of its own ends them.
    """
    for at, (_, cells, *_) in enumerate(head[:HEAD]):
        if _count(cells) == 1 and cells[0] and not cells[0].endswith(":"):
            above = list(takewhile(lambda row: row[0].endswith(":"), (row[1] for row in reversed(head[:at]))))
            # At least the kinds, and whether one is needed, stand below the labels.
            if labels := next((row for row in reversed(above[2:]) if KEY in recognise(row)), None):
                return at, labels
    return None


def _is_person(head: list[Any], at: int, recognise: Recognise) -> bool:
    """Return whether a row only looks like a header: what seems to be names of columns in it is said of a person."""
    cells = _filled(head[at][1], head[at][4])
    fields = recognise(cells)
    if not fields or KEY in fields:
        return False
    named = NAMES & fields.keys()
    # A cell below that says the same in the same column; of a header that is repeated on each page, all do.
    below = [row[1] for row in head[at + 1 :] if row[1] != cells]
    told = [fields[field] for field in named or fields]
    if any(cells[index] == other[index] for index in told for other in below if index < len(other)):
        return True
    others = [cell for index, cell in enumerate(cells) if index not in fields.values()]
    if any(OF_A_PERSON.match(cell) and not (named and NAME_OF_A_COLUMN.match(cell)) for cell in others):
        return True
    # Rows above a header are titles.
    return not named and any(_count(row[1]) >= _count(cells) for row in head[:at])


def _has_a_person(rows: list[Any], fields: Mapping[str, int]) -> bool:
    """Return whether a row has an ID with a digit and a name, below the names of columns that say where these are."""
    named = [index for field, index in fields.items() if field in NAMES]
    if KEY not in fields or not named:
        return False
    filled = (_padded(row[1], max(fields.values()) + 1) for row in rows)
    return any(any(map(str.isdigit, cells[fields[KEY]])) and all(cells[at] for at in named) for cells in filled)


def _count(cells: list[str]) -> int:
    return sum(map(bool, cells))


def _under(above: list[str], below: list[str], recognise: Recognise) -> list[str]:
    """Return the names of two rows together: “Срок действия” above “с” and “по”, and what is in one of them alone."""
    width, group, names = max(len(above), len(below)), "", []
    for top, name in zip(_padded(above, width), _padded(below, width), strict=True):
        group = top or group
        names.append(top if not name else name if recognise([name]) else f"{group} {name}".strip())
    return names


def read(path: Path, layout: Layout, key: int | None = None) -> Generator[Row, None, None]:
    """Yield the rows below the header. The child process ends with the iterator, also when that is closed early.

    :param key: the index of the column with the ID. A row has the value of a cell that is merged with the one above,
        such as a department's, where its ID is its own. Else it goes on with the row above, and nothing is filled.
    :raises table_unreadable: when the file cannot be read to its end.
    """
    csv = [layout.encoding, layout.delimiter] if layout.format == "csv" else []
    sheets = _to_read(layout)
    width = len(layout.columns) - (layout.group_column is not None)
    names = [at for at, name in enumerate(layout.columns[:width], 1) if name and layout.header_line]
    # Of sheets that are alike one may have a column more.
    end = max(names, default=MAX_COLUMNS) if csv else MAX_COLUMNS if layout.sheet == ALL else width
    with _output(path, ["read", str(READ_SECONDS), layout.format, *csv, *map(str, sheets)]) as lines:
        for line, cells, formulas, too_long, merged, at in lines:
            sheet, header_line = sheets.get(at, ("", layout.header_line))
            if line > header_line:
                has_own_id = merged and key is not None and key not in dict(merged)
                padded = _padded(_filled(cells, merged) if has_own_id else cells, width)
                if layout.group_column is not None:
                    padded.insert(layout.group_column, "")
                shifted = bool("".join(cells[end : end + 1] if csv else cells[end:]))
                yield Row(line, padded, frozenset(formulas), too_long, sheet, typed=not csv, shifted=shifted)


def _to_read(layout: Layout) -> dict[int, tuple[str, int]]:
    """Return the places of the sheets, with what is told of their rows: the name, of one of several, and the header.

    A layout that was stored before there were sheets has none: the first sheet that has something is read.
    """
    sheets = enumerate(layout.sheets)
    if layout.sheet == ALL:
        return {at: (sheet["name"], sheet["header_line"]) for at, sheet in sheets if sheet["alike"]}
    named = (at for at, sheet in sheets if sheet["name"] == layout.sheet)
    return {at: ("", layout.header_line) for at in islice(named, 1)}


def _filled(cells: list[str], merged: list[tuple[int, str]]) -> list[str]:
    cells = _padded(cells, max((index for index, _ in merged), default=-1) + 1)
    for index, value in merged:
        cells[index] = value
    return cells


def _padded(cells: list[str], width: int) -> list[str]:
    return cells + [""] * (width - len(cells))


@contextmanager
def wait_for_turn() -> Iterator[None]:
    """Wait until fewer than AT_ONCE other uploads are inspected, none of the same actor, and count as one of them.

    :raises tables_waiting: when its turn does not come within HIKFLASK_UPLOAD_WAIT seconds.
    """
    seconds: float = current_app.config["UPLOAD_WAIT"]
    actor = audit.current_actor().name
    with _TURNS:
        if not _TURNS.wait_for(lambda: len(_HOLDERS) < AT_ONCE and actor not in _HOLDERS, seconds):
            waits = math.ceil(seconds)
            raise ServiceError("tables_waiting", seconds=waits, retry_after=waits)
        _HOLDERS.append(actor)
    try:
        yield
    finally:
        with _TURNS:
            _HOLDERS.remove(actor)
            _TURNS.notify_all()


@contextmanager
def _output(path: Path, arguments: list[str]) -> Iterator[Iterator[Any]]:
    """Within the block the child process runs, and what it writes is yielded line by line; afterwards it has ended."""
    with path.open("rb") as table, TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside but names of encodings
            [*PROGRAM, *arguments], stdin=table, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            yield _lines(process, errors)
        finally:
            process.kill()
            process.communicate()


def _lines(process: subprocess.Popen[bytes], errors: IO[bytes]) -> Iterator[Any]:
    signs.goes_on(LINE_SECONDS)
    for line in process.stdout or ():
        row = json.loads(line)
        if isinstance(row, dict) and "refused" in row:
            raise ServiceError(row["refused"], **row["params"])
        yield row
        signs.goes_on(LINE_SECONDS)
    status = process.wait()
    if status in OUT_OF_TIME:
        # It had no time left, or the machine no memory, or the service stops.
        log.warning("the reader was ended by signal %s", -status)
        raise ServiceError("table_slow")
    if status:
        errors.seek(0)
        raise RuntimeError(f"the reader ended with {status}: {errors.read().decode(errors='replace')}")
