"""One employee after another: as few clicks as possible, and a strip that turns green while the next one is typed."""

from threading import Event

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site, Window, soon
from tests.browser.steps import assert_enrolled, show
from tests.support.captures import FACE, OTHER_FACE

COUNTED = """
addEventListener("click", (event) => {
  if (event.detail) sessionStorage.setItem("clicks", Number(sessionStorage.getItem("clicks")) + 1);
});
"""


def clicks(page: Page) -> int:
    """How often the mouse was pressed in this window; Enter in a field is no click."""
    return int(page.evaluate("Number(sessionStorage.getItem('clicks'))"))


def enrol_next(
    site: Site, page: Page, number: str, name: str, face: bytes, *, department: str = "", by_mouse: bool = False
) -> None:
    """Type into the field that has the focus, take the photo, and save by the second button."""

    def press(button: str) -> None:
        if by_mouse:
            page.get_by_role("button", name=button).click()
        else:
            page.get_by_role("button", name=button).press("Enter")

    expect(page.locator("#hikvision_id")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Tab")
    page.keyboard.type(name)
    if department:
        page.keyboard.press("Tab")
        page.keyboard.type(department)
    press("Захватить фото с терминала")
    show(site, page, face)
    expect(page.locator("#capture").get_by_text(f"✅ Фото успешно захвачено! Это {name}?")).to_be_visible()
    press("Сохранить и добавить следующего")
    expect(page.locator(f"#latest li:has-text('{number}')")).to_be_visible()


def test_first_person_takes_three_clicks_from_the_start_page_and_the_second_two(site: Site, russian: Window) -> None:
    page = russian.page
    page.add_init_script(COUNTED)
    page.goto("/")
    page.get_by_role("link", name="Добавить сотрудника").click()
    enrol_next(site, page, "H1", "Иван Иванов", FACE, department="Склад", by_mouse=True)
    assert clicks(page) == 3

    enrol_next(site, page, "H2", "Ольга Ёлкина", OTHER_FACE, by_mouse=True)

    assert clicks(page) == 5
    expect(page.locator("#department")).to_have_value("Склад")
    with soon(page):
        expect(page.locator("#latest [data-state=confirmed]")).to_have_count(2)
    assert_enrolled(site, "H1", "Иван Иванов", FACE)
    assert_enrolled(site, "H2", "Ольга Ёлкина", OTHER_FACE)


def test_strip_turns_green_while_the_next_one_is_typed(site: Site, russian: Window) -> None:
    page, released = russian.page, Event()
    site.simulator.before("UserInfo/Record", lambda: released.wait(6))
    page.goto("/employees/new")
    enrol_next(site, page, "N3", "Иван Иванов", FACE)
    expect(page.locator("#latest [data-state=working]")).to_have_count(1)
    expect(page.locator("#hikvision_id")).to_be_focused()

    page.keyboard.type("N")
    released.set()
    expect(page.locator("#latest [data-state=confirmed]")).to_have_count(1)
    page.keyboard.type("4")

    site.simulator.clear_hooks()
    expect(page.locator("#hikvision_id")).to_be_focused()
    expect(page.locator("#hikvision_id")).to_have_value("N4")
