"""The page of an employee: its header, the way back to the list, and what is done next."""

import re
from typing import Any

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.accounts import VIEWER
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, REFUSED
from hikflask.services.core.errors import NumberTakenThere
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.groups import add_terminals
from tests.support.signed_in import client_of

UNREACHABLE = {"next_attempt_at": database_now(3600), "refusal": {"code": "unreachable", "params": {}}}
BY_URL = {"face_mode": "url"}
WITHOUT_FACE = {"person": CONFIRMED, "face": REFUSED}


def header(page: str) -> str:
    return page.partition('<div class="head">')[2].partition('<div class="person">')[0]


def way_back(page: str) -> str:
    found = re.search(r'id="back" href="([^"]*)">.* К списку</a>', page)
    assert found
    return found[1].replace("&amp;", "&")


def primary(page: str) -> list[str]:
    return re.findall(r'class="btn btn-primary" id="([^"]+)"', page)


def test_header_says_inactive_and_has_what_destroys_once_behind_its_menu(desk: Desk, app: Flask) -> None:
    place = desk.client.post("/employees/", data=typed(without_face="1")).location
    page = desk.text(place)
    menu = page.partition('<details class="more" id="more"')[2].partition("</details>")[0]
    for view in ("deactivate", "delete", "erase"):
        assert menu.count(f'href="{place}/{view}"') == page.count(f'href="{place}/{view}"') == 1
    assert "Выгрузить всё, что хранится" in menu
    assert 'href="/audit/?employee=100222"' in menu
    assert "неактивен" not in header(page)

    desk.client.post(f"{place}/active", data={"active": "0"})

    page = desk.text(place)
    assert "неактивен" in header(page)
    assert "Активировать" in header(page)
    assert f'href="{place}/deactivate"' not in page
    assert 'class="more"' not in client_of(app, VIEWER).get(place).text


def test_way_back_leads_to_the_list_that_the_operator_came_from(desk: Desk) -> None:
    place = desk.client.post("/employees/", data=typed(without_face="1")).location

    def back(referrer: str = "") -> str:
        return way_back(desk.client.get(place, headers={"Referer": referrer} if referrer else {}).text)

    assert (
        back("http://localhost/employees/?q=иван&state=left&sort=number") == "/employees/?q=иван&state=left&sort=number"
    )
    assert back(f"http://localhost{place}/edit") == "/employees/?q=иван&state=left&sort=number"
    assert back("http://localhost/employees/") == "/employees/"
    assert back("http://localhost/employees/?q=иван") == "/employees/?q=иван"
    # A cookie has no room for it.
    assert back(f"http://localhost/employees/?q={'x' * 3000}") == "/employees/"
    # As in a new tab.
    assert back() == back(f"http://localhost{place}/edit") == "/employees/"
    assert back("http://elsewhere.test/employees/?q=иван") == back("http://[") == "/employees/"


def test_next_employee_is_offered_first_once_the_terminal_has_confirmed_the_one_who_was_added(desk: Desk) -> None:
    place = desk.client.post("/employees/", data=typed(capture_id=desk.capture(), department="Охрана")).location
    assert primary(desk.text(place)) == ["edit"]

    desk.run_jobs()

    assert primary(desk.text(place)) == ["add-next"]
    polled = desk.client.get(f"{place}/enrolments", headers=HTMX).text
    assert primary(polled.partition('id="main-actions" hx-swap-oob="true"')[2]) == ["add-next"]
    assert 'href="/employees/new?department=%D0%9E%D1%85%D1%80%D0%B0%D0%BD%D0%B0"' in polled
    desk.client.post("/employees/", data=typed(hikvision_id="7", without_face="1"))
    assert primary(desk.text(place)) == ["edit"]
    assert 'id="add-next" href="/employees/new"' in desk.text(place)


def at_terminals(app: Flask, place: str, **states: dict[str, Any]) -> None:
    """Let the employee be so at a terminal of each of these names."""
    with app.app_context():
        for name, state in states.items():
            employee_id = int(place.rpartition("/")[2])
            about = {"employee_id": employee_id, "number": "100222", "desired": "present", "next_attempt_at": db.null()}
            about |= {"terminal_id": add_terminals(name, **state.pop("terminal", {}))[name]}
            db.session.add(Enrolment(**{**about, **state}))
        db.session.commit()


def refused(code: str) -> dict[str, Any]:
    return {"refusal": {"code": code, "params": {}}}


def shown(page: str) -> list[str]:
    """The names of the terminals in the order of their rows."""
    return re.findall(r'id="(?:at|to)-\d+" href="[^"]*"><svg.*?</svg> <bdi>([^<]+)</bdi>', page, re.DOTALL)


