"""Runs reader.py in a child process for each table, and takes its rows through a pipe, so that nobody holds them all."""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from hikflask.services.core import errors
from hikflask.services.core.errors import BadTable
from hikflask.services.spreadsheets import reader

log = logging.getLogger(__name__)

# -P: modules of the app are not to be taken for modules of the standard library with the same name.
PROGRAM = [sys.executable, "-P", "-W", "ignore", reader.__file__]
REFUSALS: dict[str, type[BadTable]] = {kind.code: kind for kind in (errors.TableEmpty, errors.TableQuote)}
TOO_LONG = {-signal.SIGXCPU, -signal.SIGKILL}
MEGABYTE = 1024 * 1024
# Field → index of its column.
Recognised = Callable[[Sequence[str]], Mapping[str, int]]


@dataclass(frozen=True)
class Row:
    """A row of a table. `cells` are as many as the table has columns, or more. `formulas`: the cells that have one.

    `line` counts rows as a spreadsheet shows them, from 1. A row that is `too_long` has its cells cut.
    """

    line: int
    cells: list[str]
    formulas: frozenset[int] = frozenset()
    too_long: bool = False


@dataclass(frozen=True)
class Layout:
    """How a table is read. `sample` are the first rows below the header, `rows` how many there are (XLSX: about).

    `sheet` is the one of `sheets` that is read: the first one that has something.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: int = 1
    header_line: int = 1
    columns: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    rows: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Layout":
        """Return what as_json() gave."""
        return cls(**stored)


def look(path: Path, recognised: Recognised) -> Layout:
    """Return how a table is read. Its header is the row in which most columns are recognised, else the first one.

    :raises BadTable: when the file cannot be read as a table, or has no rows below the header.
    """
    with _output(path, ["look"]) as lines:
        found = next(lines)
    return _layout(found, recognised)


def read(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows below the header. Closing the iterator ends the child process.

    :raises BadTable: when the file cannot be read to its end.
    """
    width = len(layout.columns)
    with _output(path, ["read", layout.encoding, layout.delimiter]) as lines:
        for line, cells, formulas, too_long in lines:
            if line > layout.header_line:
                yield Row(line, cells + [""] * (width - len(cells)), frozenset(formulas), too_long)


def _layout(found: dict[str, Any], recognised: Recognised) -> Layout:
    head = found.pop("head")
    if not head:
        raise errors.TableEmpty
    place = _header([cells for _, cells, _, _ in head[: reader.HEAD]], recognised)
    line, columns, _, _ = head[place]
    sample = [cells for _, cells, _, _ in head[place + 1 : place + 1 + reader.SAMPLE]]
    if not sample:
        raise errors.TableEmpty
    width = max(map(len, [columns, *sample]))
    below = found.pop("rows") - place - 1
    shown = [cells + [""] * (width - len(cells)) for cells in [columns, *sample]]
    return Layout(**found, header_line=line, columns=shown[0], sample=shown[1:], rows=below)


def _header(rows: list[list[str]], recognised: Recognised) -> int:
    counts = [len(recognised(cells)) for cells in rows]
    return counts.index(max(counts))


@contextmanager
def _output(path: Path, arguments: list[str]) -> Iterator[Iterator[Any]]:
    """Yield what the child process writes, line by line; within the block it runs, afterwards it has ended."""
    with path.open("rb") as table, TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
            [*PROGRAM, *arguments], stdin=table, stdout=subprocess.PIPE, stderr=said
        )
        try:
            yield _lines(process, said)
        finally:
            process.kill()
            process.communicate()


def _lines(process: subprocess.Popen[bytes], said: IO[bytes]) -> Iterator[Any]:
    for line in process.stdout or ():
        got = json.loads(line)
        if isinstance(got, dict) and "refused" in got:
            raise REFUSALS[got["refused"]](**got["params"])
        yield got
    ended = process.wait()
    if ended:
        said.seek(0)
        raise RuntimeError(f"the reader ended with {ended}: {said.read().decode(errors='replace')}")
