"""What changes on a page by itself is read aloud, and once."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Window

# What the one live region said, in order.
LISTEN = """window.heard = []
new MutationObserver(() => heard.push(document.getElementById("announcer").textContent))
  .observe(document.getElementById("announcer"), {childList: true})"""
SWAP = "htmx.ajax('GET', '/said', {target: '#problem', swap: 'innerHTML'})"


def swapped(page: Page, sentence: str) -> list[str]:
    """Swap a part of the page that says this, and return everything that was announced."""

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=f'<p data-says="{sentence}">{sentence}</p>')

    page.unroute("**/said")
    page.route("**/said", answer)
    page.evaluate(SWAP)
    return list(page.evaluate("heard"))


def test_changed_sentence_is_announced_once(russian: Window) -> None:
    page = russian.page
    page.goto("/removals/")
    expect(page.locator("#announcer")).to_have_text("Таких нет: все удаления подтверждены")
    page.evaluate(LISTEN)

    assert swapped(page, "Съёмка идёт.") == ["Съёмка идёт."]
    assert swapped(page, "Съёмка идёт.") == ["Съёмка идёт."]
    assert swapped(page, "Фото снято.") == ["Съёмка идёт.", "Фото снято."]
    assert swapped(page, "Съёмка идёт.")[2:] == ["Съёмка идёт."]
    assert page.locator("[aria-live]").count() == 1
