"""Runs reader.py in a child process for each table, and takes the rows through a pipe: nobody holds all of them."""

import json
import logging
import math
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from flask import current_app

from hikflask.config import MEGABYTE
from hikflask.services.core.errors import ServiceError

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
OUT_OF_TIME = {-signal.SIGXCPU, -signal.SIGKILL}
# Each takes up to 256 MB, and keeps a thread of the pages waiting.
AT_ONCE = 2
_TURNS = threading.BoundedSemaphore(AT_ONCE)
# Names of columns → field and index of what is recognised. It decides which row is the header.
Recognise = Callable[[Sequence[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Row:
    """A row of a table that is not empty: as many cells as the table has columns, or more.

    `line` is counted as a spreadsheet counts, from 1. `formulas` are the indexes of the cells that have a formula or an
    error in place of a value. A row that is `too_long` has more cells, which are left out. A cell of more than 256
    characters is cut, and ends with “…”. `sheet` is the name of its sheet where the rows of several are read.
    """

    line: int
    cells: list[str]
    formulas: frozenset[int] = frozenset()
    too_long: bool = False
    sheet: str = ""


@dataclass(frozen=True)
class Layout:
    """How a table is read. `sample` has the first rows below the header; `rows` are all of them, of a long XLSX about.

    `sheet` is the name of the sheet that is read, ALL for all that are alike, or empty for a CSV. `sheets` are those of
    the file, as {name, rows, people, hidden}: whether its header has the columns of people, and whether it is hidden.
    `hidden_rows` counts the rows of the sheet that Excel does not show, which are read; `filtered` is True where a
    filter hides them. `group_column` is the index of a column that the file does not have, behind its own ones: for the
    departments that stand in rows of their own.

    It is stored, so it has nothing of the file that is not shown to people, and each name of a column and cell of the
    sample has at most 64 characters.
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


def inspect(path: Path, recognise: Recognise) -> Layout:
    """Return how a table is read.

    The header is the row in which most columns are recognised, among the first 20; else the first row.

    :raises table_unreadable: when the file is too large, cannot be read as a table, or has no rows below the header.
    :raises tables_waiting: when its turn does not come within HIKFLASK_UPLOAD_WAIT seconds, because of other tables.
    """
    limit: int = current_app.config["IMPORT_FILE_LIMIT"]
    if path.stat().st_size > limit * MEGABYTE:
        raise ServiceError("table_too_large", n=limit)
    with wait_for_turn(), _output(path, ["inspect", str(INSPECT_SECONDS)]) as lines:
        contents = next(lines)
    head, rows = contents.pop("head"), contents.pop("rows")
    if not head:
        raise ServiceError("table_empty")
    # A single name of a column counts in the first row only: a cell below may have it, too.
    counts = [len(recognise(cells)) for _, cells, _, _ in head[:HEAD]]
    place = counts.index(max(counts)) if max(counts) > 1 else 0
    line, columns, _, too_wide = head[place]
    if too_wide:
        raise ServiceError("table_columns", n=MAX_COLUMNS)
    sample = [cells for _, cells, _, _ in head[place + 1 : place + 1 + SAMPLE]]
    if not sample:
        raise ServiceError("table_no_rows")
    width = min(max(map(len, [columns, *sample])), MAX_COLUMNS)
    names = [" ".join(name.split()) for name in _padded(columns, width)]
    shown = [_padded(cells, width)[:width] for cells in sample]
    return Layout(**contents, header_line=line, columns=names, sample=shown, rows=rows - place - 1)


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows below the header. The child process ends with the iterator, also when that is closed early.

    :raises table_unreadable: when the file cannot be read to its end.
    """
    csv = [layout.encoding, layout.delimiter] if layout.format == "csv" else []
    width = len(layout.columns)
    with _output(path, ["read", str(READ_SECONDS), *csv]) as lines:
        for line, cells, formulas, too_long in lines:
            if line > layout.header_line:
                yield Row(line, _padded(cells, width), frozenset(formulas), too_long)


def _padded(cells: list[str], width: int) -> list[str]:
    return cells + [""] * (width - len(cells))


@contextmanager
def wait_for_turn() -> Iterator[None]:
    """Wait until fewer than AT_ONCE other uploads are inspected, and count as one of them within the block.

    :raises tables_waiting: when its turn does not come within HIKFLASK_UPLOAD_WAIT seconds.
    """
    seconds: float = current_app.config["UPLOAD_WAIT"]
    if not _TURNS.acquire(timeout=seconds):
        waits = math.ceil(seconds)
        raise ServiceError("tables_waiting", seconds=waits, retry_after=waits)
    try:
        yield
    finally:
        _TURNS.release()


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
    for line in process.stdout or ():
        row = json.loads(line)
        if isinstance(row, dict) and "refused" in row:
            raise ServiceError(row["refused"], **row["params"])
        yield row
    status = process.wait()
    if status in OUT_OF_TIME:
        # It had no time left, or the machine no memory, or the service stops.
        log.warning("the reader was ended by signal %s", -status)
        raise ServiceError("table_slow")
    if status:
        errors.seek(0)
        raise RuntimeError(f"the reader ended with {status}: {errors.read().decode(errors='replace')}")
