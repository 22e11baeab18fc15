"""ZIP archives of photos that are named by ID, such as 100222.jpg.

An archive may be made to harm: nothing is unpacked to the disk, what its directory declares is checked before anything
is read, and no more is read of a picture than a picture may have.
"""

import io
import zlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from hikflask import employee_number
from hikflask.services.core import import_files
from hikflask.services.core.errors import (
    ArchiveEmpty,
    ArchiveEncrypted,
    ArchiveTooLarge,
    ArchiveTooMany,
    BadArchive,
    BadPhoto,
    PhotoTooLarge,
)

MEGABYTE = 1024 * 1024
# Of one picture, as of one that is uploaded alone.
LARGEST_FILE = 10 * MEGABYTE
MOST_FILES = 20_000
MOST_MEGABYTES = 8000
# Of the directory at the end, which is read into memory: the name and 46 bytes for each file.
LARGEST_DIRECTORY = 8 * MEGABYTE
# The end of the directory (PKWARE's APPNOTE.TXT, 4.3.16), its largest size, and what stands before it with ZIP64.
END, END_SIZE, END_MOST, END_OF_ZIP64 = b"PK\x05\x06", 22, 22 + 65535, b"PK\x06\x07"
SUFFIXES = {".jpg", ".jpeg", ".png"}
# What other programs add beside the pictures.
IGNORED = {("thumbs", ".db"), ("desktop", ".ini"), (".ds_store", "")}
METHODS = {ZIP_STORED, ZIP_DEFLATED}
ENCRYPTED = 0x1
UNREADABLE = (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError, zlib.error)


@dataclass(frozen=True)
class Contents:
    """The names of the pictures in an archive by number, and those of files that are not named by one."""

    pictures: dict[str, list[str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def look(path: Path) -> Contents:
    """Return which pictures an archive has, by what its directory declares.

    :raises BadArchive: when it is no ZIP archive, is encrypted, or has too much in it.
    """
    _refuse_directory(path)
    try:
        with ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not _is_ignored(info)]
    except UNREADABLE as error:
        raise BadArchive from error
    _refuse(files)
    found = Contents()
    for info in files:
        if number := number_of(info.filename):
            found.pictures.setdefault(number, []).append(info.filename)
        else:
            found.others.append(info.filename)
    if not files:
        raise ArchiveEmpty
    return found


def _refuse_directory(path: Path) -> None:
    """Refuse an archive with a directory that would fill the memory, before it is read."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - END_MOST - len(END_OF_ZIP64) - 16))
        tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + END_SIZE:
        raise BadArchive
    count = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if count > MOST_FILES or directory > LARGEST_DIRECTORY or tail[max(0, at - 20) : at].startswith(END_OF_ZIP64):
        raise ArchiveTooMany(n=MOST_FILES)


def _refuse(files: list[ZipInfo]) -> None:
    if len(files) > MOST_FILES:
        raise ArchiveTooMany(n=MOST_FILES)
    if any(info.flag_bits & ENCRYPTED for info in files):
        raise ArchiveEncrypted
    if sum(info.file_size for info in files) > MOST_MEGABYTES * MEGABYTE:
        raise ArchiveTooLarge(n=MOST_MEGABYTES)


def _is_ignored(info: ZipInfo) -> bool:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    made_by_others = "__MACOSX" in path.parts or (path.stem.lower(), path.suffix.lower()) in IGNORED
    return info.is_dir() or made_by_others or path.name.startswith("._")


def number_of(name: str) -> str:
    """Return the number that a picture in an archive is named by, or ""."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in SUFFIXES and employee_number.is_valid(path.stem) else ""


def read(path: Path, name: str) -> io.BytesIO:
    """Return a picture of an archive, as the file that it was.

    :raises PhotoTooLarge: when it has more than 10 MB. :raises BadPhoto: when it cannot be read.
    """
    try:
        with ZipFile(path) as archive:
            info = archive.getinfo(name)
            if info.file_size > LARGEST_FILE:
                raise PhotoTooLarge
            if info.compress_type not in METHODS:
                raise BadPhoto
            with archive.open(info) as picture:
                return io.BytesIO(picture.read(LARGEST_FILE))
    except (KeyError, *UNREADABLE) as error:
        raise BadPhoto from error


def forget(stored: str, numbers: Collection[str]) -> bool:
    """Take the pictures of these numbers out of a stored archive; False when it has none.

    An archive that cannot be written anew is removed as a whole. Two who do this to one archive do it in turn.

    :param stored: the name of the file in the folder of imports.
    """
    with import_files.written_alone():
        return _forget(stored, numbers)


def _forget(stored: str, numbers: Collection[str]) -> bool:
    path = import_files.path_of(stored)
    if not path.is_file():
        return False
    try:
        with ZipFile(path) as archive:
            files = archive.infolist()
            kept = [info for info in files if number_of(info.filename) not in numbers]
            if len(kept) == len(files):
                return False
            _write_anew(archive, kept, stored)
    except UNREADABLE:
        import_files.remove(stored)
    return True


def _write_anew(archive: ZipFile, kept: list[ZipInfo], stored: str) -> None:
    with TemporaryFile(dir=import_files.folder()) as left:
        with ZipFile(left, "w") as copy:
            for info in kept:
                _copy(archive, info, copy)
        left.seek(0)
        import_files.replace(stored, left)


def _copy(archive: ZipFile, info: ZipInfo, copy: ZipFile) -> None:
    """Copy a file that a picture could be; one that cannot be read is left out, and would have been refused anyway."""
    if info.file_size <= LARGEST_FILE and info.compress_type in METHODS:
        with suppress(BadZipFile, EOFError, RuntimeError, zlib.error):
            copy.writestr(ZipInfo(info.filename), archive.read(info))
