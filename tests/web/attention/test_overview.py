"""The start page: what a person must do, each with its one button, and the number of it in the header."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from hikflask.extensions import db
from hikflask.http.permissions import OPERATOR, VIEWER
from hikflask.labels import attention as labels
from hikflask.models import Backup, Enrolment, EventLog, Heartbeat, JournalAlarm, Terminal
from hikflask.models.comparison import Drift
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.attention import people_problems
from hikflask.services.backups import records
from hikflask.services.backups.archive import Manifest
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEPARTMENT
from hikflask.services.core import heartbeat
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.web.attention import overview as overview_page
from tests.support.captures import OTHER_FACE
from tests.support.comparisons import compare
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.disk_usage import GIGABYTE, let_be_free
from tests.support.jobs import add_people, started
from tests.support.made_backups import run_without_backup
from tests.support.refusals import refusal
from tests.support.removals import open_removals
from tests.support.signed_in import client_of

ADDRESS = "/attention"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODELING = "SubpicAnalysisModelingError"


def english(desk: Desk, address: str = ADDRESS) -> str:
    return said(desk.client.get(address, headers=ENGLISH).text)


def said(page: str) -> str:
    """The text of a page: without tags, and without the characters that isolate texts of others."""
    text = unescape(re.sub(r"<[^>]*>", " ", page))
    return re.sub(r"\s+", " ", re.sub(r"[\u2066-\u2069]", "", text))


def part(page: str, key: str) -> str:
    """One part of the page, or an empty text."""
    found = re.search(rf'<section class="[^"]*" id="attention-{key}".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def row(page: str, row_id: str) -> str:
    """One row of the page, or an empty text."""
    found = re.search(rf'<li class="attention-row[^"]*" id="{row_id}".*?</li>', page, re.DOTALL)
    return found[0] if found else ""


def number(page: str) -> int:
    """The number in the header, which is that of the heading and of the rows."""
    count = number_in_bar(page)
    assert page.count("btn-primary") <= 1
    if 'id="attention-add"' in page:
        counts = re.findall(r'<h2 id="attention-[^"]*">.*?<span class="count">(\d+)<', page)
        assert page.count('<li class="attention-row') == sum(map(int, counts)) == count
        title = "".join(page.partition("<h1>")[2].split("</div>", 2)[:2])
        assert (f">{count}</span>" in title) is (count > 0)
    return count


def number_in_bar(page: str) -> int:
    """The number in the header."""
    found = re.search(r'id="attention-entry".*?<span class="bar-number[^"]*"[^>]*>(\d+)</span>', page, re.DOTALL)
    assert found
    return int(found[1])


def without_photos(desk: Desk, app: Flask, count: int) -> None:
    """Add so many people to the terminal without a photo."""
    with app.app_context():
        for one in range(1, count + 1):
            row = send_to_terminal(save_employee(Draft(f"N{one}", "Иван Иванов")).row.id, desk.terminal.id).row
            reconcile(row.id, "test")


def leads_to(text: str) -> str:
    """Where the title of a row leads."""
    found = re.search(r'<a class="attention-title" id="[^"]*" href="([^"]*)"', text)
    return unescape(found[1]) if found else ""


def press(desk: Desk, part: str, address: str) -> str:
    """Send the form of a group that leads to an address, and return where it goes on."""
    form = part.partition(f'action="{address}"')[2].partition("</form>")[0]
    assert form, address
    return desk.client.post(address, data=MultiDict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))).location


@pytest.fixture
def away(app: Flask) -> set[str]:
    """The hosts that do not answer."""
    hosts: set[str] = app.extensions["terminal_transport"].away
    return hosts


def test_start_page_is_what_needs_attention(desk: Desk) -> None:
    assert desk.client.get("/").location == ADDRESS
    assert 'class="brand" href="/attention"' in desk.text("/employees/")
    assert re.search(r'id="attention-entry" href="/attention" aria-current="page"', desk.text(ADDRESS))


def test_all_is_well_is_a_front_page(desk: Desk, app: Flask) -> None:
    desk.save()
    with app.app_context():
        db.session.execute(db.update(Terminal).values(people=1, checked_at=datetime.now(UTC)))
        db.session.commit()

    page = desk.text(ADDRESS)

    assert number(page) == 0
    assert 'data-says="Всё в порядке"' in page
    assert "<h1>Всё в порядке</h1>" in page
    assert "<h1>All is well</h1>" in desk.client.get(ADDRESS, headers=ENGLISH).text
    assert (
        "Терминалы Вход на связи 1 человек Сотрудники 1 из 1 Подтверждены терминалами: сотрудник и лицо "
        "Недавно добавлены Иван Иванов" in said(page)
    )
    assert "Terminals Вход reachable 1 person Employees 1 of 1 Confirmed by the terminals, person and face" in english(
        desk
    )
    for address in ("/terminals/1", "/employees/?state=on_terminals", "/employees/1"):
        assert f'href="{address}"' in page
    assert '<a class="btn btn-primary" id="attention-add" href="/employees/new">' in page
    assert "attention-add" not in client_of(app, VIEWER).get(ADDRESS).text


def test_without_a_terminal_the_page_says_what_to_do_first(app: Flask) -> None:
    client = client_of(app)

    page = client.get(ADDRESS, headers=ENGLISH).text

    assert 'href="/terminals/new">Add terminal</a>' in page
    assert "All is well" not in page


def test_who_left_and_is_on_a_terminal_is_red_and_removed_there_by_its_button(app: Flask, desk: Desk) -> None:
    with app.app_context():
        set_active(add_people("7")[0], active=False)
        desk.simulator.store.add("7", {"name": "Иван Иванов 7"})
        compare(db.session.get_one(Terminal, 1))

    page = desk.text(ADDRESS)
    there = row(page, "left_there-1")

    assert 'class="attention-row attention-bad"' in there
    assert number(page) == 1
    assert re.search(
        r"Иван Иванов 7: после увольнения ещё есть на терминале «Вход» При сверке они были на терминале; возможно, "
        r"двери ещё открываются\. с \d\d:\d\d Удалить с терминала",
        said(there),
    )
    assert (
        "Иван Иванов 7: left, but still on “Вход” The comparison found them there; they may still open doors."
        in english(desk)
    )
    assert press(desk, there, "/terminals/1/comparison/choose") == "/terminals/1/comparison/plan"
    assert "To be removed from the terminal: 1 person." in english(desk, "/terminals/1/comparison/plan")
    assert "Remove from the terminal" not in client_of(app, VIEWER).get(ADDRESS, headers=ENGLISH).text
    listed = desk.text("/attention/people?cause=left_there&terminal=1")
    assert row(listed, "person-1").count("Удалить с терминала") == 1


def test_removal_at_a_terminal_that_is_off_is_red_above_it_and_gone_when_the_terminal_confirms(
    desk: Desk, away: set[str]
) -> None:
    place = desk.save()
    away.add("terminal.test")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    page = desk.text(ADDRESS)
    leaving = row(page, "leaving-1")

    assert (number(page), 'data-says="Требуют внимания: 2"' in page) == (2, True)
    assert page.index('id="attention-danger"') < page.index('id="leaving-1"') < page.index('id="terminal-1"')
    assert "Терминалы не отвечает: 1 Срочно 1 Иван Иванов" in said(page)
    assert "Terminals does not answer: 1 Urgent 1 Иван Иванов" in english(desk)
    assert 'class="attention-row attention-bad"' in leaving
    assert leads_to(leaving) == "/employees/1"
    assert re.search(
        r"Иван Иванов: доступ ещё не снят на терминале «Вход» Программа снимет доступ, как только терминал "
        r"заработает\. с \d\d:\d\d Проверить терминал $",
        said(leaving),
    )
    assert re.search(
        r"Иван Иванов: access not withdrawn yet on “Вход” It will be done as soon as the terminal works again\. "
        r"since \d\d:\d\d",
        english(desk),
    )
    away.clear()
    assert press(desk, leaving, "/terminals/1/check") == ADDRESS
    assert "Идёт попытка…" in row(desk.text(ADDRESS), "leaving-1")
    desk.client.post("/enrolments/1/retry")
    desk.run_jobs()
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_removal_of_a_deleted_employee_leads_to_a_list(desk: Desk, away: set[str]) -> None:
    place = desk.save()
    away.add("terminal.test")
    desk.client.post(f"{place}/delete")
    desk.run_jobs()

    leaving = row(desk.text(ADDRESS), "leaving-1")

    assert leads_to(leaving) == "/attention/people?cause=leaving&terminal=1"
    assert "Иван Иванов · 100222" in said(row(desk.text(leads_to(leaving)), "person-1"))


def test_strangers_record_is_decided_on_the_start_page(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.people["100222"]["name"] = "Чужой Человек"
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    leaving = row(desk.text(ADDRESS), "leaving-1")

    assert "Удалить всё равно" in leaving
    assert "/enrolments/1/retry" not in leaving
    assert press(desk, leaving, "/enrolments/1/somebody-else") == ADDRESS
    assert row(desk.text(ADDRESS), "leaving-1") == ""


def test_old_device_is_asked_about_by_hand_on_the_start_page(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        old = {"on_old_device": True, "name_on_old_device": "Иван Иванов", "written_name": ""}
        db.session.execute(db.update(Enrolment).values(**old))
        db.session.commit()
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    leaving = row(desk.text(ADDRESS), "leaving-1")

    assert press(desk, leaving, "/enrolments/1/by-hand") == ADDRESS
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_refused_face_says_why_and_leads_to_the_form(desk: Desk) -> None:
    desk.simulator.faults.add("refuse", MODELING)
    desk.save()
    refused = row(desk.text(ADDRESS), "photo-1")

    assert leads_to(refused) == "/employees/1"
    assert re.search(
        r"Иван Иванов: нет фото на терминале «Вход» Терминал не смог построить модель лица\. Сфотографируйте заново\. "
        r"с \d\d:\d\d Сфотографировать",
        said(refused),
    )
    assert 'class="btn btn-primary" id="photo-1-capture" href="/employees/1/edit">' in refused
    assert "Иван Иванов: no photo on “Вход” The terminal could not model this face." in english(desk)


def test_taken_number_is_decided_on_the_page_of_the_employee(desk: Desk) -> None:
    desk.save()
    desk.client.post("/employees/1/delete")
    desk.run_jobs()
    desk.simulator.people["100222"] = {"employeeNo": "100222", "name": "Чужой Человек"}
    desk.save()
    taken = row(desk.text(ADDRESS), "taken-1")

    assert 'id="taken-1-decide" href="/employees/2">Решить</a>' in taken
    assert "Иван Иванов: ID занят на терминале «Вход» ID 100222 на терминале занят: «Чужой Человек»." in said(taken)


def test_many_without_a_photo_are_counted_once_for_all_pages(
    desk: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (people_problems, overview_page):
        monkeypatch.setattr(module, "MAX_COUNTED", 4)
    monkeypatch.setattr(people_problems, "AT_EACH", people_problems.at_each())
    for name in ("_counting", "_choosing"):
        monkeypatch.setattr(people_problems, name, getattr(people_problems, name).__wrapped__)
    without_photos(desk, app, 7)
    page, english_page = desk.text(ADDRESS), english(desk)
    listed = desk.text(leads_to(row(page, "photo-1")))
    terminals = [desk.client.get("/terminals/", headers=language).text for language in (ENGLISH, {})]

    assert "7 сотрудников: нет фото на терминале «Вход»" in said(row(page, "photo-1"))
    assert "7 employees: no photo on “Вход”" in english_page
    assert '<span class="count">7</span>' in listed
    assert "Показаны первые 4." in listed
    assert "Сфотографировано: 0 из 7, осталось: 7" in desk.text("/terminals/1/round")
    assert "Photos taken: 2 of 9, left: 7" in desk.client.get("/terminals/1/round?of=9", headers=ENGLISH).text
    assert "Нужно сфотографировать: 7." in desk.text("/terminals/1")
    assert '<a id="photos-1" href="/terminals/1/round">Need a photo: 7</a>' in terminals[0]
    assert '<a id="photos-1" href="/terminals/1/round">Нужно сфотографировать: 7</a>' in terminals[1]
    assert "nobody waits" not in terminals[0]
    viewer = client_of(app, VIEWER).get("/terminals/", headers=ENGLISH).text
    assert '<a id="photos-1" href="/terminals/1">Need a photo: 7</a>' in viewer


def test_all_without_a_photo_at_a_terminal_are_one_row_that_leads_through_all_of_them(desk: Desk, app: Flask) -> None:
    without_photos(desk, app, 7)
    page = desk.text(ADDRESS)
    photo = row(page, "photo-1")

    assert number(page) == 1
    assert "7 сотрудников: нет фото на терминале «Вход»" in said(photo)
    assert photo.count('class="avatar') == 4
    assert 'id="photo-1-round" href="/terminals/1/round">' in photo
    assert "Сфотографировать всех по очереди" in photo
    assert "0 из 7" in desk.text("/terminals/1/round")
    assert "7 employees: no photo on “Вход”" in english(desk)
    assert "Take all photos in turn" in english(desk)
    listed = desk.text(leads_to(photo))
    assert '<span class="count">7</span>' in listed
    assert "Иван Иванов · N1" in said(row(listed, "person-1"))
    assert listed.count("Сфотографировать</a>") == 7
    assert 'id="photo-1-round"' in listed
    seen_by_viewer = client_of(app, VIEWER)
    for address in (ADDRESS, leads_to(photo)):
        assert "/round" not in seen_by_viewer.get(address).text


@pytest.mark.parametrize(
    ("changed", "action"),
    [
        ({"reachable": False, "offline_since": NOW}, None),
        ({"refused_since": NOW, "refused_code": "wrong_password"}, None),
        ({"capture_mode": "none"}, "photo-1-list"),
        ({"faces": 1500, "face_capacity": 1500}, "photo-1-who"),
    ],
)
def test_no_round_is_offered_where_it_cannot_work(
    desk: Desk, app: Flask, changed: dict[str, object], action: str | None
) -> None:
    without_photos(desk, app, 3)
    with app.app_context():
        db.session.execute(db.update(Terminal).values(**changed))
        db.session.commit()
    page = desk.text(ADDRESS)

    assert "/round" not in page
    if action:
        assert f'id="{action}"' in row(page, "photo-1")
    else:
        # They are part of the terminal's row.
        assert row(page, "photo-1") == ""
        assert row(page, "terminal-1")


def test_nothing_that_needs_the_worker_is_offered_while_none_runs(desk: Desk, app: Flask) -> None:
    without_photos(desk, app, 3)
    with app.app_context():
        heartbeat.leave("test")

    assert '<a class="btn' not in row(desk.text(ADDRESS), "photo-1")


def test_everybody_at_a_full_terminal_is_tried_again_by_one_button(desk: Desk) -> None:
    desk.simulator.faults.add("full", "users")
    for one in ("1", "2", "3"):
        desk.save(hikvision_id=f"N{one}")
    full = row(desk.text(ADDRESS), "full-1")
    desk.simulator.faults.clear()

    assert "3 сотрудника: нет места на терминале «Вход»" in said(full)
    assert "Повторить для всех" in full
    assert press(desk, full, "/attention/retry") == ADDRESS
    desk.run_jobs()
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_one_alone_is_tried_again_at_once(desk: Desk) -> None:
    desk.simulator.faults.add("full", "users")
    desk.save()
    full = row(desk.text(ADDRESS), "full-1")
    desk.simulator.faults.clear()

    assert press(desk, full, "/enrolments/1/retry") == ADDRESS
    desk.run_jobs()
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_two_are_named_and_more_are_counted_who_are_on_no_terminal(desk: Desk) -> None:
    said_by_count = {}
    for one in range(1, 4):
        desk.client.post("/employees/", data=typed(hikvision_id=f"N{one}", full_name=f"Ли {one}", without_face="1"))
        said_by_count[one] = said(row(desk.text(ADDRESS), "no-terminal"))

    assert "Ли 1: нет фото, не записаны ни на один терминал" in said_by_count[1]
    assert "Ли 1, Ли 2: нет фото, не записаны ни на один терминал" in said_by_count[2]
    assert "3 сотрудника: нет фото, не записаны ни на один терминал" in said_by_count[3]
    assert number(desk.text(ADDRESS)) == 1
    assert "3 employees: no photo, and on no terminal" in english(desk)
    listed = desk.text(leads_to(row(desk.text(ADDRESS), "no-terminal")))
    assert '<span class="count">3</span>' in listed
    assert listed.count('<li class="attention-row') == 3


@pytest.mark.parametrize(
    ("count", "has_more", "russian", "words"),
    [
        (2, False, "Ли, Хан", "Ли, Хан"),
        (21, False, "21 сотрудник", "21 employees"),
        (201, False, "Больше 200 сотрудников", "More than 200 employees"),
        (51, True, "Не меньше 51 сотрудника", "At least 51 employees"),
    ],
)
def test_who_is_meant(app: Flask, count: int, has_more: bool, russian: str, words: str) -> None:
    with app.test_request_context():
        for language, expected in (("ru", russian), ("en", words)):
            with force_locale(language):
                assert said(labels.who(["Ли", "Хан"], count, has_more=has_more)) == expected


def test_all_who_wait_for_a_terminal_are_in_its_row(desk: Desk, away: set[str]) -> None:
    first = desk.capture()
    away.add("terminal.test")
    desk.client.post("/employees/", data=typed(capture_id=first, without_face="1"))
    desk.run_jobs()
    page = desk.text(ADDRESS)
    terminal = row(page, "terminal-1")

    assert number(page) == 1
    assert "Проверьте питание и сеть. Ждёт 1 сотрудник." in said(terminal)
    assert 'href="/employees/?state=waiting&amp;terminal=1">Ждёт 1 сотрудник.</a>' in terminal
    assert "Check power and network. 1 employee waits." in english(desk)


def test_who_waits_for_a_terminal_that_works_is_said_beside_and_not_counted(desk: Desk) -> None:
    first = desk.capture()
    desk.client.post("/employees/", data=typed(capture_id=first, without_face="1"))

    page = desk.text(ADDRESS)

    assert number(page) == 0
    assert "<h1>Делать ничего не нужно</h1>" in page
    assert "«Вход». Ждёт 1 сотрудник. Программа всё отправит сама." in said(page)
    assert "“Вход”: 1 employee waits. The program sends everything by itself." in english(desk)


def test_failed_attempts_and_a_worker_that_does_not_run_are_not_said_to_send_everything(desk: Desk, app: Flask) -> None:
    desk.client.post("/employees/", data=typed(capture_id=desk.capture(), without_face="1"))
    with app.app_context():
        db.session.execute(db.update(Enrolment).values(refusal=refusal("face_not_verified"), next_attempt_at=NOW))
        db.session.commit()

    tried = said(desk.text(ADDRESS)), english(desk)
    with app.app_context():
        db.session.execute(db.delete(Heartbeat))
        db.session.commit()
    stopped = said(desk.text(ADDRESS)), english(desk)

    reason = "Программа попробует снова; причина указана у сотрудника."
    assert f"«Вход». Ждёт 1 сотрудник. Последняя попытка не удалась: 1. {reason}" in tried[0]
    reason = "The program tries again; the reason is in the employee's row."
    assert f"“Вход”: 1 employee waits. The last attempt failed for: 1. {reason}" in tried[1]
    assert "«Вход». Ждёт 1 сотрудник. Сейчас ничего не отправляется." in stopped[0]
    assert "“Вход”: 1 employee waits. Nothing is sent now." in stopped[1]
    for page in (*tried, *stopped):
        assert not re.search("Программа всё отправит сама|The program sends everything by itself", page)


def test_terminal_that_is_off_is_checked_from_the_start_page(desk: Desk, away: set[str]) -> None:
    away.add("terminal.test")
    desk.client.post("/terminals/1/check")
    terminal = row(desk.text(ADDRESS), "terminal-1")
    away.clear()

    assert "«Вход» не отвечает по адресу http://terminal.test. Проверьте питание и сеть." in said(terminal)
    assert press(desk, terminal, "/terminals/1/check") == ADDRESS
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_refused_password_is_corrected_by_an_administrator_in_the_form(desk: Desk, app: Flask) -> None:
    captured = desk.capture()
    desk.simulator.login.password = "Changed99"
    desk.client.post("/employees/", data=typed(capture_id=captured, without_face="1"))
    desk.run_jobs()
    page = desk.text(ADDRESS)
    terminal = row(page, "terminal-1")
    operators = client_of(app, OPERATOR).get(ADDRESS).text

    assert number(page) == 1
    assert (
        "Терминал не принял пароль. Мы остановились, чтобы его не заблокировать. Исправьте пароль терминала."
        in said(terminal)
    )
    assert re.search(r'id="correct-1" href="/terminals/1/edit[^"]*">', terminal)
    assert "Исправить пароль" in terminal
    assert 'href="/employees/?state=refused&amp;terminal=1">Ждёт 1 сотрудник.</a>' in terminal
    assert "Исправить может администратор." in row(operators, "terminal-1")
    assert "/terminals/1/edit" not in operators


def test_nearly_full_terminal_says_how_full_and_when_that_was_counted(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.execute(db.update(Terminal).values(people=1480, people_capacity=1500))
        db.session.commit()
    terminal = row(desk.text(ADDRESS), "terminal-1")

    assert re.search(r"Людей: 1.480 из 1.500, на \d\d:\d\d \.", said(terminal))
    assert re.search(r'href="/employees/\?terminal=1">Кто на нём</a>', terminal)
    assert re.search(r"1,480 of 1,500 people as of \d\d:\d\d \.", english(desk))


def test_more_terminals_than_a_part_shows_are_counted_and_shown_on_demand(desk: Desk, app: Flask) -> None:
    with app.app_context():
        for one in range(2, 14):
            registry.add(Access(f"Дверь {one:02}", f"http://door{one}.test", "admin", "x"))

    page = desk.text(ADDRESS)

    assert (page.count('<li class="attention-row'), number_in_bar(page)) == (10, 12)
    assert '<a id="attention-terminals-more" href="/attention?all=1">Показать ещё 2</a>' in page
    every_row = desk.text("/attention?all=1")
    assert number(every_row) == 12
    assert 'hx-get="/attention/state?all=1"' in every_row


def test_unsaved_snapshot_leads_to_the_form_and_others_are_told_whose_it_is(desk: Desk, app: Flask) -> None:
    desk.capture()
    page = desk.text(ADDRESS)
    unsaved = row(page, "unsaved-1")
    others = row(client_of(app, OPERATOR).get(ADDRESS).text, "unsaved-1")

    assert number(page) == 1
    assert "Иван Иванов: несохранённый снимок Фото сделано на терминале «Вход» и не сохранено." in said(unsaved)
    assert 'href="/employees/new?capture=1">Сохранить или отменить</a>' in unsaved
    assert "Фото сделано на терминале «Вход» и не сохранено. Кто фотографировал: Анна." in said(others)
    assert 'href="/employees/new?capture=1">Сохранить или отменить</a>' in others
    assert "capture=1" not in row(client_of(app, VIEWER).get(ADDRESS).text, "unsaved-1")
    assert "Иван Иванов: unsaved photo The photo taken on “Вход” is not saved." in english(desk)


def test_unsaved_snapshot_of_a_known_employee_leads_to_the_form_of_that_employee(desk: Desk) -> None:
    desk.save()
    desk.capture(OTHER_FACE, employee_id="1")

    assert 'href="/employees/1/edit?capture=2">' in row(desk.text(ADDRESS), "unsaved-2")


def test_missing_consent_is_recorded_from_the_start_page(desk: Desk, app: Flask) -> None:
    desk.save()
    by_default = desk.text(ADDRESS)
    app.config["CONSENT"] = "require"
    required = desk.text(ADDRESS)

    assert (number(by_default), number(required)) == (0, 1)
    assert 'href="/employees/?consent=missing">Без согласия: 1</a>' in by_default
    assert "No consent: 1" not in english(desk)
    consent = row(required, "consent")
    assert "Иван Иванов: согласие на съёмку не отмечено" in said(consent)
    assert leads_to(consent) == "/employees/1"
    assert 'href="/employees/1/consent">Записать согласие</a>' in consent


def test_silent_worker_is_said_above_everything_else(desk: Desk, app: Flask) -> None:
    with app.app_context():
        heartbeat.leave("test")

    page = desk.text(ADDRESS)

    assert number(page) == 1
    assert "Фоновый обработчик не запущен: на терминалы ничего не отправляется. Сообщите администратору." in said(page)
    assert "No worker is running, so nothing is sent to terminals. Tell the administrator." in english(desk)


def test_viewer_sees_the_page_without_buttons(desk: Desk, app: Flask, away: set[str]) -> None:
    place = desk.save()
    desk.client.post("/employees/", data=typed(hikvision_id="N1", without_face="1"))
    away.add("terminal.test")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()

    page = client_of(app, VIEWER).get(ADDRESS).text
    main = page.partition("<main")[2]

    assert row(page, "leaving-1")
    assert row(page, "no-terminal")
    assert row(page, "terminal-1")
    assert "<button" not in main
    assert 'class="btn' not in main
    assert "<form" not in main
    assert "/edit" not in main


def test_polled_part_brings_the_number_and_the_alarm_along(desk: Desk, away: set[str]) -> None:
    place = desk.save()
    away.add("terminal.test")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()

    fragment = desk.client.get("/attention/state", headers=HTMX).text

    assert fragment.lstrip().startswith('<div id="attention"')
    assert "<html" not in fragment
    assert number(fragment) == 2
    assert fragment.count('hx-swap-oob="outerMorph"') == 2
    assert "Ещё может открыть двери: 1" in fragment
    assert 'hx-get="/attention/state" hx-trigger="every 5s"' in fragment


def test_browser_without_javascript_loads_the_whole_page_again(desk: Desk) -> None:
    page = desk.text(ADDRESS)

    assert '<noscript><meta http-equiv="refresh" content="30; url=/attention/state"></noscript>' in page
    assert "<h1>Всё в порядке</h1>" in desk.text("/attention/state")


def test_number_is_in_the_header_of_every_page(desk: Desk, app: Flask) -> None:
    desk.client.post("/employees/", data=typed(without_face="1"))
    with app.app_context():
        assert open_removals() == []

    assert [number(desk.text(address)) for address in ("/employees/", "/terminals/", "/account/")] == [1, 1, 1]
    assert "Требует внимания" in desk.text("/employees/")
    assert "Needs attention" in english(desk, "/employees/")


def test_what_a_terminal_recorded_in_its_journal_stands_there_until_somebody_has_seen_it(
    app: Flask, desk: Desk
) -> None:
    app.config["PASSAGES"] = "poll"
    with app.app_context():
        for code, count in (((1, 1030), 3), ((1, 1034), 1)):
            moments = {"first_at": NOW, "last_at": NOW}
            db.session.add(JournalAlarm(terminal_id=1, major=code[0], minor=code[1], count=count, **moments))
        db.session.commit()

    page = desk.text(ADDRESS)
    duress, tampered = (row(page, f"journal-1-{code}") for code in ("1-1034", "1-1030"))

    assert number(page) == 2
    assert page.index(duress) < page.index(tampered)
    assert "attention-bad" in duress
    assert "attention-bad" in tampered
    assert "Вход Проход под принуждением. Возможно, человека заставили открыть дверь. Вызовите охрану. с" in said(
        duress
    )
    assert "Осмотрите терминал на месте." in said(tampered)
    page = desk.client.get(ADDRESS, headers=ENGLISH).text
    text = said(row(page, "journal-1-1-1030"))
    assert "Вход Terminal or reader was opened or torn off · 3 times, last" in text
    assert ". Look at the terminal on the spot." in text
    assert "Somebody may have been forced to open the door. Call security." in said(page)
    assert 'href="/passages/?terminal=1&amp;kind=alarm"' in tampered
    assert "Просмотрено" not in client_of(app, VIEWER).get(ADDRESS).text

    for alarm in (duress, tampered):
        assert press(desk, alarm, "/attention/seen") == ADDRESS
    assert number(desk.text(ADDRESS)) == 0
    again = {"terminal": "1", "code": "1/1030", "count": "3"}
    told = desk.client.post("/attention/seen", data=again, headers=ENGLISH, follow_redirects=True).text
    assert "It was recorded again since, or somebody else has seen it." in told


def test_terminal_with_too_many_events_is_named_with_the_day(app: Flask, desk: Desk) -> None:
    app.config["PASSAGES"] = "poll"
    with app.app_context():
        state = {"halted": True, "today": {"day": "2026-12-02", "new": 20_000}}
        db.session.add(EventLog(terminal_id=1, state=state))
        db.session.commit()

    page = desk.text(ADDRESS)

    assert number(page) == 1
    halted = row(page, "halted-1")
    russian = (
        "2 декабря 2026 г. записано больше событий, чем читается за день. "
        "Выясните, что это за события; остальные прочитаются со следующего дня."
    )
    english_words = (
        "Recorded more events on 2 December 2026 than are read in a day. "
        "Find out what they are; the rest is read from the next day on."
    )
    assert f"Вход {russian} Показать события" in said(halted)
    assert f"Вход {english_words} Show the events" in english(desk)
    assert leads_to(halted) == "/terminals/1"
    assert 'href="/passages/?terminal=1&amp;kind=all"' in halted
    assert russian in desk.text("/terminals/1")
    assert english_words in english(desk, "/terminals/1")

    app.config["PASSAGES"] = "off"
    assert number(desk.text(ADDRESS)) == 0


def test_same_alarm_of_several_terminals_at_once_is_one_row_with_one_seen(app: Flask, desk: Desk) -> None:
    app.config["PASSAGES"] = "poll"
    with app.app_context():
        for one in range(2, 8):
            registry.add(Access(f"Дверь {one}", f"http://door{one}.test", "admin", "x"))
        db.session.execute(db.update(Terminal).values(face_mode=BY_PICTURE, clock_offset=0))
        codes = [(place, (1, 1030), NOW + timedelta(minutes=place)) for place in range(1, 6)]
        # Later, and another code: rows of their own. Duress is each terminal's own.
        codes += [(6, (1, 1030), NOW + timedelta(hours=1)), (6, (1, 1034), NOW), (7, (1, 1034), NOW)]
        for place, (major, minor), at in codes:
            row_of = {"terminal_id": place, "major": major, "minor": minor, "count": 1}
            db.session.add(JournalAlarm(**row_of, first_at=at, last_at=at))
        db.session.commit()

    page = desk.text(ADDRESS)

    rows = re.findall(r'<li class="attention-row[^"]*" id="(journal-[\w-]+)"', page)
    assert rows == ["journal-6-1-1034", "journal-7-1-1034", "journal-1-1-1030", "journal-6-1-1030"]
    assert number(page) == 4
    together = row(page, "journal-1-1-1030")
    assert "Вход, Дверь 2, Дверь 3 и ещё 2 Терминал или считыватель вскрыт либо снят со стены · 5 раз" in said(together)
    assert 'href="/passages/?kind=alarm"' in together
    assert "Вход, Дверь 2, Дверь 3 and 2 more Terminal or reader" in english(desk)

    assert press(desk, together, "/attention/seen") == ADDRESS
    with app.app_context():
        left = db.session.execute(db.select(JournalAlarm.terminal_id, JournalAlarm.minor)).all()
    assert sorted(left) == [(6, 1030), (6, 1034), (7, 1034)]


def test_terminals_that_stopped_answering_at_once_are_one_row_that_leads_to_the_list(app: Flask, desk: Desk) -> None:
    with app.app_context():
        for one in range(2, 6):
            registry.add(Access(f"Дверь {one}", f"http://door{one}.test", "admin", "x"))
        off = {"face_mode": BY_PICTURE, "clock_offset": 0, "reachable": False}
        db.session.execute(db.update(Terminal).values(offline_since=NOW, **off))
        db.session.execute(db.update(Terminal).where(Terminal.id == 5).values(offline_since=NOW - timedelta(hours=1)))
        db.session.commit()

    page = desk.text(ADDRESS)

    assert re.findall(r'<li class="attention-row[^"]*" id="(terminal-\w+)"', page) == ["terminal-1", "terminal-5"]
    assert number(page) == 2
    together = row(page, "terminal-1")
    assert "Вход, Дверь 2, Дверь 3 и ещё 1 Перестали отвечать одновременно. Проверьте питание и сеть." in said(together)
    assert leads_to(together) == "/terminals/"
    why = "Вход, Дверь 2, Дверь 3 and 1 more They stopped answering at the same time. Check power and network."
    assert why in english(desk)


def test_alarms_and_open_removals_stand_above_a_wrong_clock_and_a_restart_below(
    app: Flask, desk: Desk, away: set[str]
) -> None:
    app.config["PASSAGES"] = "poll"
    place = desk.save()
    away.add("terminal.test")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    with app.app_context():
        db.session.execute(db.update(Terminal).values(clock_offset=300, reachable=True, offline_since=None))
        # Codes of the terminal: it was opened; it restarted.
        for major, minor, at in ((1, 1030, NOW), (3, 123, NOW - timedelta(hours=1))):
            db.session.add(JournalAlarm(terminal_id=1, major=major, minor=minor, count=1, first_at=at, last_at=at))
        db.session.commit()

    page = desk.text(ADDRESS)

    rows = re.findall(r'<li class="attention-row( attention-bad)?[^"]*" id="([\w-]+)"', page)
    danger, usual = " attention-bad", ""
    assert rows == [
        (danger, "journal-1-1-1030"),
        (danger, "leaving-1"),
        (usual, "terminal-1"),
        (usual, "journal-1-3-123"),
    ]
    assert number(page) == 4
    assert "Терминалы тревога: 1 Срочно 2 Вход" in said(page)
    assert "Terminals alarm: 1 Urgent 2 Вход" in english(desk)


def test_failed_jobs_stand_there_until_somebody_tries_again_or_leaves_them(app: Flask, desk: Desk) -> None:
    with app.app_context():
        claims = [started(DEPARTMENT, add_people(one), department="Охрана") for one in ("1", "2")]
        for claim in claims:
            lifecycle.fail(claim, refusal("unreachable", t="Вход", address="http://x.test"))
    first, second = (claim.job_id for claim in claims)

    shown = desk.client.get(ADDRESS, headers=ENGLISH).text
    assert "Failed jobs 2" in said(part(shown, "jobs"))
    assert "“Вход” does not answer at http://x.test. Check power and network." in said(part(shown, "jobs"))
    assert f'id="job-show-{second}" href="/jobs/{second}"' in part(shown, "jobs")
    both = number(shown)
    desk.client.post(f"/jobs/{first}/retry")
    desk.client.post(f"/jobs/{second}/stop")

    shown = desk.client.get(ADDRESS, headers=ENGLISH).text
    assert (part(shown, "jobs"), number(shown)) == ("", both - 2)


class TestDrift:
    """A terminal that was changed at itself: counted, told without names, and over with the next comparison."""

    @pytest.fixture(autouse=True)
    def noticed(self, app: Flask, desk: Desk) -> None:  # noqa: ARG002 - the desk adds the terminal
        with app.app_context():
            for kind, number in (("count", ""), ("name", "1"), ("only_here", "2")):
                db.session.add(Drift(terminal_id=1, kind=kind, number=number, expected="12", found="13"))
            db.session.commit()

    def test_line_says_what_and_leads_to_a_comparison(self, desk: Desk) -> None:
        page = desk.client.get(ADDRESS, headers=ENGLISH).text

        drift = row(page, "drift-1")
        assert said(drift).count("Вход") == 1
        assert (
            "There should be 12 people on the terminal, and there are 13. 1 person has another name. 1 person is gone."
            in said(drift)
        )
        assert number(page) == 1
        assert press(desk, drift, "/terminals/1/comparison") == "/terminals/1/comparison"
        desk.run_jobs()
        after = desk.text(ADDRESS)
        assert (row(after, "drift-1"), number(after)) == ("", 0)

    def test_viewer_has_no_button(self, app: Flask) -> None:
        page = client_of(app, VIEWER).get(ADDRESS, headers=ENGLISH).text

        assert "/comparison" not in page
        assert number(page) == 1


def test_backup_that_is_too_old_or_missing_is_said(app: Flask, desk: Desk) -> None:
    app.config["BACKUP_MAX_AGE"] = 48
    begun = english(desk)
    with app.app_context():
        run_without_backup(hours=49)
    never = english(desk)
    with app.app_context():
        records.add(Manifest(datetime.now(UTC), "0018", "sqlite", ""), 1000)
        fresh = desk.client.get("/attention").text
        db.session.execute(db.update(Backup).values(finished_at=datetime(2025, 11, 27, 9, 4, tzinfo=UTC)))
        db.session.commit()
    app.config["TIMEZONE"] = "Europe/Moscow"
    old = english(desk), said(client_of(app, OPERATOR).get("/attention").text)

    assert "No backup was made yet." not in begun
    assert "No backup was made yet." in never
    assert "Tell the administrator." not in never + old[0]
    assert 'href="/help/en/backup.html#back-up">' in desk.client.get(ADDRESS, headers=ENGLISH).text
    assert "attention-backup-help" not in client_of(app, OPERATOR).get(ADDRESS).text
    assert "attention-backup" not in fresh
    assert "The last backup was made on 27 November 2025 at 12:04 ." in old[0]
    assert "Последняя резервная копия сделана 27 ноября 2025 г. в 12:04 . Сообщите администратору." in old[1]


def test_backup_that_lacks_photos_is_said(app: Flask, desk: Desk) -> None:
    app.config["BACKUP_MAX_AGE"] = 48
    with app.app_context():
        records.add(Manifest(datetime.now(UTC), "0018", "sqlite", "", missing=["1_a.jpg", "2_b.jpg"]), 1000)

    assert "Files of photos are missing on the server, and in the last backup: 2." in english(desk)
    page = desk.client.get("/attention").text
    assert "На сервере и в последней резервной копии нет файлов фото: 2." in said(page)
    assert 'href="/help/ru/backup.html#фото-пропали">' in unquote(page)


def test_little_space_on_the_disk_is_said_and_counted(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = number(desk.text("/attention"))
    let_be_free(monkeypatch, GIGABYTE)
    page = desk.text("/attention")
    assert number(page) == before + 1
    assert (
        f"На диске сервера мало места. Сообщите администратору. {tmp_path}: свободно 1 024 МБ из 102 400 МБ."
        in said(page).replace("\xa0", " ")
    )
    assert (
        "Little space is left on the server's disk. Tell the administrator. "
        f"{tmp_path}: 1,024 MB of 102,400 MB are free."
    ) in english(desk)

    let_be_free(monkeypatch, 0)

    page = desk.text("/attention")
    assert number(page) == before + 1
    assert "На диске сервера нет места, сохранить больше ничего нельзя. Сообщите администратору." in page
    assert "The server's disk is full, so nothing more can be saved. Tell the administrator." in english(desk)