def test_rows_are_by_what_is_wrong_and_those_of_retired_terminals_are_folded(desk: Desk, app: Flask) -> None:
    place = desk.save(terminal_id="1")
    retired = {"retired_at": database_now(), "is_active": False}
    stated = {"confirmed_by": "Анна", "confirmation_note": "сгорел", "confirmed_at": database_now()}
    at_terminals(
        app,
        place,
        Lost={"desired": "absent", "person": CONFIRMED, **stated, "terminal": retired},
        Waits=dict(UNREACHABLE),
        Faceless={**WITHOUT_FACE, **refused("devicefacefull")},
        Refuses={"person": REFUSED, **refused("deviceuserfull")},
    )
    with app.app_context():
        add_terminals("Absent")

    page = desk.client.get(place, headers=ENGLISH).text
    rows, _, folded = page.partition('<details class="there-past" id="past">')

    assert shown(rows) == ["Refuses", "Faceless", "Waits", "Вход", "Absent"]
    assert (shown(folded), "<summary>Retired terminals: 1</summary>" in folded) == (["Lost"], True)
    assert "сгорел" in folded
    polled = desk.client.get(f"{place}/enrolments", headers=HTMX).text
    assert shown(polled) == ["Refuses", "Faceless", "Waits", "Вход", "Absent"]
    assert "there-past" not in polled


@pytest.mark.parametrize(
    ("state", "label", "leads_to"),
    [
        ({"desired": "absent", **UNREACHABLE}, "Retry the removal", ["/enrolments/2/retry"]),
        ({"person": REFUSED, **refused(NumberTakenThere.code)}, "Choose another ID", ["/employees/1/edit"]),
        ({"person": REFUSED, **refused("deviceuserfull")}, "Try again", ["/enrolments/2/retry"]),
        ({**WITHOUT_FACE, **refused("no_photo"), "terminal": BY_URL}, "Take a photo", ["/captures/of/1", "2"]),
        ({**WITHOUT_FACE, **refused("no_photo")}, "Take a photo", ["/employees/1/edit"]),
    ],
)
def test_blue_button_is_the_step_that_is_missing(
    desk: Desk, app: Flask, state: dict[str, Any], label: str, leads_to: list[str]
) -> None:
    place = desk.save(terminal_id="1")
    assert primary(desk.text(place)) == ["add-next"]
    at_terminals(app, place, Store=dict(state))

    page = desk.client.get(place, headers=ENGLISH).text

    assert primary(page) == ["step"]
    step = page.partition('id="main-actions"')[2].partition('<a class="btn btn-quiet" id="add-next"')[0]
    assert re.sub(r"<[^>]*>", "", step).partition(">")[2].strip() == label
    assert re.findall(r'(?:action|btn-primary" id="step" href|name="terminal_id" value)="([^"]+)"', step) == leads_to


def test_blue_button_takes_a_photo_where_there_is_none_and_edits_where_nothing_is_missing(desk: Desk) -> None:
    place = desk.client.post("/employees/", data=typed(without_face="1")).location
    step = desk.client.get(place, headers=ENGLISH).text.partition('id="main-actions"')[2].partition("</a>")[0]
    assert (re.sub(r"<[^>]*>", "", step).partition(">")[2].strip(), f'href="{place}/edit"' in step) == (
        "Take a photo",
        True,
    )
    assert primary(desk.text(place)) == ["step"]
    desk.client.post(f"{place}/active", data={"active": "0"})
    assert primary(desk.text(place)) == ["edit"]


@pytest.mark.parametrize(
    ("languages", "one", "several"),
    [
        (ENGLISH, "Send to the terminal", "Send to a terminal"),
        ({"Accept-Language": "ru"}, "Отправить на терминал", "Отправить на терминал"),
    ],
)
def test_blue_button_sends_who_has_a_photo_and_is_on_no_terminal(
    desk: Desk, app: Flask, languages: dict[str, str], one: str, several: str
) -> None:
    place = desk.save(terminal_id="1")
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    assert primary(desk.text(place)) == ["edit"]
    with app.app_context():
        db.session.execute(db.update(Employee).values(is_active=True))
        db.session.commit()

    page = desk.client.get(place, headers=languages).text
    assert (primary(page), f"</svg> {one}</button>" in page) == (["step"], True)
    assert f'action="{place}/terminals"' in header(page)
    assert 'id="step" type="submit" name="terminal_id" value="1"' in page
    with app.app_context():
        add_terminals("Store")
    page = desk.client.get(place, headers=languages).text
    assert (primary(page), f"</svg> {several}</a>" in page, 'id="step" href="#enrolments"' in page) == (
        ["step"],
        True,
        True,
    )
    with app.app_context():
        db.session.execute(db.update(Terminal).where(Terminal.name == "Store").values(is_active=False))
        db.session.commit()

    desk.client.post(f"{place}/terminals", data={"terminal_id": "1"})
    assert primary(desk.text(place)) == ["edit"]
    desk.run_jobs()
    assert "100222" in desk.simulator.faces
