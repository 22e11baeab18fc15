"""Files with keys: created once, replaced as a whole, changed by one process at a time."""

import os
import stat
from pathlib import Path

import pytest

from hikflask.encryption import key_file


def test_keys_are_split_at_line_ends_commas_and_spaces() -> None:
    assert key_file.split("new,old\n older\n\n") == ["new", "old", "older"]


def test_file_is_created_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key_file.create(file, "first")

    with pytest.raises(FileExistsError):
        key_file.create(file, "second")

    assert file.read_text() == "first\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["key"]


def test_file_is_replaced_also_behind_a_link_and_after_a_process_was_killed(tmp_path: Path) -> None:
    file, link = tmp_path / "key", tmp_path / "link"
    key_file.create(file, "first")
    link.symlink_to(file)
    (tmp_path / "key.new").write_text("half")

    key_file.replace(link, "second")

    assert link.is_symlink()
    assert file.read_text() == "second\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["key", "link"]


def test_one_process_at_a_time_holds_the_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key_file.create(file, "first")

    with key_file.held(file), pytest.raises(BlockingIOError), key_file.held(file):
        pass

    with key_file.held(file):
        pass
