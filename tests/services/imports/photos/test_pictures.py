"""The pictures of an archive: looked at, and stored for one number."""

from pathlib import Path

import pytest

from hikflask.models import ImportBatch
from hikflask.models.people import UPLOADED
from hikflask.services.core.errors import PhotosWaiting, ServiceError
from hikflask.services.import_files import stored_files
from hikflask.services.import_files.photo_archive import Contents
from hikflask.services.imports import batches
from hikflask.services.imports.photos import pictures
from hikflask.services.photos import storage
from hikflask.services.photos.inspection import CheckedPhoto
from hikflask.services.photos.inspection_checks import Finding
from tests.support.captures import FACE
from tests.support.imports import batch, made
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")


def archive(found: ImportBatch) -> Path:
    return stored_files.path_of(found.photos_file)


def checked(*findings: Finding) -> CheckedPhoto:
    return CheckedPhoto(b"jpeg", findings, faces_checked=True)


def test_serious_finding_makes_a_picture_wrong_and_another_does_not() -> None:
    found = batch(made(pictures={"1.jpg": FACE}))
    serious = Finding("photo_small", {"n": 10}, serious=True)

    wrong = pictures.check_picture(archive(found), ["1.jpg"], lambda _: checked(Finding("photo_dark"), serious))
    right = pictures.check_picture(archive(found), ["1.jpg"], lambda _: checked(Finding("photo_dark")))

    assert wrong.error == refusal("photo_small", n=10)
    assert (right.error, right.sha256) == (None, storage.sha256(b"jpeg"))


def test_two_pictures_of_one_number_are_wrong() -> None:
    found = batch(made(pictures={"1.jpg": FACE, "1.png": FACE}))

    said = pictures.check_picture(archive(found), ["1.jpg", "1.png"], lambda _: checked())

    assert said.error == refusal("photo_twice", others="1.png")


def test_picture_is_tried_again_while_others_have_theirs_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PAUSE", 0.0)
    monkeypatch.setattr(pictures, "PATIENCE", 0.1)
    found, tries = batch(made(pictures={"1.jpg": FACE})), iter([True, True, False])

    def busy(_: object) -> CheckedPhoto:
        if next(tries, True):
            raise PhotosWaiting(seconds=10)
        return checked()

    assert pictures.check_picture(archive(found), ["1.jpg"], busy).error is None
    assert pictures.check_picture(archive(found), ["1.jpg"], busy).error == refusal("photos_waiting", seconds=10)


def test_picture_is_stored_and_one_that_is_gone_is_said() -> None:
    found = batch(made(pictures={"1.jpg": FACE}))
    assert pictures.contents(found) == Contents({"1": ["1.jpg"]})
    photo = pictures.store_photo(storage.Files(), found, "1.jpg", "1")
    assert (photo.source, photo.file.partition("_")[0]) == (UPLOADED, "1")

    batches.remove_photos(found.id)

    with pytest.raises(ServiceError, match=r"^import_photo_gone$"):
        pictures.store_photo(storage.Files(), batch(found.id), "1.jpg", "1")
    with pytest.raises(ServiceError, match=r"^import_file_gone$"):
        pictures.contents(batch(found.id))
