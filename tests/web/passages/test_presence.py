"""The page of who is inside, and the paper for an evacuation: what they show, and the doubts they tell."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee, EventLog, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH, HTMX
from tests.support.events import add_events, event_row
from tests.support.page_bytes import add_people_with_photos, loaded_for
from tests.support.signed_in import client_of
from tests.support.trail import entries

NOW = datetime.now(UTC)
BLIND = "Terminals do not see who walks in or out behind somebody else. Passages of the last 24 hours count."


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "UTC"}


@pytest.fixture
def doors(app: Flask) -> dict[str, int]:
    """An entrance and an exit that answer to no one, whose logs are read up to now; the border of the day is now."""
    app.config["PASSAGES_DAY_START"] = (NOW - timedelta(hours=6)).time().replace(second=0, microsecond=0)
    with app.app_context(), transaction():
        for name, direction in (("Вход", "in"), ("Выход", "out")):
            terminal = Terminal(name=name, url="http://nobody.test", username="admin", password_encrypted="x")
            terminal.direction, terminal.serial = direction, name
            db.session.add(terminal)
            db.session.flush()
            db.session.add(EventLog(terminal_id=terminal.id, complete_to=NOW + timedelta(hours=1)))
    return {"in": 1, "out": 2}


def pass_by(app: Flask, door: int, number: str, name: str, department: str = "", *, hours_ago: float = 1) -> None:
    with app.app_context():
        employee = db.session.execute(db.select(Employee).where(Employee.number == number)).scalar_one_or_none()
        employee = employee or save_employee(Draft(number, name, department)).row
        terminal = db.session.get_one(Terminal, door)
        add_events(event_row(terminal, employee=employee, at=NOW - timedelta(hours=hours_ago)))


def text_of(page: str) -> str:
    """The words of the main part, with single spaces."""
    main = re.sub(r"<template.*?</template>", "", page.partition("<main")[2], flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", main))


def test_without_an_entrance_or_exit_the_page_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/presence/", headers=ENGLISH).text

    assert (
        "This list is made from terminals at entrances and exits. Choose “entrance” or “exit” as the direction of "
        "those where people come in and go out." in text_of(page)
    )
    assert 'href="/presence/evacuation"' not in page


def test_people_stand_by_department_with_count_and_time(app: Flask, client: FlaskClient, doors: dict[str, int]) -> None:
    pass_by(app, doors["in"], "1", "Иван Иванов", "Охрана")
    pass_by(app, doors["in"], "2", "Анна Петрова", "Склад")
    pass_by(app, doors["in"], "3", "Борис Ночной", "Склад", hours_ago=7)
    pass_by(app, doors["out"], "4", "Ольга Вышла", "Склад")

    page = client_of(app, "viewer").get("/presence/", headers=ENGLISH).text

    shown = text_of(page)
    assert "3 people inside, 1 of them since before" in shown
    assert re.findall(r"<h2><bdi>(.*?)</bdi> <span class=\"count\">(\d)<", page) == [("Охрана", "1"), ("Склад", "1")]
    assert "A night shift, or people who did not pass at an exit." in shown
    assert shown.count("Борис Ночной") == 1
    assert "Ольга" not in shown
    assert "1 person went out today, and no entry is recorded." in shown
    assert BLIND in shown
    russian = text_of(client.get("/presence/").text)
    assert "3 человека внутри, из них пришли до" in russian
    assert "Сегодня вышел 1 человек, вход которого не записан." in russian


def test_words_and_a_department_narrow_the_list_and_the_part_that_polls(
    app: Flask, client: FlaskClient, doors: dict[str, int]
) -> None:
    pass_by(app, doors["in"], "1", "Иван Иванов", "Охрана")
    pass_by(app, doors["in"], "2", "Анна Петрова")

    for address in ("/presence/?q=петр", "/presence/?department=", "/presence/state?q=петр"):
        page = client.get(address, headers=HTMX if "state" in address else None).text
        assert ("Анна Петрова" in page, "Иван Иванов" in page) == (True, False)
    assert "Nobody inside matches this." in client.get("/presence/?q=Ольга", headers=ENGLISH).text
    fragment = client.get("/presence/?q=петр", headers=HTMX).text
    assert fragment.lstrip().startswith('<section id="presence"')
    assert 'hx-get="/presence/state?q=%D0%BF%D0%B5%D1%82%D1%80"' in fragment


def test_of_a_large_department_some_faces_are_shown_and_a_link_leads_to_all(
    app: Flask, client: FlaskClient, doors: dict[str, int]
) -> None:
    with app.app_context():
        entrance = db.session.get_one(Terminal, doors["in"])
        add_events(*(event_row(entrance, number=str(number), name=f"Гость {number}", at=NOW) for number in range(30)))

    page, whole = client.get("/presence/").text, client.get("/presence/?department=").text

    assert page.count('<li class="face">') == 24
    assert re.search(r'href="/presence/\?department=">Все: 30</a>', page)
    assert whole.count('<li class="face">') == 30


def test_a_terminal_that_is_off_is_told_with_since_when(app: Flask, client: FlaskClient, doors: dict[str, int]) -> None:
    with app.app_context(), transaction():
        db.session.get_one(EventLog, doors["in"]).complete_to = NOW - timedelta(minutes=20)
        db.session.get_one(Terminal, doors["in"]).offline_since = NOW - timedelta(minutes=18)
        db.session.get_one(EventLog, doors["out"]).complete_to = None

    english, russian = (client.get("/presence/", headers=headers).text for headers in (ENGLISH, None))

    # Shortly after midnight the day stands behind the time.
    moment, russian_moment = r"\d\d:\d\d( on \d+ \w+( \d+)?)?", r"\d\d:\d\d( \d+ \w+( \d+ года)?)?"
    known = rf"“Вход” has not answered since {moment}, and its passages are known until {moment}\."
    assert re.search(known, clean(english))
    known = rf"Терминал «Вход» не отвечает с {russian_moment}, его проходы известны до {russian_moment}\."
    assert re.search(known, clean(russian))
    assert "The passages of “Выход” were not read completely yet." in clean(english)
    assert "Проходы терминала «Выход» ещё не прочитаны полностью." in clean(russian)


def clean(page: str) -> str:
    """The words, without the marks that isolate names."""
    return re.sub("[\u2066-\u2069]", "", text_of(page))


def test_the_paper_has_everybody_with_a_box_and_when_it_was_made(
    app: Flask, client: FlaskClient, doors: dict[str, int]
) -> None:
    pass_by(app, doors["in"], "1", "Иван Иванов", "Охрана")
    pass_by(app, doors["in"], "3", "Борис Ночной", "Склад", hours_ago=7)
    with app.app_context(), transaction():
        db.session.execute(db.update(Terminal).values(offline_since=NOW))

    page = client.get("/presence/evacuation", headers=ENGLISH).text

    shown = clean(page)
    assert "Inside: 2" in shown
    assert re.search(r"Made on \d+ \w+ \d{4} at \d\d:\d\d:\d\d UTC from what was read of the terminals", shown)
    assert page.count('<li><span class="muster-box"') == 2 + 3
    assert all(name in shown for name in ("Иван Иванов", "Борис Ночной", "Guests and others"))
    assert "Terminals do not see who walks in or out behind somebody else." in shown
    assert "Составлен" in client.get("/presence/evacuation").text
    with app.app_context():
        assert [entry.after for entry in entries("passages.exported")] == [{"for": "evacuation"}]


def test_page_with_many_people_and_their_photos_takes_at_most_400_kb(
    app: Flask, client: FlaskClient, doors: dict[str, int]
) -> None:
    people = add_people_with_photos(app, [f"Отдел {place % 11}" for place in range(180)])
    with app.app_context():
        door = db.session.get_one(Terminal, doors["in"])
        for place, person in enumerate(people):
            employee, hours = db.session.get_one(Employee, person), 7 if place % 3 == 0 else 1
            db.session.add(event_row(door, employee=employee, at=NOW - timedelta(hours=hours)))
        db.session.commit()

    size, pictures = loaded_for(client, "/presence/")

    assert pictures == 11 * 8 + 8
    assert size < 400_000
