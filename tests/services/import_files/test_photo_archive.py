"""Archives of photos: named by ID, and nothing that is made to harm gets far."""

import io
import struct
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest

from hikflask.config import MEGABYTE
from hikflask.services.core.errors import BadArchive, BadPhoto
from hikflask.services.import_files import photo_archive, stored_files
from hikflask.services.import_files.photo_archive import Contents

# What a file's part of the directory begins with.
RECORD = b"PK\x01\x02"


def packed(path: Path, *names: str, content: bytes = b"picture", method: int = ZIP_DEFLATED) -> Path:
    """A ZIP file with these files."""
    with ZipFile(path / "photos.zip", "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return path / "photos.zip"


def note_opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The archives that are opened from now on."""
    opened: list[Path] = []

    def note(path: Path) -> ZipFile:
        opened.append(path)
        return ZipFile(path)

    monkeypatch.setattr(photo_archive, "ZipFile", note)
    return opened


def test_pictures_are_found_by_id_wherever_they_are(tmp_path: Path) -> None:
    names = ("100222.jpg", "фото/100333.JPEG", "a\\b\\x1.png", "2/100222.png", "Иван.jpg", "100444.txt", "100 1.jpg")
    extra = ("__MACOSX/100222.jpg", "__MACOSX/._100222.jpg", "фото/Thumbs.db", ".DS_Store", "фото/", "._100222.jpg")

    found = photo_archive.read_contents(packed(tmp_path, *names, *extra))

    assert found.pictures == {
        "100222": ["100222.jpg", "2/100222.png"],
        "100333": ["фото/100333.JPEG"],
        "x1": ["a\\b\\x1.png"],
    }
    assert found.others == ["Иван.jpg", "100444.txt", "100 1.jpg"]


def test_picture_is_read_as_it_was(tmp_path: Path) -> None:
    assert photo_archive.read(packed(tmp_path, "1.jpg"), "1.jpg").read() == b"picture"


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photos.zip").write_bytes(content)

    with pytest.raises(BadArchive):
        photo_archive.read_contents(tmp_path / "photos.zip")


def test_archive_without_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match=r"^archive_empty$"):
        photo_archive.read_contents(packed(tmp_path, "фото/", "Thumbs.db"))


def test_archives_of_other_programs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    path.write_bytes(b"what stands before an archive that unpacks itself")
    with ZipFile(path, "a") as archive:
        archive.comment = b"What stands at its end" * 2000
        archive.writestr("фото/", b"")
        archive.writestr("фото/empty.jpg", b"")
        for name, large in (("1.jpg", False), ("2.jpg", True)):
            with archive.open(name, "w", force_zip64=large) as picture:
                picture.write(name.encode())
        third = ZipInfo("3.jpg")
        third.extra, third.comment = struct.pack("<HH32x", 10, 32), b"comment"
        archive.writestr(third, b"3.jpg", ZIP_DEFLATED)

    assert set(photo_archive.read_contents(path).pictures) == {"empty", "1", "2", "3"}
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        assert photo_archive.read(path, name).read() == name.encode()


def test_too_many_files_are_refused_before_their_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path, "1.jpg", "2.jpg")
    content = archive.read_bytes()
    monkeypatch.setattr(photo_archive, "MAX_FILES", 1)
    monkeypatch.setattr(photo_archive, "ZipFile", None)

    # What the end of the file says of their number is not believed.
    for count in (2, 1, 0, 20_001):
        archive.write_bytes(content[:-12] + count.to_bytes(2, "little") + content[-10:])
        with pytest.raises(BadArchive, match=r"^archive_too_many$") as refused:
            photo_archive.read_contents(archive)
        assert refused.value.params == {"n": 1}


def test_directory_that_takes_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = packed(tmp_path, "1.jpg")
    monkeypatch.setattr(photo_archive, "MAX_DIRECTORY_BYTES", photo_archive.RECORD_SIZE + len("1.jpg") - 1)

    with pytest.raises(BadArchive, match=r"^archive_too_many$"):
        photo_archive.read_contents(archive)


def test_file_with_a_name_and_additions_that_take_too_long_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "photos.zip", "w") as archive:
        info = ZipInfo("1.jpg")
        info.extra = struct.pack("<HH", 10, 0) * 1100
        archive.writestr(info, b"picture")

    with pytest.raises(BadArchive):
        photo_archive.read_contents(tmp_path / "photos.zip")


def test_file_without_a_name_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path, "1.jpg")
    archive.write_bytes(archive.read_bytes().replace(b"1.jpg", b"\0.jpg"))

    with pytest.raises(BadArchive):
        photo_archive.read_contents(archive)


def test_files_that_lie_upon_each_other_are_refused_and_not_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path, "1.jpg", "2.jpg")
    content = archive.read_bytes()
    first, second = content.find(RECORD), content.rfind(RECORD)
    opened = note_opened(monkeypatch)

    # The second begins where the first does; the second ends within the directory.
    packed_size, place = slice(second + 20, second + 24), slice(second + 42, second + 46)
    for part, value in ((place, 0), (packed_size, first)):
        wrong = bytearray(content)
        wrong[part] = value.to_bytes(4, "little")
        archive.write_bytes(wrong)
        for _ in range(2):
            with pytest.raises(BadArchive):
                photo_archive.read_contents(archive)

    assert opened == [archive] * 4


def test_directory_of_zip64_is_refused(tmp_path: Path) -> None:
    content = packed(tmp_path, "1.jpg").read_bytes()
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    (tmp_path / "photos.zip").write_bytes(content[:-22] + locator + content[-22:])

    with pytest.raises(BadArchive, match=r"^archive_too_many$"):
        photo_archive.read_contents(tmp_path / "photos.zip")


def test_bomb_is_refused_by_what_it_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = packed(tmp_path, *(f"{number}.jpg" for number in range(3)), content=b"0" * 1024 * 1024)
    assert archive.stat().st_size < 10_000
    monkeypatch.setattr(photo_archive, "MAX_MEGABYTES", 2)

    with pytest.raises(BadArchive, match=r"^archive_too_large$"):
        photo_archive.read_contents(archive)


def test_encrypted_files_are_refused(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path, "1.jpg").read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "photos.zip").write_bytes(content)

    with pytest.raises(BadArchive, match=r"^archive_encrypted$"):
        photo_archive.read_contents(tmp_path / "photos.zip")


def test_picture_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path, "1.jpg", content=b"0" * (photo_archive.MAX_FILE_BYTES + 1))

    with pytest.raises(BadPhoto, match=r"^photo_too_large$"):
        photo_archive.read(archive, "1.jpg")


def test_picture_that_cannot_be_unpacked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPhoto):
        photo_archive.read(packed(tmp_path, "1.jpg", method=ZIP_LZMA), "1.jpg")
    damaged = packed(tmp_path, "1.jpg", content=bytes(range(256)) * 9)
    damaged.write_bytes(damaged.read_bytes().replace(b"1.jpg", b"1.jpg", 1)[:60] + b"?" + damaged.read_bytes()[61:])
    with pytest.raises(BadPhoto):
        photo_archive.read(damaged, "1.jpg")
    with pytest.raises(BadPhoto):
        photo_archive.read(damaged, "2.jpg")


def of(number: str) -> Callable[[str], bool]:
    """Tells whether a picture is named by this number."""
    return lambda name: photo_archive.number_of(name) == number


@pytest.mark.usefixtures("context")
def test_pictures_of_one_person_are_taken_out() -> None:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name in ("1.jpg", "фото/1.png", "2.jpg"):
            archive.writestr(ZipInfo(name), name)
    file.seek(0)
    stored = stored_files.keep(file, 10_000, BadArchive())

    assert photo_archive.forget(stored, of("1"))
    assert not photo_archive.forget(stored, of("1"))
    assert not photo_archive.forget("no file", of("1"))

    with ZipFile(stored_files.path_of(stored)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"2.jpg": b"2.jpg"}


@pytest.mark.usefixtures("context")
def test_archive_without_a_person_is_packed_as_it_was() -> None:
    file = io.BytesIO(b"what stands before an archive")
    file.seek(0, io.SEEK_END)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        for name in ("1.jpg", "фото/2.jpg", "3.jpg", "Thumbs.db", "Иван.jpg"):
            archive.writestr(name, f"{name}: {'0' * MEGABYTE}")
        with archive.open("4.jpg", "w") as picture:
            picture.write(b"4")
    file.seek(0)
    stored = stored_files.keep(file, MEGABYTE, BadArchive())
    path = stored_files.path_of(stored)
    before = path.stat().st_size

    assert photo_archive.forget(stored, of("1"))
    assert photo_archive.forget(stored, of("3"))

    assert path.stat().st_size < before
    assert photo_archive.read_contents(path) == Contents({"2": ["фото/2.jpg"], "4": ["4.jpg"]}, ["Иван.jpg"])
    assert photo_archive.read(path, "фото/2.jpg").read().startswith("фото/2.jpg: 0".encode())
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["фото/2.jpg", "Иван.jpg", "4.jpg"]
    assert b"1.jpg" not in path.read_bytes()


@pytest.mark.usefixtures("context")
def test_archive_whose_files_lie_upon_each_other_is_removed_and_not_blown_up() -> None:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for number in range(40):
            archive.writestr(f"{number}.jpg", bytes(MEGABYTE) if number == 39 else b"")
    content = bytearray(file.getvalue())
    at = -1
    while (at := content.find(b"PK\x03\x04", at + 1)) >= 0:
        # What stands before each file is said to be larger than it is, so that it lies upon the next ones.
        content[at + 28 : at + 30] = b"\xff\xff"
    stored = stored_files.keep(io.BytesIO(content), 2 * MEGABYTE, BadArchive())
    assert len(photo_archive.read_contents(stored_files.path_of(stored)).pictures) == 40

    assert photo_archive.forget(stored, of("0"))

    assert list(stored_files.folder().iterdir()) == []


@pytest.mark.usefixtures("context")
def test_directory_is_read_once_and_again_when_the_archive_is_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for number in range(9):
            archive.writestr(f"{number}.jpg", str(number))
    file.seek(0)
    path = stored_files.path_of(stored := stored_files.keep(file, 10_000, BadArchive()))
    opened = note_opened(monkeypatch)

    photo_archive.read_contents(path)
    assert [photo_archive.read(path, f"{number}.jpg").read() for number in range(9)] == [b"%d" % n for n in range(9)]
    assert opened == [path]

    photo_archive.forget(stored, of("0"))
    with pytest.raises(BadPhoto):
        photo_archive.read(path, "0.jpg")
    assert photo_archive.read(path, "8.jpg").read() == b"8"
    assert opened == [path, path]


@pytest.mark.usefixtures("context")
def test_archive_that_cannot_be_written_anew_is_removed() -> None:
    stored = stored_files.keep(io.BytesIO(b"no archive"), 10_000, BadArchive())

    with pytest.raises(BadPhoto):
        photo_archive.read(stored_files.path_of(stored), "1.jpg")
    assert photo_archive.forget(stored, of("1"))

    assert list(stored_files.folder().iterdir()) == []


@pytest.mark.parametrize("encoding", ["cp866", "utf-8"])
def test_names_are_read_as_windows_and_macos_write_them(tmp_path: Path, encoding: str) -> None:
    written = "Ёлкина Анна.jpg".encode(encoding)
    path = packed(tmp_path, "x" * len(written), "1.jpg")
    path.write_bytes(path.read_bytes().replace(b"x" * len(written), written))

    assert photo_archive.read_contents(path) == Contents({"1": ["1.jpg"]}, ["Ёлкина Анна.jpg"])
    assert photo_archive.read(path, "Ёлкина Анна.jpg").read() == b"picture"
