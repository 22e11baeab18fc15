"""The number in the header is exact; where very many are counted, it is a few seconds old, save on the start page."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.web.support import attention_counts
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("worker_alive")


def number(client: FlaskClient, address: str = "/jobs/") -> int:
    """The number in the header of a page."""
    found = re.search(r'<span class="bar-number[^"]*">(\d+)</span>', client.get(address).text)
    assert found
    return int(found[1])


def test_number_is_exact_on_each_page(app: Flask, client: FlaskClient) -> None:
    numbers = []
    for new in ("1", "2"):
        with app.app_context():
            add_people(new)
        numbers.append(number(client))

    assert numbers == [1, 2]


def test_very_many_are_counted_anew_on_the_start_page_and_after_a_while(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_counts, "VERY_MANY", 0)
    with app.app_context():
        add_people("1")
    before = number(client)
    with app.app_context():
        add_people("2")

    assert (before, number(client), number(client, "/attention"), number(client)) == (1, 1, 2, 2)
    monkeypatch.setattr(attention_counts, "KEPT_SECONDS", 0.0)
    number(client, "/attention")
    with app.app_context():
        add_people("3")
    assert number(client) == 3


def test_open_removals_are_exact_however_many_people_there_are(
    app: Flask, client: FlaskClient, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_counts, "VERY_MANY", 0)
    with app.app_context():
        (person,) = add_people("1")
        send_to_terminal(person, terminal.id)
        add_people("2")
    assert 'id="alarm" href="/removals/" hidden>' in client.get("/jobs/").text
    with app.app_context():
        set_active(person, active=False)

    assert 'id="alarm" href="/removals/">' in client.get("/jobs/").text
