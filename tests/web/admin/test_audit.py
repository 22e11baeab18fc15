"""The page of the audit trail, its filters and its export."""

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.labels import audit as labels
from hikflask.models import AuditEntry, Photo
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.audit import Entry
from hikflask.services.audit.search import BATCH, AuditFilter, list_entries
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH, Desk, typed
from tests.support.signed_in import OPERATOR_NAME, client_of, make_token
from tests.support.trail import entry

NOON = datetime(2026, 3, 10, 9, 0, 0, tzinfo=UTC)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"TIMEZONE": "Europe/Moscow", "TRUSTED_PROXY": "127.0.0.1"}


def add(app: Flask, action: str, at: datetime = NOON, /, **columns: Any) -> None:
    with app.app_context():
        db.session.add(entry(at=at, action=action, **{"actor": "Анна", **columns}))
        db.session.commit()


def entries(app: Flask) -> list[Entry]:
    with app.app_context():
        return list_entries(AuditFilter(), 1000)[0]


def shown(page: str) -> list[str]:
    """The table's rows as text."""
    rows = re.findall(r'<tr id="entry-.*?</tr>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows]


def exported(client: FlaskClient, **filters: str) -> list[dict[str, str]]:
    """The exported file, row by row, as a spreadsheet reads it."""
    answer = client.post("/audit/export", data=filters, headers=ENGLISH)
    assert answer.status_code == 200, answer.text
    text = answer.data.decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


def test_page_tells_the_newest_first_in_words(app: Flask, client: FlaskClient) -> None:
    add(app, "employee.created", employee="100222", address="10.0.0.7", request_id="abc123")
    add(
        app,
        "employee.changed",
        employee="100222",
        before={"full_name": "Иван Иванов"},
        after={"full_name": "Пётр <Петров>"},
    )

    newest, older = shown(client.get("/audit/?until=2026-03-10", headers=ENGLISH).text)

    assert newest.startswith("10 March 2026, 12:00:00")
    assert "Анна Employee changed Full name: Иван Иванов → Пётр &lt;Петров&gt; 100222" in newest
    assert "Employee added" in older
    assert older.endswith("100222 10.0.0.7 abc123")


def test_what_changed_is_in_words(app: Flask, client: FlaskClient) -> None:
    for before, after, said in [
        (None, {"is_active": True}, "In use: yes"),
        ({"role": "viewer"}, {"role": "admin"}, "Role: Viewer → Administrator"),
        (None, {"reason": "captureTimeout"}, "Reason: The terminal saw no face. Try again closer."),
        ({"fingerprint": None}, {"fingerprint": "ab"}, "Certificate fingerprint: — → ab"),
        (None, {"source": "upload"}, "Where from: file"),
        (None, {"odd": 1}, "odd: 1"),
        ({"value": "poll"}, {"value": "push"}, "terminals are asked → terminals are asked, and tell by themselves"),
        ({"value": "30"}, {"value": "60"}, "30 → 60"),
        (None, '{"name": "cut', "{&#34;name&#34;: &#34;cut"),
    ]:
        add(app, "terminal.changed", before=before, after=after)

        assert said in shown(client.get("/audit/?until=2026-03-10", headers=ENGLISH).text)[0]


def test_russian_page_speaks_no_english_of_ours(app: Flask, client: FlaskClient) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"actor": "nobody"}, "неизвестно кто"),
        ({"actor": "command line"}, "командная строка"),
        ({"actor": "worker"}, "фоновый обработчик"),
        ({"actor": "API Кадры"}, "API Кадры"),
        ({"action": "erasure.completed", "subject": "erasure 2"}, "удаление данных № 2"),
        ({"action": "job.started", "subject": "job 2"}, "задание 2"),
        ({"action": "token.created", "subject": "erasure 2"}, "erasure 2"),
        ({"after": {"expires_at": "2027-11-25"}}, "Действует до: 25 ноября 2027"),
        ({"after": {"expires_at": "2027-06-01T21:00:00+00:00"}}, "Действует до: 1 июня 2027 г. включительно"),
        ({"after": {"given_on": "2026-03-01"}}, "Дата: 1 марта 2026"),
        ({"after": {"given_on": "soon"}}, "Дата: soon"),
        ({"after": {"since": "2026-03-09 21:00:00+00:00"}}, "С: 10 марта 2026 г., 00:00:00"),
        ({"after": {"requested_by": "worker"}}, "Запросил: фоновый обработчик"),
    ]
    for columns, said in cases:
        add(app, columns.pop("action", "capture.started"), **columns)

        assert said in shown(client.get("/audit/?until=2026-03-10").text)[0]


