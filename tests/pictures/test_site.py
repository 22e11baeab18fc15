"""The site of the guides, as `make site` built it, in a browser, under the policy that it has in the program."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from hikflask.web.help import site
from tests.browser.axe import wrong_in_each_look

HELP = site.FOLDER


class Guides(SimpleHTTPRequestHandler):
    """Answers the files of the site."""

    def end_headers(self) -> None:
        built = site.read(HELP)
        assert built is not None, "make site"
        self.send_header("Content-Security-Policy", built.policy)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of the site that asks nobody else, and on which the policy refuses nothing."""
    wrong: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guides, directory=str(HELP))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with browser.new_context(base_url=url, reduced_motion="reduce") as context:
            page = context.new_page()
            page.on("console", lambda message: wrong.append(message.text))
            page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
            page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else wrong.append(asked.url))
            yield page
        server.shutdown()
    assert wrong == []


@pytest.mark.parametrize("form", ["сотрудника", "Сотрудниками"])
def test_search_finds_a_word_in_its_other_forms(page: Page, form: str) -> None:
    page.goto("ru/index.html")
    page.get_by_placeholder("Поиск").fill(form)
    # The search looks at the field when a key is released; fill() releases none.
    page.get_by_placeholder("Поиск").press("End")

    # The title of this page has the word in another form.
    found = page.locator(".md-search-result__item").get_by_role("heading", level=1)
    expect(found.filter(has_text="Сотрудники")).to_be_visible()


def test_switch_of_the_language_stays_on_the_page(page: Page) -> None:
    page.goto("ru/backup.html")
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("heading", name="Backup and restore")).to_be_visible()

    # What there is in English alone leads to the first page.
    page.get_by_role("link", name="Developers").click()
    page.get_by_role("link", name="RU", exact=True).click()
    expect(page.get_by_role("heading", name="hikflask")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ru")


@pytest.mark.parametrize("name", ["ru/index", "ru/settings", "en/states"])
def test_nobody_is_kept_out(page: Page, name: str) -> None:
    page.goto(f"{name}.html")

    assert wrong_in_each_look(page) == []
