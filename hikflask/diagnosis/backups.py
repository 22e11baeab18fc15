"""The backups of each night: the timer, the folder, and the last one, which is opened."""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hikflask.diagnosis import Finding, access, good, machine, unknown, wrong
from hikflask.services.backups import BackupError, archive, create

TIMER, SERVICE = "hikflask-backup.timer", "hikflask-backup.service"
PROPERTIES = "LoadState,UnitFileState,ActiveState,LastTriggerUSec,ExecStart"
NEVER = "n/a"
SECONDS = 10.0
# The timer waits for up to a quarter of an hour.
FIRST_NIGHT_SECONDS = 25 * 3600
INTO = re.compile(r"--into[ =](\S+)")
MAKE_ONE = "`systemctl start hikflask-backup` makes one, and `journalctl -u hikflask-backup` says what becomes of it"


def check(max_hours: int) -> Iterator[Finding]:
    """Check timer, folder and last backup. :param max_hours: how old the last one may be; 0 for any age."""
    timer, service = _properties(TIMER), _properties(SERVICE)
    into = INTO.search(service.get("ExecStart", ""))
    if timer.get("LoadState") != "loaded" or into is None:
        yield unknown(
            f"Whether backups are made each night cannot be known here, as systemd tells of no {TIMER}: see to it that "
            "something else runs `hikflask backup`."
        )
        return
    yield _timer(timer)
    if service.get("ActiveState") == "failed":
        yield wrong("The last backup failed: `journalctl -u hikflask-backup` says why.")
    folder = Path(into[1])
    if (yield from access.check(folder, MAKE_ONE)):
        has_run = timer.get("LastTriggerUSec", NEVER) not in {"", NEVER} and not _is_new(folder)
        yield _last(folder, has_run=has_run, max_hours=max_hours)


def _properties(unit: str) -> Mapping[str, str]:
    lines = machine.output("systemctl", "show", f"--property={PROPERTIES}", unit, seconds=SECONDS).splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _timer(timer: Mapping[str, str]) -> Finding:
    states = [state for state in (timer.get("UnitFileState"), timer.get("ActiveState")) if state]
    if states == ["enabled", "active"]:
        return good(f"{TIMER} makes a backup each night.")
    return wrong(f"{TIMER} is {' and '.join(states)}, so no backups are made: `systemctl enable --now {TIMER}`.")


def _is_new(folder: Path) -> bool:
    """Tell whether a folder was made since the last night.

    After a restart of the machine systemd takes the moment when the timer was enabled for the one when it ran last.
    """
    born = machine.output("stat", "--format=%W", str(folder), seconds=SECONDS)
    return born.isdecimal() and time.time() - int(born) < FIRST_NIGHT_SECONDS


def _last(folder: Path, *, has_run: bool, max_hours: int) -> Finding:
    paths = sorted(path for path in folder.iterdir() if create.ROTATED.match(path.name))
    if not paths:
        if has_run:
            return wrong(f"There is no backup in {folder}: {MAKE_ONE}.")
        return good(f"There is no backup in {folder} yet: the first is made tonight.")
    path = paths[-1]
    try:
        with archive.opened(path) as backup:
            manifest = backup.manifest
    except BackupError as error:
        return wrong(f"The last backup, {path}, does not open: {error} {MAKE_ONE}.")
    text = f"The last backup, {path}, opens: {sum(manifest.rows.values())} rows, {len(manifest.photos)} photos"
    age = datetime.now(UTC) - manifest.taken_at
    if max_hours and age > timedelta(hours=max_hours):
        return wrong(f"{text}; but it is {age.days} days old: {MAKE_ONE}.")
    if manifest.missing:
        source = next(create.backups_with(manifest.missing, paths[:-1]), None)
        cure = f"`hikflask restore --photos {source}` puts back those of then" if source else "take them anew"
        return wrong(f"{text}; but it lacks {len(manifest.missing)} photos, whose files were missing: {cure}.")
    return good(f"{text}.")
