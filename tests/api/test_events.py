"""GET /api/events/: what terminals recorded, for a program that follows it."""

import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Event, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.event import CHECK_IN, KINDS, OFF, UNKNOWN_PERSON
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage
from hikflask.services.photos import storage
from tests.support.captures import FACE
from tests.support.employees import save_with_file
from tests.support.events import add_events, event_row
from tests.support.signed_in import client_of, make_token
from tests.support.trail import entries

ADDRESS = "/api/events/"


@pytest.fixture(name="settings")
def switched_on() -> dict[str, Any]:
    return {"PASSAGES": "poll"}


@pytest.fixture(autouse=True)
def stored(app: Flask, terminal: Terminal) -> None:
    with app.app_context():
        ivan = save_with_file()
        add_events(
            event_row(terminal, employee=ivan, serial_no=7, attendance=CHECK_IN),
            event_row(terminal, kind=UNKNOWN_PERSON, code=(5, 76), serial_no=8),
        )
        db.session.expunge_all()


def test_program_follows_events(client: FlaskClient, terminal: Terminal) -> None:
    first = client.get(ADDRESS, query_string={"limit": 1}).get_json()
    second = client.get(ADDRESS, query_string={"since": first["next"]}).get_json()
    end = client.get(ADDRESS, query_string={"since": second["next"]}).get_json()

    assert first["events"] == [
        {
            "id": 1,
            "device_id": terminal.id,
            "device_serial": terminal.serial,
            "serial_no": 7,
            "time": "2026-11-30T09:00:00Z",
            "device_time": "2026-11-30T09:00:00+00:00",
            "code": "5/75",
            "kind": "passed",
            "hikvision_id": "100222",
            "user_id": 1,
            "name": "Иван Иванов",
            "picture": None,
            "received_at": first["events"][0]["received_at"],
            "attendance": "check_in",
        }
    ]
    (unknown,) = second["events"]
    assert [unknown[name] for name in ("serial_no", "kind", "code")] == [8, "unknown_person", "5/76"]
    assert [unknown[name] for name in ("hikvision_id", "user_id", "name", "attendance")] == [None] * 4
    assert end == {"events": [], "next": second["next"]}


def test_program_of_the_guide_prints_each_passage_once(
    app: Flask,
    client: FlaskClient,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "en" / "api.md").read_text(encoding="utf-8")
    program = tmp_path / "follow.py"
    program.write_text(guide.rpartition("```python\n")[2].removesuffix("```\n"), encoding="utf-8")

    def send(session: requests.Session, request: requests.PreparedRequest, **_: object) -> requests.Response:
        answer = client.get(request.path_url, headers={"Authorization": session.headers["Authorization"]})
        response = requests.Response()
        response.status_code, response._content = answer.status_code, answer.data
        return response

    monkeypatch.setattr(requests.Session, "send", send)
    monkeypatch.setenv("API", "http://hikflask.test/api")
    monkeypatch.setenv("TOKEN", make_token(app, VIEWER))
    monkeypatch.chdir(tmp_path)

    runpy.run_path(str(program))
    with app.app_context():
        add_events(event_row(terminal, number="777", name="Гость"))
    runpy.run_path(str(program))

    assert capsys.readouterr().out.splitlines() == [
        "2026-11-30T09:00:00Z 100222 Иван Иванов",
        "2026-11-30T09:00:00Z 777 Гость",
    ]


def test_arguments_choose_events_and_empty_ones_do_not(app: Flask) -> None:
    viewer = client_of(app, VIEWER)
    for query, found in (
        ("since=&limit=&device_id=&user_id=&hikvision_id=&kind=", 2),
        ("device_id=1&user_id=1&hikvision_id=100222&kind=passed", 1),
        ("kind=unknown_person", 1),
        ("user_id=2", 0),
        ("device_id=99999999999", 0),
        ("limit=5000", 2),
    ):
        assert len(viewer.get(f"{ADDRESS}?{query}").get_json()["events"]) == found, query


