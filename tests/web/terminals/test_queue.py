"""The queue of a terminal on its pages: who talks to it, whose turn it is, and who waits, and why."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.accounts import VIEWER
from hikflask.models.columns import database_now
from hikflask.services.changes.kinds import SEND
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.terminals import leases
from hikflask.web.terminals import terminals
from tests.support.desk import ENGLISH, HTMX
from tests.support.jobs import add_people, run, started
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

pytestmark = pytest.mark.usefixtures("worker_alive")

EVERY = re.compile(r'hx-trigger="every (\d+)s"')


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>|[\u2066-\u2069]", " ", page))


@pytest.fixture
def people(app: Flask, terminal: Terminal) -> list[int]:
    """Two of a job, one who is waited for, and one who leaves."""
    with app.app_context():
        ids = add_people("1", "2", "3", "4")
        run(started(SEND, ids[:2], terminal_id=terminal.id, terminal="Вход"))
        for one in ids[2:]:
            send_to_terminal(one, terminal.id)
        db.session.execute(db.update(Enrolment).where(Enrolment.number == "4").values(person="confirmed"))
        db.session.commit()
        set_active(ids[3], active=False)
    return ids


def test_page_shows_who_waits_in_the_true_order_with_names(client: FlaskClient, people: list[int]) -> None:
    english = client.get("/terminals/1/queue", headers=ENGLISH).text
    russian = client.get("/terminals/1/queue").text

    assert re.findall(r"Иван Иванов (\d)", text(english)) == ["4", "3", "1", "2"]
    assert "Removals: 1 Individual employees: 1 From jobs for many: 2" in text(english)
    assert "Удаления: 1 Отдельные сотрудники: 1 В массовых заданиях: 2" in text(russian)
    assert f'href="/employees/{people[2]}"' in english
    assert english.count("Waits for its turn.") == 4
    assert russian.count("Ждёт своей очереди.") == 4
    assert EVERY.findall(english) == ["5"]
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in english


def test_reason_stands_beside_who_waits(app: Flask, client: FlaskClient, people: list[int]) -> None:
    with app.app_context():
        later = {"next_attempt_at": database_now(900.0), "attempts": 3, "refusal": refusal("unreachable")}
        db.session.execute(db.update(Enrolment).where(Enrolment.number == "3").values(**later))
        off = {"offline_since": database_now(-60.0), "backoff_until": database_now(60.0), "reachable": False}
        db.session.execute(db.update(Terminal).values(**off))
        db.session.commit()
        delete_employee(people[0])

    shown = text(client.get("/terminals/1/queue", headers=ENGLISH).text)

    assert "The terminal has not answered since " in shown
    assert re.search(r"3 · The next try is (at|tomorrow at) ", shown)
    assert "does not answer at http://terminal.test" not in shown
    assert "Иван Иванов 1" not in shown


def test_present_turn_and_who_talks_to_it_come_first(app: Flask, client: FlaskClient, people: list[int]) -> None:
    with app.app_context():
        leases.acquire(1, "background", "save", 60.0)
        mine = {"step": "face", "next_attempt_at": database_now(50.0)}
        db.session.execute(db.update(Enrolment).where(Enrolment.number == "2").values(**mine))
        db.session.commit()

    english, russian = (text(client.get("/terminals/1/queue", headers=one).text) for one in (ENGLISH, {}))

    assert " Now " in english
    assert "worker writes employees to it." in english
    assert "2 · in progress" in english
    assert "Идёт запись сотрудников ( обработчик )." in russian or "Идёт запись сотрудников" in russian
    assert len(people) == 4


def test_fragment_is_the_queue_alone_and_keeps_its_page(
    client: FlaskClient, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminals, "ROWS", 2)
    first = client.get("/terminals/1/queue", headers=ENGLISH).text
    following = re.findall(r'rel="next" href="(/terminals/1/queue\?after=[^"]+)"', first)[0]
    second = client.get(following, headers=ENGLISH).text
    polled = re.findall(r'hx-get="([^"]+)"', second)[0].replace("&amp;", "&")
    fragment = client.get(polled, headers={**HTMX, **ENGLISH}).text

    assert re.findall(r"Иван Иванов (\d)", text(second)) == ["1", "2"]
    assert fragment.lstrip().startswith('<section id="queue"')
    assert re.findall(r"Иван Иванов (\d)", text(fragment)) == ["1", "2"]
    assert 'id="queue-first" href="/terminals/1/queue"' in fragment
    assert len(people) == 4


def test_terminals_page_has_the_beginning(app: Flask, client: FlaskClient, people: list[int]) -> None:
    with app.app_context():
        more = add_people(*(str(number) for number in range(10, 16)))
        run(started(SEND, more, terminal_id=1, terminal="Вход"))

    shown = client.get("/terminals/1", headers=ENGLISH).text.partition('<section id="queue"')[2]

    assert re.findall(r"Иван Иванов (\d+)", text(shown)) == ["4", "3", "1", "2", "10"]
    assert 'id="queue-more" href="/terminals/1/queue"' in shown
    assert 'hx-get="/terminals/1/queue/state?first=1"' in shown
    fragment = client.get("/terminals/1/queue/state?first=1", headers={**HTMX, **ENGLISH}).text
    assert re.findall(r"Иван Иванов (\d+)", text(fragment)) == ["4", "3", "1", "2", "10"]
    assert 'id="queue"' not in client.get("/terminals/1/state", headers={**HTMX, **ENGLISH}).text
    assert len(people) == 4


@pytest.mark.usefixtures("terminal")
def test_empty_queue_says_so_and_everybody_may_look(app: Flask, client: FlaskClient) -> None:
    shown = client_of(app, VIEWER).get("/terminals/1", headers=ENGLISH).text

    assert "The queue is empty." in shown
    assert EVERY.findall(shown) == []
    assert "Очередь пуста." in client.get("/terminals/1/queue").text
    assert client.get("/terminals/9/queue").status_code == 404
    assert client.get("/terminals/9/queue/state").status_code == 404
