"""The metrics: for a token of any role, and for nobody else."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models.accounts import VIEWER
from tests.support.away import take_away
from tests.support.metrics import samples
from tests.support.signed_in import client_of, make_token


@pytest.fixture
def settings() -> dict[str, Any]:
    """No exception comes out of the app."""
    return {"PROPAGATE_EXCEPTIONS": False}


def test_token_of_a_viewer_reads_them_in_the_format_of_prometheus(app: Flask) -> None:
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {make_token(app, VIEWER)}"})

    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert samples(answer.text)["hikflask_database_reachable"] == 1
    names = [line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert {name for name in names if not name.startswith("hikflask_")} == set()


def test_nobody_else_does(app: Flask) -> None:
    signed_in = client_of(app)
    for client, headers in ((app.test_client(), {}), (signed_in, {}), (signed_in, {"Authorization": "Bearer wrong"})):
        answer = client.get("/metrics", headers=headers)

        assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="hikflask"'
        assert "hikflask_" not in answer.text


def test_token_that_cannot_be_looked_up_is_no_error_but_an_answer_to_come_back(app: Flask, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {make_token(app, VIEWER)}"}
    with app.app_context():
        db.engine.dispose()
    take_away(tmp_path / "hikflask.sqlite3")

    for path in ("/metrics", "/api/users/", "/api/unknown"):
        answer = app.test_client().get(path, headers=headers)

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30"), path
        assert answer.json == {"error": "service_unavailable", "message": "The database does not answer."}
