"""Files of photos: as the terminal gave them, named by the number, and never served without a row."""

import io
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.columns import database_now
from hikflask.models.people import CAPTURED, UPLOADED
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import BadPhoto, CaptureSuperseded, PhotoForgotten
from hikflask.services.photos import storage
from tests.support.captures import FACE
from tests.support.retention import age

pytestmark = pytest.mark.usefixtures("context")


def kept(number: str = "100222") -> Photo:
    """A captured photo with its row."""
    photo = storage.keep(FACE, number)
    storage.save(photo)
    db.session.commit()
    return photo


def rename_and_die(photo: Photo, number: str) -> None:
    """Rename a photo, as by a process that is killed after the commit: the former name stays."""
    with transaction() as work:
        photo.file = storage.Files().rename(photo, number)
        work.hooks.clear()


def content(photo: Photo) -> bytes:
    """What the photo's file holds."""
    return (storage.folder() / photo.file).read_bytes()


def files() -> list[str]:
    return sorted(path.name for path in storage.folder().iterdir())


@pytest.mark.parametrize("picture", [FACE, FACE + b"trailing", b"anything at all", b""])
def test_captured_picture_is_kept_byte_for_byte_with_its_hash(picture: bytes) -> None:
    photo = storage.keep(picture, "100222")

    assert content(photo) == picture
    assert photo.sha256 == storage.sha256(picture)
    assert photo.source == CAPTURED


def test_hash_of_an_upload_is_that_of_the_file_that_was_written() -> None:
    photo = storage.keep_upload(io.BytesIO(FACE), "100222")

    assert photo.sha256 == storage.sha256(content(photo))
    assert (photo.source, content(photo) == FACE) == (UPLOADED, False)


def test_file_is_named_by_the_number_and_cannot_be_guessed() -> None:
    first, second = storage.keep(FACE, "100222"), storage.keep(FACE, "100222")

    assert first.file.startswith("100222_")
    assert first.file.endswith(".jpg")
    assert first.file != second.file
    assert len(first.file) >= len("100222_.jpg") + 22
    assert first.path == f"/uploads/{first.file}"


@pytest.mark.parametrize("number", ["", "../../etc/passwd", "a/b", "Иван", "..", "x" * 255, "1\n2", "\0"])
def test_typed_number_never_leads_out_of_the_folder(number: str) -> None:
    photo = storage.keep(FACE, number)

    assert files() == [photo.file]
    assert photo.file.isascii()
    assert "/" not in photo.file
    column: Any = Photo.__table__.c.file
    assert len(photo.file) <= column.type.length


def test_picture_for_no_number_has_a_name_that_says_so() -> None:
    assert storage.keep(FACE, "").file.startswith("capture_")


def test_refused_upload_leaves_nothing() -> None:
    with pytest.raises(BadPhoto):
        storage.keep_upload(io.BytesIO(FACE[:500]), "100222")

    assert files() == []


def test_half_a_file_is_never_under_the_photos_name() -> None:
    storage.keep(FACE, "100222")

    assert not [name for name in files() if name.startswith(".") or name.endswith(".part")]


def test_others_on_the_machine_cannot_list_the_folder() -> None:
    assert stat.S_IMODE(storage.folder().stat().st_mode) & 0o007 == 0


def test_renamed_file_is_there_under_both_names_until_the_commit() -> None:
    photo = kept("capture")
    old = photo.file

    with storage.Files() as moves, transaction():
        photo.file = moves.rename(photo, "100222")
        assert photo.file.startswith("100222_")
        assert files() == sorted([old, photo.file])

    assert files() == [photo.file]
    assert content(photo) == FACE


def test_rename_that_is_undone_leaves_the_old_file() -> None:
    photo = kept("capture")
    old = photo.file

    with suppress(ZeroDivisionError), storage.Files() as moves, transaction():
        moves.rename(photo, "100222")
        raise ZeroDivisionError

    assert (photo.file, files()) == (old, [old])


def test_file_with_the_numbers_name_keeps_it() -> None:
    photo = kept()
    name = photo.file

    with suppress(ZeroDivisionError), storage.Files() as moves, transaction():
        moves.rename(photo, "100222")
        raise ZeroDivisionError

    assert (photo.file, files()) == (name, [name])


def test_picture_keeps_the_random_part_of_its_name_and_can_have_a_former_name_again() -> None:
    photo = kept("100")
    first = photo.file
    for number in ("200", "100"):
        rename_and_die(photo, number)

    assert photo.file == first
    assert content(photo) == FACE


def test_number_that_begins_alike_is_another_number() -> None:
    photo = kept("1002")

    rename_and_die(photo, "100")

    assert photo.file.startswith("100_")


def test_file_that_is_gone_cannot_be_renamed() -> None:
    photo = kept("capture")
    name = photo.file
    storage.unlink(name)

    with pytest.raises(CaptureSuperseded, match=r"^file_gone$"):
        storage.Files().rename(photo, "100222")
    assert photo.file == name


def test_file_that_is_gone_already_is_unlinked_all_the_same() -> None:
    photo = kept()

    storage.unlink(photo.file, photo.file)

    assert files() == []


def test_picture_is_unlinked_under_every_name_that_a_save_left() -> None:
    photo, other = kept("capture"), kept("100222")
    rename_and_die(photo, "100222")
    (storage.folder() / f".{photo.file}.part").write_bytes(FACE)

    assert storage.unlink(photo.file) == []

    assert files() == [other.file]


