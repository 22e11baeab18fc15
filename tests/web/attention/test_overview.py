"""The start page: what a person must do, each with its one button, and the number of it in the header."""

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from hikflask.extensions import db
from hikflask.http.permissions import OPERATOR, VIEWER
from hikflask.models import Backup, Enrolment, Terminal
from hikflask.models.comparison import Drift
from hikflask.services.backups import records
from hikflask.services.backups.archive import Manifest
from hikflask.services.core import heartbeat
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import queries
from hikflask.services.jobs import lifecycle
from hikflask.services.jobs.kinds import DEPARTMENT
from tests.support.captures import OTHER_FACE
from tests.support.comparisons import compare
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.disk_usage import GIGABYTE, let_be_free
from tests.support.jobs import add_people, started
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

ADDRESS = "/attention"
MODELING = "SubpicAnalysisModelingError"
CAPTURE_BUTTON = 'id="{}-capture-1" href="/employees/1/edit">Сфотографировать</a>'


def english(desk: Desk, address: str = ADDRESS) -> str:
    return said(desk.client.get(address, headers=ENGLISH).text)


def said(page: str) -> str:
    """The text of a page: without tags, and without the characters that isolate texts of others."""
    text = unescape(re.sub(r"<[^>]*>", " ", page))
    return re.sub(r"\s+", " ", re.sub(r"[\u2066-\u2069]", "", text))


def group(page: str, key: str) -> str:
    """One group of the page, or an empty text."""
    found = re.search(rf'<section class="[^"]*" id="attention-{key}".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def number(page: str) -> int:
    """The number in the header."""
    found = re.search(r'id="attention-entry".*?<span class="bar-number[^"]*">(\d+)</span>', page, re.DOTALL)
    assert found
    return int(found[1])


def heading(part: str) -> tuple[str, str]:
    """The address and the words of a group's heading, the count among them."""
    found = re.search(r'<h2[^>]*>(?:<a id="[^"]*" href="([^"]*)">)?(.*?)</h2>', part, re.DOTALL)
    assert found
    return unescape(found[1] or ""), said(found[2]).strip()


def press(desk: Desk, part: str, address: str) -> str:
    """Send the form of a group that leads to an address, and return where it goes on."""
    form = part.partition(f'action="{address}"')[2].partition("</form>")[0]
    assert form, address
    return desk.client.post(address, data=dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))).location


@pytest.fixture
def away(app: Flask) -> set[str]:
    """The hosts that do not answer."""
    hosts: set[str] = app.extensions["terminal_transport"].away
    return hosts


def test_start_page_is_what_needs_attention(desk: Desk) -> None:
    assert desk.client.get("/").location == ADDRESS
    assert 'class="brand" href="/attention"' in desk.text("/employees/")
    assert re.search(r'id="attention-entry" href="/attention" aria-current="page"', desk.text(ADDRESS))


def test_all_is_well_is_said_in_both_languages(desk: Desk) -> None:
    desk.save()

    page = desk.text(ADDRESS)

    assert number(page) == 0
    assert 'data-says="Всё в порядке"' in page
    assert "<p>Всё в порядке</p>" in page
    assert "<p>All is well</p>" in desk.client.get(ADDRESS, headers=ENGLISH).text


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
    part = group(page, "left-there")

    assert 'class="attention-group attention-bad"' in part
    assert heading(part) == ("/terminals/1/comparison?kind=only_there", "Уволены, но остались на терминале 1")
    assert re.search(
        r"Иван Иванов 7 7 Возможно, дверь ещё открывается: при сравнении только что сотрудник был на терминале "
        r"«Вход». с \d\d:\d\d Удалить с терминала",
        said(part),
    )
    assert re.search(
        r"Left, but still on a terminal 1 Иван Иванов 7 7 May still open doors: the comparison just now found this "
        r"person on “Вход”. since \d\d:\d\d Remove from the terminal",
        english(desk),
    )
    assert press(desk, part, "/terminals/1/comparison/choose") == "/terminals/1/comparison/plan"
    assert "To be removed from the terminal: 1 person." in english(desk, "/terminals/1/comparison/plan")
    assert "Remove from the terminal" not in client_of(app, VIEWER).get(ADDRESS, headers=ENGLISH).text


