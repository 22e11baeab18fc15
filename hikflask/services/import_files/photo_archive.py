"""ZIP archives of photos that are named by ID, such as 100222.jpg, or by full name (photo_names.py).

An archive may be made to harm: nothing is unpacked to the disk, what its directory declares is checked before anything
is read, and no more is read of a picture than a picture may have. The directory is read once, and not for each picture.
"""

import io
import os
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipExtFile, ZipFile, ZipInfo

from hikflask import text_rules
from hikflask.config import MEGABYTE
from hikflask.services.core.errors import BadArchive, BadPhoto
from hikflask.services.import_files import stored_files

# Of one picture, as of one that is uploaded alone.
MAX_FILE_BYTES = 10 * MEGABYTE
MAX_FILES = 20_000
MAX_MEGABYTES = 8000
# Of the directory at the end, which is read into memory, and of a file's name with what is added to it there: the time
# that these additions take grows with the square of their size.
MAX_DIRECTORY_BYTES, MAX_RECORD = 8 * MEGABYTE, 4096
# The end of the directory (PKWARE's APPNOTE.TXT, 4.3.16), its largest size, and what stands before it with ZIP64.
END, END_SIZE, END_MOST, END_OF_ZIP64 = b"PK\x05\x06", 22, 22 + 65535, b"PK\x06\x07"
# What stands before a file, and of it in the directory: the sizes without names, and where the sizes of these and the
# place of the file are (4.3.7 and 4.3.12).
LOCAL, LOCAL_SIZE, LOCAL_NAMES = b"PK\x03\x04", 30, slice(26, 30)
RECORD_SIZE, RECORD_NAMES, RECORD_PLACE = 46, slice(28, 34), slice(42, 46)
CHUNK = MEGABYTE
# Each takes some 10 MB for 20,000 files.
DIRECTORIES = 4
# HEIC is refused by a sentence of its own.
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"}
# What other programs add beside the pictures.
IGNORED = {("thumbs", ".db"), ("desktop", ".ini"), (".ds_store", "")}
METHODS = {ZIP_STORED, ZIP_DEFLATED}
ENCRYPTED, UTF_8 = 0x1, 0x800
# What Python takes a name for that is not marked as UTF-8, and what Windows writes where Russian is spoken.
PYTHONS_ENCODING, WINDOWS_ENCODING = "cp437", "cp866"
UNREADABLE = (
    BadZipFile,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)
Version = tuple[int, int]


