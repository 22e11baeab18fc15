"""The list in the browser: filters survive Back and reload, and the keyboard alone selects."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from tests.browser.conftest import LOOKS, Site, Window, eventually, opened, settled
from tests.support.apps import close
from tests.support.jobs import add_people

DEPARTMENT = "Список"
PEOPLE = 60


@pytest.fixture
def people(site: Site) -> Iterator[None]:
    """Two pages of employees of one department, of whom the first has a terminal that nobody asks."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        if not search.count(EmployeeFilter(department=DEPARTMENT)):
            add_people(*(f"L{number:02}" for number in range(PEOPLE)), department=DEPARTMENT)
        first = search.by_number("L00")
        assert first is not None
        db.session.add(Enrolment(terminal_id=1, number="L00", employee_id=first.id, next_attempt_at=None))
        db.session.commit()
        yield
        db.session.execute(db.delete(Enrolment).where(Enrolment.number == "L00"))
        db.session.commit()
    close(app)


@pytest.mark.usefixtures("people")
def test_filters_survive_back_and_reload(russian: Window) -> None:
    page, count = russian.page, russian.page.locator("#count")
    page.goto("/employees/")
    page.get_by_label("Отдел").select_option(DEPARTMENT)
    expect(count).to_have_text(f"Найдено: {PEOPLE}")
    expect(page.locator("#announcer")).to_have_text(f"Найдено: {PEOPLE}")
    page.get_by_label("Состояние").select_option("no_face")
    expect(page).to_have_url(re.compile("state=no_face"))
    # What is typed letter by letter is one step of the history at most.
    page.get_by_label("Поиск").press_sequentially("L07", delay=400)
    expect(count).to_have_text("Найдено: 1")
    expect(page.get_by_label("Поиск")).to_be_focused()

    page.reload()
    expect(count).to_have_text("Найдено: 1")
    expect(page.get_by_label("Поиск")).to_have_value("L07")
    page.locator(".people tbody a").click()
    expect(page).to_have_url(re.compile(r"/employees/\d+$"))
    page.go_back()
    expect(count).to_have_text("Найдено: 1")

    page.go_back()
    expect(page).to_have_url(re.compile(rf"/employees/\?department={quote(DEPARTMENT)}$"))
    expect(page.get_by_label("Отдел")).to_have_value(DEPARTMENT)
    expect(page.get_by_label("Состояние")).to_have_value("")
    expect(count).to_have_text(f"Найдено: {PEOPLE}")


@pytest.mark.usefixtures("people")
def test_keyboard_alone_selects_and_no_row_moves(russian: Window) -> None:
    page = russian.page
    page.goto(f"/employees/?department={DEPARTMENT}")
    first = page.locator("#selection input[name=employee]").first
    place = settled(first)
    expect(page.locator("#actions")).to_be_hidden()

    first.focus()
    page.keyboard.press("Space")

    expect(page.locator("#selected")).to_have_text("Выбрано: 1")
    expect(page.locator("#announcer")).to_have_text("Выбрано: 1")
    eventually(page, lambda: first.bounding_box() == place)
    page.locator("#select-page").focus()
    page.keyboard.press("Space")
    expect(page.locator("#selected")).to_have_text("Выбрано: 50")
    page.locator("#select-all").focus()
    page.keyboard.press("Space")
    expect(page.locator("#selected")).to_have_text(f"Выбрано: {PEOPLE}")
    first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#select-all")).not_to_be_checked()
    expect(page.locator("#selected")).to_have_text("Выбрано: 49")

    # So it is among the photos.
    page.get_by_role("link", name="Фото").press("Enter")
    page.locator(".face input").first.press("Space")
    expect(page.locator("#selected")).to_have_text("Выбрано: 1")
    page.locator("#more-actions summary").press("Enter")
    expect(page.locator("#actions button[value=export]")).to_be_in_viewport()
    page.get_by_role("link", name="Список", exact=True).press("Enter")
    expect(page.locator(".people-name").first).to_be_visible()


@pytest.mark.usefixtures("people")
def test_rows_are_dense_and_long_names_do_not_widen_the_page(russian: Window) -> None:
    page = russian.page
    page.goto(f"/employees/?department={DEPARTMENT}")
    for look, (scheme, width) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})

        heights = page.locator(".people tbody tr").evaluate_all(
            "rows => rows.map(row => row.getBoundingClientRect().height)"
        )
        assert max(heights) <= (64 if look == "phone" else 48)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("people")
def test_words_of_a_state_are_shown_on_hover_and_focus_until_escape_and_move_nothing(russian: Window) -> None:
    page = russian.page
    for view, row in (("list", ".people tbody tr"), ("photos", ".face")):
        page.goto(f"/employees/?view={view}&department={DEPARTMENT}")
        link, tip = page.locator(f"{row} a").first, page.locator(f"{row} .tip").first
        height = page.evaluate("document.documentElement.scrollHeight")
        expect(tip).to_contain_text(": Вход")  # It is read aloud in any case.
        for act in (link.focus, page.locator(f"{row} .dot").first.hover):
            act()
            page.keyboard.press("Shift")  # So that the ring of the keyboard is shown.
            assert tip.evaluate("one => one.getBoundingClientRect().height") > 20
            assert page.evaluate("document.documentElement.scrollHeight") == height
            page.keyboard.press("Escape")
            assert tip.evaluate("one => one.getBoundingClientRect().height") < 2
            link.blur()
    page.goto("/employees/?view=list")


@pytest.mark.usefixtures("people")
def test_phone_begins_with_people_and_has_the_filters_behind_a_button(browser: Browser, site: Site) -> None:
    with opened(browser, site, viewport={"width": 390, "height": 844}, java_script_enabled=False) as window:
        page = window.page
        page.goto(f"/employees/?department={DEPARTMENT}")
        first = settled(page.locator("tbody .people-name").first)
        assert first["y"] < 350
        expect(page.locator("#filters-set")).to_have_text("1 выбрано")
        expect(page.locator("#state")).to_be_hidden()

        page.locator(".filters-more summary").click()
        page.locator("#state").select_option("no_face")
        page.locator("#sort").select_option("-name")
        page.get_by_role("button", name="Найти").click()

        expect(page.locator("#filters-set")).to_have_text("2 выбрано")
        expect(page.locator("tbody .people-number").first).to_have_text(f"L{PEOPLE - 1}")
