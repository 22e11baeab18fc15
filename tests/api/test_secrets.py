"""No password and nothing of a login is in an answer, a header or the log, at the most talkative level."""

import logging
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.api_calls import a_device, capture, enrol, sync
from tests.support.wire import InProcess


class Watched(InProcess):
    """The wire, with what was sent to log in."""

    def __init__(self) -> None:
        super().__init__()
        self.logins: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        login = request.headers.get("Authorization", "")
        self.logins += [login.partition('response="')[2].partition('"')[0]] if login else []
        return super().send(request, **options)


@pytest.fixture
def wire(app: Flask) -> Watched:
    watched = Watched()
    app.extensions["terminal_transport"] = watched
    return watched


def test_no_password_and_no_digest_is_in_an_answer_or_the_log(
    client: FlaskClient, simulator: Simulated, wire: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [client.post("/api/devices/", json=a_device())]
    enrolled = enrol(client, simulator)
    capture(client, simulator, hikvision_id="100222")
    simulator.login.password = "Changed1"
    answers += [
        sync(client, enrolled["id"]),
        client.put("/api/devices/1", json={"password": "Other123"}),
        sync(client, enrolled["id"]),
        client.get("/api/devices/1/status"),
        client.get("/api/devices/"),
    ]

    said = caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)

    assert [answer.status_code for answer in answers] == [201, 502, 200, 502, 200, 200]
    assert len(set(wire.logins)) > 5
    assert not [secret for secret in (PASSWORD, "Changed1", "Other123", *wire.logins) if secret in said]
