"""The site of the guides, as `make site` built it, in a browser, under the policy that it has in the program."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, Route, expect

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


# What people type at a reception desk and beside the server, and the guide that must come first.
TYPED = {
    "ru": {
        "1С": "imports",
        "загрузить список": "imports",
        "забыл пароль": "operators",
        "потерял телефон": "operators",
        "права оператора": "operators",
        "эвакуация": "passages",
        "опоздал": "passages",
        "табель": "passages",
        "не открывается дверь": "passages",
        "не узнаёт лицо": "passages",
        "другой сервер": "moving",
        "уволить сотрудника": "employees",
        "экспорт в эксель": "employees",
        "терминал не отвечает": "terminals",
        "пропуск на день": "terminals",
        "сравнить терминал": "compare",
        "распечатать согласие": "privacy",
        "удалить данные сотрудника": "privacy",
        "восстановить из копии": "backup",
        "не приходит почта": "monitoring",
        "обновить программу": "install",
        "кто удалил": "audit",
    },
    "en": {
        "forgot password": "operators",
        "lost phone": "operators",
        "evacuation": "passages",
        "late": "passages",
        "move to another server": "moving",
        "leaver": "employees",
        "spreadsheet": "imports",
        "Active Directory": "directory",
        "email": "monitoring",
        "GDPR": "privacy",
    },
}
# Asks the search of the site as its pages do, and takes the first answer.
FIRST = """async typed => {
    const config = JSON.parse(document.querySelector("#__config").textContent);
    const index = await (await fetch(new URL("search/search_index.json", document.baseURI))).json();
    const worker = new Worker(new URL(config.search, document.baseURI));
    const ask = message => new Promise(done => {
        worker.onmessage = answer => done(answer.data);
        worker.postMessage(message);
    });
    await ask({type: 0, data: {...index, options: {suggest: false}}});
    const first = [];
    for (const text of typed) {
        const found = (await ask({type: 2, data: text})).data.items;
        first.push(found.length ? found[0][0].location.split(".html")[0] : "");
    }
    return first;
}"""


# How far what was shown has moved by itself, as browsers count it.
SHIFTED = """() => new Promise(done => {
    const entries = [];
    const observer = new PerformanceObserver(list => entries.push(...list.getEntries()));
    observer.observe({type: "layout-shift", buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() =>
        done(entries.reduce((sum, entry) => sum + entry.value, 0)))));
})"""


@pytest.mark.parametrize("language", TYPED)
def test_the_right_guide_comes_first_for_what_people_type(page: Page, language: str) -> None:
    page.goto(f"{language}/index.html")
    typed = list(TYPED[language])

    assert dict(zip(typed, page.evaluate(FIRST, typed), strict=True)) == TYPED[language]


def test_a_word_in_a_heading_weighs_more_than_one_in_the_text(page: Page) -> None:
    """Many guides speak of groups; one is about them."""
    page.goto("ru/index.html")

    assert page.evaluate(FIRST, ["группы терминалов", "вебхук"]) == ["groups", "api"]


@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_first_page_does_not_jump_when_its_pictures_come(page: Page, language: str, width: int) -> None:
    held: list[Route] = []
    is_held = True
    page.route("**/*.webp", lambda route: held.append(route) if is_held else route.continue_())
    page.set_viewport_size({"width": width, "height": 760})
    page.goto(f"{language}/index.html", wait_until="domcontentloaded")
    expect(page.get_by_role("heading", name="hikflask")).to_be_visible()
    is_held = False
    while held:
        held.pop().continue_()
    page.wait_for_load_state("load")

    assert page.evaluate(SHIFTED) < 0.1


def test_switch_of_the_language_stays_on_the_page(page: Page) -> None:
    page.goto("ru/backup.html")
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("heading", name="Backup and restore")).to_be_visible()

    # What there is in English alone leads to the first page.
    page.get_by_role("link", name="Developers").click()
    page.get_by_role("link", name="RU", exact=True).click()
    expect(page.get_by_role("heading", name="hikflask")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ru")


@pytest.mark.parametrize("name", ["ru/index", "ru/settings", "en/states", "en/api"])
def test_nobody_is_kept_out(page: Page, name: str) -> None:
    page.goto(f"{name}.html")

    assert wrong_in_each_look(page) == []
