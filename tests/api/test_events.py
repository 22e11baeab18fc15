"""GET /api/events/: what terminals recorded, for a program that follows it."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.event import KINDS, UNKNOWN_PERSON
from hikflask.models.operator import VIEWER
from tests.support.employees import save_with_file
from tests.support.events import add_events, event_row
from tests.support.signed_in import client_of, make_token

ADDRESS = "/api/events/"


@pytest.fixture(name="settings")
def switched_on() -> dict[str, Any]:
    return {"PASSAGES": "poll"}


@pytest.fixture(autouse=True)
def stored(app: Flask, terminal: Terminal) -> None:
    with app.app_context():
        ivan = save_with_file()
        add_events(
            event_row(terminal, employee=ivan, serial_no=7),
            event_row(terminal, kind=UNKNOWN_PERSON, code=(5, 76), serial_no=8),
        )
        db.session.expunge_all()


def test_program_follows_events(client: FlaskClient, terminal: Terminal) -> None:
    first = client.get(ADDRESS, query_string={"limit": 1}).json
    second = client.get(ADDRESS, query_string={"since": first["next"]}).json
    end = client.get(ADDRESS, query_string={"since": second["next"]}).json

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
        }
    ]
    (unknown,) = second["events"]
    assert [unknown[name] for name in ("serial_no", "kind", "code")] == [8, "unknown_person", "5/76"]
    assert [unknown[name] for name in ("hikvision_id", "user_id", "name")] == [None, None, None]
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
        assert len(viewer.get(f"{ADDRESS}?{query}").json["events"]) == found, query


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

        assert (answer.status_code, answer.json["fields"]) == (422, {name: sentence}), (name, value)


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
