"""Passages as a list, and on the pages of employees and terminals; nothing of them where they are not kept."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from hikflask.extensions import db
from hikflask.models import Employee, EventCoverage, EventLog, Terminal
from hikflask.models.accounts import VIEWER
from hikflask.models.event import DOOR, NO_PERMISSION, OPERATION, UNKNOWN_PERSON
from hikflask.services.audit.search import AuditFilter, list_entries
from hikflask.services.core.dates import local
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, HTMX
from tests.support.events import add_events, event_row
from tests.support.groups import add_terminals
from tests.support.page_bytes import add_people_with_photos, camera_picture, loaded_for
from tests.support.signed_in import client_of


def ago(**time: int) -> datetime:
    """A moment before now."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**time)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "Europe/Moscow"}


@pytest.fixture
def ivan(app: Flask, terminal: Terminal) -> int:
    """The id of an employee who passed a minute ago; before, somebody unknown and somebody else's ID came."""
    with app.app_context():
        employee = Employee(number="100222", name="Иван Иванов", department="Охрана")
        with transaction():
            db.session.add(employee)
        wrong = event_row(terminal, at=ago(minutes=2), number="777", name="Пётр", kind=NO_PERMISSION, code=(5, 6))
        wrong.device_at, wrong.device_time = ago(hours=-5), "2026-11-30T19:00:00+08:00"
        add_events(
            event_row(terminal, at=ago(minutes=3), kind=UNKNOWN_PERSON, code=(5, 76)),
            wrong,
            event_row(terminal, at=ago(minutes=1), employee=employee, name="IVANOV"),
        )
        return employee.id


def rows(page: str) -> list[str]:
    """The list as text, without its times."""
    found = re.findall(r'<li class="passage .*?</li>', page, re.DOTALL)
    texts = [re.sub(r"<time.*?</time>|<[^>]+>", " ", row, flags=re.DOTALL) for row in found]
    return [re.sub(r"\s+", " ", text).strip() for text in texts]


@pytest.mark.parametrize("settings", [{}])
def test_nothing_of_passages_is_there_while_they_are_not_kept(client: FlaskClient, ivan: int) -> None:
    for address in ("/passages/", "/passages/state", "/passages/why", "/passages/days"):
        answer = client.get(address, headers=ENGLISH)
        assert (answer.status_code, "The record of passages is switched off here." in answer.text) == (404, True)
    for address in ("/presence/", "/presence/state", "/presence/evacuation"):
        assert client.get(address).status_code == 404
    for address in ("/passages/why/1/schedules", "/passages/days/export"):
        assert client.post(address).status_code == 404
    assert 'href="/passages/"' not in client.get("/employees/").text
    assert "passages" not in client.get(f"/employees/{ivan}").text.partition("<main")[2]
    assert "passages" not in client.get("/terminals/1").text.partition("<main")[2]


def test_list_without_a_terminal_leads_to_the_form_of_one(app: Flask, client: FlaskClient) -> None:
    page = client.get("/passages/", headers=ENGLISH).text
    assert "<p>There are no terminals yet.</p>" in page
    assert 'class="btn btn-primary" href="/terminals/new"' in page
    assert 'href="/terminals/new"' not in client_of(app, VIEWER).get("/passages/").text


def test_the_list_says_who_what_where_and_when(client: FlaskClient, ivan: int) -> None:
    assert '<a href="/passages/"' in client.get("/employees/").text
    page = client.get("/passages/", headers=ENGLISH).text
    assert rows(page) == [
        "ИИ Иван Иванов 100222 · Охрана Passed by face Вход",
        "П Пётр 777 · not among the employees No right to enter here Вход",
        "Face not recognised Вход",
    ]
    assert f'<a class="row-name" id="person-3" href="/employees/{ivan}"' in page
    assert page.count("the terminal&#39;s clock showed") == 1
    assert "; the terminal&#39;s clock showed 2026-11-30T19:00:00+08:00" in page
    assert '<p id="count" data-says="Total: 3">Total: 3</p>' in page


def test_an_event_older_than_the_employee_with_its_id_is_not_said_to_be_a_strangers(
    app: Flask, client: FlaskClient, ivan: int
) -> None:
    with app.app_context():
        terminal = db.session.get_one(Terminal, 1)
        add_events(
            event_row(terminal, at=ago(days=2), number="100222", name="Иван Иванов"),
            event_row(terminal, at=ago(minutes=-1), number="100222", name="Другой"),
        )
    assert ivan
    pages = {
        language: client.get("/passages/", headers={"Accept-Language": language}).text for language in ("en", "ru")
    }
    for language, about in {
        "en": ["perhaps not the employee with this ID", "before the employee with this ID was added"],
        "ru": ["возможно, не сотрудник с этим ID", "ещё до добавления сотрудника с этим ID"],
    }.items():
        of_number = [row for row in rows(pages[language]) if "· " in row and "100222 ·" in row and "Охрана" not in row]
        assert len(of_number) == 2
        assert all(words in row for words, row in zip(about, of_number, strict=True))


