"""The door on a terminal's page: its state in words, the button for whom the setting allows it, and what came of it."""

import html
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.simulator import Terminal as Simulated
from tests.support.desk import ENGLISH, Desk
from tests.support.filled_forms import Filled, forms
from tests.support.signed_in import client_of

FLASH = re.compile(r'<p class="note note-(\w+)" data-says="(.*?)">')
ADDRESS = "/terminals/1/open-door"
REASON = "Курьер с посылкой"


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<svg.*?</svg>|<[^>]*>|[\u2068\u2069]", " ", text, flags=re.DOTALL)).split())


def section(client: FlaskClient, language: dict[str, str] | None = None) -> str:
    (found,) = re.findall(r'<section class="door".*?</section>', page(client, language), re.DOTALL)
    return str(found)


def page(client: FlaskClient, language: dict[str, str] | None = None) -> str:
    return client.get("/terminals/1", headers=language or ENGLISH).text


def door_form(client: FlaskClient) -> Filled:
    (found,) = [form for form in forms(page(client)) if form.action == ADDRESS]
    return found


def press(client: FlaskClient, form: Filled | None = None, reason: str = REASON) -> list[tuple[str, str]]:
    """Type a reason, press the button, and return what the next page says."""
    sent = (form or door_form(client)).send(client, ENGLISH, reason=reason)
    assert (sent.status_code, sent.location) == (303, "/terminals/1#door"), sent.text
    return [(tone, html.unescape(text)) for tone, text in FLASH.findall(page(client))]


def openings(simulator: Simulated) -> int:
    return sum((record.major, record.minor) == (3, 1024) for record in simulator.events.records)


def check(desk: Desk) -> None:
    desk.client.post("/terminals/1/check")


@pytest.fixture(autouse=True)
def _allowed(app: Flask) -> None:
    app.config["DOOR"] = "operator"


def test_state_of_the_door_is_told_and_never_that_it_is_shut(desk: Desk) -> None:
    told = plain(section(desk.client))

    assert re.match(
        r"Door Lock engaged as of \d\d:\d\d Mode opens for whoever may pass "
        "Door contact not known: no contact is wired, or it tells nothing Reason",
        told,
    )
    assert "Датчик двери неизвестно: датчик не подключён или ничего не сообщает" in plain(
        section(desk.client, {"Accept-Language": "ru"})
    )
    assert "status-bad" not in section(desk.client)


def test_door_that_a_terminal_does_not_tell_of_is_not_known(app: Flask, desk: Desk) -> None:
    desk.simulator.profile = replace(desk.simulator.profile, missing=frozenset({"AccessControl/AcsWorkStatus"}))
    check(desk)

    told = plain(section(desk.client))
    assert told.count("the terminal does not tell") == 3
    with app.app_context():
        db.session.execute(db.update(Terminal).values(checked_at=None))
        db.session.commit()
    assert plain(section(desk.client)).count("not known yet") == 3


@pytest.mark.parametrize(
    ("command", "mode", "sentence", "russian", "state"),
    [
        (
            "alwaysOpen",
            "stands open for everybody",
            "The door stands open: anybody gets in, and nobody is checked.",
            "Дверь открыта постоянно: пройти может любой, никого не проверяют.",
            "door stands open",
        ),
        (
            "alwaysClose",
            "lets nobody in",
            "The door lets nobody in, whatever rights they have.",
            "Дверь заблокирована: она не открывается никому, даже при наличии прав.",
            "door lets nobody in",
        ),
    ],
)
def test_door_that_stands_open_or_lets_nobody_in_is_red_and_needs_attention(
    desk: Desk, command: str, mode: str, sentence: str, russian: str, state: str
) -> None:
    desk.simulator.control_door(command)  # type: ignore[arg-type]
    check(desk)

    whole = page(desk.client)
    (note,) = re.findall(r'<p class="note note-bad" id="terminal-door">.*?</p>', whole, re.DOTALL)
    assert sentence in plain(note)
    (bad,) = re.findall(r'<span class="status status-bad">(?:(?!</span>).)*</span>', section(desk.client), re.DOTALL)
    assert plain(bad) == mode
    assert state in plain(desk.client.get("/terminals/", headers=ENGLISH).text)
    english, in_russian = (plain(desk.client.get("/attention", headers=h).text) for h in (ENGLISH, None))
    assert f"Вход {sentence} Look at the terminal on the spot." in english
    assert f"{russian} Осмотрите терминал на месте." in in_russian
    row = re.findall(r'<li class="attention-row attention-bad" id="door-1">', desk.text("/attention"))
    assert len(row) == 1

    desk.simulator.control_door("close")
    check(desk)
    assert "terminal-door" not in page(desk.client)
    assert 'id="door-1"' not in desk.text("/attention")