def test_who_is_found_by_the_words_of_the_page_and_of_the_trail(app: Flask, client: FlaskClient) -> None:
    add(app, "capture.started", actor="worker")
    add(app, "capture.started", actor="nobody")
    for actor in ["worker", "фоновый обработчик", " Фоновый обработчик "]:
        page = client.get("/audit/", query_string={"actor": actor, "until": "2026-03-10"})

        assert len(shown(page.text)) == 1
        assert "фоновый обработчик" in shown(page.text)[0]


def test_action_without_words_is_said_as_it_is(app: Flask, client: FlaskClient) -> None:
    add(app, "moon.landed")

    assert "moon.landed" in shown(client.get("/audit/?until=2026-03-10").text)[0]


def test_nothing_typed_into_the_trail_becomes_markup(app: Flask, client: FlaskClient) -> None:
    evil = "<script>alert(1)</script>"
    add(app, evil, actor=evil, address=evil, employee=evil, terminal=evil, subject=evil, after={evil: evil})

    assert "<script>alert" not in client.get("/audit/?until=2026-03-10").text


def test_each_filter_narrows_the_list(app: Flask, client: FlaskClient) -> None:
    add(app, "employee.created", datetime(2026, 3, 9, 20, 59, tzinfo=UTC), employee="100222")
    add(app, "capture.started", datetime(2026, 3, 9, 21, 0, tzinfo=UTC), actor="Пётр", terminal="Вход")
    add(app, "sign_out", datetime(2026, 3, 12, 20, 0, tzinfo=UTC))
    for query, found in [
        ("actor=Пётр", "capture.started"),
        ("action=sign_out", "sign_out"),
        ("employee=100222", "employee.created"),
        ("terminal=Вход", "capture.started"),
        ("terminal=%20Вход%20", "capture.started"),
        ("since=2026-03-12", "sign_out"),
        ("until=2026-03-09", "employee.created"),
        ("since=2026-03-10&until=2026-03-10", "capture.started"),
    ]:
        extra = "" if "until" in query else "&until=2026-03-12"

        rows = exported(client, **dict(part.split("=") for part in (query.replace("%20", " ") + extra).split("&")))

        assert [row["Code"] for row in rows] == [found]
        assert len(shown(client.get(f"/audit/?{query}{extra}").text)) == 1


def test_bad_filter_is_named_and_kept(client: FlaskClient) -> None:
    for name, value, sentence in [
        ("since", "yesterday", "“From” must be a day such as 2026-01-31."),
        ("since", "0001-01-01", "“From” must be a day such as 2026-01-31."),
        ("until", "9999-12-31", "“To” must be a day such as 2026-01-31."),
        ("until", "2026-02-30", "“To” must be a day such as 2026-01-31."),
        ("action", "moon.landed", "“What” must be one of the list."),
        ("actor", "x" * 129, "“Who” is too long: at most 128 characters."),
        ("employee", "1\x00", "“Employee ID” must not contain control characters."),
        ("terminal", "a\nb", "“Terminal” must not contain control characters."),
    ]:
        answer = client.get(
            "/audit/", query_string={name: value, "actor" if name != "actor" else "employee": "42"}, headers=ENGLISH
        )
        refused = client.post("/audit/export", data={name: value})

        assert (answer.status_code, refused.status_code) == (422, 422)
        assert sentence in answer.text
        assert f'value="{value}"' in answer.text
        assert 'value="42"' in answer.text
        assert f'id="{name}-error"' in answer.text
        assert shown(answer.text) == []


