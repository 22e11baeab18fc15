"""The start page keeps itself up to date under the hands of whoever works on it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import wrong_in_each_look
from tests.browser.conftest import Site, Window, opened, serving, wait_until
from tests.browser.steps import deactivate, enrol
from tests.browser.test_live import RETRIED

FOCUS_AND_PLACE = "[document.activeElement.id, Math.round(scrollY), document.body.dataset.kept]"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where nobody else leaves anything to do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HIKFLASK_RETRY_BASE", "1")
        with serving(tmp_path_factory.mktemp("attention")) as site:
            yield site


@pytest.fixture
def low(browser: Browser, own: Site) -> Iterator[Window]:
    """A Russian browser whose window is so low that every page scrolls."""
    with opened(browser, own, viewport={"width": 1200, "height": 200}) as window:
        yield window


def work_at(page: Page, control: str) -> list[object]:
    """Put the focus on a control and scroll; return both, with a mark that a reload would remove."""
    page.evaluate(f"document.querySelector('{control}').focus({{preventScroll: true}})")
    page.evaluate("scrollTo({top: 60, behavior: 'instant'}); document.body.dataset.kept = 'yes'")
    found: list[object] = page.evaluate(FOCUS_AND_PLACE)
    assert found == [control.removeprefix("#"), 60, "yes"]
    return found


def test_page_goes_from_red_to_green_by_itself_and_takes_neither_focus_nor_place(own: Site, low: Window) -> None:
    page = low.page
    enrol(own, page, "A1")
    own.server.stop()
    try:
        deactivate(page)
        page.wait_for_url(re.compile(r"/employees/\d+$"))
        page.goto("/attention")
        leaving = page.locator(".attention-bad")
        expect(leaving).to_contain_text("доступ ещё не снят")
        expect(page.locator("#attention-terminals")).to_contain_text("не отвечает по адресу")
        expect(page.locator("#attention-entry .bar-number")).to_have_text("2")
        working = work_at(page, f"#{leaving.get_attribute('id')}-all")
        with page.expect_response(re.compile("/attention/state$")):
            pass
        wait_until(page, "!document.querySelector('.htmx-request')")
        assert page.evaluate(FOCUS_AND_PLACE) == working
        working = work_at(page, "#attention-entry")
    finally:
        own.server.start()

    expect(page.locator("#attention")).to_contain_text("Всё в порядке", timeout=RETRIED)
    expect(page.locator("#alarm")).to_be_hidden()
    expect(page.locator("#attention-entry .bar-number")).to_be_hidden()
    expect(page.locator("#announcer")).to_have_text("Всё в порядке")
    assert page.evaluate(FOCUS_AND_PLACE) == working
    # Now it is the front page.
    expect(page.locator("#front-terminals")).to_be_visible()
    assert wrong_in_each_look(page) == []
