"""The API after a photo or a picture was deleted by its retention."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import worker
from hikflask.models import Photo, Terminal
from hikflask.simulator import Terminal as Simulated
from tests.support.api_calls import add, capture, enrol, sync, user
from tests.support.retention import age

pytestmark = pytest.mark.usefixtures("terminal", "worker_alive")


@pytest.fixture
def forgotten(
    app: Flask,
    client: FlaskClient,
    simulator: Simulated,
    terminal: Terminal,  # noqa: ARG001 - it must be there
) -> dict[str, str]:
    """A user who is on the terminal and whose photo is forgotten, as shown before that."""
    app.config["PHOTO_RETENTION"] = "never"
    enrolled = enrol(client, simulator)
    with app.app_context():
        worker.forget_once()
    return enrolled


def test_user_has_no_photo_path_any_more_and_is_synced_all_the_same(
    client: FlaskClient, forgotten: dict[str, str]
) -> None:
    assert forgotten["photo_path"] is not None

    shown = user(client, 1)

    assert shown == {**forgotten, "photo_path": None}
    assert shown["synced_to_device"] is True
    assert client.get("/api/users/").json == [shown]
    assert client.get(forgotten["photo_path"]).status_code == 404


def test_picture_that_was_not_saved_in_time_is_nobodys(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    add(client)
    path = capture(client, simulator, hikvision_id="100222")["photo_path"]
    with app.app_context():
        age(Photo, "created_at", 3601)
        worker.forget_once()

    answer = sync(client, 1)

    assert client.get(path).status_code == 404
    assert (answer.get_json()["face"], answer.get_json()["verified"]) == ("pending", False)
    assert "no photo yet" in answer.get_json()["warning"]
    assert user(client, 1)["photo_path"] is None