def test_open_removal_is_red_tried_again_and_gone_when_the_terminal_confirms(desk: Desk, away: set[str]) -> None:
    place = desk.save()
    away.add("terminal.test")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    page = desk.text(ADDRESS)
    part = group(page, "leaving")

    assert (number(page), 'data-says="2 дела требуют внимания"' in page) == (2, True)
    assert 'class="attention-group attention-bad"' in part
    assert heading(part) == ("/employees/?state=leaving", "Доступ ещё не снят 1")
    assert re.search(
        r"Иван Иванов 100222 Доступ ещё не снят: «Вход» \(нет связи с \d\d:\d\d \) с \d\d:\d\d", said(part)
    )
    assert heading(group(page, "terminals")) == ("/terminals/", "Терминалы 1")
    assert re.search(
        r"Access not withdrawn yet 1 Иван Иванов 100222 May still open doors: “Вход” \(offline since \d\d:\d\d \) "
        r"since \d\d:\d\d Try again",
        english(desk),
    )

    away.clear()
    assert press(desk, part, "/enrolments/1/retry") == ADDRESS
    desk.run_jobs()
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_removal_of_a_deleted_employee_leads_to_the_page_of_removals(desk: Desk, away: set[str]) -> None:
    place = desk.save()
    away.add("terminal.test")
    desk.client.post(f"{place}/delete")
    desk.run_jobs()

    part = group(desk.text(ADDRESS), "leaving")

    assert heading(part) == ("/removals/", "Доступ ещё не снят 1")
    assert 'id="removal-1-name" href="/removals/"' in part


