"""Thumbnails of an import's photos: one for each picture, beside the archive, and gone with it."""

import io
from contextlib import closing

import pytest
from PIL import Image

from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches
from hikflask.services.imports.photos import thumbnails
from hikflask.services.imports.photos.thumbnails import Thumbnails
from hikflask.services.photos.jpeg import THUMBNAIL_SIDE
from tests.support.captures import FACE, OTHER_FACE
from tests.support.imports import batch, checked, made
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("context")


def test_each_picture_of_the_archive_has_one_whoever_it_is_of() -> None:
    add_people("1")
    pictures = {
        "1.jpg": FACE, "фото/Анна Ёлкина.jpg": OTHER_FACE, "IMG_1.jpg": FACE, "9.jpg": FACE, "2.jpg": FACE,
        "2.png": FACE, "3.jpg": b"no picture", "список.txt": b"text",
    }  # fmt: skip

    found = batch(checked("1;Иван Иванов;", "2;Пётр;", "3;Яна;", "4;Анна Елкина;", pictures=pictures))

    shown = thumbnails.available(found.photos_file, pictures)
    assert shown == {"1.jpg", "фото/Анна Ёлкина.jpg", "IMG_1.jpg", "9.jpg", "2.jpg"}
    for name in shown:
        picture = Image.open(io.BytesIO(thumbnails.read(found.photos_file, name) or b""))
        assert (picture.format, max(picture.size)) == ("JPEG", THUMBNAIL_SIDE), name
    assert thumbnails.read(found.photos_file, "3.jpg") is None
    assert thumbnails.path_of(found.photos_file).stat().st_mode & 0o777 == 0o600


def test_they_go_with_the_archive() -> None:
    found = checked(pictures={"1.jpg": FACE})
    photos_file = batch(found).photos_file
    assert thumbnails.available(photos_file, ["1.jpg"])

    batches.remove_photos(found)

    assert list(stored_files.folder().iterdir()) == []
    assert thumbnails.available(photos_file, ["1.jpg"]) == set()
    assert thumbnails.read(photos_file, "1.jpg") is None


def test_none_are_shown_of_an_archive_that_was_written_anew_meanwhile() -> None:
    photos_file = batch(made(pictures={"1.jpg": FACE})).photos_file

    def changed() -> None:
        raise InterruptedError

    with closing(Thumbnails()) as made_thumbnails:
        made_thumbnails.add("1.jpg", FACE)
        with pytest.raises(InterruptedError):
            made_thumbnails.publish(photos_file, changed)

    assert [path.name for path in stored_files.folder().iterdir()] == [photos_file]


def test_damaged_file_of_them_shows_none() -> None:
    photos_file = batch(checked(pictures={"1.jpg": FACE})).photos_file
    thumbnails.path_of(photos_file).write_bytes(b"damaged")

    assert thumbnails.available(photos_file, ["1.jpg"]) == set()
