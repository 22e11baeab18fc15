"""The days of work: of all on a day and in a month, of one employee, and as files for payroll programs."""

import io
import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import delete, select

from hikflask.extensions import db
from hikflask.models import Employee, EventCoverage, Terminal
from hikflask.models.accounts import VIEWER
from hikflask.models.event import GAPS, OVERWRITTEN
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.passages import coverage
from tests.support.desk import ENGLISH, HTMX
from tests.support.employees import save_with_file
from tests.support.events import add_events, event_row
from tests.support.groups import add_terminals
from tests.support.jobs import add_people
from tests.support.signed_in import client_of
from tests.support.trail import entries

# Long ago, so that it is past whatever day it is; and none of these days is kept still.
AT = datetime(2024, 11, 28, 9, tzinfo=UTC)
DAY, MONTH = "/passages/days?day=2024-11-28", "/passages/days?month=2024-11"
MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture(name="settings")
def switched_on() -> dict[str, Any]:
    return {"PASSAGES": "poll", "TIMEZONE": "Europe/Moscow", "PASSAGES_DAY_START": "04:00"}


@pytest.fixture(autouse=True)
def stored(app: Flask, terminal: Terminal) -> None:
    """Иван came on two days, on the second one until after midnight; Ольга did not."""
    with app.app_context():
        ivan = save_with_file()
        save_with_file(Draft("100333", "Ольга Ёлкина", "Склад"))
        moments = (AT - timedelta(days=3), AT, AT + timedelta(hours=13, minutes=5))
        add_events(*(event_row(terminal, employee=ivan, at=at) for at in moments))


def table(page: str) -> list[str]:
    """The rows of the table as text, with their heads."""
    found = re.findall(r"<tr.*?</tr>", page.partition("<table")[2], re.DOTALL)
    texts = [re.sub(r"<svg.*?</svg>|<[^>]+>", " ", row, flags=re.DOTALL) for row in found]
    return [re.sub(r"\s+", " ", text).strip() for text in texts]


def test_day_shows_who_came_when_and_who_did_not(client: FlaskClient) -> None:
    page = client.get(DAY, headers=ENGLISH).text

    assert table(page) == [
        "Employee Picture Arrival Departure Hours",
        "Иван Иванов 100222 · Охрана 12:00 01:05 +1 13:05",
        "Ольга Ёлкина 100333 · Склад – – –",
    ]
    assert "<h2>Thursday, 28 November 2024</h2>" in page
    assert '<p id="count">Came: 1 of 2</p>' in page
    assert '<p id="count">Total: 2</p>' in client.get("/passages/days?day=2090-01-01", headers=ENGLISH).text
    # From 12:00 to 01:05 on an axis from 04:00.
    assert '<rect class="day-in" x="33.33%" y="2" width="54.51%" height="10" rx="3"/>' in page


def test_month_shows_each_employee_and_leads_to_the_days_of_one(client: FlaskClient) -> None:
    page = client.get(MONTH, headers=ENGLISH).text

    assert table(page) == [
        "Employee Picture Days Hours",
        "Иван Иванов 100222 · Охрана 2 13:05 1 day without hours",
        "Ольга Ёлкина 100333 · Склад – –",
    ]
    address = page.partition('id="days-1" href="')[2].partition('"')[0].replace("&amp;", "&")
    own = client.get(address, headers=ENGLISH).text
    rows = table(own)
    assert (rows[0], rows[-1]) == ("Day Picture Arrival Departure Hours Passages", "2 days 13:05 1 day without hours")
    assert rows[25] == "Mon, 25 12:00 – – 1"
    assert rows[26] == "Tue, 26 – – – –"
    assert 'href="/passages/?person=1&amp;day=2024-11-25"' in own
    assert "<h1><bdi>Иван Иванов</bdi></h1>" in own


def walk(app: Flask, name: str, *passages: tuple[str, str], day: int = 28) -> None:
    """Let somebody pass at an entrance or an exit of a day of November, as (direction, time of the day)."""
    with app.app_context():
        employee = db.session.execute(select(Employee).filter_by(name=name)).scalar_one()
        ids = {way: add_terminals(f"{way} {day}", direction=way)[f"{way} {day}"] for way in ("in", "out")}
        doors = {way: db.session.get_one(Terminal, terminal_id) for way, terminal_id in ids.items()}
        moments = [
            (way, datetime.fromisoformat(f"2024-11-{day:02}T{clock}").replace(tzinfo=MOSCOW)) for way, clock in passages
        ]
        add_events(*(event_row(doors[way], employee=employee, at=at.astimezone(UTC)) for way, at in moments))


