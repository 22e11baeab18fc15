"""The folder in which a restore prepares everything, so that an unfinished restore is recognised and cleared."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flask import current_app

from hikflask.encryption import key_file
from hikflask.services.backups import BackupError

# The photos that a restore puts into the uploads folder, one a line: they belong to nobody until the database is there.
NAMES = "photos.txt"


def folder() -> Path:
    """Return the staging folder."""
    return Path(current_app.config["INSTANCE_PATH"]) / ".restore"


@contextmanager
def held() -> Iterator[Path]:
    """Make the staging folder, empty, for this process alone; it is removed at the end.

    :raises BackupError: when another restore runs.
    """
    place = folder()
    place.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("Another restore is running.") from None
        try:
            _clear(place)
            yield place
        except BaseException:
            _clear(place)
            raise
        finally:
            shutil.rmtree(place)
    finally:
        os.close(handle)


def _clear(place: Path) -> None:
    """Remove what an unfinished restore has left, also in the uploads folder."""
    uploads = Path(current_app.config["UPLOADS"])
    for name in moved():
        (uploads / name).unlink(missing_ok=True)
    for path in place.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def moved() -> set[str]:
    """Return the photos that an unfinished restore may have moved into the uploads folder."""
    names = folder() / NAMES
    return set(names.read_text(encoding="ascii").split()) if names.exists() else set()


def write_names(names: list[str]) -> None:
    """Write the names of the photos that will be moved into the uploads folder, before the first is moved."""
    path = folder() / NAMES
    path.write_text("\n".join(names), encoding="ascii")
    # One call for all of the photos, too.
    os.sync()


def keep_photos() -> None:
    """Keep the moved photos, whatever happens next: the database is in its place."""
    (folder() / NAMES).unlink()


def clear_leftovers() -> None:
    """Remove what a killed restore has left beside an installation that is in use by now."""
    place = folder()
    if not place.exists():
        return
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(place)
    os.close(handle)


def give_to_service(path: Path) -> None:
    """Give a new file the owner of the instance folder: when root restores, the service must still own everything."""
    key_file.give(path, folder().parent)
