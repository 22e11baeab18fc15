"""Where things stand on the screen: nothing is covered, cut off or torn apart, on a desk and on a phone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.enrolment import ABSENT
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.kinds import PRINT
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.selection import make_draft
from tests.browser.axe import violations
from tests.browser.conftest import Site, Window, opened, settled
from tests.support.apps import close

# A4 between margins of 15 mm, in pixels.
PAPER_WIDTH = 680
PHONE = {"width": 390, "height": 844}
ONE_ROW = 60
LONG_NAME = "Константинопольская-Римская"
# Where the entries of the bar and the page below it are, but for the alarm.
BAR = """[...document.querySelectorAll('.bar a:not(.bar-alarm), .bar button, main h1')]
  .map(one => one.getBoundingClientRect()).map(one => [one.x, one.y, one.width, one.height])"""

# The controls in sight that show no ring of at least 2 px when the keyboard gets to them.
WITHOUT_RING = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(one => one.tabIndex >= 0 && one.checkVisibility() && !one.closest('.visually-hidden, .skip'))
  .filter(one => {
    one.focus({focusVisible: true})
    const style = getComputedStyle(one)
    return style.outlineStyle !== 'solid' || parseFloat(style.outlineWidth) < 2
  }).map(one => one.outerHTML.slice(0, 100))"""

LEFT = "all => all.map(one => one.getBoundingClientRect().x)"

# What is pressed and lower than 44 px.
TOO_SMALL = """[...document.querySelectorAll('.btn, .form-control, .form-select, summary, .bar a, .bar button')]
  .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44)
  .map(one => one.outerHTML.slice(0, 100))"""