def test_door_of_a_terminal_that_is_not_in_use_needs_nothing(app: Flask, desk: Desk) -> None:
    desk.simulator.control_door("alwaysOpen")
    check(desk)
    with app.app_context():
        db.session.execute(db.update(Terminal).values(is_active=False))
        db.session.commit()

    assert 'id="door-1"' not in desk.text("/attention")
    assert "terminal-door" not in page(desk.client)


def test_door_opens_for_a_reason_and_the_page_says_so(desk: Desk) -> None:
    assert press(desk.client) == [("good", "The door at “Вход” opened.")]

    assert openings(desk.simulator) == 1
    trail = plain(desk.text("/audit/"))
    assert "Дверь открыта" in trail
    assert REASON in trail
    assert "Анна" in trail


def test_page_says_when_it_is_not_known(desk: Desk) -> None:
    desk.simulator.faults.add("ok-without-effect", path="RemoteControl/door/1")

    assert press(desk.client) == [("warn", "It is not known whether the door at “Вход” opened. Look at it.")]


def test_page_says_why_the_terminal_refused(desk: Desk) -> None:
    desk.simulator.profile = replace(desk.simulator.profile, remote_door="off")

    ((tone, text),) = press(desk.client)

    assert tone == "bad"
    assert text.startswith("The terminal does not let its door be opened over the network.")
    assert openings(desk.simulator) == 0


def test_reason_must_be_given_and_what_is_wrong_stands_beside_it(desk: Desk) -> None:
    for reason in ("", "   ", "x" * 201):
        answer = door_form(desk.client).send(desk.client, ENGLISH, reason=reason)
        assert (answer.status_code, 'id="reason-error"' in answer.text) == (422, True)
    assert openings(desk.simulator) == 0


def test_second_click_on_the_same_page_opens_nothing_more(desk: Desk) -> None:
    form = door_form(desk.client)
    press(desk.client, form)

    said = press(desk.client, form)

    assert openings(desk.simulator) == 1
    assert said == [
        ("good", "The door at “Вход” opened."),
        ("warn", "This was sent once, and not again. Press the button below to open the door once more."),
    ]
    press(desk.client)
    assert openings(desk.simulator) == 2


def test_typed_reason_is_not_lost_and_nothing_is_sent_when_somebody_must_sign_in_again(app: Flask, desk: Desk) -> None:
    answer = app.test_client().post(ADDRESS, data={"reason": REASON, "press": "a"}, headers=ENGLISH)

    assert REASON in html.unescape(answer.text)
    assert openings(desk.simulator) == 0


@pytest.mark.parametrize(
    ("setting", "offered"), [("off", []), ("admin", [ADMIN]), ("operator", [OPERATOR, ADMIN])], ids=str
)
def test_button_is_offered_and_taken_by_the_setting_alone(
    app: Flask, desk: Desk, setting: str, offered: list[str]
) -> None:
    app.config["DOOR"] = setting
    for role in (VIEWER, OPERATOR, ADMIN):
        client = client_of(app, role)
        assert ('id="open-door"' in page(client)) == (role in offered), role
        before = openings(desk.simulator)
        answer = client.post(ADDRESS, data={"reason": REASON}, headers=ENGLISH)
        assert openings(desk.simulator) - before == (role in offered), role
        if role == OPERATOR and role not in offered:
            assert answer.status_code == 303
            (said,) = FLASH.findall(page(client))
            assert said[1].startswith("Opening doors from here is switched off, or not for your role.")
        if role == VIEWER:
            assert answer.status_code == 403


def test_button_needs_the_token_of_the_page(app: Flask, desk: Desk) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = desk.client.post(ADDRESS, data={"reason": REASON})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False

    assert answer.status_code == 400
    assert openings(desk.simulator) == 0


def test_administrator_switches_it_on_with_the_password_on_the_page_of_settings(app: Flask, desk: Desk) -> None:
    app.config["DOOR"] = "off"
    assert "Кто открывает двери из программы" in desk.text("/administration/settings")
    assert 'id="open-door"' not in page(desk.client)

    unconfirmed = client_of(app, confirmed=False).post("/administration/settings/DOOR", data={"value": "operator"})
    assert app.config["DOOR"] == "off", unconfirmed.status_code
    desk.client.post("/administration/settings/DOOR", data={"value": "operator"})

    assert app.config["DOOR"] == "operator"
    assert 'id="open-door"' in page(client_of(app, OPERATOR))


def test_state_follows_a_check_that_the_page_waits_for(desk: Desk) -> None:
    desk.simulator.control_door("alwaysOpen")
    check(desk)

    part = desk.client.get("/terminals/1/state", headers=ENGLISH).text

    assert '<dl class="facts device-facts" id="door-state" hx-swap-oob="outerMorph">' in part
    assert "stands open for everybody" in part
    assert 'id="open-door"' not in part
