"""Departments in the browser, by the keyboard alone: one is suggested, renamed, and merged into another."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from hikflask import create_app
from hikflask.services.departments import registry
from tests.browser.axe import violations
from tests.browser.conftest import Site, Window
from tests.support.apps import close
from tests.support.jobs import add_people


@pytest.fixture
def people(site: Site) -> Iterator[None]:
    """Two in one department, one in another."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        add_people("M1", "M2", department="Клавиатура")
        add_people("M3", department="Мышь")
    yield
    with app.app_context():
        assert {"Клавиатура", "Клавиши"} & set(registry.names()) == set()
    close(app)


def press(page: Page, label: str) -> None:
    """Go to a link or button with this name, and press Enter."""
    page.locator("main").get_by_role("link", name=label).or_(
        page.locator("main").get_by_role("button", name=label)
    ).first.focus()
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("people")
def test_department_is_renamed_and_merged_by_keyboard(russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    suggested = page.locator("#departments option").evaluate_all("options => options.map(one => one.value)")
    assert {"Клавиатура", "Мышь"} <= set(suggested)

    page.goto("/employees/?q=M1")
    page.locator("#more summary").focus()
    page.keyboard.press("Enter")
    press(page, "Отделы")
    press(page, "Изменить: Клавиатура")
    expect(page.get_by_label("Название")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Клавиши")
    page.keyboard.press("Enter")
    expect(page.locator(".note-good")).to_have_text("Отдел переименован, в том числе у его сотрудников.")

    press(page, "Изменить: Клавиши")
    expect(page.get_by_label("Название")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("МЫШЬ")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Объединить под названием «Мышь»?")
    expect(page.locator(".card-page")).to_contain_text(re.compile("перейдут 2 сотрудника"))
    assert violations(page) == []
    press(page, "Объединить")
    expect(page.locator(".note-good")).to_contain_text("переведены 2 сотрудника.")
    press(page, "Мышь")
    expect(page.locator("#count")).to_have_text("Найдено: 3")
