"""A page of another site does not reach the API through somebody's browser."""

import pytest
from flask.testing import FlaskClient

IVAN = {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": ""}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://[", "http://localhost.evil.example"])
def test_other_sites_are_refused(client: FlaskClient, origin: str) -> None:
    answer = client.post("/api/users/", json=IVAN, headers={"Origin": origin})

    assert (answer.status_code, answer.json["error"]) == (403, "forbidden")
    assert client.get("/api/users/").json == []


def test_our_own_pages_and_programs_are_not(client: FlaskClient) -> None:
    assert client.post("/api/users/", json=IVAN, headers={"Origin": "http://localhost"}).status_code == 201
    assert client.get("/api/users/").status_code == 200
