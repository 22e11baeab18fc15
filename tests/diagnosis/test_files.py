"""What is said of the instance folder."""

from pathlib import Path

import pytest

from hikflask.diagnosis import Finding, files
from tests.support.disk_usage import GIGABYTE, let_be_free


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance folder as the program makes it."""
    made = tmp_path / "instance"
    made.mkdir(mode=0o700)
    for name in ("secret_key", "password_key", "hikflask.sqlite3"):
        (made / name).touch(mode=0o600)
    (made / "uploads").mkdir(mode=0o700)
    return made


def wrong(folder: Path) -> list[str]:
    return [finding.sentence for finding in files.check(folder) if not finding.is_good]


def test_folder_of_its_own_account_that_nobody_else_reads_is_good(folder: Path) -> None:
    assert wrong(folder) == []


def test_what_others_can_read_is_named(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "password_key").chmod(0o644)

    assert wrong(folder) == [f"Others can read {folder}/password_key: run `chmod go= {folder}/password_key`."]


def test_open_files_in_a_closed_folder_are_closed(folder: Path) -> None:
    (folder / "password_key").chmod(0o644)

    assert wrong(folder) == []


def test_little_room_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Finding(True, f"50.0 of 100.0 GB are free where {folder} is.") in list(files.check(folder))
    let_be_free(monkeypatch, 4 * GIGABYTE)
    assert wrong(folder) == [
        f"Only 4.0 of 100.0 GB are free where {folder} is: delete what is not needed there, or make the disk larger."
    ]
    let_be_free(monkeypatch, 4096)
    assert wrong(folder) == [
        f"No space left where {folder} is: 4,096 of 107,374,182,400 bytes are free. "
        "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed."
    ]
