"""What is written while a backup is made, or restored, is this account's alone, and no link leads it elsewhere."""

import stat
from pathlib import Path

import pytest

from hikflask.extensions import db
from hikflask.services.backups import create, sqlite, staging
from hikflask.services.photos import storage
from tests.support.captures import FACE

pytestmark = pytest.mark.usefixtures("context")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_reads_the_copy_of_the_database_or_what_a_restore_prepares(tmp_path: Path) -> None:
    with db.engine.connect() as connection:
        sqlite.copy(connection, tmp_path / "copy")
    with staging.held() as folder:
        modes = mode(tmp_path / "copy"), mode(folder)

    assert modes == (0o600, 0o700)


def test_link_in_the_place_of_a_photo_is_missing_in_a_backup(tmp_path: Path) -> None:
    photo = storage.keep(FACE, "100222")
    storage.save(photo)
    db.session.commit()
    (tmp_path / "secret").write_text("x")
    (storage.folder() / photo.file).unlink()
    (storage.folder() / photo.file).symlink_to(tmp_path / "secret")

    manifest = create.create(tmp_path / "backup.tar")

    assert (manifest.missing, manifest.photos) == ([photo.file], [])