def test_whoever_entered_after_the_last_exit_has_no_departure_and_no_hours(app: Flask, client: FlaskClient) -> None:
    walk(app, "Ольга Ёлкина", ("in", "09:04"), ("out", "12:52"), ("in", "13:24"))
    walk(app, "Ольга Ёлкина", ("out", "12:00"), ("in", "13:00"), ("out", "18:00"), day=27)

    assert table(client.get(DAY, headers=ENGLISH).text)[1] == (
        "Ольга Ёлкина 100333 · Склад 09:04 – no exit after 13:24 –"
    )
    assert table(client.get(DAY).text)[1].endswith("09:04 – нет выхода после 13:24 –")
    assert table(client.get(MONTH, headers=ENGLISH).text)[2] == (
        "Ольга Ёлкина 100333 · Склад 2 5:00 1 day without hours"
    )
    own = table(client.get("/passages/days?employee=2&month=2024-11", headers=ENGLISH).text)
    assert own[27] == "Wed, 27 13:00 18:00 exit at 12:00 without an entrance 5:00 3"
    assert own[-1] == "2 days 5:00 1 day without hours"
    with client.post("/passages/days/export", data={"month": "2024-11", "q": "ольга", "file": "1c-csv"}) as answer:
        assert answer.data.decode("utf-8-sig").splitlines() == [
            '"Дата";"Табельный номер";"ФИО";"Подразделение";"Приход";"Уход";"Часы";"Примечание"',
            '"27.11.2024";"100333";"Ольга Ёлкина";"Склад";"13:00";"18:00";"5,00";"выход в 12:00 без входа"',
            '"28.11.2024";"100333";"Ольга Ёлкина";"Склад";"09:04";"";"";"нет выхода после входа в 13:24"',
        ]


