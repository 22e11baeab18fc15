"""The last good backup is known, and missed when it is too old."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import current_app
from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.models import Backup
from hikflask.services.backups import records
from hikflask.services.backups.archive import Manifest
from tests.support.made_backups import run_without_backup
from tests.support.retention import age

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

MANIFEST = Manifest(
    datetime(2026, 11, 27, tzinfo=UTC),
    "0018",
    "sqlite",
    "",
    rows={"employee": 3, "photo": 2},
    members={"uploads/1_a.jpg": (5, ""), "keys.json": (7, "")},
    missing=["2_b.jpg"],
)


def test_newest_is_remembered_and_old_ones_are_forgotten() -> None:
    assert records.newest() is None

    made = records.add(MANIFEST, 1000)

    assert (made.size, made.rows, made.photos, made.missing, made.with_keys) == (1000, 5, 1, 1, True)
    assert made.taken_at == MANIFEST.taken_at
    db.session.execute(db.insert(Backup), [_columns()] * (records.MAX_RECORDS + 1))
    db.session.commit()
    newest = records.add(MANIFEST, 2000)
    assert db.session.execute(select(func.count(Backup.id))).scalar_one() == records.MAX_RECORDS
    assert records.newest() == newest


def _columns() -> dict[str, object]:
    given = {"taken_at": MANIFEST.taken_at, "finished_at": MANIFEST.taken_at}
    return {**given, "size": 1, "rows": 1, "photos": 0, "missing": 0, "with_keys": False}


def test_first_backup_is_not_missed_before_the_installation_is_as_old_as_a_backup_may_be() -> None:
    current_app.config["BACKUP_MAX_AGE"] = 48
    assert not records.is_overdue()
    run_without_backup(hours=47)
    assert not records.is_overdue()

    run_without_backup(hours=49)

    assert records.is_overdue()


def test_old_backup_one_without_all_photos_or_none_is_overdue_where_that_is_watched() -> None:
    run_without_backup(hours=49)
    assert not records.is_overdue()
    current_app.config["BACKUP_MAX_AGE"] = 48
    assert records.is_overdue()

    records.add(replace(MANIFEST, missing=[]), 1000)

    assert not records.is_overdue()
    records.add(MANIFEST, 1000)
    assert records.is_overdue()
    whole = records.add(replace(MANIFEST, missing=[]), 1000)
    records.add(MANIFEST, 1000)
    assert records.newest(whole=True) == whole
    records.add(replace(MANIFEST, missing=[]), 1000)
    assert not records.is_overdue()
    age(Backup, "finished_at", 49 * 3600.0)
    assert records.is_overdue()
