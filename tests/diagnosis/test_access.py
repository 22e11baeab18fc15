"""What is said of the owners of files, and of folders that keep an account out."""

import os
import shutil
from pathlib import Path

import pytest

from hikflask.diagnosis import Finding, access, good, wrong
from tests.support.accounts import as_nobody

CURE = "make it"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance folder with photos."""
    (tmp_path / "uploads").mkdir()
    for name in ("password_key", "uploads/100222_abc.jpg", "uploads/100223_abc.jpg", "uploads/100224_abc.jpg"):
        (tmp_path / name).touch()
    return tmp_path


def told(folder: Path) -> tuple[list[Finding], bool]:
    """What is found, and whether the account may look into the folder."""
    findings, checked = list[Finding](), access.check(folder, CURE)
    while True:
        try:
            findings.append(next(checked))
        except StopIteration as end:
            return findings, end.value


def test_folder_of_its_own_account_is_good(folder: Path) -> None:
    assert told(folder) == ([good(f"{folder} and what is in it belong to root.")], True)


def test_each_other_owner_is_named_once_however_deep_and_many_the_files_are(folder: Path) -> None:
    for name in ("100222_abc.jpg", "100223_abc.jpg", "100224_abc.jpg"):
        shutil.chown(folder / "uploads" / name, 12345)
    shutil.chown(folder / "password_key", 54321)

    cure = f"to root, who runs this: run `chown -R root: {folder}` as root."
    assert told(folder) == (
        [
            wrong(f"{folder}/password_key belongs to 54321, and not {cure}"),
            wrong(f"{folder}/uploads/100222_abc.jpg and 2 more belong to 12345, and not {cure}"),
        ],
        True,
    )


def test_root_is_told_to_be_the_owner(folder: Path) -> None:
    shutil.chown(folder, "nobody")

    assert told(folder) == (
        [wrong(f"{folder} belongs to nobody, and root runs this: run it as nobody.")],
        True,
    )


def test_folder_that_is_not_there_is_said_with_the_cure(folder: Path) -> None:
    assert told(folder / "none") == ([wrong(f"There is no folder {folder}/none: make it.")], False)


def test_folder_behind_a_closed_one_is_not_said_to_be_missing(closed: Path) -> None:
    (closed / "hikflask").mkdir()

    with as_nobody():
        found = told(closed / "hikflask")

    assert found == (
        [
            wrong(
                f"nobody cannot see {closed}/hikflask, as {closed} belongs to root and is closed to others: "
                f"run `chmod o+x {closed}` as root, or move what is in it."
            )
        ],
        False,
    )


def test_folder_of_another_that_is_closed_itself_is_named_by_its_owner(closed: Path) -> None:
    with as_nobody():
        found = told(closed)

    assert found == (
        [
            wrong(
                f"{closed} belongs to root, and not to nobody, who runs this: run `chown -R nobody: {closed}` as root."
            )
        ],
        False,
    )
