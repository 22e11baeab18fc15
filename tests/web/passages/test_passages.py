"""The list of passages: what it shows, its filters, and that it is there only where passages are kept."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Terminal
from tests.support.desk import ENGLISH
from tests.support.events import add_events, event_row


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "Europe/Moscow"}


@pytest.mark.parametrize("settings", [{}])
def test_nothing_of_passages_is_there_while_they_are_not_kept(client: FlaskClient) -> None:
    answer = client.get("/passages/", headers=ENGLISH)
    assert (answer.status_code, "The record of passages is switched off here." in answer.text) == (404, True)
    assert 'href="/passages/"' not in client.get("/employees/").text


def test_the_menu_leads_to_the_passages(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    with app.app_context():
        add_events(event_row(terminal, number="777", name="Пётр"))
    assert '<a href="/passages/"' in client.get("/employees/").text
    page = client.get("/passages/")
    assert '<a href="/passages/" aria-current="page">' in page.text
    assert "<bdi>Пётр</bdi>" in page.text
