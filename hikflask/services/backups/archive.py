"""The file of a backup: an uncompressed tar with the database, the photos, the encrypted keys, and last a manifest.

The manifest has the size and the SHA-256 of every other member, so that a file that was cut, changed or put together
by hand is refused before anything of it is used. Nothing is unpacked by the names in the file: only names that a backup
writes are accepted.
"""

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from hikflask.services.backups import BackupError
from hikflask.services.photos import storage

FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "keys.json"
# The kind of the database → its member.
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
FIXED_NAMES = {MANIFEST, KEYS, *DATABASES.values()}
PHOTOS = "uploads/"
CHUNK = 1024 * 1024
# The manifest has about 130 bytes for each member, and the names of photos that were missing: 300,000 of these at most.
MAX_MANIFEST, MAX_MANIFEST_PER_MEMBER = 16 * CHUNK, 256
MAX_KEYS = CHUNK
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
SHA256 = re.compile(r"[0-9a-f]{64}\Z")
NO_BACKUP = "This is no backup of hikflask, or it is not whole: {}."


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: whose data of which moment, and every member with its size in bytes and its SHA-256.

    `rows` counts them by table. `password_check` is a text that the password key of that moment decrypts.
    `missing` names the photos whose files were not there.
    """

    taken_at: datetime
    revision: str
    database: str
    password_check: str
    rows: dict[str, int] = field(default_factory=dict)
    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    app: str = ""
    format: int = FORMAT

    @property
    def photos(self) -> list[str]:
        """The names of the photos' files."""
        return [name.removeprefix(PHOTOS) for name in self.members if name.startswith(PHOTOS)]

    @property
    def size(self) -> int:
        """The bytes of all members."""
        return sum(size for size, _ in self.members.values())

    @property
    def has_keys(self) -> bool:
        """True when the keys were backed up, too."""
        return KEYS in self.members


class Writer:
    """Writes the members of a new backup to a file, and the manifest at its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.members: dict[str, tuple[int, str]] = {}

    def add(self, name: str, content: IO[bytes], size: int) -> None:
        """Add a member of so many bytes. :raises BackupError: when the content is shorter."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        # Not by TarFile, which keeps every member in memory.
        self._file.write(info.tobuf(tarfile.GNU_FORMAT))
        digest, left = hashlib.sha256(), size
        while left:
            chunk = content.read(min(left, CHUNK))
            if not chunk:
                raise BackupError(f"{name} became shorter while it was backed up. Try again.")
            digest.update(chunk)
            self._file.write(chunk)
            left -= len(chunk)
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))
        self.members[name] = size, digest.hexdigest()

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a member."""
        self.add(name, BytesIO(content), len(content))

    def close(self, manifest: Manifest) -> None:
        """Write the manifest and the end of the file."""
        values = {**asdict(manifest), "taken_at": manifest.taken_at.isoformat(), "members": self.members}
        self.add_bytes(MANIFEST, json.dumps(values, ensure_ascii=False, indent=1).encode())
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))


class Reader:
    """An open backup whose manifest was read, and whose members are exactly those of the manifest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        with _readable():
            self._places = _places(file)
        largest = MAX_MANIFEST + MAX_MANIFEST_PER_MEMBER * len(self._places)
        self.manifest = _manifest(self._content(MANIFEST, largest))
        sizes = {name: size for name, (size, _) in self.manifest.members.items()}
        if sizes != {name: size for name, (_, size) in self._places.items() if name != MANIFEST}:
            raise _no_backup("its contents are not those of its manifest")

    def verify(self) -> None:
        """Read everything. :raises BackupError: when a member was changed since it was backed up."""
        for name in self.manifest.members:
            for _ in self.chunks(name):
                pass

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member. :raises BackupError: at its end, when it was changed."""
        digest = hashlib.sha256()
        for chunk in self._read(name):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != self.manifest.members[name][1]:
            raise BackupError(f"{name} in this backup is not what was backed up: the file was changed or damaged.")

    def keys(self) -> bytes:
        """Return the encrypted keys."""
        return self._content(KEYS, MAX_KEYS)

    def extract(self, name: str, path: Path, mode: int = 0o600) -> None:
        """Write a member to a new file."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            for chunk in self.chunks(name):
                file.write(chunk)

    def _content(self, name: str, max_size: int) -> bytes:
        if name not in self._places:
            raise _no_backup(f"{name} is missing")
        if self._places[name][1] > max_size:
            raise _no_backup(f"{name} is too large")
        return b"".join(self._read(name))

    def _read(self, name: str) -> Iterator[bytes]:
        offset, left = self._places[name]
        with _readable():
            self._file.seek(offset)
        while left:
            with _readable():
                chunk = self._file.read(min(left, CHUNK))
            if not chunk:
                raise _no_backup("it is cut off")
            left -= len(chunk)
            yield chunk


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open a backup. :raises BackupError: when it is none, is not whole, or has anything else in it."""
    with _readable():
        file = open(path, "rb")  # noqa: SIM115 - what is done with it has errors of its own
    with file:
        yield Reader(file)


@contextmanager
def _readable() -> Iterator[None]:
    """Name the backup in errors of reading its file. :raises BackupError:"""
    try:
        yield
    except OSError as error:
        raise BackupError(f"The backup cannot be read: {error.strerror or error}.") from error
    except tarfile.TarError as error:
        raise _no_backup("it is cut off, or no tar file") from error


def _places(file: IO[bytes]) -> dict[str, tuple[int, int]]:
    """Return where each member's content begins, and its size.

    Not by TarFile: it reads headers of any size that belong to other formats, which no backup has.
    """
    places: dict[str, tuple[int, int]] = {}
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    while any(header := file.read(tarfile.BLOCKSIZE)):
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        start = file.tell()
        is_photo_file = member.name.startswith(PHOTOS) and is_photo(member.name.removeprefix(PHOTOS))
        if member.type not in PLAIN or not (is_photo_file or member.name in FIXED_NAMES):
            raise _no_backup(f"a backup has no member {member.name[:80]!r}")
        if member.name in places:
            raise _no_backup(f"{member.name} comes twice")
        if not 0 <= member.size <= end - start:
            raise _no_backup("it is cut off")
        places[member.name] = start, member.size
        file.seek(member.size + -member.size % tarfile.BLOCKSIZE, os.SEEK_CUR)
    return places


def is_photo(name: str) -> bool:
    """True for the name of a photo's file in the uploads folder."""
    return name.endswith(".jpg") and not name.startswith(".") and storage.NAME.match(name) is not None


def _manifest(text: bytes) -> Manifest:
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise BackupError(f"This backup has format {values['format']!r}; this version reads format {FORMAT}.")
        manifest = Manifest(
            taken_at=datetime.fromisoformat(values["taken_at"]).astimezone(UTC),
            revision=_text(values["revision"]),
            database=_text(values["database"]),
            password_check=_text(values["password_check"]),
            rows={name: int(count) for name, count in values["rows"].items()},
            members={name: _member(*pair) for name, pair in values["members"].items()},
            missing=[_text(name) for name in values["missing"]],
            app=_text(values["app"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_backup("its manifest cannot be read") from error
    if DATABASES.get(manifest.database) not in manifest.members or MANIFEST in manifest.members:
        raise _no_backup("its manifest names no database")
    return manifest


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _member(size: Any, sha256: Any) -> tuple[int, str]:
    if not isinstance(size, int) or not SHA256.match(sha256):
        raise ValueError
    return size, sha256


def _no_backup(why: str) -> BackupError:
    return BackupError(NO_BACKUP.format(why))
