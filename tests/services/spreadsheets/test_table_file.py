"""A table's file: there once it is complete, and then for the service alone."""

import errno
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import ClaimLost
from hikflask.services.spreadsheets import table_file
from hikflask.services.spreadsheets.csv_writer import Rows
from hikflask.services.spreadsheets.table_file import FORMATS
from tests.support.disk_usage import let_be_free

HEAD = ["ID", "ФИО"]


@pytest.mark.parametrize("kind", FORMATS)
def test_file_is_complete_and_readable_for_its_owner_alone(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"people.{kind}"

    def parts() -> Iterator[Rows]:
        yield [HEAD]
        (draft,) = tmp_path.iterdir()
        assert not file.exists()
        assert stat.S_IMODE(draft.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in draft.iterdir()} == {0o600}
        yield [["007", "=1"], ["2", "Иван"]]

    table_file.write(file, "Сотрудники", parts())

    assert list(tmp_path.iterdir()) == [file]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    if kind == "csv":
        assert file.read_bytes().decode() == '\ufeff"ID";"ФИО"\r\n"007";"\'=1"\r\n"2";"Иван"\r\n'
    else:
        rows = load_workbook(file)["Сотрудники"].values
        assert list(rows) == [("ID", "ФИО"), ("007", "=1"), ("2", "Иван")]


@pytest.mark.parametrize("kind", FORMATS)
def test_what_ends_the_rows_leaves_the_earlier_file(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"people.{kind}"
    file.write_text("earlier")

    def parts() -> Iterator[Rows]:
        yield [HEAD]
        raise ClaimLost

    with pytest.raises(ClaimLost):
        table_file.write(file, "Сотрудники", parts())

    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text() == "earlier"


@pytest.mark.parametrize(("program", "said"), [
    ("import sys; sys.exit('no room')", "the writer ended with 1: no room"),
    ("import sys; sys.stdin.read(); sys.exit('no room')", "the writer ended with 1: no room"),
    ("import os; os.kill(os.getpid(), 9)", "the writer ended with -9: "),
    # Takes nothing, and says that all is well.
    ("", "the writer ended with 0: "),
])  # fmt: skip
@pytest.mark.usefixtures("context")
def test_writer_that_ends_early_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str, said: str
) -> None:
    monkeypatch.setattr(table_file, "PROGRAM", [sys.executable, "-c", program])
    many = [[HEAD] * 1000] * 100

    with pytest.raises(ServiceError, match=r"^table_not_written$"):
        table_file.write(tmp_path / "uploads" / "people.xlsx", "Сотрудники", many)

    assert list((tmp_path / "uploads").iterdir()) == []
    assert said in caplog.text


@pytest.mark.usefixtures("context")
def test_folder_that_takes_no_file_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ServiceError, match=r"^table_not_written$"):
        table_file.write(tmp_path / "nowhere" / "people.csv", "", [[HEAD]])

    assert "the table people.csv could not be written (No such file or directory)" in caplog.text


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("kind", FORMATS)
def test_table_that_does_not_fit_is_refused_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    let_be_free(monkeypatch, 4096)
    # The child process fails in one of them, and this one in the other.
    monkeypatch.setattr(table_file, "PROGRAM", [sys.executable, "-c", "import sys; sys.exit('No space left')"])

    def parts() -> Iterator[Rows]:
        yield [HEAD]
        if kind == "csv":
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ServiceError, match=r"^no_space$"):
        table_file.write(tmp_path / "uploads" / f"people.{kind}", "Сотрудники", parts())

    assert list((tmp_path / "uploads").iterdir()) == []
