"""GET /api/enrolments/: who is on which terminal, by state, terminal and time, page by page."""

import pytest
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.models.accounts import VIEWER
from hikflask.simulator import Terminal as Simulated
from tests.support.api_calls import OLGA, OLGAS_FACE, enrol
from tests.support.signed_in import client_of

pytestmark = pytest.mark.both_databases
ADDRESS = "/api/enrolments/"


def test_program_reads_what_changed_page_by_page(client: FlaskClient, terminal: Terminal, simulator: Simulated) -> None:
    enrol(client, simulator)
    enrol(client, simulator, OLGAS_FACE, **OLGA)
    viewer = client_of(client.application, VIEWER)

    first = viewer.get(ADDRESS, query_string={"limit": 1})
    path = first.headers["Link"].split("<")[1].split(">")[0]
    second = viewer.get(path)

    assert first.json == [
        {
            "id": 1,
            "hikvision_id": "100222",
            "user_id": 1,
            "device_id": terminal.id,
            "state": "confirmed",
            "person": "confirmed",
            "face": "confirmed",
            "verified": True,
            "error": None,
            "changed_at": first.get_json()[0]["changed_at"],
        }
    ]
    assert path.startswith("/api/enrolments/?limit=1&after=")
    assert [one["hikvision_id"] for one in second.get_json()] == ["100333"]
    assert "Link" not in second.headers
    since = first.json[0]["changed_at"]
    for query, found in (
        ({"state": "confirmed"}, 2),
        ({"state": "refused"}, 0),
        ({"terminal": str(terminal.id), "since": f"{since}Z"}, 2),
        ({"terminal": "99"}, 0),
        ({"since": "2037-01-01T00:00:00"}, 0),
        ({"state": "", "terminal": "", "since": ""}, 2),
        ({"limit": "0"}, 0),
    ):
        assert len(viewer.get(ADDRESS, query_string=query).get_json()) == found, query

    client.put("/api/users/1", json={"is_active": False})

    (gone,) = viewer.get(ADDRESS, query_string={"state": "removed"}).get_json()
    assert (gone["hikvision_id"], gone["person"], gone["face"]) == ("100222", "confirmed", "pending")


def test_argument_that_makes_no_sense_is_refused_by_its_name(client: FlaskClient) -> None:
    for name, value in (
        ("state", "green"),
        ("terminal", "x"),
        ("since", "yesterday"),
        ("since", "2026-02-30T00:00:00"),
        ("since", "2026-03-01T09:30:00+03:00"),
        ("limit", "-1"),
        ("after", "x"),
    ):
        answer = client.get(ADDRESS, query_string={name: value})

        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {name}), (name, value)
    sentence = "“Changed since” must be a time such as 2026-03-01T09:30:00."
    assert client.get(ADDRESS, query_string={"since": "x"}).get_json()["fields"] == {"since": sentence}
