"""The page of an employee: its header, the way back to the list, and what is done next."""

import re

from flask import Flask

from hikflask.models.operator import VIEWER
from tests.support.desk import HTMX, Desk, typed
from tests.support.signed_in import client_of


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
