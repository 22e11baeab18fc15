"""Which photos have lost their files."""

import pytest

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.models.columns import database_now
from hikflask.services.photos import lost_files, storage

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def add(*names: str, with_file: bool = True) -> None:
    """Save photos with these names."""
    for name in names:
        db.session.add(Photo(file=f"{name}.jpg", sha256=name, source="upload"))
        if with_file:
            (storage.folder() / f"{name}.jpg").write_bytes(b"")
    db.session.commit()


def test_photo_without_its_file_is_found_and_one_whose_retention_ended_is_not() -> None:
    add("1_a")
    add("2_b", with_file=False)
    db.session.add(Photo(file="3_c.jpg", sha256="3", source="upload", forgotten_at=database_now(-9)))
    db.session.add(Photo(file="4_d.jpg", sha256="4", source="upload", forgotten_at=database_now(99)))
    db.session.commit()

    lost, count = lost_files.find()

    assert ([(row.file, row.sha256) for row in lost], count) == ([("2_b.jpg", "2_b")], 2)


def test_folder_that_is_gone_has_lost_all() -> None:
    add("1_a", with_file=False)
    storage.folder().rmdir()

    assert (len(lost_files.find()[0]), lost_files.most_are_lost()) == (1, True)


def test_most_are_lost_where_half_of_the_oldest_and_newest_are_also_when_new_ones_came_since() -> None:
    assert not lost_files.most_are_lost()
    add(*(f"1_{n}" for n in range(30)))
    assert not lost_files.most_are_lost()
    (storage.folder() / "1_29.jpg").unlink()
    assert not lost_files.most_are_lost()

    for path in storage.folder().iterdir():
        path.unlink()
    add(*(f"2_{n}" for n in range(30)))

    assert lost_files.most_are_lost()
