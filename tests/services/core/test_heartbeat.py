"""A worker lives as long as its last sign is recent."""

from flask import Flask

from hikflask.extensions import db
from hikflask.models import Heartbeat
from hikflask.models.columns import database_now
from hikflask.services.core import heartbeat


def test_a_worker_lives_from_its_first_sign_until_it_leaves(app: Flask) -> None:
    with app.app_context():
        assert not heartbeat.alive()
        heartbeat.beat("first")
        heartbeat.beat("first")
        assert heartbeat.alive()
        heartbeat.leave("first")
        assert not heartbeat.alive()


def test_a_worker_that_was_silent_for_three_sweeps_is_taken_for_dead(app: Flask) -> None:
    app.config["SWEEP_INTERVAL"] = 10.0
    with app.app_context():
        heartbeat.beat("silent")
        db.session.execute(db.update(Heartbeat).values(seen_at=database_now(-29.0)))
        db.session.commit()
        assert heartbeat.alive()
        db.session.execute(db.update(Heartbeat).values(seen_at=database_now(-31.0)))
        db.session.commit()

        assert not heartbeat.alive()


def test_the_row_of_a_worker_that_died_long_ago_goes_with_the_first_sign_of_another(app: Flask) -> None:
    with app.app_context():
        heartbeat.beat("dead")
        db.session.execute(db.update(Heartbeat).values(seen_at=database_now(-heartbeat.FORGOTTEN_AFTER - 1.0)))
        db.session.commit()
        heartbeat.beat("alive")

        assert db.session.execute(db.select(Heartbeat.worker)).scalars().all() == ["alive"]