def test_one_that_cannot_be_unlinked_is_told_and_keeps_no_other(caplog: pytest.LogCaptureFixture) -> None:
    stuck, photo = "100222_stuck.jpg", kept()
    (storage.folder() / stuck).mkdir()

    assert storage.unlink(stuck, photo.file) == [stuck]

    assert files() == [stuck]
    assert f"the picture {stuck} cannot be removed" in caplog.text


def test_picture_that_is_not_saved_yet_is_unknown_to_everybody() -> None:
    photo = storage.keep(FACE, "100222")

    assert storage.find_by_file(photo.file) is None
    assert storage.is_forgotten(photo)


def test_picture_that_was_given_up_is_not_saved_any_more() -> None:
    photo = storage.keep(FACE, "100222")
    age(Photo, "forgotten_at", 1)

    with pytest.raises(CaptureSuperseded, match=r"^file_gone$"):
        storage.save(photo)


def test_undone_upload_leaves_neither_file_nor_row() -> None:
    made = storage.Files()
    made.add(storage.keep_upload(io.BytesIO(FACE), "100222"))

    made.undo()

    assert files() == []
    assert db.session.query(Photo).count() == 0


def test_new_file_stays_when_the_database_does_not_tell_whether_it_is_saved(caplog: pytest.LogCaptureFixture) -> None:
    made = storage.Files()
    photo = made.add(storage.keep_upload(io.BytesIO(FACE), "100222"))
    is_away = Mock(side_effect=OperationalError("SELECT", {}, OSError("disk I/O error")))
    event.listen(db.engine, "before_cursor_execute", is_away)

    made.undo()

    event.remove(db.engine, "before_cursor_execute", is_away)
    assert files() == [photo.file]
    assert "new pictures stay: the database does not tell which are saved (OperationalError)" in caplog.text


def stray(name: str) -> Path:
    """A file of ours that no row knows."""
    path = storage.folder() / name
    path.write_bytes(FACE)
    return path


def test_picture_without_a_row_is_a_stray_of_exactly_its_number(tmp_path: Path) -> None:
    known, picture = kept(), "x" * 22
    rename_and_die(known, "300")
    mine = stray(f"100222_{picture}.jpg")
    half = stray(f".100222_{'y' * 22}.jpg.part")
    for name in (f"1002_{picture}.jpg", f"1002222_{picture}.jpg", "100222_notes.jpg", f"100222_{picture}.jpg.bak"):
        stray(name)
    (tmp_path / "elsewhere.jpg").write_bytes(FACE)
    (storage.folder() / f"100222_{'z' * 22}.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (storage.folder() / f"100222_{'w' * 22}.jpg").mkdir()

    assert storage.files_without_row("100222") == sorted([mine.name, half.name])
    assert storage.files_without_row("1002", "7") == [f"1002_{picture}.jpg"]


@pytest.mark.parametrize("number", ["abc", "aBc"])
def test_number_in_other_letters_is_another_number(number: str) -> None:
    stray(f"ABC_{'x' * 22}.jpg")

    assert storage.files_without_row(number) == []
    assert not storage.is_named(f"ABC_{'x' * 22}.jpg", number)


def test_photo_with_a_row_is_known() -> None:
    photo = kept()

    assert storage.find_by_file(photo.file) == photo
    assert storage.path_of(photo) == storage.folder() / photo.file


@pytest.mark.parametrize("name", ["", ".", "..", "../secret_key", "100222_other.jpg", "/etc/passwd", "\0"])
def test_what_has_no_row_is_never_served(name: str) -> None:
    (storage.folder() / "100222_other.jpg").write_bytes(FACE)

    assert storage.find_by_file(name) is None


def test_photo_whose_row_went_is_never_served() -> None:
    photo = kept()
    db.session.delete(photo)
    db.session.commit()

    assert storage.find_by_file(photo.file) is None


def test_photo_that_is_forgotten_since_its_row_was_read_is_not_returned() -> None:
    photo = kept()
    assert storage.read_photo(photo) == FACE
    with transaction(alone=True):
        db.session.execute(db.update(Photo).values(forgotten_at=database_now()))

    with pytest.raises(PhotoForgotten):
        storage.read_photo(photo)


def test_link_under_a_photos_name_is_never_served(tmp_path: Path) -> None:
    photo = kept()
    storage.unlink(photo.file)
    (storage.folder() / photo.file).symlink_to(tmp_path / "secret_key")

    assert (tmp_path / "secret_key").exists()
    assert storage.path_of(photo) is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_never_served(make: type) -> None:
    photo = kept()
    storage.unlink(photo.file)
    make(storage.folder() / photo.file)

    assert storage.path_of(photo) is None


def test_half_written_file_that_gets_its_name_in_this_moment_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    (storage.folder() / ".1_a.jpg.part").write_bytes(FACE)
    lstat = Path.lstat

    def renamed_first(path: Path) -> os.stat_result:
        if path.suffix == ".part":
            path.rename(path.with_name("1_a.jpg"))
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", renamed_first)

    assert storage.remove_half_written() == 0


def test_half_written_files_go_and_whole_pictures_stay_though_no_row_knows_them() -> None:
    draft, picture, fresh = (storage.folder() / name for name in (".1_a.jpg.part", "1_a.jpg", ".2_b.jpg.part"))
    for file in (draft, picture, fresh):
        file.write_bytes(FACE)
    for file in (draft, picture):
        os.utime(file, (1, 1))

    assert storage.remove_half_written() == 1

    assert sorted(storage.folder().iterdir()) == sorted([picture, fresh])
