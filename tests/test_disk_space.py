"""When space on a disk is low, and which errors say that there is none."""

import errno
import sqlite3
from pathlib import Path

import pytest
from psycopg.errors import DiskFull, UndefinedTable
from sqlalchemy.exc import OperationalError

from hikflask import disk_space
from tests.support.disk_usage import GIGABYTE, let_be_free

SENTENCE = (
    "No space left where /var is: 1,234,567 of 107,374,182,400 bytes are free. "
    "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed."
)


def of_sqlite(name: str) -> sqlite3.OperationalError:
    """An error of SQLite, which sets its name."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("free", "size", "is_low", "is_full"),
    [
        (GIGABYTE, 10 * GIGABYTE, False, False),
        (GIGABYTE - 1, 10 * GIGABYTE, True, False),
        (5 * GIGABYTE, 100 * GIGABYTE, False, False),
        (5 * GIGABYTE - 1, 100 * GIGABYTE, True, False),
        (16 * 1024**2, GIGABYTE, True, False),
        (16 * 1024**2 - 1, GIGABYTE, True, True),
    ],
)
def test_disk_is_low_below_a_gigabyte_or_a_twentieth_and_full_where_a_photo_may_not_fit(
    monkeypatch: pytest.MonkeyPatch, free: int, size: int, *, is_low: bool, is_full: bool
) -> None:
    let_be_free(monkeypatch, free, size)

    (disk,) = disk_space.read(Path("/var"))

    assert (disk.is_low, disk.is_full) == (is_low, is_full)


def test_disk_of_the_backups_beside_the_folder_counts_where_it_is_another_one(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    assert [disk.place for disk in disk_space.read(instance)] == ["data"]
    backups = tmp_path / "instance-backups"
    backups.mkdir()
    assert [disk.place for disk in disk_space.read(instance)] == ["data"]

    backups.rmdir()
    backups.symlink_to("/proc")

    assert [(disk.place, disk.folder) for disk in disk_space.read(instance)] == [
        ("data", instance),
        ("backups", backups),
    ]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        of_sqlite("SQLITE_FULL"),
        of_sqlite("SQLITE_IOERR_SHMSIZE"),
        OperationalError("INSERT", {}, of_sqlite("SQLITE_FULL")),
    ],
)
def test_error_without_space_is_explained_by_the_folder_and_its_free_bytes(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    let_be_free(monkeypatch, 1_234_567)

    assert disk_space.explain(error, Path("/var")) == SENTENCE


def test_full_disk_of_postgresql_is_the_one_of_its_server() -> None:
    sentence = "No space left on the disk of the PostgreSQL server: make room there."

    assert disk_space.explain(DiskFull(), Path("/var")) == sentence
    assert disk_space.explain(OperationalError("INSERT", {}, DiskFull()), Path("/var")) == sentence


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied"),
        of_sqlite("SQLITE_BUSY"),
        of_sqlite("SQLITE_IOERR_READ"),  # The disk is half empty.
        OperationalError("SELECT", {}, UndefinedTable()),
        ValueError("no space left"),
    ],
)
def test_no_other_error_is_explained_so(error: Exception) -> None:
    assert disk_space.explain(error, Path("/var")) == ""