def test_last_day_before_the_first_is_refused(client: FlaskClient) -> None:
    answer = client.get("/audit/?since=2026-03-11&until=2026-03-10", headers=ENGLISH)

    assert answer.status_code == 422
    assert "“To” must not be before “From”." in answer.text


def test_looks_at_photos_are_shown_and_exported_when_asked_for(app: Flask, client: FlaskClient) -> None:
    add(app, "photo.viewed", employee="100222")
    add(app, "employee.created", employee="100222")

    page = client.get("/audit/?employee=100222").text
    assert [("Просмотрено фото" in row) for row in shown(page)] == [False]
    assert "Скачать таблицей (CSV), записей: 1" in page
    assert [row["Code"] for row in exported(client, employee="100222")] == ["employee.created"]

    asked = client.get("/audit/?employee=100222&looks=y").text
    assert [("Просмотрено фото" in row) for row in shown(asked)] == [False, False, True]
    assert '<input type="hidden" name="looks" value="y">' in asked
    rows = exported(client, employee="100222", looks="y")
    assert [row["Code"] for row in rows] == ["audit.exported", "employee.created", "photo.viewed"]
    assert (entries(app)[0].employee, entries(app)[0].after) == ("100222", {"entries": 3})
    assert "Без просмотров фото: да" in shown(client.get("/audit/?action=audit.exported").text)[1]
    assert len(shown(client.get("/audit/?action=photo.viewed").text)) == 1


