"""What is said of the backups of each night."""

import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from hikflask.diagnosis import Finding, access, backups, good, unknown, wrong
from hikflask.extensions import db
from hikflask.models import Photo
from tests.support.backups import run

NIGHTLY = good("hikflask-backup.timer makes a backup each night.")
MAKE_ONE = "`systemctl start hikflask-backup` makes one, and `journalctl -u hikflask-backup` says what becomes of it."
TIMER = {"LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active", "LastTriggerUSec": "Mon 02:03"}
SERVICE = {"LoadState": "loaded", "ActiveState": "inactive"}
HOURS = 48
NAME = "1_aaaaaaaaaaaaaaaaaaaaaa.jpg"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of backups."""
    made = tmp_path / "kept"
    made.mkdir()
    return made


@pytest.fixture
def systemd(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Systemd":
    """A systemd that knows the two units."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    made = Systemd(tmp_path / "systemctl", folder)
    made.knows()
    return made


class Systemd:
    """A program that stands for `systemctl show`."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder

    def knows(self, timer: dict[str, str] | None = None, service: dict[str, str] | None = None) -> None:
        """Let it know the units with these properties besides the usual ones."""
        begin = "{ path=/opt/hikflask/current/bin/hikflask ; argv[]=/opt/hikflask/current/bin/hikflask backup"
        unit = {**SERVICE, "ExecStart": f"{begin} --into {self._folder} ; ignore_errors=no }}", **(service or {})}
        lines = {backups.TIMER: {**TIMER, **(timer or {})}, backups.SERVICE: unit}
        cases = "".join(
            f"*{name}) cat <<'E'\n{chr(10).join(map('='.join, values.items()))}\nE\n;;\n"
            for name, values in lines.items()
        )
        self._program.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}esac\n')
        self._program.chmod(0o700)


def told(folder: Path) -> list[Finding]:
    """What is said but whose the folder is."""
    owner = good(f"{folder} and what is in it belong to {'root' if os.geteuid() == 0 else access.account()}.")
    return [finding for finding in backups.check(HOURS) if finding != owner]


@pytest.mark.usefixtures("systemd")
def test_last_backup_is_opened(app: Flask, folder: Path) -> None:
    (folder / "hikflask-20200101-020000.tar").write_text("an older one")
    assert run(app, "backup", "--into", folder).exit_code == 0
    path = max(folder.iterdir())

    (timer, last) = told(folder)

    assert timer == NIGHTLY
    assert last.is_good
    assert last.sentence.startswith(f"The last backup, {path}, opens: ")
    assert last.sentence.endswith(" rows, 0 photos.")


@pytest.mark.usefixtures("systemd")
def test_last_backup_that_was_cut_off_or_is_old_is_said(app: Flask, folder: Path) -> None:
    run(app, "backup", "--into", folder)
    path = max(folder.iterdir())
    whole = path.read_bytes()
    today = f'"taken_at": "{datetime.now(UTC):%Y}'.encode()
    assert today in whole
    path.write_bytes(whole.replace(today, b'"taken_at": "2020'))
    old = told(folder)[-1]
    path.write_bytes(whole[: len(whole) // 2])
    cut = told(folder)[-1]

    assert not old.is_good
    assert old.sentence.startswith(f"The last backup, {path}, opens: ")
    assert old.sentence.endswith(f" days old: {MAKE_ONE}")
    assert cut == wrong(
        f"The last backup, {path}, does not open: This is no backup of hikflask, or it is not whole: it is cut off. "
        f"{MAKE_ONE}"
    )


@pytest.mark.usefixtures("systemd")
def test_last_backup_that_lacks_photos_is_wrong_and_one_that_has_them_is_named(app: Flask, folder: Path) -> None:
    with app.app_context():
        db.session.add(Photo(file=NAME, sha256="0", source="upload"))
        db.session.commit()
    picture = Path(app.config["UPLOADS"]) / NAME
    picture.touch()
    run(app, "backup", "--into", folder)
    (whole,) = folder.iterdir()
    source = whole.rename(folder / "hikflask-20260101-020000.tar")
    picture.unlink()
    run(app, "backup", "--into", folder)

    last = told(folder)[-1]
    source.unlink()
    without = told(folder)[-1]

    lacks = "1 photos, whose files were missing"
    assert (last.is_good, without.is_good) == (False, False)
    assert last.sentence.endswith(
        f" rows, 0 photos; but it lacks {lacks}: `hikflask restore --photos {source}` puts back those of then."
    )
    assert without.sentence.endswith(f" rows, 0 photos; but it lacks {lacks}: take them anew.")


def test_folder_without_a_backup_is_wrong_once_the_timer_has_run(systemd: Systemd, folder: Path) -> None:
    stat = folder.parent / "stat"
    stat.symlink_to("/bin/true")
    later = told(folder)
    systemd.knows(timer={"LastTriggerUSec": ""})

    assert later == [NIGHTLY, wrong(f"There is no backup in {folder}: {MAKE_ONE}")]
    assert told(folder) == [NIGHTLY, good(f"There is no backup in {folder} yet: the first is made tonight.")]


@pytest.mark.usefixtures("systemd")
def test_restart_before_the_first_night_is_not_taken_for_a_night_without_a_backup(folder: Path) -> None:
    stat = folder.parent / "stat"
    stat.touch(0o700)
    found = {}
    for hours in (24, 26):
        stat.write_text(f"#!/bin/sh\necho {int(time.time()) - hours * 3600}\n")
        found[hours] = told(folder)[-1]

    assert found == {
        24: good(f"There is no backup in {folder} yet: the first is made tonight."),
        26: wrong(f"There is no backup in {folder}: {MAKE_ONE}"),
    }


def test_timer_that_is_off_and_a_backup_that_failed_are_said(systemd: Systemd, folder: Path) -> None:
    systemd.knows(timer={"UnitFileState": "disabled", "ActiveState": "inactive"}, service={"ActiveState": "failed"})

    assert told(folder)[:2] == [
        wrong(
            "hikflask-backup.timer is disabled and inactive, so no backups are made: "
            "`systemctl enable --now hikflask-backup.timer`."
        ),
        wrong("The last backup failed: `journalctl -u hikflask-backup` says why."),
    ]


@pytest.mark.usefixtures("systemd")
def test_folder_that_is_missing_or_of_another_owner_is_said(folder: Path) -> None:
    folder.rmdir()
    missing = told(folder)

    assert missing == [NIGHTLY, wrong(f"There is no folder {folder}: {MAKE_ONE}")]
    if os.geteuid() == 0:
        folder.mkdir()
        (folder / "a").touch()
        shutil.chown(folder / "a", 12345)
        assert told(folder)[1] == wrong(
            f"{folder}/a belongs to 12345, and not to root, who runs this: run `chown -R root: {folder}` as root."
        )


def test_where_systemd_tells_of_no_timer_nothing_is_known(systemd: Systemd, folder: Path) -> None:
    systemd.knows(timer={"LoadState": "not-found"}, service={"ExecStart": ""})

    assert told(folder) == [
        unknown(
            "Whether backups are made each night cannot be known here, as systemd tells of no hikflask-backup.timer: "
            "see to it that something else runs `hikflask backup`."
        )
    ]


def test_unit_says_where_backups_are_in_a_way_that_is_understood() -> None:
    unit = (Path(__file__).parents[2] / "deploy/hikflask-backup.service").read_text(encoding="utf-8")
    found = backups.INTO.search(unit)

    assert found is not None
    assert found[1] == "/var/lib/hikflask-backups"
