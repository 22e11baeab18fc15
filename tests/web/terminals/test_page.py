"""The page of a terminal and the list: the last day, the main button, the people's faces, and who waits where."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Enrolment, JournalAlarm, ReachabilityChange, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.web.terminals import terminals
from tests.support.comparisons import compare, strangers
from tests.support.desk import ENGLISH, HTMX, Desk
from tests.support.filled_forms import form_to, words
from tests.support.jobs import add_people
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

WELL: dict[str, Any] = {
    "reachable": True, "last_error_code": "", "refused_since": None, "restored_from": None, "awaits_restore": False,
    "face_mode": "url", "people": 0, "clock_offset": 0, "retired_at": None, "is_active": True, "offline_since": None,
}  # fmt: skip
MAIN = re.compile(r'class="btn btn-primary" id="([\w-]+)"')


def update(app: Flask, **columns: object) -> None:
    with app.app_context():
        db.session.execute(db.update(Terminal).where(Terminal.id == 1).values(**columns))
        db.session.commit()


def enrolled(app: Flask, *numbers: str, terminal_id: int = 1) -> None:
    """Employees who wait for a terminal."""
    with app.app_context():
        for number in numbers:
            send_to_terminal(save_employee(Draft(number, f"Иван Иванов {number}")).row.id, terminal_id)


def main_button(client: FlaskClient) -> list[str]:
    return MAIN.findall(client.get("/terminals/1").text)


def head(client: FlaskClient, headers: dict[str, str] | None = None) -> str:
    """What the head of the page says of the terminal."""
    found = re.search(r'id="terminal-state" data-says="([^"]*)"', client.get("/terminals/1", headers=headers).text)
    assert found
    return " ".join(found[1].split())


def listed(client: FlaskClient) -> str:
    """What the list says of the state of the one terminal."""
    found = re.search(
        r'<td>(\s*<span class="status.*?)</td>', client.get("/terminals/", headers=ENGLISH).text, re.DOTALL
    )
    assert found
    return " ".join(re.sub("<[^>]+>", "", found[1]).split())


def test_main_button_is_the_one_that_the_state_asks_for(app: Flask, desk: Desk) -> None:
    now = datetime.now(UTC)
    clients, viewer = (desk.client, client_of(app, OPERATOR, "Ольга")), client_of(app, VIEWER, "Вера")
    states: list[tuple[dict[str, object], str | None, str | None]] = [
        ({"refused_since": now, "refused_code": "wrong_password"}, "correct-password", None),
        ({"last_error_code": "certificate_changed"}, "correct", None),
        ({"restored_from": now}, "allow-writing", None),
        ({"awaits_restore": True, "device_changed_at": now}, "restore", None),
        ({"reachable": False}, "check", "check"),
        ({"face_mode": None}, "check", "check"),
        ({"people": 1500, "people_capacity": 1500}, "who", "who"),
        ({"clock_offset": 600}, "set-clock", "set-clock"),
        ({"retired_at": now, "is_active": False}, None, None),
        ({}, None, None),
    ]
    for facts, *buttons in states:
        update(app, **{**WELL, **facts})
        assert [main_button(client) for client in clients] == [[name] if name else [] for name in buttons]
    with app.app_context():
        save_employee(Draft("7", "Иван Иванов"))
    assert main_button(desk.client) == ["everybody"]
    enrolled(app, "8")
    desk.run_jobs()
    assert [main_button(client) for client in (*clients, viewer)] == [["round"], ["round"], []]


def test_alarm_is_in_the_head_and_the_list_until_somebody_has_seen_it(app: Flask, desk: Desk) -> None:
    app.config["PASSAGES"] = "poll"
    update(app, **WELL)
    with app.app_context():
        now = datetime.now(UTC)
        db.session.add(JournalAlarm(terminal_id=1, major=1, minor=1030, count=2, first_at=now, last_at=now))
        db.session.commit()

    page, listed = (words(desk.client.get(address)) for address in ("/terminals/1", "/terminals/"))
    english, listed_in_english = (words(desk.client.get(at, headers=ENGLISH)) for at in ("/terminals/1", "/terminals/"))

    assert head(desk.client) == "тревога"
    assert "на связи" not in listed
    assert "тревога" in listed
    assert "alarm" in listed_in_english
    assert "Осмотрите терминал на месте." in page
    assert "Terminal or reader was opened or torn off · 2 times" in english
    assert main_button(desk.client) == ["alarms"]
    seen = form_to(desk.text("/terminals/1"), "/attention/seen").send(desk.client)
    assert seen.location == "/terminals/1"
    assert head(desk.client) == "на связи"


def test_full_terminal_asks_for_room_and_one_that_differs_for_its_differences(app: Flask, desk: Desk) -> None:
    update(app, **WELL)
    enrolled(app, "8", "9")
    with app.app_context():
        # The terminal refuses, and does not tell how many faces it can hold.
        columns = {"face": "refused", "refusal": refusal("devicefacefull"), "next_attempt_at": None}
        db.session.execute(db.update(Enrolment).where(Enrolment.number == "8").values(person="confirmed", **columns))
        db.session.commit()

    assert main_button(desk.client) == ["who"]
    assert head(desk.client) == "заполнен"
    assert head(desk.client, ENGLISH) == "full"
    assert listed(desk.client) == listed(client_of(app, VIEWER, "Вера")) == "full"

    with app.app_context():
        db.session.execute(db.delete(Enrolment))
        db.session.commit()
        strangers(desk.simulator, ["900"])
        compare(db.session.get_one(Terminal, 1))
    assert main_button(desk.client) == ["differences"]
    assert head(desk.client) == "есть расхождения"
    assert head(desk.client, ENGLISH) == "differences"
    assert listed(desk.client) == "differences"
    assert listed(client_of(app, VIEWER, "Вера")) == "reachable"


def test_nothing_is_offered_that_a_terminal_out_of_reach_cannot_do(app: Flask, desk: Desk) -> None:
    with app.app_context():
        employee = save_employee(Draft("7", "Иван Иванов")).row.id
    names = {"comparison-start", "take-people", "set-clock", "capture-at-1"}
    refused = {"refused_since": datetime.now(UTC), "refused_code": "wrong_password"}
    states: list[tuple[dict[str, Any], set[str]]] = [({}, names), ({"reachable": False}, set()), (refused, set())]
    for facts, offered in states:
        update(app, **{**WELL, **facts})
        pages = desk.text("/terminals/1") + desk.text(f"/employees/{employee}")
        assert names & set(re.findall(r'id="([\w-]+)"', pages)) == offered


def test_what_destroys_something_stands_once_and_last(app: Flask, desk: Desk) -> None:
    page = desk.text("/terminals/1")
    menu = page.partition('class="more-list"')[2].partition("</details>")[0]

    assert re.findall(r'href="/terminals/1/(\w+)"', menu) == ["edit", "restore", "retire", "delete"]
    assert "btn-danger" not in page.replace(menu, "")
    assert 'class="more"' not in client_of(app, VIEWER, "Вера").get("/terminals/1").text


def test_day_stands_on_the_page_and_in_the_list(app: Flask, desk: Desk) -> None:
    with app.app_context():
        for hours, state in [(30, True), (5, False), (4, True)]:
            at = database_now(-3600.0 * hours)
            db.session.add(ReachabilityChange(terminal_id=1, at=at, is_reachable=state))
        db.session.execute(db.update(Terminal).values(answered_at=database_now()))
        db.session.commit()
    sentence = r"Answered for 23 h of the last 24 hours; did not answer from \d\d:\d\d to \d\d:\d\d\."

    page, rows = (desk.client.get(address, headers=ENGLISH).text for address in ("/terminals/1", "/terminals/"))

    assert re.search(rf'<svg class="strip" role="img" aria-label="{sentence}"', rows)
    assert re.search(r'<svg class="strip" role="img" aria-labelledby="terminal-day"', page)
    assert re.search(rf'<p class="hint" id="terminal-day">{sentence}</p>', page)
    assert re.findall(r'class="strip-(\w+)"', page) == ["good", "bad", "good"]


def test_faces_are_those_of_the_worst_state_first_and_bounded(app: Flask, desk: Desk) -> None:
    enrolled(app, "1", "2", "3")
    with app.app_context():
        refused = {"refusal": refusal("badParameters"), "next_attempt_at": None}
        db.session.execute(db.update(Enrolment).where(Enrolment.number == "2").values(**refused))
        db.session.commit()
    terminals.MAX_FACES, usual = 2, terminals.MAX_FACES
    try:
        page = desk.client.get("/terminals/1", headers=ENGLISH).text
    finally:
        terminals.MAX_FACES = usual

    faces = page.partition('<ul class="faces">')[2].partition("</ul>")[0]
    assert re.findall(r"Иван Иванов (\d)</bdi>", faces) == ["2", "3"]
    assert re.findall(r'class="dot dot-(\w+)" role="img" tabindex="0" aria-label="(.+?)"', faces) == [
        ("bad", "refused"),
        ("none", "in progress"),
    ]
    assert "All photos are on the terminal." not in page
    assert '<a id="people-all" href="/employees/?terminal=1">and 1 more</a>' in page


def test_people_on_a_terminal_are_one_number_however_many_they_are(app: Flask, desk: Desk) -> None:
    numbers = [str(number) for number in range(1, 202)]
    with app.app_context():
        ids = add_people(*numbers)
        same = {"terminal_id": 1, "desired": "present"}
        wishes = [{**same, "number": one, "employee_id": id_} for one, id_ in zip(numbers, ids, strict=True)]
        db.session.execute(db.insert(Enrolment), wishes)
        db.session.commit()

    page, listed = (desk.client.get(one, headers=ENGLISH).text for one in ("/terminals/1", "/employees/?terminal=1"))

    assert 'Employees on this terminal <span class="count">201</span>' in page
    assert f'<a id="people-all" href="/employees/?terminal=1">and {201 - terminals.MAX_FACES} more</a>' in page
    assert "Found: 201" in listed
    assert "All 201 that match" in listed


def test_check_brings_state_button_facts_and_comparison_along(app: Flask, desk: Desk) -> None:
    update(app, reachable=False)

    fragment = desk.client.get("/terminals/1/state", headers={**HTMX, **ENGLISH}).text

    assert fragment.lstrip().startswith('<section class="terminal-main" id="terminal"')
    for part in ("terminal-state", "terminal-action", "terminal-facts", "terminal-comparison"):
        assert re.search(rf'id="{part}"[^>]* hx-swap-oob="outerMorph"', fragment)
    assert "does not answer" in fragment


def test_list_has_the_worst_first_then_where_somebody_waits(app: Flask, desk: Desk) -> None:
    with app.app_context():
        for name in ("Архив", "Бюро", "Ворота", "Гараж", "Двор"):
            registry.add(Access(name, f"http://{len(name)}.test", "admin", "x"))
        well = {**WELL, "answered_at": database_now()}
        db.session.execute(db.update(Terminal).values(**well))
        states: dict[str, dict[str, object]] = {
            "Бюро": {"retired_at": datetime.now(UTC), "is_active": False},
            "Ворота": {"is_active": False},
            "Гараж": {"clock_offset": 600},
            "Двор": {"reachable": False, "offline_since": datetime.now(UTC) - timedelta(hours=1)},
        }
        for name, facts in states.items():
            db.session.execute(db.update(Terminal).where(Terminal.name == name).values(**facts))
        db.session.commit()
    enrolled(app, "1", "2")

    page = desk.client.get("/terminals/", headers=ENGLISH).text

    assert re.findall(r'id="terminal-\d"[^>]*><bdi>(\w+)<', page) == [
        "Двор", "Гараж", "Вход", "Архив", "Ворота", "Бюро",
    ]  # fmt: skip
    assert '<a id="waiting-1" href="/employees/?state=waiting&amp;terminal=1">Waiting: 2</a>' in page
    assert page.count("nobody waits") == 5
    assert re.search(r'does not answer</span>\s+<span class="row-about">since <time [^>]*>\d\d:\d\d', page)


def test_terminal_that_asks_for_no_password_is_said_to_be_open(app: Flask, desk: Desk) -> None:
    def line() -> list[str]:
        pages = desk.text("/terminals/1"), desk.client.get("/terminals/1", headers=ENGLISH).text
        lines = zip(pages, ("Пароль принят", "Password accepted"), strict=True)
        said = [page.partition(f"<dt>{name}</dt>")[2].partition("</dd>")[0] for page, name in lines]
        return [re.sub(r"<[^>]+>", "", text).strip() for text in said]

    assert line() == ["да", "yes"]
    app.extensions["terminal_clients"].close()
    desk.simulator.profile = replace(desk.simulator.profile, asks_password=False)
    desk.client.post("/terminals/1/check")

    assert line() == [
        "не запрашивается: людей на нём может изменить любой в этой сети",
        "not asked for: anybody in this network can change its people",
    ]