def test_argument_that_makes_no_sense_is_refused_by_its_name(client: FlaskClient) -> None:
    whole = "A whole number is expected."
    for name, value, sentence in (
        ("since", "yesterday", "The list has no such place. Begin at its first page."),
        ("limit", "0", whole),
        ("limit", "-1", whole),
        ("device_id", "x", whole),
        ("user_id", "1.5", whole),
        ("hikvision_id", "1" * 33, "An ID has at most 32 characters."),
        ("kind", "came", f"One of these is expected: {', '.join(KINDS)}."),
    ):
        answer = client.get(ADDRESS, query_string={name: value})

        assert (answer.status_code, answer.get_json()["fields"]) == (422, {name: sentence}), (name, value)


def test_there_is_nothing_while_passages_are_off(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PASSAGES", "off")

    answer = client.get(ADDRESS)

    assert (answer.status_code, answer.json) == (
        404,
        {
            "error": "passages_off",
            "message": "The record of passages is switched off here.",
        },
    )


def test_coverage_says_for_which_times_all_is_here(app: Flask, terminal: Terminal) -> None:
    begins = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    with app.app_context(), transaction():
        coverage.extend(terminal.id, terminal.serial, begins, begins + timedelta(hours=2))
        coverage.add_gap(terminal.id, terminal.serial, begins + timedelta(hours=2), begins + timedelta(hours=3), OFF)
        coverage.extend(terminal.id, terminal.serial, begins + timedelta(hours=3), begins + timedelta(hours=4))
    viewer = client_of(app, VIEWER)

    spans = viewer.get("/api/events/coverage", query_string={"device_id": terminal.id}).get_json()

    moments = [f"{begins + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in range(5)]
    assert [(span["from"], span["complete"], span["reason"]) for span in spans[1:]] == [
        (moments[0], True, None),
        (moments[2], False, "off"),
        (moments[3], True, None),
        (moments[4], False, "not_read"),
    ]
    assert [span["to"] for span in spans[:-1]] == [span["from"] for span in spans[1:]]
    assert {span["device_id"] for span in spans} == {terminal.id}
    assert len(viewer.get("/api/events/coverage").get_json()) == len(spans)
    unknown = viewer.get("/api/events/coverage?device_id=99")
    assert (unknown.status_code, unknown.get_json()["message"]) == (404, "There is no such device.")
    wrong = viewer.get("/api/events/coverage?device_id=x")
    assert (wrong.status_code, wrong.get_json()["fields"]) == (422, {"device_id": "A whole number is expected."})


def test_picture_is_for_operators_and_who_looked_is_recorded(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PASSAGES_PICTURES", 7)
    with app.app_context(), transaction():
        (storage.folder() / "passage_1.jpg").write_bytes(FACE)
        db.session.get_one(Event, 1).picture = "passage_1.jpg"

    first, second = client.get(ADDRESS).get_json()["events"]
    picture = client.get(first["picture"])

    assert (first["picture"], second["picture"]) == ("/api/events/1/picture", None)
    assert (picture.data, picture.mimetype, picture.headers["Cache-Control"]) == (
        FACE,
        "image/jpeg",
        "private, no-store",
    )
    assert client.get("/api/events/2/picture").status_code == 404
    assert client_of(app, VIEWER).get(ADDRESS).get_json()["events"][0]["picture"] is None
    with app.app_context():
        assert [entry.subject for entry in entries("passage.viewed")] == ["/api/events/1/picture"]


def test_trail_says_once_an_hour_which_token_was_given_passages(app: Flask) -> None:
    programs = [client_of(app, VIEWER), client_of(app, OPERATOR)]
    assert programs[0].get(ADDRESS, query_string={"kind": "alarm"}).get_json()["events"] == []
    with app.app_context():
        assert entries("passages.exported") == []

    for program in (*programs, *programs):
        program.get(ADDRESS)

    with app.app_context():
        given = entries("passages.exported")
        assert [(entry.after, entry.employee_id) for entry in given] == [({"for": "api"}, None)] * 2
        assert len({entry.actor for entry in given}) == 2
        assert all(entry.actor.startswith("API ") for entry in given)
