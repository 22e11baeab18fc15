"""Pictures that are named by full names belong to the only one who has that name."""

import unicodedata

import pytest

from hikflask.services.import_files.photo_archive import Contents
from hikflask.services.imports.photos.photo_names import employees, named_by_name
from tests.support.jobs import add_people

IVAN, ANNA = "Иванов Иван Иванович", "Ёлкина Анна"


def test_name_is_found_however_it_is_spelled() -> None:
    for file in (
        "Иванов Иван Иванович.jpg", "фото/иванов_иван_иванович.JPEG", "a\\ИВАНОВ  ИВАН ИВАНОВИЧ .png",
        f"{unicodedata.normalize('NFD', IVAN)}.webp",
    ):  # fmt: skip
        assert named_by_name(Contents(others=[file]), [("7", IVAN)]) == Contents({"7": [file]}), file
    assert named_by_name(Contents(others=["Елкина Анна.jpg"]), [("8", ANNA)]).pictures == {"8": ["Елкина Анна.jpg"]}


def test_other_files_and_parts_of_names_stay_unnamed() -> None:
    contents = Contents({"1": ["1.jpg"]}, ["Иванов.jpg", "Иванов Иван Иванович.txt", ".jpg", "Пётр.jpg"])

    assert named_by_name(contents, [("7", IVAN), ("8", ANNA), ("9", "")]) == contents


def test_picture_of_namesakes_is_of_nobody_and_of_somebody_who_is_there_twice_of_them() -> None:
    contents = Contents(others=[f"{IVAN}.jpg", f"{ANNA}.jpg"])

    found = named_by_name(contents, [("7", IVAN), ("8", ANNA), ("9", IVAN.upper()), ("8", ANNA)])

    assert found == Contents({"8": [f"{ANNA}.jpg"]}, namesakes={f"{IVAN}.jpg": "7"})


def test_picture_that_is_named_by_name_comes_after_the_one_that_is_named_by_id() -> None:
    found = named_by_name(Contents({"7": ["7.jpg"]}, [f"{IVAN}.jpg"]), [("7", IVAN)])

    assert found == Contents({"7": ["7.jpg", f"{IVAN}.jpg"]})


@pytest.mark.usefixtures("context")
def test_employees_are_those_who_are_here() -> None:
    add_people("7", "8")

    assert sorted(employees()) == [("7", "Иван Иванов 7"), ("8", "Иван Иванов 8")]
