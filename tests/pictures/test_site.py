"""The site of the guides, as `make site` built it, in a browser, under the policy that it has in the program."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import wrong_in_each_look

HELP = Path(__file__).parents[2] / "hikflask/help"


class Guides(SimpleHTTPRequestHandler):
    """Answers the files of the site."""

    def end_headers(self) -> None:
        hashes = " ".join(f"'{one}'" for one in json.loads((HELP / "script-hashes.json").read_text(encoding="utf-8")))
        policy = (
            f"default-src 'self'; img-src 'self' data:; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'"
        )
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of the site that asks nobody else, and on which the policy refuses nothing."""
    assert (HELP / "script-hashes.json").exists(), "make site"
    wrong: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guides, directory=str(HELP))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with browser.new_context(base_url=url, reduced_motion="reduce") as context:
            page = context.new_page()
            page.on("console", lambda message: wrong.append(message.text))
            page.on("response", lambda answer: None if answer.ok else wrong.append(answer.url))
            page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else wrong.append(asked.url))
            yield page
        server.shutdown()
    assert wrong == []


def test_search_finds_a_word_in_its_other_forms(page: Page) -> None:
    page.goto("ru/index.html")
    found = page.locator(".md-search-result__item").get_by_role("heading", level=1)

    for form in ("сотрудника", "Сотрудниками"):
        page.get_by_placeholder("Поиск").fill(form)
        # Its title has the word in another form.
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
