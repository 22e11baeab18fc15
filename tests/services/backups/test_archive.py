"""A file that is cut, changed or made by hand is refused, with a sentence that says why."""

import hashlib
import io
import json
import stat
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hikflask.services.backups import BackupError, archive
from hikflask.services.backups.archive import Manifest, Writer

PHOTO = "uploads/100222_abcdefghijklmnopqrstuv.jpg"
MEMBERS = {"database.sqlite3": b"database " * 999, PHOTO: b"photo"}
MANIFEST = Manifest(datetime(2026, 11, 27, 3, 4, 5, tzinfo=UTC), "0018", "sqlite", "check", rows={"photo": 1})
Change = Callable[[dict[str, object]], object]


def whole() -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in MEMBERS.items():
        writer.add_bytes(name, content)
    writer.close(MANIFEST)
    return file.getvalue()


@contextmanager
def opened(folder: Path, content: bytes) -> Iterator[archive.Reader]:
    path = folder / "backup.tar"
    path.write_bytes(content)
    with archive.opened(path) as backup:
        yield backup


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(BackupError) as refused, opened(folder, content) as backup:
        backup.verify()
    return str(refused.value)


def by_hand(*members: tarfile.TarInfo, change: Change | None = None) -> bytes:
    """A file with a manifest that fits, except for what is changed, and with these members besides."""
    file = io.BytesIO()
    told = {name: [len(one), hashlib.sha256(one).hexdigest()] for name, one in MEMBERS.items()}
    manifest: dict[str, object] = {
        "format": 1, "taken_at": "2026-11-27T03:04:05+00:00", "revision": "0018", "database": "sqlite", "app": "",
        "password_check": "check", "rows": {}, "missing": [], "members": told,
    }  # fmt: skip
    if change:
        change(manifest)
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in {**MEMBERS, "manifest.json": json.dumps(manifest).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in members:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return file.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    return info


def test_what_was_written_is_read(tmp_path: Path) -> None:
    with opened(tmp_path, whole()) as backup:
        backup.verify()
        backup.extract(PHOTO, tmp_path / "photo.jpg")
        manifest = backup.manifest

    assert (tmp_path / "photo.jpg").read_bytes() == b"photo"
    assert stat.S_IMODE((tmp_path / "photo.jpg").stat().st_mode) == 0o600
    assert (manifest.taken_at, manifest.rows, manifest.has_keys) == (MANIFEST.taken_at, {"photo": 1}, False)
    assert manifest.photos == [PHOTO.removeprefix("uploads/")]
    with tarfile.open(fileobj=io.BytesIO(whole())) as tar:  # Any tar program reads it, too.
        assert tar.getnames() == [*MEMBERS, "manifest.json"]


def test_file_that_is_cut_or_changed_is_refused(tmp_path: Path) -> None:
    good = whole()
    for length in (0, 100, 512, 5000, len(good) // 2, len(good) - 2000):
        assert refusal(tmp_path, good[:length]).startswith("This is no backup of hikflask, or it is not whole: "), (
            length
        )
    assert refusal(tmp_path, good.replace(b"uploads/1", b"uploads/2", 1)).startswith("This is no backup")
    for old, new in ((b"database d", b"database D"), (b"photo\0", b"ph0to\0")):
        told = refusal(tmp_path, good.replace(old, new, 1))
        assert told.endswith(" in this backup is not what was backed up: the file was changed or damaged.")


def test_member_that_no_backup_has_is_refused(tmp_path: Path) -> None:
    strange = [
        member("../x"), member("/etc/passwd"), member("uploads/../x"), member("uploads/a/b.jpg"), member("other"),
        member("uploads/.100222_abcdefghijklmnopqrstuv.jpg"), member("uploads/100222_abcdefghijklmnopqrstuv.jpg.part"),
        member(PHOTO.replace("222", "333"), tarfile.SYMTYPE, linkname="/etc/passwd"),
        member(PHOTO.replace("222", "333"), tarfile.LNKTYPE, linkname=PHOTO),
        member("uploads", tarfile.DIRTYPE), member("keys.json", tarfile.FIFOTYPE), member("keys.json", tarfile.CHRTYPE),
    ]  # fmt: skip
    for info in strange:
        told = refusal(tmp_path, by_hand(info))
        assert told == f"This is no backup of hikflask, or it is not whole: a backup has no member {info.name!r}."
    assert refusal(tmp_path, by_hand(member(PHOTO))).endswith(f": {PHOTO} comes twice.")
    assert refusal(tmp_path, by_hand(member("keys.json", size=3))).endswith(
        ": its contents are not those of its manifest."
    )


def test_manifest_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    def tell(key: str, value: object) -> Change:
        return lambda manifest: manifest.__setitem__(key, value)

    unreadable = [
        tell("taken_at", 5), tell("rows", []), tell("members", {"a": [1]}), tell("members", {"a": [1, "x"]}),
        tell("missing", 7), tell("revision", None), lambda manifest: manifest.pop("database"),
    ]  # fmt: skip
    for change in unreadable:
        assert refusal(tmp_path, by_hand(change=change)).endswith(": its manifest cannot be read.")
    for change in (tell("database", "postgresql"), tell("database", "other")):
        assert refusal(tmp_path, by_hand(change=change)).endswith(": its manifest names no database.")
    newer = refusal(tmp_path, by_hand(change=tell("format", 2)))
    assert newer == "This backup has format 2; this version reads format 1."
    giant = {name: [10**15, "0" * 64] for name in MEMBERS}
    assert refusal(tmp_path, by_hand(change=tell("members", giant))).endswith("are not those of its manifest.")


def test_size_that_the_file_does_not_have_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    info = member("database.sqlite3")
    info.size = 10**12
    file.write(info.tobuf(tarfile.GNU_FORMAT))

    assert refusal(tmp_path, file.getvalue()).startswith("This is no backup of hikflask, or it is not whole: ")


def test_manifest_and_keys_have_a_limit_of_size_as_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = 200
    monkeypatch.setattr(archive, "MAX_MANIFEST", longest)
    monkeypatch.setattr(archive, "MAX_KEYS", longest)
    file = io.BytesIO()
    writer = Writer(file)
    writer.add_bytes("keys.json", bytes(longest + 1))
    # As many photos as there are, and one that is missing: the longest names.
    names = [f"uploads/{'1' * 32}_{n:022}.jpg" for n in range(300)]
    for name in [*MEMBERS, *names]:
        writer.add_bytes(name, b"")
    writer.close(MANIFEST)
    too_large = pytest.raises(BackupError, match=r"or it is not whole: keys.json is too large.$")
    with opened(tmp_path, file.getvalue()) as backup, too_large:
        backup.keys()

    lost = by_hand(change=lambda manifest: manifest.__setitem__("missing", ["x" * 1200]))
    assert refusal(tmp_path, lost) == "This is no backup of hikflask, or it is not whole: manifest.json is too large."


def test_header_that_only_other_formats_have_is_not_read(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE):
        header = member("x", kind, size=10**9).tobuf(tarfile.GNU_FORMAT)
        with (tmp_path / "backup.tar").open("wb") as file:
            file.write(header)
            file.truncate(10**9 + 2048)
        tracemalloc.start()
        with pytest.raises(BackupError, match="a backup has no member 'x'"), archive.opened(tmp_path / "backup.tar"):
            pass
        assert tracemalloc.get_traced_memory()[1] < 10**6
        tracemalloc.stop()


def test_missing_file_and_folder_are_said(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(BackupError) as refused, archive.opened(path):
            pass
        assert str(refused.value) == f"The backup cannot be read: {why}."
