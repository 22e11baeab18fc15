"""What changes on a page by itself is read aloud once; and every control shows when it has the focus."""

from playwright.sync_api import Page, Route

from tests.browser.conftest import Window

# What the one live region said, in order.
LISTEN = """window.said = []
new MutationObserver(() => said.push(document.getElementById("announcer").textContent))
  .observe(document.getElementById("announcer"), {childList: true})"""
SWAP = "htmx.ajax('GET', '/said', {target: '#problem', swap: 'innerHTML'})"
# The controls in sight that show no ring of at least 2 px when the keyboard gets to them.
WITHOUT_RING = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(one => one.tabIndex >= 0 && one.checkVisibility() && !one.closest('.visually-hidden, .skip'))
  .filter(one => {
    one.focus({focusVisible: true})
    const style = getComputedStyle(one)
    return style.outlineStyle !== 'solid' || parseFloat(style.outlineWidth) < 2
  }).map(one => one.outerHTML.slice(0, 100))"""


def swapped(page: Page, sentence: str) -> list[str]:
    """Swap a part of the page that says this, and return everything that was announced."""

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=f'<p data-says="{sentence}">{sentence}</p>')

    page.unroute("**/said")
    page.route("**/said", answer)
    page.evaluate(SWAP)
    return list(page.evaluate("said"))


def test_changed_sentence_is_announced_once(russian: Window) -> None:
    page = russian.page
    page.goto("/terminals/")
    page.evaluate(LISTEN)

    assert swapped(page, "Съёмка идёт.") == ["Съёмка идёт."]
    assert swapped(page, "Съёмка идёт.") == ["Съёмка идёт."]
    assert swapped(page, "Фото снято.") == ["Съёмка идёт.", "Фото снято."]
    assert swapped(page, "Съёмка идёт.")[2:] == ["Съёмка идёт."]
    assert page.locator("[aria-live]").count() == 1


def test_every_control_shows_that_it_has_the_focus(russian: Window) -> None:
    for address in ("/employees/new", "/terminals/", "/terminals/1/edit", "/audit/", "/account"):
        russian.page.goto(address)

        assert russian.page.locator("main a[href], main button, main input").count() > 0
        assert (address, russian.page.evaluate(WITHOUT_RING)) == (address, [])
