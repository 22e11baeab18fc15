"""Writes a table as a file that appears under its name once it is complete. Nobody but the service may read it.

XLSX is written by a child process: openpyxl keeps a processor busy for seconds, in which pages would be slow, and it
puts the rows into files of its own, which would stay behind in the system's folder when it is killed.
"""

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, cast

from hikflask.services.core import no_space
from hikflask.services.core.errors import ServiceError
from hikflask.services.spreadsheets import csv_writer
from hikflask.services.spreadsheets.csv_writer import BYTE_ORDER_MARK, Rows

log = logging.getLogger(__name__)

CSV, XLSX = FORMATS = ("csv", "xlsx")
# The folder that a table is written in ends so: one that stays was left by a process that was killed.
HALF_WRITTEN = ".part"
OWNER_ONLY = 0o600
# The exit status of the child process on a full disk (NO_SPACE in xlsx_writer.py).
NO_SPACE_STATUS = 28
# Not imported: openpyxl, and numpy with it, would take 15 MB of each process that serves.
WRITER = Path(__file__).with_name("xlsx_writer.py")
# -P: modules of the app are not to be taken for modules of the standard library with the same name.
PROGRAM = [sys.executable, "-P", "-W", "ignore", str(WRITER)]


def write(path: Path, sheet: str, parts: Iterable[Rows]) -> None:
    """Write rows, the header row first. What `parts` raises ends it, and leaves no file.

    :param path: ends in one of FORMATS; a file that is there is replaced.
    :param sheet: the name of the sheet in an XLSX file.
    :raises no_space: :raises table_not_written: as the log says.
    """
    try:
        with (
            no_space.refused(),
            TemporaryDirectory(prefix=f".{path.name}.", suffix=HALF_WRITTEN, dir=path.parent) as folder,
        ):
            draft = Path(folder, path.name)
            draft.touch(OWNER_ONLY)
            if path.suffix.lower() == f".{XLSX}":
                _write_xlsx(draft, sheet, parts)
            else:
                with draft.open("w", encoding="utf-8", newline="") as file:
                    file.writelines(csv_writer.texts(parts, BYTE_ORDER_MARK))
            draft.replace(path)
    except OSError as error:
        log.error("the table %s could not be written (%s)", path.name, error.strerror)
        raise ServiceError("table_not_written") from error


def _write_xlsx(draft: Path, sheet: str, parts: Iterable[Rows]) -> None:
    with TemporaryFile(dir=draft.parent) as errors:
        # The files of openpyxl are written beside the draft, and go with it.
        places = {**os.environ, "TMPDIR": str(draft.parent)}
        child = subprocess.Popen(  # noqa: S603 - nothing of the command comes from outside
            [*PROGRAM, str(draft), sheet], stdin=subprocess.PIPE, stderr=errors, env=places
        )
        try:
            ended_early = not _send(cast("IO[bytes]", child.stdin), parts)
        except BaseException:
            child.kill()
            raise
        finally:
            child.wait()
        if ended_early or child.returncode:
            errors.seek(0)
            log.error("the writer ended with %s: %s", child.returncode, errors.read().decode(errors="replace"))
            if child.returncode == NO_SPACE_STATUS:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            no_space.refuse_on_full_disk()  # What it would have said of that may not have been written, either.
            raise ServiceError("table_not_written")


def _send(pipe: IO[bytes], parts: Iterable[Rows]) -> bool:
    """Send the rows to the child process; return False when it ended before it had them all."""
    with suppress(BrokenPipeError), pipe:
        for rows in parts:
            pipe.write(json.dumps(rows).encode() + b"\n")
        return True
    return False