@dataclass(frozen=True)
class Contents:
    """The names of the pictures in an archive by number, and those of files that are not named by one.

    `namesakes`: of files that are named by a name that several people have, each with the number of one of them.
    """

    pictures: dict[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    namesakes: dict[str, str] = field(default_factory=dict)


def read_contents(path: Path) -> Contents:
    """Return which pictures an archive has, by what its directory declares.

    :raises BadArchive: when it is no ZIP archive, is encrypted, has too much in it, or files that lie upon each other.
    """
    try:
        with _opened(path) as (_, archive):
            files = [info for info in archive.infolist() if not _is_ignored(info)]
    except UNREADABLE as error:
        raise BadArchive from error
    if not files:
        raise BadArchive("archive_empty")
    contents = Contents()
    for info in files:
        if number := number_of(info.filename):
            contents.pictures.setdefault(number, []).append(info.filename)
        else:
            contents.others.append(info.filename)
    return contents


def names_among(path: Path, names: Collection[str]) -> set[str]:
    """Return which of these names files of an archive have.

    :raises BadArchive:
    """
    try:
        with _opened(path) as (_, archive):
            return {name for name in names if name in archive.NameToInfo}
    except UNREADABLE as error:
        raise BadArchive from error


def _refuse_directory(path: Path) -> None:
    """Refuse a directory that would fill the memory before it is read, whatever number of files it states."""
    with path.open("rb") as file:
        start = max(0, file.seek(0, io.SEEK_END) - END_MOST - len(END_OF_ZIP64) - 16)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(END)
        if at < 0 or len(tail) < at + END_SIZE:
            raise BadArchive
        size = int.from_bytes(tail[at + 12 : at + 16], "little")
        if size > MAX_DIRECTORY_BYTES or tail[max(0, at - 20) : at].startswith(END_OF_ZIP64):
            raise BadArchive("archive_too_many", n=MAX_FILES)
        file.seek(start + at - size)
        directory = file.read(size)
    count = place = 0
    while place < size:
        length = sum(struct.unpack_from("<3H", directory, place + RECORD_NAMES.start))
        if length > MAX_RECORD:
            raise BadArchive
        place += RECORD_SIZE + length
        count += 1
        if count > MAX_FILES:
            raise BadArchive("archive_too_many", n=MAX_FILES)


def _refuse(archive: ZipFile) -> None:
    files = archive.infolist()
    if any(info.flag_bits & ENCRYPTED for info in files):
        raise BadArchive("archive_encrypted")
    if sum(info.file_size for info in files) > MAX_MEGABYTES * MEGABYTE:
        raise BadArchive("archive_too_large", n=MAX_MEGABYTES)
    end = 0
    for info in sorted(files, key=lambda info: info.header_offset):
        if info.header_offset < end or not info.filename:
            raise BadArchive
        end = info.header_offset + LOCAL_SIZE + info.compress_size
    if end > archive.start_dir:
        raise BadArchive


def _is_ignored(info: ZipInfo) -> bool:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    made_by_others = "__MACOSX" in path.parts or (path.stem.lower(), path.suffix.lower()) in IGNORED
    return info.is_dir() or made_by_others or path.name.startswith("._")


def number_of(name: str) -> str:
    """Return the number that a picture in an archive is named by, or ""."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in SUFFIXES and text_rules.is_employee_number(path.stem) else ""


def version(of: Path | int) -> Version:
    """Return what tells a stored archive, or an open one, from what is written in its place."""
    status = os.stat(of)
    return status.st_ino, status.st_mtime_ns


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], ZipFile]]:
    """Open an archive; its directory was perhaps read before, and is that of this very file."""
    while True:
        current = version(path)
        archive = _directory(path, current)
        with path.open("rb") as file:
            if version(file.fileno()) == current:
                yield file, archive
                return


@lru_cache(DIRECTORIES)
def _directory(path: Path, current: Version) -> ZipFile:  # noqa: ARG001 - what is written anew has another version
    """Return an archive with its directory, closed.

    :raises BadArchive: as read_contents(); what is refused is not kept.
    """
    _refuse_directory(path)
    with ZipFile(path) as archive:
        _refuse(archive)
        for info in archive.infolist():
            info.filename = _readable_name(info)
        archive.NameToInfo = {info.filename: info for info in archive.infolist()}
        return archive


def _readable_name(info: ZipInfo) -> str:
    """Return the name of a file as it was meant: macOS writes UTF-8 and Windows its own encoding, without saying so."""
    if info.flag_bits & UTF_8 or info.filename.isascii():
        return info.filename
    try:
        written = info.filename.encode(PYTHONS_ENCODING)
    except UnicodeEncodeError:  # The archive has the name in Unicode besides, and Python took that.
        return info.filename
    try:
        return written.decode()
    except UnicodeDecodeError:
        return written.decode(WINDOWS_ENCODING)


def read(path: Path, name: str) -> io.BytesIO:
    """Return a picture of an archive, as the file that it was.

    :raises photo_too_large: when it has more than 10 MB. :raises BadPhoto: when it cannot be read.
    """
    try:
        with _opened(path) as (file, archive):
            info = archive.getinfo(name)
            if info.file_size > MAX_FILE_BYTES:
                raise BadPhoto("photo_too_large")
            if info.compress_type not in METHODS:
                raise BadPhoto
            file.seek(_start(file, info))
            with ZipExtFile(file, "r", info) as picture:
                return io.BytesIO(picture.read(MAX_FILE_BYTES))
    except (BadArchive, *UNREADABLE) as error:
        raise BadPhoto from error


def _start(file: IO[bytes], info: ZipInfo) -> int:
    """Return where the content of a file begins."""
    file.seek(info.header_offset)
    head = file.read(LOCAL_SIZE)
    if not head.startswith(LOCAL):
        raise BadZipFile
    name_size, extra_size = struct.unpack("<2H", head[LOCAL_NAMES])
    return info.header_offset + LOCAL_SIZE + int(name_size) + int(extra_size)


def forget(stored: str, is_theirs: Callable[[str], bool]) -> bool:
    """Take the pictures of somebody out of a stored archive; False when it has none.

    What others have put beside the pictures, such as thumbnails, goes with them. An archive that cannot be written anew
    is removed as a whole. Two who do this to one archive do it in turn.

    :param stored: the name of the file in the folder of imports.
    :param is_theirs: decides it by the name of a picture.
    """
    path = stored_files.path_of(stored)
    with stored_files.written_alone():
        if not path.is_file():
            return False
        try:
            with _opened(path) as (file, archive):
                if not any(is_theirs(info.filename) for info in archive.infolist()):
                    return False
                with stored_files.replaced(stored) as copy:
                    _write_anew(file, archive, is_theirs, copy)
        except (BadArchive, *UNREADABLE):
            stored_files.remove(stored)
        return True


def _write_anew(file: IO[bytes], archive: ZipFile, is_theirs: Callable[[str], bool], copy: IO[bytes]) -> None:
    """Write what is kept as it is packed, with its part of the directory."""
    file.seek(archive.start_dir)
    records = []
    for info in archive.infolist():
        head = file.read(RECORD_SIZE)
        records.append((info, head + file.read(sum(struct.unpack("<3H", head[RECORD_NAMES])))))
    directory = []
    for info, record in records:
        if _is_ignored(info) or is_theirs(info.filename):
            continue
        place = struct.pack("<L", copy.tell())
        _copy(file, info, copy)
        directory.append(record[: RECORD_PLACE.start] + place + record[RECORD_PLACE.stop :])
    start, count, size = copy.tell(), len(directory), sum(map(len, directory))
    copy.writelines(directory)
    copy.write(struct.pack("<4s4H2LH", END, 0, 0, count, count, size, start, 0))


def _copy(file: IO[bytes], info: ZipInfo, copy: IO[bytes]) -> None:
    """Copy a file of an archive as it is packed.

    :raises BadZipFile: when what stands before files lies upon others: the copy would be larger than the archive.
    """
    left = _start(file, info) + info.compress_size - info.header_offset
    if copy.tell() + left > os.stat(file.fileno()).st_size:
        raise BadZipFile
    file.seek(info.header_offset)
    while left:
        chunk = file.read(min(left, CHUNK))
        if not chunk:
            raise EOFError
        left -= copy.write(chunk)
