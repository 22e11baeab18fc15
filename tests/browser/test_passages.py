"""The live list of passages, as one looks at it, points at it, and goes through it by keyboard."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.services.core.db import transaction
from tests.browser.conftest import Site, Window, opened, soon
from tests.support.events import event_row


def pass_by(site: Site, name: str) -> None:
    """Let the employee with this name pass now; the first time the record is made."""
    with site.app.app_context(), transaction():
        terminal = db.session.get_one(Terminal, 1)
        employee = Employee(number=f"PS{name[0]}", name=f"{name} Проходов", department="Проходная")
        db.session.add(employee)
        db.session.flush()
        db.session.add(event_row(terminal, at=datetime.now(UTC), employee=employee))


def test_new_passages_come_by_themselves_keep_the_focus_and_wait_for_the_pointer(site: Site, russian: Window) -> None:
    page = russian.page
    pass_by(site, "Anna")
    page.goto("/passages/?q=проходов")
    anna, rows = page.get_by_role("link", name="Anna Проходов"), page.locator(".passage")
    anna.focus()

    pass_by(site, "Boris")
    with soon(page):
        expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Boris Проходов")
    expect(anna).to_be_focused()

    anna.hover()
    expect(page.get_by_text("Ждёт, пока указатель на строке")).to_be_visible()
    pass_by(site, "Clara")
    with soon(page):
        for _ in range(2):  # The second answer comes once the first one was not shown.
            with page.expect_response(re.compile("/passages/state")):
                pass
        expect(rows).to_have_count(2)
        page.mouse.move(0, 0)
        expect(rows).to_have_count(3)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Anna Проходов")


@pytest.mark.parametrize("language", ["ru", "en"])
def test_tabs_are_two_rows_at_most_on_a_phone(browser: Browser, site: Site, language: str) -> None:
    with opened(browser, site, viewport={"width": 390, "height": 844}, locale=language) as window:
        for address in ("/passages/", "/presence/", "/passages/days", "/passages/why"):
            window.page.goto(address)
            assert window.page.locator("html").get_attribute("lang") == language
            rows = window.page.locator(".tabs a").evaluate_all("all => new Set(all.map(one => one.offsetTop)).size")
            assert rows <= 2, address