@pytest.fixture
def open_removal(site: Site) -> Iterator[None]:
    """Somebody who may still open doors, and whom nobody tries to remove before tomorrow."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        later = datetime.now(UTC) + timedelta(days=1)
        db.session.add(Enrolment(terminal_id=1, number="LOOKS", desired=ABSENT, next_attempt_at=later))
        db.session.commit()
        yield
        db.session.execute(db.delete(Enrolment).where(Enrolment.number == "LOOKS"))
        db.session.commit()
    close(app)


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Window]:
    """A Russian phone."""
    with opened(browser, site, viewport=PHONE, has_touch=True) as window:
        yield window


@pytest.fixture
def phone_without_javascript(browser: Browser, site: Site) -> Iterator[Window]:
    """A phone without JavaScript."""
    with opened(browser, site, viewport=PHONE, java_script_enabled=False) as window:
        yield window


def box(page: Page, selector: str) -> dict[str, float]:
    """Where an element is."""
    found = settled(page.locator(selector))
    sides = {"x": found["x"], "y": found["y"], "width": found["width"], "height": found["height"]}
    return {**sides, "bottom": found["y"] + found["height"]}


@pytest.mark.usefixtures("open_removal")
@pytest.mark.parametrize("language", ["ru-RU", "en-US"])
def test_bar_is_one_row_that_does_not_move_when_an_alarm_comes(browser: Browser, site: Site, language: str) -> None:
    with opened(browser, site, locale=language) as window:
        page = window.page
        for width in (390, 820, 1280, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto("/employees/")
            page.evaluate(f"document.querySelector('.bar-name').textContent = '{LONG_NAME}'")
            alarm = page.locator(".bar-alarm")
            expect(alarm).to_be_visible()
            with_alarm = page.evaluate(BAR)
            page.evaluate("document.querySelector('.bar-alarm').hidden = true")
            page.evaluate("document.querySelectorAll('.bar-number').forEach(one => { one.textContent = '99' })")

            assert (width, page.evaluate(BAR)) == (width, with_alarm)
            assert box(page, ".bar")["height"] < ONE_ROW
            page.evaluate("document.querySelector('.bar-alarm').hidden = false")
            text = alarm.evaluate("one => [one.scrollWidth - one.clientWidth, one.scrollHeight - one.clientHeight]")
            assert (text, page.evaluate("document.documentElement.scrollWidth > innerWidth")) == ([0, 0], False)


def test_menu_of_a_phone_opens_and_closes_by_keyboard(phone: Window) -> None:
    page = phone.page
    page.goto("/employees/")
    assert box(page, ".bar")["height"] < ONE_ROW
    link = page.get_by_role("link", name="Терминалы", exact=True)
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Меню").focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Меню").click()
    link.click()
    expect(page).to_have_url(f"{page.url.partition('/terminals')[0]}/terminals/")


def test_menu_of_a_phone_works_without_javascript(phone_without_javascript: Window) -> None:
    page = phone_without_javascript.page
    page.goto("/employees/")
    page.get_by_role("button", name="Меню").click()
    page.get_by_role("link", name="Управление").click()
    expect(page.get_by_role("heading", name="Управление")).to_be_visible()


def test_no_button_covers_what_is_not_its_form(phone: Window) -> None:
    for address in ("/tokens/", "/operators/", "/operators/1", "/erasures/", "/account/password"):
        phone.page.goto(address)

        places = phone.page.locator(".save").evaluate_all("all => all.map(one => getComputedStyle(one).position)")
        assert (address, places) == (address, ["static"])


def test_save_of_a_long_form_stays_in_reach_of_the_thumb(phone: Window) -> None:
    for address in ("/employees/new", "/terminals/1/edit"):
        phone.page.goto(address)

        assert round(box(phone.page, ".save")["bottom"]) == PHONE["height"]
        phone.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        last = settled(phone.page.locator("main form > :not(.save):not(input)").last)
        assert last["y"] + last["height"] <= box(phone.page, ".save")["y"]


def test_short_name_in_the_trail_is_not_torn_apart(russian: Window) -> None:
    page = russian.page
    page.set_viewport_size({"width": 760, "height": 800})
    page.goto("/audit/")
    names = page.locator(".trail-who")
    expect(names.first).to_be_visible()
    heights = names.evaluate_all("all => all.map(one => { one.textContent = 'Ольга'; return one.offsetHeight })")
    assert max(heights) < 30
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_arrow_of_a_select_has_its_own_room(russian: Window) -> None:
    russian.page.goto("/operators/1")

    room = "one => parseFloat(getComputedStyle(one).paddingRight)"
    assert russian.page.locator("#role").evaluate(room) >= 36


def test_hint_is_nearer_to_its_own_field_than_to_the_next_label(russian: Window) -> None:
    page = russian.page
    page.goto("/account/password")

    field, hint, label = box(page, "#new_password"), box(page, ".hint"), box(page, "label[for=repeated]")
    assert 0 < hint["y"] - field["bottom"] < label["y"] - hint["bottom"]


def test_fields_of_a_new_employee_stand_equally_far_apart(russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    page.evaluate("document.querySelector('#name-limit').textContent = ''")

    number, name, department = (box(page, f"#{one}") for one in ("hikvision_id", "full_name", "department"))
    assert name["y"] - number["bottom"] == department["y"] - name["bottom"]


def add_token(page: Page, name: str) -> str:
    """Add a token and return it, as the page shows it once."""
    page.goto("/tokens/")
    page.locator("#add summary").click()
    expect(page.get_by_label("Название")).to_be_focused()
    page.keyboard.insert_text(name)
    page.locator("#add .btn-save").click()
    return page.locator("#secret").inner_text()


def test_secret_is_copied_by_its_button(russian: Window) -> None:
    page = russian.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    secret = add_token(page, "Кадры")
    page.get_by_role("button", name="Скопировать").click()
    expect(page.locator("#copied")).to_have_text("Скопировано")
    assert page.evaluate("navigator.clipboard.readText()") == secret


def test_secret_is_selected_where_the_browser_copies_nothing(russian: Window) -> None:
    page = russian.page
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    secret = add_token(page, "Охрана")
    page.get_by_role("button", name="Скопировать").click()
    expect(page.locator("#copied")).to_have_text("Выделено. Скопируйте с клавиатуры.")
    assert page.evaluate("getSelection().toString()") == secret


def test_every_control_shows_the_focus_and_every_title_begins_where_the_bar_does(russian: Window) -> None:
    russian.page.set_viewport_size({"width": 1366, "height": 768})
    for address in ("/employees/", "/employees/new", "/terminals/", "/terminals/1/edit", "/audit/", "/account"):
        russian.page.goto(address)

        edges = russian.page.locator(".brand, main h1").evaluate_all(LEFT)
        assert (address, edges) == (address, [16, 16])
        assert russian.page.locator("main a[href], main button, main input").count() > 0
        assert (address, russian.page.evaluate(WITHOUT_RING)) == (address, [])
    # The page stays where it is when it grows a scrollbar.
    assert russian.page.evaluate("getComputedStyle(document.documentElement).scrollbarGutter") == "stable"


def test_what_a_thumb_presses_is_large_enough(phone: Window) -> None:
    for address in ("/attention", "/employees/new", "/employees/", "/terminals/1", "/account/", "/audit/"):
        phone.page.goto(address)

        assert (address, phone.page.evaluate(TOO_SMALL)) == (address, [])


def test_minutes_ago_grow_while_the_page_stays_open(russian: Window) -> None:
    page = russian.page
    page.clock.install()
    page.goto("/account/")
    seen = page.locator("time[data-minutes]").first
    seen.evaluate("one => { one.dataset.minutes = 3 }")

    for minutes, said in ((2, "5 минут назад"), (55, seen.get_attribute("data-at"))):
        page.clock.run_for(minutes * 60_000)
        expect(seen).to_have_text(said or "")


# Seventy people of seven departments, as templates/presence/evacuation.html has them.
MUSTERED = 7 * (
    "<section><h2>Отдел</h2><ul>"
    + 10
    * (
        "<li><span class='muster-box'></span><span class='muster-name'>Константинопольский Пётр Иванович</span>"
        "<span class='muster-when'>08:15</span></li>"
    )
    + "</ul></section>"
)


def sheets(page: Page) -> int:
    """How many sheets of A4 a page is printed on."""
    return len(re.findall(rb"/Type /Page\b", page.pdf(format="A4")))


def test_paper_is_printed_by_its_button_on_white_sheets_of_a4(russian: Window, site: Site) -> None:
    page = russian.page
    page.goto("/consent/print")
    page.evaluate("window.print = () => { document.title = 'printed' }")
    page.get_by_role("button", name="Печать").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("button", name="Печать")).to_be_hidden()
    expect(page.get_by_role("link", name="Назад")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(27, 34, 48)"
    assert sheets(page) == 1

    page.goto(f"/jobs/{printed(site)}/print")
    page.evaluate("rows => { rows.innerHTML = rows.innerHTML.repeat(66) }", page.locator("tbody").element_handle())
    page.set_viewport_size({"width": PAPER_WIDTH, "height": 900})
    head = page.locator("thead")
    assert head.evaluate("one => getComputedStyle(one).display") == "table-header-group"
    assert page.evaluate("document.scrollingElement.scrollWidth") == PAPER_WIDTH
    assert sheets(page) == 4

    page.goto("/presence/evacuation")
    page.evaluate("html => { document.querySelector('.muster-people').innerHTML += html }", MUSTERED)
    assert sheets(page) == 1


def printed(site: Site) -> int:
    """The id of a list of one to print, whose name is long."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        save_employee(Draft("A4", f"{LONG_NAME} Александра Константиновна", "Бухгалтерия"))
        job_id = make_draft(PRINT, EmployeeFilter(q="A4")).id
    close(app)
    return job_id