def test_hours_of_the_present_day_are_not_missed_yet(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        ivan = db.session.get_one(Employee, 1)
        door = db.session.get_one(Terminal, add_terminals("In", direction="in")["In"])
        add_events(event_row(door, employee=ivan, at=datetime.now(UTC)))

    assert table(client.get("/passages/days?employee=1", headers=ENGLISH).text)[-1] == "1 day –"


def test_beginning_of_the_day_is_proposed_where_the_present_one_cuts_night_shifts(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PASSAGES_DAY_START", None)
    for day in range(11, 15):
        walk(app, "Ольга Ёлкина", ("out", "06:05"), ("in", "22:00"), day=day)
    own = "/passages/days?employee=2&month=2024-11"

    page = client.get(own, headers=ENGLISH).text
    assert table(page)[12] == ("Tue, 12 22:00 – no exit after 22:00 exit at 06:05 without an entrance – 2")
    assert table(page)[-1] == "4 days – 4 days without hours"
    # The bar of the night is not over the hours when she was away.
    assert '<rect class="day-open" x="91.67%" y="2" width="0.8%"' in page
    for address in (own, f"{MONTH}&q=ольга"):
        assert note(client.get(address, headers=ENGLISH).text) == (
            "A day of work begins at 00:00 and cuts 3 shifts in two: their hours are missing or wrong. "
            "With a day that begins at 10:00 they would be whole. Change the beginning of the day"
        ), address
    assert note(client.get(own).text) == (
        "Рабочий день начинается в 00:00 и делит надвое 3 смены: их часы отсутствуют или неверны. "
        "Если он начнётся в 10:00, смены останутся целыми. Изменить начало рабочего дня"
    )
    assert note(client_of(app, VIEWER).get(own, headers=ENGLISH).text).endswith("Tell the administrator.")

    monkeypatch.setitem(app.config, "PASSAGES_DAY_START", time(10))
    page = client.get(own, headers=ENGLISH).text
    assert (table(page)[12], note(page)) == ("Tue, 12 22:00 06:05 +1 8:05 2", "")


def note(page: str) -> str:
    """What the page says of the beginning of the day."""
    text = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", page.partition('id="proposal">')[2].partition("</div>")[0])
    return re.sub(r"\s+", " ", text).strip()


def test_filters_stand_in_the_address_and_a_wrong_one_is_named(client: FlaskClient) -> None:
    for query, names in (
        ("department=склад", ["Ольга Ёлкина"]),
        ("q=иванов", ["Иван Иванов"]),
        ("presence=came", ["Иван Иванов"]),
        ("presence=absent", ["Ольга Ёлкина"]),
        ("q=никого", []),
    ):
        page = client.get(f"{DAY}&{query}", headers=ENGLISH).text
        assert re.findall(r'<a id="days-\d+"[^>]*><bdi>([^<]+)</bdi>', page) == names, query
    assert "Nobody is found by these filters. Change them, or look at all employees." in page

    part = client.get(f"{MONTH}&q=иванов&presence=", headers=HTMX)
    assert part.headers["HX-Push-Url"] == "/passages/days?month=2024-11&q=%D0%B8%D0%B2%D0%B0%D0%BD%D0%BE%D0%B2"
    assert part.text.startswith('<div id="rows"')

    for query, sentence in (
        ("day=x", "“Day” must be a day such as 2026-01-31."),
        ("month=2026-13", "“Month” must be a month such as 2026-01."),
        ("presence=late", "“Came or not” must be one of the list."),
        ("later=9", "“Later than” must be a time such as 09:00."),
    ):
        answer = client.get(f"/passages/days?{query}", headers=ENGLISH)
        assert (answer.status_code, sentence in answer.text) == (422, True), query


def test_day_begins_with_who_came_first_and_tells_who_came_later_than(app: Flask, client: FlaskClient) -> None:
    walk(app, "Ольга Ёлкина", ("in", "08:59"), ("out", "18:00"))
    rows = ["Ольга Ёлкина 100333 · Склад 08:59 18:00 9:01", "Иван Иванов 100222 · Охрана 12:00 01:05 +1 13:05"]

    assert table(client.get(DAY, headers=ENGLISH).text)[1:] == rows
    page = client.get(f"{DAY}&later=09:00", headers=ENGLISH).text
    assert table(page)[1:] == rows[1:]
    assert '<p id="count">Found: 1</p>' in page
    assert '<label for="later">Later than</label>' in page
    assert '<label for="later">Пришли позже</label>' in client.get(DAY).text
    # A month has no such filter.
    month = client.get(f"{MONTH}&later=09:00", headers=ENGLISH).text
    assert (len(table(month)), 'id="later"' in month) == (3, False)

    asked = {"day": "2024-11-28", "later": "09:00", "file": "1c-csv"}
    with client.post("/passages/days/export", data=asked) as answer:
        assert [line.split(";")[2] for line in answer.data.decode().splitlines()[1:]] == ['"Иван Иванов"']
    with app.app_context():
        [entry] = entries("passages.exported")
        about = {"from": "2024-11-28", "to": "2024-11-28", "later": "09:00"}
        assert entry.after == {**about, "for": "1c", "format": "csv"}


def test_totals_are_exact(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_people(*(f"7{number:03}" for number in range(203)))

    assert '<p id="count">Came: 1 of 205</p>' in client.get(DAY, headers=ENGLISH).text
    assert '<p id="count">Total: 205</p>' in client.get(MONTH, headers=ENGLISH).text


def test_month_of_one_employee_is_exported(app: Flask, client: FlaskClient) -> None:
    walk(app, "Ольга Ёлкина", ("in", "09:00"), ("out", "18:00"))
    own = client.get("/passages/days?employee=1&month=2024-11").text
    form = own.partition('action="/passages/days/export"')[2].partition("</form>")[0]
    asked = dict(re.findall(r'name="(employee|month)" value="([^"]+)"', form))
    assert asked == {"employee": "1", "month": "2024-11"}

    with client.post("/passages/days/export", data={**asked, "file": "1c-csv"}) as answer:
        assert answer.data.decode("utf-8-sig").splitlines()[1:] == [
            '"25.11.2024";"100222";"Иван Иванов";"Охрана";"12:00";"";"";""',
            '"28.11.2024";"100222";"Иван Иванов";"Охрана";"12:00";"01:05";"13,08";""',
        ]
    with client.post("/passages/days/export", data={**asked, "file": "frappe-csv"}) as answer:
        assert len(answer.data.decode().splitlines()) == 4
    with app.app_context():
        assert [entry.employee_id for entry in entries("passages.exported")] == [1, 1]
    # A month without a passage has nothing to write.
    assert "/passages/days/export" not in client.get("/passages/days?employee=1&month=2024-10").text
    assert "/passages/days/export" not in client_of(app, VIEWER).get("/passages/days?employee=1&month=2024-11").text


def test_what_is_shown_is_exported_for_payroll_programs(app: Flask, client: FlaskClient) -> None:
    asked = {"month": "2024-11", "department": "Охрана", "q": "иванов"}
    files: dict[str, bytes] = {}
    for file in ("1c-csv", "1c-xlsx", "frappe-csv"):
        with client.post("/passages/days/export", data={**asked, "file": file}) as answer:
            files[file] = answer.data
        kind, ending = file.split("-")
        name = re.escape(f"passages-2024-11-{kind}-") + r"[\d-]{10}\." + ending
        assert re.fullmatch(f'attachment; filename="{name}"', answer.headers["Content-Disposition"]), file
        assert answer.headers["Cache-Control"] == "no-store", file
    client.post("/passages/days/export", data={**asked, "file": "frappe-csv"}).close()

    assert files["1c-csv"].decode("utf-8-sig").splitlines()[1:] == [
        '"25.11.2024";"100222";"Иван Иванов";"Охрана";"12:00";"";"";""',
        '"28.11.2024";"100222";"Иван Иванов";"Охрана";"12:00";"01:05";"13,08";""',
    ]
    sheet = load_workbook(io.BytesIO(files["1c-xlsx"]))["Проходы"]
    assert [cell.value for cell in sheet[3]][4:7] == ["12:00", "01:05", "13,08"]
    assert files["frappe-csv"].decode().splitlines()[:2] == [
        '"employee","time","device_id","log_type"',
        '"100222","2024-11-25 12:00:00","Вход",""',
    ]
    with app.app_context():
        about = {"from": "2024-11-01", "to": "2024-11-30", "department": "Охрана"}
        assert [entry.after for entry in entries("passages.exported")] == [
            {**about, "for": file.partition("-")[0], "format": file.partition("-")[2]} for file in files
        ]


def test_export_is_offered_to_who_may_and_asks_for_a_known_file(app: Flask, client: FlaskClient) -> None:
    assert 'action="/passages/days/export"' in client.get(DAY).text
    assert 'action="/passages/days/export"' not in client_of(app, VIEWER).get(DAY).text
    for data in ({"file": "raw-csv"}, {"file": "1c-csv", "day": "x"}):
        assert client.post("/passages/days/export", data=data).status_code == 422


def test_it_is_said_what_may_be_missing(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    day = datetime.now(MOSCOW).date() - timedelta(days=3)
    begins = datetime.combine(day, time(5), MOSCOW)
    with app.app_context(), transaction():
        db.session.get_one(Terminal, terminal.id).created_at = begins - timedelta(days=30)
        coverage.extend(terminal.id, terminal.serial, begins - timedelta(days=60), begins + timedelta(days=90))
        coverage.add_gap(terminal.id, terminal.serial, begins, begins + timedelta(hours=2), OVERWRITTEN)

    def said(address: str) -> str:
        page = client.get(address, headers=ENGLISH).text
        note = page.partition('id="missing">')[2].partition("</div>")[0]
        return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", note, flags=re.DOTALL)).strip()

    assert re.fullmatch(
        r"Some passages may be missing here, so arrivals and departures may be wrong: "
        r"Вход : from 05:00 on \d+ \w+( \d+)? to 07:00 on \d+ \w+( \d+)? \(the terminal has overwritten them\)",
        said(f"/passages/days?day={day}"),
    )
    own = client.get(f"/passages/days?employee=1&month={day:%Y-%m}", headers=ENGLISH).text
    assert re.findall(r'<th scope="row">\S+ (\d+) <span class="day-uncertain"', own) == [str(day.day)]
    assert said(f"/passages/days?day={day - timedelta(days=1)}") == ""
    assert re.fullmatch(r"Passages are kept for a time only: those from before .+ are deleted\.", said(DAY))


def test_each_reason_why_passages_may_be_missing_has_its_words(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    day = datetime.now(MOSCOW).date() - timedelta(days=3)
    begins = datetime.combine(day, time(5), MOSCOW)
    with app.app_context(), transaction():
        db.session.get_one(Terminal, terminal.id).created_at = begins - timedelta(days=30)
        coverage.extend(terminal.id, terminal.serial, begins - timedelta(days=60), begins + timedelta(days=90))

    def reason(gap: str, language: str) -> str:
        with app.app_context(), transaction():
            db.session.execute(delete(EventCoverage).where(~EventCoverage.is_complete))
            coverage.add_gap(terminal.id, terminal.serial, begins, begins + timedelta(hours=2), gap)
        page = client.get(f"/passages/days?day={day}", headers={"Accept-Language": language}).text
        return page.partition('id="missing">')[2].partition("</li>")[0].rpartition("(")[2].rstrip(")")

    assert {gap: (reason(gap, "en"), reason(gap, "ru")) for gap in GAPS} == {
        "overwritten": ("the terminal has overwritten them", "терминал записал поверх новые"),
        "off": ("the terminal does not answer", "терминал не отвечает"),
        "other_device": ("another device was there", "там стояло другое устройство"),
        "new_log": ("its log began anew", "журнал терминала начался заново"),
        "clock": ("its clock jumped", "часы терминала перескочили"),
        "not_read": ("not read yet", "журнал ещё не прочитан"),
        "not_told": ("the terminal does not send all of them", "терминал присылает не все"),
        "too_many": ("it recorded more than is read in a day", "записано больше, чем читается за день"),
    }
