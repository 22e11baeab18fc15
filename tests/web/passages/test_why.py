"""The page that says why a door did not open: who is meant, the answer, its button, and what leads there."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from hikflask.extensions import db
from hikflask.models import Employee, Event, EventCoverage, EventLog, Terminal
from hikflask.models.event import GAPS, NO_PERMISSION, OUTSIDE_HOURS, UNKNOWN_PERSON
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from hikflask.services.passages import coverage
from hikflask.simulator import Terminal as Simulated
from tests.support.desk import ENGLISH, Desk
from tests.support.enrolments import enrol
from tests.support.events import add_events, event_row
from tests.support.signed_in import client_of

AT = datetime(2020, 1, 6, 9, 0, tzinfo=UTC)
WHY = f"/passages/why?employee=100222&at={AT:%Y-%m-%dT%H:%MZ}"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "PASSAGES_KEEP": 36500, "TIMEZONE": "UTC", "FACE_DETECTION": "off"}


@pytest.fixture
def ivan(app: Flask, simulator: Simulated, terminal: Terminal) -> int:
    """The id of an employee who is confirmed at the terminal."""
    with app.app_context():
        return int(enrol(simulator, terminal).employee_id or 0)


def record(app: Flask, employee_id: int | None, kind: str, code: tuple[int, int]) -> None:
    with app.app_context():
        employee = db.session.get(Employee, employee_id) if employee_id else None
        add_events(event_row(db.session.get_one(Terminal, 1), employee=employee, kind=kind, code=code, at=AT))


def cause(page: str) -> str:
    """The answer as it is read."""
    found = re.search(r'<h2 id="cause"[^>]*>(.*?)</h2>', page, re.DOTALL)
    assert found
    return re.sub("[\u2066-\u2069]", "", html.unescape(re.sub("<[^>]+>", "", found[1])))


def test_form_asks_whom_and_when_and_names_a_wrong_time(client: FlaskClient) -> None:
    assert "Choose the employee and about when it was." in client.get("/passages/why", headers=ENGLISH).text

    for headers, sentence in (
        (ENGLISH, "“When” must be a time such as 2026-01-31T09:30."),
        (None, "Поле «Когда»: укажите время, например 2026-01-31T09:30."),
    ):
        answer = client.get("/passages/why?employee=1&at=yesterday", headers=headers)
        assert answer.status_code == 422
        assert sentence in re.sub("[\u2066-\u2069]", "", answer.text)


@pytest.mark.usefixtures("terminal")
def test_words_find_the_employee_or_offer_those_who_have_them(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        save_employee(Draft("1", "Иван Иванов"))
        save_employee(Draft("2", "Анна Иванова"))

    several, one, nobody = (
        client.get(f"/passages/why?employee={word}&at=2026-01-31T09:30").text for word in ("иванов", "анна", "борис")
    )

    # The very word comes before those that begin with it.
    assert re.findall(r'href="/passages/why\?employee=(\d)&amp;at=2026-01-31T09:30"', several) == ["1", "2"]
    assert cause(one) == "Сотрудника нет ни на одном терминале."
    assert "Сотрудника с таким именем или ID нет." in nobody


@pytest.mark.usefixtures("terminal")
def test_exact_id_comes_first_in_whatever_letters(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        save_employee(Draft("1", "Lee Smith"))
        save_employee(Draft("LEE", "Анна Петрова"))

    page = client.get("/passages/why?employee=lee&at=2026-01-31T09:30").text

    assert re.findall(r'href="/passages/why\?employee=(\w+)&amp;at=2026-01-31T09:30"', page) == ["LEE", "1"]


def test_answer_has_its_evidence_and_the_one_step(app: Flask, client: FlaskClient, ivan: int) -> None:
    record(app, None, UNKNOWN_PERSON, (5, 76))
    record(app, ivan, OUTSIDE_HOURS, (5, 7))

    page = client.get(WHY, headers=ENGLISH).text

    assert cause(page) == (
        "“Вход” turned the employee away because of the hours: "
        "their schedule there does not allow entry on 6 January 2020 at 09:00."
    )
    assert page.count('class="btn btn-primary"') == 1
    assert 'action="/passages/why/1/schedules"' in page
    assert re.findall(r"<li class=\"passage-warn\">.*?</svg> (.*?)</span>", page) == [
        "Face not recognised",
        "Outside the allowed hours",
    ]
    assert '<a id="at-1" href="/terminals/1">' in page
    assert "action=" not in client_of(app, "viewer").get(WHY).text.partition('id="cause"')[2].partition("</section>")[0]


def test_schedules_are_asked_of_the_terminal_and_shown_with_the_answer_and_the_employee(
    app: Flask, desk: Desk, ivan: int
) -> None:
    record(app, ivan, OUTSIDE_HOURS, (5, 7))
    desk.simulator.plans.add(5, "Офис", {day: [("00:00:00", "00:01:00")] for day in ("Monday",)})
    desk.simulator.store.people["100222"]["RightPlan"] = [{"doorNo": 1, "planTemplateNo": "5"}]
    assert "Расписания на терминалах" not in desk.text(f"/employees/{ivan}")

    answer = desk.client.post("/passages/why/1/schedules", data={"next": WHY})

    assert (answer.status_code, answer.location) == (303, WHY)
    assert cause(desk.text(WHY)) == (
        "Терминал «Вход» отказал из-за времени: расписание «Офис» не разрешает проход 6 января 2020 г. в 09:00."
    )
    person = re.sub("[\u2066-\u2069]", "", desk.text(f"/employees/{ivan}"))
    assert "<dt>Расписания на терминалах</dt><dd><bdi>Вход</bdi>: расписание «Офис»</dd>" in person

    app.extensions["terminal_transport"].away.add("terminal.test")
    refused = desk.client.post("/passages/why/1/schedules", follow_redirects=True)
    assert "«Вход» не отвечает по адресу http://terminal.test. Проверьте питание и сеть." in refused.text


def test_each_reason_why_the_record_may_not_be_whole_has_its_sentence(
    app: Flask, client: FlaskClient, ivan: int, terminal: Terminal
) -> None:
    record(app, ivan, OUTSIDE_HOURS, (5, 7))
    hour = timedelta(hours=1)

    def doubt(language: str) -> str:
        page = client.get(WHY, headers={"Accept-Language": language}).text
        text = page.partition("why-doubts")[2].partition("</p>")[0].rpartition("<p>")[2]
        return re.sub("[\u2066-\u2069]", "", html.unescape(re.sub("<[^>]+>", "", text)))

    def both(gap: str) -> tuple[str, str]:
        with app.app_context(), transaction():
            db.session.execute(delete(EventCoverage))
            coverage.add_gap(terminal.id, terminal.serial, AT - hour, AT + hour, gap)
        return doubt("en"), doubt("ru")

    from_to = "from 08:00 on 6 January 2020 until 10:00 on 6 January 2020"
    russian = "с 08:00 6 января 2020 года до 10:00 6 января 2020 года"
    assert {gap: both(gap) for gap in GAPS} == {
        "overwritten": (
            f"“Вход” overwrote what it recorded {from_to} before it was read.",
            f"Терминал «Вход» записал новое поверх записей {russian} раньше, чем их прочитали.",
        ),
        "off": (
            "“Вход” does not answer, so what it recorded then is not read yet.",
            "Терминал «Вход» не отвечает, поэтому его записи за это время ещё не прочитаны.",
        ),
        "other_device": (
            f"Another device stood at “Вход” {from_to}, and its record was not read.",
            f"С{russian[1:]} на месте терминала «Вход» стояло другое устройство, его записи не прочитаны.",
        ),
        "new_log": (
            f"“Вход” began its record anew, so what it recorded {from_to} may be missing.",
            f"Терминал «Вход» начал журнал заново, поэтому записей {russian} может не хватать.",
        ),
        "clock": (
            f"The clock of “Вход” was changed, so what it recorded {from_to} may be missing.",
            f"Часы терминала «Вход» переводили, поэтому записей {russian} может не хватать.",
        ),
        "not_read": ("What “Вход” recorded then was not read.", "Записи терминала «Вход» за это время не прочитаны."),
        "not_told": (
            f"“Вход” does not send all that it recorded {from_to}.",
            f"Терминал «Вход» присылает не всё, что записал {russian}.",
        ),
        "too_many": (
            "“Вход” recorded more than is read in a day, so what it recorded then may be missing.",
            "Терминал «Вход» записал больше, чем читается за день, поэтому записей за это время может не хватать.",
        ),
    }

    with app.app_context(), transaction():
        db.session.execute(delete(EventCoverage))
        state = {"halted": True, "today": {"day": "2020-01-06"}}
        db.session.add(EventLog(terminal_id=terminal.id, state=state))
    assert doubt("en") == "“Вход” recorded more than is read in a day, so what it recorded then may be missing."


def set_all(model: type[Any], **columns: object) -> Callable[[], object]:
    return lambda: db.session.execute(db.update(model).values(**columns))


@pytest.mark.parametrize(
    ("change", "form"),
    [
        (set_all(Employee, is_active=False), 'id="step" href="/employees/1/activate"'),
        (
            lambda: db.session.execute(db.update(Terminal).values(clock_offset=-300, clock_checked_at=AT)),
            'action="/terminals/1/clock"',
        ),
    ],
)
@pytest.mark.usefixtures("ivan")
def test_step_is_the_form_that_does_it(
    app: Flask, client: FlaskClient, change: Callable[[], object], form: str
) -> None:
    record(app, 1, OUTSIDE_HOURS, (5, 7))
    with app.app_context(), transaction():
        change()

    assert form in client.get(WHY).text


def test_page_of_an_employee_and_a_refusal_lead_to_the_question(app: Flask, client: FlaskClient, ivan: int) -> None:
    record(app, ivan, NO_PERMISSION, (5, 6))

    assert (
        'href="/passages/why?employee=100222">Почему не открылась дверь?</a>' in client.get(f"/employees/{ivan}").text
    )
    page = client.get("/passages/").text
    asked = f"/passages/why?employee=100222&amp;at={AT:%Y-%m-%dT%H:%M:00Z}&amp;terminal=1"
    assert re.search(rf'<a class="passage-why" id="why-\d+" href="{re.escape(asked)}">Почему\?</a>', page)
    assert cause(client.get(html.unescape(asked)).text) == (
        "Терминал «Вход» знает сотрудника и сообщает, что права на эту дверь у него нет."
    )
    with app.app_context():
        assert db.session.execute(db.select(Event.kind)).scalars().all() == [NO_PERMISSION]