def test_the_address_narrows_the_list(app: Flask, client: FlaskClient, ivan: int) -> None:
    with app.app_context():
        add_events(event_row(db.session.get_one(Terminal, 1), at=ago(minutes=1), kind=DOOR, code=(5, 21)))
    for query, names in {
        "kind=all": ["Lock opened", "Иван", "Пётр", "Face not recognised"],
        "terminal=1": ["Иван", "Пётр", "Face not recognised"],
        "q=иванов": ["Иван"],
        "q=bdfyjd": ["Иван"],  # иванов, with the keyboard in English
        "q=777": ["Пётр"],
        f"person={ivan}": ["Иван"],
        "terminal=1&kind=denied": ["Пётр", "Face not recognised"],
        "kind=unknown_person": ["Face not recognised"],
        "department=Охрана": ["Иван"],
        "day=2020-01-01": [],
        "terminal=999": [],
    }.items():
        page = client.get(f"/passages/?{query}", headers=ENGLISH).text
        found = rows(page)
        assert len(found) == len(names), query
        assert all(name in row for name, row in zip(names, found, strict=True)), query
        assert f">Found: {len(names)}</p>" in page
    assert "<p>Passages of Иван Иванов</p>" in re.sub(
        "[\u2068\u2069]", "", client.get(f"/passages/?person={ivan}", headers=ENGLISH).text
    )


@pytest.mark.usefixtures("ivan")
def test_a_wrong_filter_is_named_and_ignored(client: FlaskClient) -> None:
    answer = client.get("/passages/?day=tomorrow&kind=nonsense", headers=ENGLISH)
    assert (answer.status_code, len(rows(answer.text))) == (422, 3)
    assert "“Day” must be a day such as 2026-01-31." in answer.text
    assert "“What happened” must be one of the list." in answer.text


