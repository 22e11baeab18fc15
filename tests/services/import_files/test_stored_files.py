"""The files of imports: nobody else reads them, and nothing stays of one that is refused."""

import io
from pathlib import Path

import pytest

from hikflask.services.core.errors import ServiceError
from hikflask.services.import_files import stored_files

pytestmark = pytest.mark.usefixtures("context")


def names() -> list[str]:
    return sorted(path.name for path in stored_files.folder().iterdir())


def test_file_is_stored_for_this_account_alone_under_a_random_name() -> None:
    first, second = (stored_files.keep(io.BytesIO(b"people"), 6, ServiceError("table_unreadable")) for _ in range(2))

    assert first != second
    assert stored_files.path_of(first).read_bytes() == b"people"
    assert stored_files.path_of(first).stat().st_mode & 0o777 == 0o600
    assert stored_files.folder().stat().st_mode & 0o777 == 0o700


def test_nothing_stays_of_a_file_that_is_too_large() -> None:
    with pytest.raises(ServiceError):
        stored_files.keep(io.BytesIO(b"people!"), 6, ServiceError("table_unreadable"))

    assert names() == []


def test_another_content_takes_the_place_of_a_file() -> None:
    name = stored_files.keep(io.BytesIO(b"people"), 6, ServiceError("table_unreadable"))

    with stored_files.replaced(name) as file:
        file.write(b"others")

    assert names() == [name]
    assert stored_files.path_of(name).read_bytes() == b"others"


def test_file_stays_as_it_was_when_another_content_cannot_be_written() -> None:
    name = stored_files.keep(io.BytesIO(b"people"), 6, ServiceError("table_unreadable"))
    stored_files.path_of(f"{name}.part").write_bytes(b"left by a process that was killed")

    with pytest.raises(OSError, match="full"), stored_files.replaced(name):
        raise OSError("the disk is full")

    assert names() == [name]
    assert stored_files.path_of(name).read_bytes() == b"people"


def test_removing_twice_is_no_error_and_what_cannot_be_removed_is_said(caplog: pytest.LogCaptureFixture) -> None:
    name = stored_files.keep(io.BytesIO(b"people"), 6, ServiceError("table_unreadable"))
    assert stored_files.remove(name)
    assert stored_files.remove(name)

    (stored_files.folder() / "folder").mkdir()

    assert not stored_files.remove("folder")
    assert "the file folder of an import cannot be removed" in caplog.text


def test_files_of_nobody_are_removed_unless_they_are_young(tmp_path: Path) -> None:
    known, stray = (stored_files.keep(io.BytesIO(b"people"), 6, ServiceError("table_unreadable")) for _ in range(2))
    assert stored_files.remove_strays({known}, older_than=60.0) == 0

    assert stored_files.remove_strays({known}, older_than=-1.0) == 1

    assert names() == [known]
    assert not (tmp_path / "imports" / stray).exists()
