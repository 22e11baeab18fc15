"""Passages after a restore and after an erasure: the logs of terminals are read on, and bring nobody back."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from hikflask.extensions import db
from hikflask.models import Event, EventLog, JournalAlarm, Terminal
from hikflask.services.core import heartbeat
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.passages import intake
from hikflask.services.settings import change, stored
from hikflask.simulator import Terminal as Simulated
from tests.support.backups import another, back_up, restore
from tests.support.erasures import IVAN, enrol, every_text, fresh, settle_all
from tests.support.events import spans_of
from tests.support.postgresql import Cluster


@pytest.fixture
def cluster_of(request: pytest.FixtureRequest, database: dict[str, str]) -> Cluster | None:
    return request.getfixturevalue("cluster") if database else None


@pytest.fixture(autouse=True)
def recording(app: Flask, terminal: Terminal) -> None:  # noqa: ARG001
    """An administrator has switched the record on, so a backup has that, too."""
    with app.app_context():
        heartbeat.beat("test")
        change.change("PASSAGES", "poll")


def kept() -> list[int]:
    return list(db.session.execute(select(Event.serial_no).order_by(Event.serial_no, Event.id)).scalars())


def read_all() -> None:
    """Read the log of the only terminal until nothing is left."""
    intake.claim_due()
    for _ in range(20):
        has_more = intake.read_log(1, "test")
        log = db.session.execute(select(EventLog), execution_options={"populate_existing": True}).scalar_one()
        assert log.error_code == ""
        if not has_more and log.older_than is None and "pass" not in log.state:
            return


@pytest.mark.both_databases
def test_restored_log_is_read_on_from_where_the_backup_ends(
    app: Flask, simulator: Simulated, tmp_path: Path, cluster_of: Cluster | None
) -> None:
    with app.app_context():
        for number in ("1", "2", "3"):
            simulator.events.add(5, 75, number)
        read_all()
        db.session.execute(update(Event).values(picture="passage_not_in_a_backup.jpg"))
        db.session.commit()
    file = back_up(app, tmp_path / "backup")
    with app.app_context():
        for number in ("4", "5"):
            simulator.events.add(5, 75, number)
        read_all()
        assert kept() == [1, 2, 3, 4, 5]
        # Before the first record, and since the last reading, nothing is known.
        reasons = [span.reason for span in spans_of(1)]
        assert reasons.count("") == 1
    simulator.events.add(1, 1030)

    folder = tmp_path / "another"
    folder.mkdir()
    with another(app, folder, cluster_of) as other:
        assert restore(other, file).exit_code == 0
        with other.app_context():
            stored.reload()  # As a service that begins.
            assert kept() == [1, 2, 3]
            assert db.session.execute(select(Event.picture)).scalars().all() == [None, None, None]
            read_all()
            read_all()

            assert kept() == [1, 2, 3, 4, 5, 6]
            assert [span.reason for span in spans_of(1)] == reasons
            assert db.session.execute(select(JournalAlarm.minor)).scalars().all() == [1030]


def test_log_that_is_read_from_its_beginning_again_brings_no_erased_person_back(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    with app.app_context():
        ivan = enrol(simulator, terminal, IVAN)
        for _ in range(3):
            simulator.pass_by(IVAN.number)
        read_all()
        assert "Иван" in every_text()
        before = kept()
        erasure = erase_employee(ivan.id).row
        simulator.pass_by(IVAN.number)
        read_all()
        settle_all()
        assert fresh(erasure).waits_for_database or fresh(erasure).completed_at

        # As for a terminal whose log nobody knows any more.
        db.session.execute(delete(EventLog))
        db.session.commit()
        read_all()

        assert len(kept()) > len(before)
        assert len(kept()) == len(set(kept()))
        assert "Иван" not in every_text()
