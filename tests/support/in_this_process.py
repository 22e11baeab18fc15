"""Tests read tables and photos in their own process: to start a child process for each takes longer than the test.

What child processes are for, such as a limit of memory, is tested with them: such a test is marked `child_processes`.
"""

import csv
import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import IO, Any, BinaryIO

import pytest

from hikflask.services.core.errors import ServiceError
from hikflask.services.photos import inspection_program, jpeg, jpeg_process, storage
from hikflask.services.photos.inspection import PhotoInspector
from hikflask.services.spreadsheets import reader, reader_process

# lxml is there for another tool of developers, and openpyxl would take it, which no installation has.
os.environ["OPENPYXL_LXML"] = "False"
# What is ignored of warnings is the same for all threads of a process.
_ONE_AT_A_TIME = RLock()


def without_children(patch: pytest.MonkeyPatch) -> None:
    """Let the functions that start child processes do their work themselves."""
    csv.field_size_limit(sys.maxsize)
    patch.setattr(reader_process, "_output", _output)
    patch.setattr(storage, "baseline_jpeg", _baseline_jpeg)
    patch.setattr(PhotoInspector, "_ask", _ask)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """As `python -W ignore`, in which the child processes run."""
    with _ONE_AT_A_TIME, warnings.catch_warnings(action="ignore"):
        yield


@contextmanager
def _output(path: Path, arguments: list[str]) -> Iterator[Iterator[Any]]:
    with path.open("rb") as table:
        yield _rows(table, arguments)


def _rows(table: BinaryIO, arguments: list[str]) -> Iterator[Any]:
    """Yield the rows as they come through a pipe, and then the refusal where there is one."""
    command, _, *how = arguments
    rows, refusal = [], None
    with _without_warnings():
        try:
            for row in map(vars, reader.inspect(table)) if command == "inspect" else reader.read(table, *how):
                rows.append(json.loads(json.dumps(row)))
        except reader.Refused as error:
            refusal = error
    yield from rows
    if refusal:
        raise ServiceError(refusal.code, **refusal.params)


def _baseline_jpeg(stream: IO[bytes]) -> bytes:
    with jpeg_process.uploaded(stream) as upload, _without_warnings():
        try:
            return jpeg.to_baseline(upload.read())
        except jpeg.Unreadable as error:
            raise jpeg_process.failure(error.status, b"") from error


def _ask(_: PhotoInspector, upload: IO[bytes], options: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    with _without_warnings():
        reply, picture = inspection_program.answer(dict(options), upload.read())
    return json.loads(json.dumps(reply)), picture
