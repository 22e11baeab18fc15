"""What is said of the files of photos."""

import pytest

from hikflask.diagnosis import files, good, wrong
from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.services.photos import storage

pytestmark = pytest.mark.usefixtures("context")


def test_photos_whose_files_are_missing_are_said_with_what_to_do() -> None:
    db.session.add_all(Photo(file=f"{n}_a.jpg", sha256="0", source="upload") for n in range(5))
    db.session.commit()
    folder = storage.folder()
    (folder / "0_a.jpg").touch()

    assert list(files.check_photos()) == [
        wrong(
            f"The files of 4 of 5 photos are missing in {folder} (1_a.jpg, 2_a.jpg, 3_a.jpg and 1 more): mount the "
            "disk that they are on, or put them back with `hikflask restore --photos FILE`, where FILE is the last "
            "backup that has them; take the others anew."
        )
    ]
    for n in range(5):
        (folder / f"{n}_a.jpg").touch()
    assert list(files.check_photos()) == [good(f"The files of all 5 photos are in {folder}.")]