def test_strangers_record_is_decided_on_the_start_page(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.people["100222"]["name"] = "Чужой Человек"
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    part = group(desk.text(ADDRESS), "leaving")

    assert "Удалить всё равно" in part
    assert "/enrolments/1/retry" not in part
    assert press(desk, part, "/enrolments/1/somebody-else") == ADDRESS
    assert group(desk.text(ADDRESS), "leaving") == ""


def test_old_device_is_asked_about_by_hand_on_the_start_page(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        old = {"on_old_device": True, "name_on_old_device": "Иван Иванов", "written_name": ""}
        db.session.execute(db.update(Enrolment).values(**old))
        db.session.commit()
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    part = group(desk.text(ADDRESS), "leaving")

    assert press(desk, part, "/enrolments/1/by-hand") == ADDRESS
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_refused_face_says_why_and_leads_to_the_form(desk: Desk) -> None:
    desk.simulator.faults.add("refuse", MODELING)
    desk.save()
    part = group(desk.text(ADDRESS), "refused")

    assert heading(part) == ("/employees/?state=refused", "Не записаны: требуется вмешательство 1")
    assert "Вход : Терминал не смог построить модель лица. Сфотографируйте заново." in said(part)
    assert CAPTURE_BUTTON.format("refused") in part
    line = "Not enrolled: needs attention 1 Иван Иванов 100222 Вход : The terminal could not model this face."
    assert line in english(desk)


def test_taken_number_is_decided_on_the_page_of_the_employee(desk: Desk) -> None:
    desk.save()
    desk.client.post("/employees/1/delete")
    desk.run_jobs()
    desk.simulator.people["100222"] = {"employeeNo": "100222", "name": "Чужой Человек"}
    desk.save()
    part = group(desk.text(ADDRESS), "refused")

    assert 'id="refused-decide-2" href="/employees/2">Решить</a>' in part
    assert "«Чужой Человек»" in said(part)


def test_full_terminal_is_tried_again_from_the_start_page(desk: Desk) -> None:
    desk.simulator.faults.add("full", "users")
    desk.save()
    part = group(desk.text(ADDRESS), "refused")
    desk.simulator.faults.clear()

    assert press(desk, part, "/enrolments/1/retry") == ADDRESS
    desk.run_jobs()
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_whoever_has_no_face_is_captured_in_the_form_and_five_of_them_are_shown(desk: Desk) -> None:
    for one in range(1, 8):
        desk.client.post("/employees/", data=typed(hikvision_id=f"N{one}", without_face="1"))
    page = desk.text(ADDRESS)
    part = group(page, "no-face")

    assert number(page) == 7
    assert heading(part) == ("/employees/?state=no_face", "Ещё нет лица 7")
    assert CAPTURE_BUTTON.format("no-face") in part
    assert part.count("Сфотографировать") == 5
    assert '<a id="attention-no-face-more" href="/employees/?state=no_face">и ещё 2</a>' in part
    assert "No face yet 7 Иван Иванов N1 There is no photo yet." in english(desk)
    assert "and 2 more" in english(desk)


@pytest.mark.parametrize(
    ("count", "all_of_them", "more"),
    [
        (7, "7", "и ещё 2"),
        (200, "200", "и ещё 195"),
        (201, "больше 200", "и ещё больше 195"),
        (2009, "2\xa0009", "и ещё 2\xa0004"),
    ],
)
def test_a_group_and_its_rest_are_counted_equally_far(desk: Desk, count: int, all_of_them: str, more: str) -> None:
    imported = '{% from "attention/_rows.html" import group %}'
    template = imported + '{% call group("a", "warning", "Б", count, "/", 5) %}{% endcall %}'
    with desk.client.application.test_request_context(headers={"Accept-Language": "ru"}):
        shown = render_template_string(template, count=count)

    assert f'<span class="attention-count">{all_of_them}</span>' in shown
    assert f'<a id="attention-a-more" href="/">{more}</a>' in shown


def test_all_who_wait_for_a_terminal_are_one_line(desk: Desk, away: set[str]) -> None:
    first = desk.capture()
    away.add("terminal.test")
    desk.client.post("/employees/", data=typed(capture_id=first, without_face="1"))
    desk.run_jobs()
    page = desk.text(ADDRESS)
    part = group(page, "waiting")

    assert number(page) == 1
    assert heading(part) == ("/employees/?state=waiting", "Ждут терминал 1")
    assert re.search(r"Вход Ждёт 1 сотрудник\. Терминал не отвечает с \d\d:\d\d \. с \d\d:\d\d Показать", said(part))
    assert 'href="/employees/?state=waiting&amp;terminal=1">Показать</a>' in part
    assert "Waiting for a terminal 1 Вход 1 employee waits. The terminal does not answer since" in english(desk)


def test_terminal_that_is_off_is_checked_from_the_start_page(desk: Desk, away: set[str]) -> None:
    away.add("terminal.test")
    desk.client.post("/terminals/1/check")
    part = group(desk.text(ADDRESS), "terminals")
    away.clear()

    assert "«Вход» не отвечает по адресу http://terminal.test. Проверьте питание и сеть." in said(part)
    assert press(desk, part, "/terminals/1/check") == ADDRESS
    assert "Всё в порядке" in desk.text(ADDRESS)


def test_refused_password_is_corrected_by_an_administrator_in_the_form(desk: Desk, app: Flask) -> None:
    captured = desk.capture()
    desk.simulator.login.password = "Changed99"
    desk.client.post("/employees/", data=typed(capture_id=captured, without_face="1"))
    desk.run_jobs()
    page = desk.text(ADDRESS)
    part = group(page, "terminals")
    operators = client_of(app, OPERATOR).get(ADDRESS).text

    assert number(page) == 1
    assert (
        "Терминал не принял пароль. Мы остановились, чтобы его не заблокировать. Исправьте пароль терминала."
        in said(part)
    )
    assert 'id="correct-1" href="/terminals/1/edit">Изменить</a>' in part
    assert 'href="/employees/?state=refused&amp;terminal=1">Ждёт 1 сотрудник.</a>' in part
    assert "Исправить может администратор." in group(operators, "terminals")
    assert "/terminals/1/edit" not in operators


def test_nearly_full_terminal_says_how_full_and_when_that_was_counted(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.execute(db.update(Terminal).values(people=1480, people_capacity=1500))
        db.session.commit()
    part = group(desk.text(ADDRESS), "terminals")

    assert re.search(r"Людей: 1.480 из 1.500, на \d\d:\d\d \.", said(part))
    assert 'href="/employees/?terminal=1">Кто на нём</a>' in part
    assert re.search(r"1,480 of 1,500 people as of \d\d:\d\d \.", english(desk))


def test_unsaved_snapshot_leads_to_the_form_and_others_are_told_whose_it_is(desk: Desk, app: Flask) -> None:
    desk.capture()
    page = desk.text(ADDRESS)
    part = group(page, "unsaved")
    others = group(client_of(app, OPERATOR).get(ADDRESS).text, "unsaved")

    assert (number(page), heading(part)) == (1, ("", "Несохранённые снимки 1"))
    assert "Иван Иванов 100222 Фото сделано на терминале «Вход» и не сохранено." in said(part)
    assert 'href="/employees/new?capture=1">Сохранить или отменить</a>' in part
    assert "Фото сделано на терминале «Вход» и не сохранено. Кто фотографировал: Анна." in said(others)
    assert 'href="/employees/new?capture=1">Сохранить или отменить</a>' in others
    assert "capture=1" not in group(client_of(app, VIEWER).get(ADDRESS).text, "unsaved")
    assert "Unsaved snapshots 1 Иван Иванов 100222 The photo taken on “Вход” is not saved." in english(desk)


def test_unsaved_snapshot_of_a_known_employee_leads_to_the_form_of_that_employee(desk: Desk) -> None:
    desk.save()
    desk.capture(OTHER_FACE, employee_id="1")

    assert 'href="/employees/1/edit?capture=2">' in group(desk.text(ADDRESS), "unsaved")


def test_missing_consent_is_recorded_from_the_start_page(desk: Desk, app: Flask) -> None:
    desk.save()
    by_default = desk.text(ADDRESS)
    app.config["CONSENT"] = "require"
    required = desk.text(ADDRESS)

    assert (number(by_default), number(required)) == (0, 1)
    for page in (by_default, required):
        part = group(page, "consent")
        assert heading(part) == ("/employees/?consent=missing", "Согласия нет 1")
        assert 'href="/employees/1/consent">Записать согласие</a>' in part


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

    assert group(page, "leaving")
    assert group(page, "no-face")
    assert group(page, "terminals")
    assert "<button" not in main
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
    assert "<h1>Требует внимания</h1>" in desk.text("/attention/state")


def test_number_is_in_the_header_of_every_page(desk: Desk, app: Flask) -> None:
    desk.client.post("/employees/", data=typed(without_face="1"))
    with app.app_context():
        assert queries.open_removals() == []

    assert [number(desk.text(address)) for address in ("/employees/", "/terminals/", "/account/")] == [1, 1, 1]
    assert "Требует внимания" in desk.text("/employees/")
    assert "Needs attention" in english(desk, "/employees/")


def test_failed_jobs_stand_there_until_somebody_tries_again_or_leaves_them(app: Flask, desk: Desk) -> None:
    with app.app_context():
        claims = [started(DEPARTMENT, add_people(one), department="Охрана") for one in ("1", "2")]
        for claim in claims:
            lifecycle.fail(claim, refusal("unreachable", t="Вход", address="http://x.test"))
    first, second = (claim.job_id for claim in claims)

    shown = desk.client.get(ADDRESS, headers=ENGLISH).text
    assert heading(group(shown, "jobs")) == ("/jobs/?state=failed", "Failed jobs 2")
    assert "“Вход” does not answer at http://x.test. Check power and network." in said(group(shown, "jobs"))
    assert f'id="job-show-{second}" href="/jobs/{second}"' in group(shown, "jobs")
    both = number(shown)
    desk.client.post(f"/jobs/{first}/retry")
    desk.client.post(f"/jobs/{second}/stop")

    shown = desk.client.get(ADDRESS, headers=ENGLISH).text
    assert (group(shown, "jobs"), number(shown)) == ("", both - 2)


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

        part = group(page, "drift")
        assert heading(part) == ("/terminals/", "Changed at the terminal itself 1")
        assert said(part).count("Вход") == 1
        assert (
            "There should be 12 people on the terminal, and there are 13. 1 person has another name. 1 person is gone."
            in said(part)
        )
        assert number(page) == 1
        assert press(desk, part, "/terminals/1/comparison") == "/terminals/1/comparison"
        desk.run_jobs()
        after = desk.text(ADDRESS)
        assert (group(after, "drift"), number(after)) == ("", 0)

    def test_viewer_has_no_button(self, app: Flask) -> None:
        page = client_of(app, VIEWER).get(ADDRESS, headers=ENGLISH).text

        assert "/comparison" not in page
        assert number(page) == 1


def test_backup_that_is_too_old_or_missing_is_said(app: Flask, desk: Desk) -> None:
    app.config["BACKUP_MAX_AGE"] = 48
    never = desk.client.get("/attention", headers=ENGLISH).text
    with app.app_context():
        records.add(Manifest(datetime.now(UTC), "0018", "sqlite", ""), 1000)
        fresh = desk.client.get("/attention").text
        db.session.execute(db.update(Backup).values(finished_at=datetime(2025, 11, 27, 9, 4, tzinfo=UTC)))
        db.session.commit()
    app.config["TIMEZONE"] = "Europe/Moscow"
    old = english(desk), said(desk.text("/attention"))

    assert "No backup was made yet. Tell the administrator." in never
    assert "attention-backup" not in fresh
    assert "The last backup was made on 27 November 2025 at 12:04 . Tell the administrator." in old[0]
    assert "Последняя резервная копия сделана 27 ноября 2025 г. в 12:04 . Сообщите администратору." in old[1]


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