def test_employees_are_shown_by_number_and_name(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        employee = save_employee(Draft("100222", "Иван Иванов")).row.id
    assert "100222 Иван Иванов" in shown(client.get("/audit/?employee=100222").text)[0]

    client.post(f"/employees/{employee}/delete")
    assert "100222 Иван Иванов" not in " ".join(shown(client.get("/audit/?employee=100222").text))


def test_pages_keep_the_filters(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.add_all([entry(at=NOON, actor="Анна", action="sign_in", employee=str(n)) for n in range(101)])
        db.session.commit()

    pages, address = [], "/audit/?actor=Анна&until=2026-03-10"
    while address:
        pages.append(client.get(address, headers=ENGLISH).text)
        following = re.findall(r'rel="next" href="([^"]+)"', pages[-1])
        address = following[0].replace("&amp;", "&") if following else ""

    assert [len(shown(page)) for page in pages] == [25, 25, 25, 25, 1]
    assert all('value="2026-03-10"' in page for page in pages)
    assert ["Newest" in page for page in pages] == [False, True, True, True, True]


def test_page_that_is_none_is_no_error(app: Flask, client: FlaskClient) -> None:
    add(app, "sign_in")
    for before in ["0", "-1", "x", "9" * 30]:
        answer = client.get(f"/audit/?before={before}")

        assert answer.status_code == 200
        assert len(shown(answer.text)) == 2


def test_operation_is_one_row_that_opens_into_some_of_its_entries(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        rows = [entry(at=NOON, actor="Анна", action="job.started", request_id="abc123")]
        for n in range(60):
            rows += [
                entry(at=NOON, actor=actor, action=action, request_id="abc123", employee=str(n))
                for actor, action in (("Анна", "employee.deactivated"), ("worker", "enrolment.removed"))
            ]
        db.session.add_all([entry(at=NOON, actor="Анна", action="sign_in"), *rows])
        db.session.commit()

    bulk, sign_in = shown(client.get("/audit/?until=2026-03-10").text)

    title = "Сотрудник деактивирован: 60 Начато массовое задание · Терминал подтвердил удаление: 60 121 запись"
    assert title in bulk
    assert bulk.count("12:00:00 Сотрудник деактивирован") == 8
    assert bulk.endswith("и ещё 113 abc123")
    assert "Вход" in sign_in

    (more,) = re.findall(r'<a href="([^"]+)">и ещё 113</a>', client.get("/audit/?until=2026-03-10").text)
    entries = client.get(more.replace("&amp;", "&")).text
    assert len(shown(entries)) == 50
    assert "Страница 1 из 3" in entries
    assert "записей: 121" in entries


def test_choices_of_what_was_done_are_grouped(client: FlaskClient) -> None:
    page = client.get("/audit/?action=sign_out", headers=ENGLISH).text
    groups = dict(re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page, re.DOTALL))
    offered = [action for group in groups.values() for action in re.findall(r'value="([^"]+)"', group)]

    assert [*groups] == ["Employees", "Captures", "Terminals", "Jobs and imports", "Sign-in", "Administration"]
    assert sorted(offered) == sorted(labels.ACTIONS)
    assert '<option value="sign_out" selected>Signed out</option>' in groups["Sign-in"]
    assert '<option value="photo.viewed">' in groups["Employees"]


def test_nothing_found_is_said(client: FlaskClient) -> None:
    page = client.get("/audit/?employee=nobody", headers=ENGLISH).text

    assert "Nothing of the kind was done." in page
    assert "/audit/export" not in page


def test_employee_page_leads_administrators_to_its_entries(app: Flask, desk: Desk) -> None:
    place = desk.save()

    assert 'href="/audit/?employee=100222"' in desk.text(place)
    assert "/audit/" not in client_of(app, OPERATOR).get(place).text
    assert "/audit/" in desk.text("/administration")
    assert any("Терминал подтвердил" in row or "100222" in row for row in shown(desk.text("/audit/?employee=100222")))


# Export


def test_export_is_a_file_of_today_that_no_cache_keeps(client: FlaskClient) -> None:
    answer = client.post("/audit/export")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="audit-20\d\d-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_export_is_an_entry_itself_with_what_was_asked_for(app: Flask, client: FlaskClient) -> None:
    add(app, "sign_in", employee="100222")

    rows = exported(client, employee="100222", since="2026-03-10")

    last = entries(app)[0]
    assert (last.action, last.actor) == ("audit.exported", OPERATOR_NAME)
    since = "2026-03-09 21:00:00+00:00"
    assert (last.employee, last.after) == ("100222", {"entries": 1, "since": since, "without_looks": True})
    assert [row["Code"] for row in rows] == ["sign_in"]


def test_export_says_all_that_an_entry_has(app: Flask, client: FlaskClient) -> None:
    about = {
        "employee": "100222",
        "terminal": "Вход; второй",
        "subject": 'a "b"',
        "address": "::1",
        "request_id": "ab12",
    }
    add(app, "employee.changed", before={"name": "Иван"}, after={"name": "Пётр"}, **about)

    (row,) = exported(client, until="2026-03-10")

    assert row == {
        "Number": row["Number"],
        "Time": "2026-03-10 12:00:00",
        "Time (UTC)": "2026-03-10 09:00:00",
        "Who": "Анна",
        "Network address": "::1",
        "Request": "ab12",
        "Code": "employee.changed",
        "What": "Employee changed",
        "Employee ID": "100222",
        "Terminal": "Вход; второй",
        "Object": 'a "b"',
        "Before": '{"name": "Иван"}',
        "After": '{"name": "Пётр"}',
    }


def test_no_cell_is_a_formula(app: Flask, client: FlaskClient) -> None:
    for first in ["=", "+", "-", "@", "\t", "\r", "\n", "＝"]:
        text = f"{first}1+1"
        add(
            app, "x", actor=text, address=text, request_id=text, employee=text, terminal=text, subject=text, before=text
        )

        row, *_ = exported(client, until="2026-03-10")

        cells = [
            row[name] for name in ("Who", "Network address", "Request", "Employee ID", "Terminal", "Object", "Before")
        ]
        assert cells == [f"'{text}"] * 7


def test_export_is_as_readable_as_before(app: Flask, client: FlaskClient) -> None:
    before = '{"people": -5, "since": "2026-03-01", "name": "Анна-Мария, отдел 1+1", "url": "http://a.test/?a=b"}'
    add(app, "x", subject="2 - 1 = 1", before=before)

    (row,) = exported(client, until="2026-03-10")

    assert (row["Object"], row["Before"]) == ("2 - 1 = 1", before)
    text = client.post("/audit/export", data={"until": "2026-03-10"}).text
    assert all(line.startswith('"') and line.endswith('"') for line in text.removeprefix("\ufeff").splitlines())


def test_long_trail_is_exported_in_batches(app: Flask, client: FlaskClient) -> None:
    length = 2 * BATCH + 1
    with app.app_context():
        db.session.add_all([AuditEntry(at=NOON, actor="Анна", action="sign_in", subject=str(n)) for n in range(length)])
        db.session.commit()

    answer = client.post("/audit/export", data={"until": "2026-03-10"}, buffered=False)
    parts = list(answer.iter_encoded())

    assert len(parts) == 4
    subjects = [row[10] for row in list(csv.reader(b"".join(parts).decode().splitlines(), delimiter=";"))[1:]]
    assert subjects == [str(n) for n in reversed(range(length))]


def test_entry_about_somebody_who_was_erased_says_so(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        erase_employee(save_employee(Draft("100222", "Иван Иванов")).row.id)

    for headers, said in (
        (ENGLISH, "Personal data can no longer be read"),
        ({}, "Личные данные больше не прочитать"),
    ):
        (row,) = shown(client.get("/audit/?action=employee.created", headers=headers).text)
        file = client.post("/audit/export", data={"action": "employee.created"}, headers=headers).text

        assert said in row
        assert said in file
        assert not [text for text in ("100222", "Иван") if text in row + file]


# Photos that are looked at


@pytest.fixture
def photo(desk: Desk) -> str:
    """The address of an employee's photo."""
    address: str = re.findall(r'src="(/uploads/[^"]+)"', desk.text(desk.save()))[0]
    return address


def looks(app: Flask) -> list[Entry]:
    return [one for one in reversed(entries(app)) if one.action == "photo.viewed"]


def look(client: FlaskClient, photo: str, **about: Any) -> int:
    with client.get(photo, **about) as answer:
        return answer.status_code


def test_looks_are_noted_once_for_operator_and_for_token(app: Flask, client: FlaskClient, photo: str) -> None:
    token = make_token(app, VIEWER)
    stranger = app.test_client()
    bearer = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "198.51.100.4"}

    for _ in range(2):
        assert look(client, photo, headers={"X-Forwarded-For": "203.0.113.9"}) == 200
        assert look(stranger, photo, headers=bearer) == 200
    assert look(stranger, photo) == 303

    by_operator, by_token = looks(app)
    assert (by_operator.actor, by_operator.address) == (OPERATOR_NAME, "203.0.113.9")
    assert (by_token.actor.startswith("API viewer"), by_token.address) == (True, "198.51.100.4")
    assert {one.subject for one in (by_operator, by_token)} == {photo.rpartition("/")[2]}
    assert {one.employee for one in (by_operator, by_token)} == {"100222"}
    assert all(re.fullmatch("[0-9a-f]{12}", one.request_id) for one in (by_operator, by_token))
    assert by_operator.request_id != by_token.request_id


def test_look_names_the_number_before_the_photo_is_saved_and_the_employee_after(app: Flask, desk: Desk) -> None:
    capture_id = desk.capture()
    with app.app_context():
        unsaved = db.session.execute(db.select(Photo)).scalar_one().path
    assert look(desk.client, unsaved) == 200
    place = desk.client.post("/employees/", data=typed(capture_id=capture_id)).location
    for _ in range(2):
        assert look(desk.client, re.findall(r'src="(/uploads/[^"]+)"', desk.text(place))[0]) == 200

    employee_id = int(place.rpartition("/")[2])
    assert [(one.employee, one.employee_id) for one in looks(app)] == [("100222", None), ("100222", employee_id)]


def test_address_is_believed_from_the_trusted_proxy_alone(app: Flask, client: FlaskClient, photo: str) -> None:
    look(client, photo, headers={"X-Forwarded-For": "203.0.113.9"}, environ_base={"REMOTE_ADDR": "192.0.2.1"})

    assert [one.address for one in looks(app)] == ["192.0.2.1"]
