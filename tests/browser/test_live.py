"""What the browser shows of pages that bring themselves up to date."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Site, Window
from tests.browser.steps import deactivate, enrol
from tests.conftest import PASSWORD

# Milliseconds until a terminal that did not answer is tried again by itself, and some more.
RETRIED = 60_000
IS_POLLED_WITH_MENU = """[true, false].map(open => {
  const part = document.getElementById('enrolments'), menu = document.createElement('details')
  Object.assign(menu, {className: 'more', open})
  part.append(menu)
  const goes = part.dispatchEvent(new CustomEvent('htmx:before:request', {bubbles: true, cancelable: true}))
  menu.remove()
  return goes
})"""


def test_added_terminal_shows_the_end_of_its_check_by_itself(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/terminals/new")
    page.get_by_label("Название").fill("Второй вход")
    page.get_by_label("Адрес").fill(site.server.url)
    page.get_by_label("Учётная запись").fill("admin")
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Сохранить", exact=True).last.click()
    expect(page).to_have_url(re.compile(r"/terminals/\d+$"))
    expect(page.locator("#terminal-state")).to_contain_text("на связи")
    expect(page.locator("#terminal")).not_to_have_attribute("hx-get", re.compile("."))
    expect(page.locator("#terminal-facts")).to_contain_text("DS-K1T343EFWX")
    page.locator("#more summary").click()
    page.get_by_role("link", name="Удалить").click()
    page.get_by_role("button", name="Удалить").click()


def test_removal_is_in_sight_until_the_terminal_confirms_and_a_new_try_is_said_and_keeps_the_focus(
    site: Site, russian: Window
) -> None:
    page = russian.page
    enrol(site, page, "Z9")
    retry, said = page.get_by_role("button", name="Повторить", exact=True), page.locator("#announcer")
    site.server.stop()
    try:
        deactivate(page)
        expect(page.locator("#alarm")).to_contain_text("Ещё может открыть двери: 1")
        expect(page.locator("[data-state=leaving]")).to_contain_text("нет связи с")
        expect(page.locator("#enrolments")).to_contain_text("Попытка только что: ")
        retry.press("Enter")
        expect(said).to_contain_text("выполняется")
        expect(said).to_contain_text("ещё может открыть двери")
        expect(retry).to_be_focused()
        # What is polled waits while a menu in it is open.
        assert page.evaluate(IS_POLLED_WITH_MENU) == [False, True]
    finally:
        site.server.start()
    expect(page.locator("[data-state=removed]")).to_be_visible(timeout=RETRIED)
    expect(page.locator("#enrolments")).to_contain_text("Доступ снят")
    expect(page.locator("#alarm")).to_be_hidden()
    assert "Z9" not in site.simulator.people


def test_open_erasure_says_by_itself_that_it_is_complete(site: Site, russian: Window) -> None:
    page = russian.page
    employee = enrol(site, page, "Z2")
    site.server.stop()
    try:
        page.goto(f"{employee}/erase")
        page.locator("button.btn-danger").click()
        expect(page.locator("#erasure .line-removal")).to_be_visible()
    finally:
        site.server.start()
    expect(page.locator("#erasure").get_by_text("Удаление данных завершено")).to_be_visible(timeout=RETRIED)
    page.get_by_role("link", name="Открыть акт").click()
    expect(page.get_by_role("heading", name=re.compile("Акт об удалении данных"))).to_be_visible()
