"""The days of a validity from the form to green, and the clock of a terminal, set by one click."""

from datetime import timedelta

from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import TERMINAL_NAME, Site, Window
from tests.browser.steps import confirmed, save, show, take
from tests.support.captures import FACE


def test_days_go_from_the_form_to_the_terminal(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    page.get_by_label("ID сотрудника").fill("V100")
    page.get_by_label("ФИО").fill("Вера Иванова")
    page.get_by_text("Срок доступа", exact=True).click()
    page.get_by_label("Действует с").fill("2036-03-01")
    page.get_by_label("Действует по").fill("2036-06-30")
    assert violations(page) == []
    take(page)
    show(site, page, FACE)
    save(page)

    expect(confirmed(page)).to_contain_text(TERMINAL_NAME)
    expect(page.get_by_text("30 июня 2036 г. включительно")).to_be_visible()
    valid = site.simulator.people["V100"]["Valid"]
    assert valid["beginTime"] == "2036-03-01T00:00:00"
    assert valid["endTime"] == "2036-06-30T23:59:59"


def test_clock_is_set_by_one_click(site: Site, russian: Window) -> None:
    page = russian.page
    site.simulator.trigger("clock-slow")
    page.goto("/terminals/1")
    page.get_by_role("button", name="Проверить").click()
    expect(page.get_by_text("Часы терминала отстают на 5 минут.")).to_be_visible()
    assert violations(page) == []

    page.get_by_role("button", name="Установить часы и часовой пояс").click()

    said = f"Часы и часовой пояс терминала «{TERMINAL_NAME}» установлены."
    expect(page.locator("#main").get_by_text(said)).to_be_visible()
    expect(page.get_by_text("Часы терминала отстают")).to_have_count(0)
    assert abs(site.simulator.wall_clock.drift) < timedelta(minutes=1)
