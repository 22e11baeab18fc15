"""Switching the record of passages on and off: both ask first, and all that is stored can be deleted at once."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Event, EventCoverage, EventLog, Job, Terminal
from hikflask.models.event import NEW_LOG, NOT_READ
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DELETE_PASSAGES, NEWEST
from hikflask.services.changes.run import run_to_end
from hikflask.services.passages import retention
from tests.support.desk import ENGLISH
from tests.support.events import AT, add_events, event_row, spans_of
from tests.support.trail import entries

PAGE = "/administration/settings/PASSAGES"
# As the state of a log has a moment.
SINCE = "2026-12-01T08:00:00+00:00"


def sentences(page: str) -> str:
    """The text of a page, in one line."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def stored() -> list[int]:
    return list(db.session.execute(db.select(Event.serial_no).order_by(Event.id)).scalars())


def test_switching_on_asks_first_and_says_what_is_recorded_for_how_long_and_who_sees_it(
    app: Flask, client: FlaskClient
) -> None:
    asked = client.post(PAGE, data={"choice": "poll"})
    assert (asked.status_code, asked.location, app.config["PASSAGES"]) == (303, f"{PAGE}/ask?choice=poll", "off")

    russian, english = (sentences(client.get(asked.location, headers=told).text) for told in ({}, ENGLISH))
    for words in (
        "Who passed, where and when: ID and name as the terminal has them.",
        "Faces that were not recognised, and photos held before the camera: when and where, without a name.",
        "Terminals remember. What they still have of the days before is read, too.",
        "Passages are kept for 90 days, and then deleted.",
        "No pictures are kept. They are switched on by a setting of their own.",
        "this page is no legal advice.",
    ):
        assert words in english
    assert "Кто прошёл, где и когда: ID и имя, как они записаны на терминале." in russian
    assert "Проходы хранятся 90 дней, затем удаляются." in russian

    done = client.post(PAGE, data={"choice": "poll", "agreed": "y"})
    assert (done.status_code, done.location, app.config["PASSAGES"]) == (303, "/passages/", "poll")
    with app.app_context():
        (entry,) = entries("setting.changed")
        assert (entry.subject, entry.before, entry.after) == ("PASSAGES", {"value": "off"}, {"value": "poll"})
    assert "Who passed, where and when" in client.get(PAGE, headers=ENGLISH).text


def test_switching_off_asks_and_keeps_what_is_stored_until_its_time(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    client.post(PAGE, data={"choice": "poll", "agreed": "y"})
    with app.app_context():
        add_events(event_row(terminal, serial_no=1), event_row(terminal, serial_no=2))
    for way in (PAGE, f"{PAGE}/default"):
        asked = client.post(way, data={"choice": "off"})
        assert (asked.status_code, asked.location, app.config["PASSAGES"]) == (303, f"{PAGE}/ask?choice=off", "poll")

    page = sentences(client.get(asked.location, headers=ENGLISH).text)
    assert "2 passages are stored. Each is deleted when it is 90 days old, or all of them now." in page

    client.post(PAGE, data={"choice": "off", "agreed": "y"})
    with app.app_context():
        assert (app.config["PASSAGES"], stored()) == ("off", [1, 2])
    left = sentences(client.get(PAGE, headers=ENGLISH).text)
    assert "What is stored 2 passages are stored. Delete all" in left


def test_all_passages_are_deleted_at_once_by_a_job(
    app: Flask, client: FlaskClient, terminal: Terminal, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "EVENT_BATCH", 2)
    client.post(PAGE, data={"choice": "poll", "agreed": "y"})
    with app.app_context():
        add_events(*(event_row(terminal, serial_no=n) for n in range(5)))
        db.session.add(EventCoverage(terminal_id=terminal.id, from_at=AT, to_at=AT, is_complete=True))
        db.session.add(EventLog(terminal_id=terminal.id, anchor_serial=4, state={"begins": NEW_LOG, "since": SINCE}))
        db.session.commit()

    begun = client.post(f"{PAGE}/delete")
    run_jobs()

    assert app.config["PASSAGES"] == "off"
    with app.app_context():
        assert stored() == []
        # The log is read on from where it was, and of what was before nobody says that it is not there.
        log = db.session.execute(db.select(EventLog)).scalar_one()
        assert (log.anchor_serial, log.state) == (4, {"since": SINCE})
        assert [span.reason for span in spans_of(terminal.id)] == [NOT_READ]
        job = db.session.execute(db.select(Job)).scalar_one()
        assert (begun.location, job.state, job.done, job.total) == (f"/jobs/{job.id}", "done", 5, 5)
        (entry,) = entries("passages.deleted")
        assert (entry.subject, entry.after) == (f"job {job.id}", {"passages": 5})
    assert "Deletion of all passages" in client.get(begun.location, headers=ENGLISH).text
    assert "Удаление всех проходов" in client.get("/jobs/").text


@pytest.mark.usefixtures("context")
def test_what_is_recorded_after_the_question_is_kept(app: Flask, terminal: Terminal) -> None:
    app.config["PASSAGES"] = "poll"
    *_, newest = add_events(event_row(terminal, serial_no=1), event_row(terminal, serial_no=2))
    claim = lifecycle.begin(DELETE_PASSAGES, {NEWEST: newest})
    add_events(event_row(terminal, serial_no=3))

    run_to_end(claim)

    assert stored() == [3]
