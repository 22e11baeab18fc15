"""A terminal's page says where it sends events, and leads to an end of what goes to somebody else."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import EventLog, Terminal, TerminalPrivacy
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.event_push import Host
from tests.support.desk import ENGLISH
from tests.support.signed_in import client_of
from tests.support.wire import InProcess

FLASH = re.compile(r'<p class="note note-\w+" data-says="(.*?)">')
FOREIGN = {
    "slot": 2,
    "address": "203.0.113.7",
    "port": 8080,
    "url": "/in/1",
    "protocol": "HTTP",
    "is_ours": False,
    "tells": False,
}
EMPTY = {"slot": 1, "address": "0.0.0.0", "port": 0, "url": "", "protocol": "HTTP", "is_ours": False, "tells": False}


def was_read(app: Flask, terminal: Terminal, **values: object) -> None:
    """Write what was read of a terminal."""
    known = {"hosts": [EMPTY, FOREIGN], "foreign_hosts": 1, "access": {}, "storage_mode": "", **values}
    with app.app_context(), transaction():
        db.session.add(TerminalPrivacy(terminal_id=terminal.id, read_at=database_now(), **known))


def section(client: FlaskClient, terminal: Terminal) -> str:
    """The words of the section, in English."""
    page = client.get(f"/terminals/{terminal.id}", headers=ENGLISH).text
    (found,) = re.findall(r'<section class="privacy".*?</section>', page, re.DOTALL)
    plain = re.sub(r"<svg.*?</svg>|<[^>]*>|[\u2068\u2069]", " ", found, flags=re.DOTALL)
    return " ".join(plain.split())


def buttons(client: FlaskClient, terminal: Terminal) -> list[str]:
    """The ids of what can be pressed in the section."""
    page = client.get(f"/terminals/{terminal.id}").text
    (found,) = re.findall(r'<section class="privacy".*?</section>', page, re.DOTALL)
    return re.findall(r'class="btn[^"]*" id="([\w-]+)"', found)


def test_stranger_and_what_is_otherwise_than_decided_are_told_and_offered_by_role(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    assert section(client, terminal) == "Where this terminal sends events Not read yet. Read now"
    app.config |= {"TERMINAL_PICTURES": "discard", "TERMINAL_NAMES": "show"}
    access = {"saveCapPic": False, "saveVerificationPic": True, "showName": True, "showEmployeeNo": True}
    was_read(app, terminal, access=access, storage_mode="regular")

    assert section(client, terminal) == (
        "Where this terminal sends events 203.0.113.7:8080 /in/1 Slot 2 · not this program: names and faces may go "
        "there Send nothing there Pictures of passages kept decided: not kept Names on its screen visible IDs on its "
        "screen visible When its memory is full events are deleted by age Set as decided Read now read just now"
    )
    assert buttons(client, terminal) == ["destination-2-clear", "privacy-apply", "privacy-read"]
    assert buttons(client_of(app, OPERATOR, "Ольга"), terminal) == ["privacy-read"]
    assert buttons(client_of(app, VIEWER, "Вера"), terminal) == []


def test_our_own_slot_is_named_with_when_it_told_last(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    was_read(
        app, terminal, hosts=[{**FOREIGN, "address": "192.168.1.5", "is_ours": True, "tells": True}], foreign_hosts=0
    )
    where = "Where this terminal sends events 192.168.1.5:8080 Slot 2 · this program;"
    assert section(client, terminal).startswith(f"{where} nothing has come yet Pictures of passages ")

    with app.app_context(), transaction():
        db.session.add(EventLog(terminal_id=terminal.id, pushed_at=database_now()))

    assert section(client, terminal).startswith(f"{where} told last just now Pictures of passages ")


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (None, "The terminal does not tell."),
        ([EMPTY, {**EMPTY, "slot": 2}], "Nowhere. 2 slots, all empty"),
    ],
)
def test_nothing_is_sent_or_told(
    app: Flask, client: FlaskClient, terminal: Terminal, hosts: list[dict[str, object]] | None, said: str
) -> None:
    was_read(app, terminal, hosts=hosts, foreign_hosts=0)

    assert section(client, terminal).startswith(f"Where this terminal sends events {said} Pictures of passages the ")


def test_question_has_the_address_and_is_an_administrators(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    was_read(app, terminal)

    page = client.get("/terminals/1/destinations/2", headers=ENGLISH).text
    plain = " ".join(re.sub(r"<[^>]*>|[\u2068\u2069]", " ", page).split())
    assert "“Вход” sends its events to 203.0.113.7:8080/in/1: slot 2." in plain
    assert client.get("/terminals/1/destinations/1").status_code == 404


def test_what_is_shown_is_read_cleared_and_set_by_three_buttons(
    app: Flask, client: FlaskClient, simulator: Simulated, terminal: Terminal
) -> None:
    app.config["TERMINAL_PICTURES"] = "discard"
    simulator.push.hosts[1] = Host(url="/in/1", address="203.0.113.7", port=8080)

    def press(path: str, **data: str) -> str:
        answer = client.post(f"/terminals/{terminal.id}/{path}", data=data, headers=ENGLISH)
        assert answer.headers["Location"] == f"/terminals/{terminal.id}#privacy"
        page = client.get(f"/terminals/{terminal.id}", headers=ENGLISH).text
        return "; ".join(re.sub(r"[\u2068\u2069]", "", said).strip() for said in FLASH.findall(page))

    assert press("privacy") == ""
    assert buttons(client, terminal) == ["destination-2-clear", "privacy-apply", "privacy-read"]
    (shown,) = re.findall(r'name="shown" value="(\w+)"', client.get("/terminals/1/destinations/2").text)
    assert press("destinations/2", shown="0") == "This has changed since it was shown. Nothing is done: check it again."
    assert press("destinations/2", shown=shown) == "“Вход” sends nothing there any more."
    assert press("privacy/decisions") == "“Вход” is set as decided."

    assert buttons(client, terminal) == ["privacy-read"]
    assert simulator.push.hosts[1].is_empty
    assert not simulator.access_settings["saveCapPic"]

    wire: InProcess = app.extensions["terminal_transport"]
    wire.away.add("terminal.test")
    assert press("privacy").startswith("“Вход” does not answer at http://terminal.test.")


def test_stranger_is_a_row_of_its_own_that_leads_to_the_section(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    was_read(app, terminal)

    page = client.get("/attention", headers=ENGLISH).text
    (row,) = re.findall(r'<li class="attention-row attention-bad" id="foreign-1">.*?</li>', page, re.DOTALL)
    plain = " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>|[\u2068\u2069]", " ", row, flags=re.DOTALL).split())
    assert plain == "Вход Sends events to 203.0.113.7:8080: names and faces may go there. Look and decide"
    assert 'href="/terminals/1#privacy"' in row
    assert re.findall(r'<span class="bar-number"[^>]*>(\d+)</span>', page) == ["2"]

    russian = client_of(app, VIEWER, "Вера").get("/attention").text
    assert "Отправляет события на 203.0.113.7:8080: туда могут уходить имена и лица." in russian