def test_a_day_that_is_over_is_not_said_to_be_live(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    with app.app_context():
        at = ago(days=3)
        add_events(event_row(terminal, at=at), event_row(terminal, at=ago(minutes=1)))
        day = local(at).date()

    over, current = client.get(f"/passages/?day={day}").text, client.get("/passages/").text

    assert (len(rows(over)), "Обновляется" in over, "Обновляется" in current) == (1, False, True)


def test_only_the_first_page_is_refreshed_under_its_filters(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    with app.app_context():
        add_events(*(event_row(terminal, at=ago(minutes=number)) for number in range(60)))
    first = client.get("/passages/?terminal=1")
    assert 'hx-get="/passages/state?terminal=1" hx-trigger="every 5s"' in first.text
    older = re.search(r'id="page-older" rel="next" href="([^"]+)"', first.text)
    assert older
    second = client.get(older[1].replace("&amp;", "&"))
    assert (len(rows(first.text)), len(rows(second.text)), 'hx-trigger="every' in second.text) == (50, 10, False)
    part = client.get("/passages/state?terminal=1", headers=HTMX)
    assert part.text.startswith('<div id="rows" hx-get="/passages/state?terminal=1"')
    assert "data-says" not in part.text
    narrowed = client.get("/passages/?q=777", headers={**HTMX, "HX-Source": "input#q"})
    assert narrowed.headers["HX-Replace-Url"] == "/passages/?q=777"


def test_a_terminal_that_is_not_read_is_named_with_the_time_since_when(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    assert "Not read yet: Вход." in said(client)
    with app.app_context(), transaction():
        log = EventLog(terminal_id=terminal.id, complete_to=ago(minutes=10))
        db.session.add(log)
    assert re.search(r"Passages at Вход are missing since \d\d:\d\d", said(client))
    with app.app_context(), transaction():
        db.session.get_one(EventLog, terminal.id).complete_to = ago()
    assert "Passages at" not in said(client)


def said(client: FlaskClient) -> str:
    """What the page says, without tags and marks of direction."""
    text = re.sub(r"<[^>]+>|[\u2068\u2069]", "", client.get("/passages/", headers=ENGLISH).text)
    return re.sub(r"\s+", " ", text)


def test_an_employee_shows_where_the_person_was_last(client: FlaskClient, ivan: int) -> None:
    page = client.get(f"/employees/{ivan}", headers=ENGLISH).text
    assert (
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("Last seen:")[2]))[:42]
        .strip()
        .startswith("Passed by face, Вход, 1 minute ago")
    )
    assert f'href="/passages/?person={ivan}"' in page
    assert re.search(r'<p class="hint" id="passages-words">\d+ \w+ \d{4}: 1 passage\.</p>', page)
    assert page.count('<circle class="plot-passed"') == 1


def test_a_terminal_shows_its_passages_by_hour_and_the_last_faces(client: FlaskClient, ivan: int) -> None:
    page = client.get("/terminals/1", headers=ENGLISH).text
    assert re.search(r"In the last 24 hours 1 passage, not let in: 2; most at \d\d:00–\d\d:00 \(\d\)\.</p>", page)
    assert f'<a id="passed-{ivan}" href="/employees/{ivan}"' in page
    assert 'href="/passages/?terminal=1"' in page


def test_terminal_without_a_passage_says_that_nobody_came_only_where_that_is_known(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        terminal_id = add_terminals("Двор")["Двор"]

    def words(language: str) -> str:
        page = client.get(f"/terminals/{terminal_id}", headers={"Accept-Language": language}).text
        return page.partition('id="passages-words">')[2].partition("<")[0]

    never_read = "No passage of the last 24 hours is known, and some may be missing: not read yet."
    assert words("en") == never_read
    # An empty log: its terminal has had nothing to tell since it was read first.
    with app.app_context(), transaction():
        coverage.extend(terminal_id, "", ago(minutes=60), ago())
    assert words("en") == never_read
    with app.app_context(), transaction():
        coverage.extend(terminal_id, "", ago(days=2), ago())
    assert (words("en"), words("ru")) == (
        "Nobody came in the last 24 hours.",
        "За последние 24 часа никто не подходил.",
    )
    with app.app_context(), transaction():
        db.session.execute(delete(EventCoverage))
        coverage.extend(terminal_id, "", ago(days=2), ago(minutes=60))
        db.session.get_one(Terminal, terminal_id).reachable = False
    assert (words("en"), words("ru")) == (
        "No passage of the last 24 hours is known, and some may be missing: the terminal does not answer.",
        "За последние 24 часа не известно ни об одном проходе, но могли узнать не обо всех: терминал не отвечает.",
    )


def test_what_was_done_to_an_employee_is_no_passage(app: Flask, client: FlaskClient, ivan: int) -> None:
    with app.app_context():
        terminal, employee = db.session.get_one(Terminal, 1), db.session.get_one(Employee, ivan)
        add_events(event_row(terminal, at=ago(), employee=employee, kind=OPERATION, code=(3, 112)))

    page = client.get(f"/employees/{ivan}", headers=ENGLISH).text

    assert re.sub(r"<[^>]+>", " ", page.partition("Last seen:")[2]).split()[:3] == ["Passed", "by", "face"]


def test_page_of_passages_with_all_faces_and_moments_takes_at_most_400_kb(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    app.config["PASSAGES_PICTURES"] = 7
    people = add_people_with_photos(app, ["Охрана"] * 60)
    with app.app_context():
        for person in people:
            moment = f"passage_{person:022}.jpg"
            (Path(app.config["UPLOADS"]) / moment).write_bytes(camera_picture())
            employee = db.session.get_one(Employee, person)
            db.session.add(event_row(terminal, at=ago(minutes=person), employee=employee, picture=moment))
        db.session.commit()

    size, pictures = loaded_for(client, "/passages/")

    assert pictures == 100
    assert size < 400_000


def viewed(app: Flask) -> list[str]:
    """What the trail says of looks at pictures, the newest first."""
    with app.app_context():
        return [entry.subject for entry in list_entries(AuditFilter(action="passage.viewed"), 9)[0]]


@pytest.mark.parametrize("settings", [{"PASSAGES": "poll", "PASSAGES_PICTURES": "7"}])
def test_operators_see_the_picture_of_the_moment_and_the_trail_says_so_once(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    name = f"passage_{'x' * 22}.jpg"
    with app.app_context():
        (event_id,) = add_events(event_row(terminal, at=ago(), picture=name))
    (Path(app.config["UPLOADS"]) / name).write_bytes(FACE)
    address = f"/passages/{event_id}/picture"
    for page in (client.get("/passages/"), client.get("/passages/state")):
        assert f'src="{address}?size=small"' in page.text
        assert f'href="{address}"' in page.text
    assert viewed(app) == ["/passages/"]
    for page_before in ({"Referer": "http://localhost/passages/?q=x"}, {}, {}):
        answer = client.get(address, headers=page_before)
        assert (answer.data, answer.mimetype) == (FACE, "image/jpeg")
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert viewed(app) == [address, "/passages/"]
    viewer = client_of(app, VIEWER)
    assert (viewer.get(address).status_code, address in viewer.get("/passages/").text) == (403, False)
    (Path(app.config["UPLOADS"]) / name).unlink()
    assert client.get(address).status_code == 404


def test_logs_are_read_soon_while_somebody_looks_at_the_first_page(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    def is_due(address: str) -> bool:
        with app.app_context(), transaction():
            db.session.merge(EventLog(terminal_id=terminal.id, read_at=ago(seconds=10), next_at=ago(hours=-1)))
        client.get(address)
        with app.app_context():
            return db.session.get_one(EventLog, terminal.id).next_at < ago(minutes=-30)

    assert [is_due(address) for address in ("/passages/", "/passages/state", "/employees/")] == [True, True, False]
