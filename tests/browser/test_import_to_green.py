"""From the file of another program to green, by somebody who has never seen these pages; each click is counted."""

import io
import re
import zipfile
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from hikflask.simulator.profiles import profile_named
from tests.browser.conftest import Site, Window, opened, serving, soon
from tests.browser.test_imports import shown
from tests.processes.processes import until
from tests.spreadsheets import other_programs
from tests.support.captures import FACE
from tests.support.jobs import add_people

MAX_CLICKS = 6
ZIP, TABLE = "application/zip", "application/octet-stream"


@pytest.fixture(scope="module")
def with_pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A terminal that takes pictures, so that nobody has to come to it."""
    with serving(tmp_path_factory.mktemp("green"), profile_named("K1T341CMFW")) as site:
        yield site


@pytest.fixture
def window(browser: Browser, with_pictures: Site) -> Iterator[Window]:
    with opened(browser, with_pictures) as window:
        yield window


class Clicks:
    """A person with a mouse."""

    def __init__(self, page: Page) -> None:
        self._page, self.count = page, 0

    def press(self, selector: str) -> None:
        self.count += 1
        self._page.locator(selector).press("Enter")

    def choose(self, selector: str, file: FilePayload) -> None:
        self.count += 1
        self._page.set_input_files(selector, file)

    def select(self, selector: str, label: str) -> None:
        self.count += 1
        self._page.locator(selector).select_option(label=label)


def photos_of(numbers: list[str]) -> FilePayload:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in numbers:
            archive.writestr(f"{number}.jpg", FACE)
    return {"name": "фото.zip", "mimeType": ZIP, "buffer": content.getvalue()}


def is_confirmed(page: Page, number: str) -> bool:
    """Whether the list of employees says so now: it does not bring itself up to date."""
    page.goto("/employees/")
    row = page.locator("tbody tr", has_text=re.compile(rf"(?<!\d){number}(?!\d)"))
    return "подтверждено" in row.inner_text()


@pytest.mark.parametrize("file", ["1С, отчёт с группами.xlsx", "HikCentral, шаблон.xlsx"])
def test_people_of_another_program_are_green_after_six_clicks(window: Window, file: str) -> None:
    people, page = other_programs.people_of(file), window.page
    page.goto("/imports/new")
    mouse = Clicks(page)

    mouse.choose("#table", {"name": file, "mimeType": TABLE, "buffer": other_programs.files()[file]})
    mouse.choose("#photos", photos_of([person.number for person in people]))
    mouse.select("#terminal_id", "Вход")
    mouse.press("main .btn-save")
    mouse.press("main .btn-save")
    with soon(page):
        expect(page.locator(".import-plan")).to_have_text(f"Новых: {len(people)}, изменений нет.")
    for person in people:
        row = shown(page, person.number)
        assert f" {person.name} новый " in row
        assert person.department in row
    mouse.press("#import-start")
    with soon(page):
        expect(page.locator("#import .job-counts")).to_have_text(f"Выполнено: {len(people)} из {len(people)}")

    assert mouse.count <= MAX_CLICKS
    for person in people:
        until(partial(is_confirmed, page, person.number))


def test_leavers_whose_ids_lost_their_zeros_are_mended_in_place(window: Window, with_pictures: Site) -> None:
    page = window.page
    with with_pictures.app.app_context():
        add_people("00071", "00072")
    page.goto("/imports/new")
    leavers = "Табельный номер;Уволен\r\n71;да\r\n72;да\r\n".encode("cp1251")
    page.set_input_files("#table", {"name": "уволенные.csv", "mimeType": "text/csv", "buffer": leavers})
    page.locator("main .btn-save").press("Enter")
    page.locator("main .btn-save").press("Enter")
    with soon(page):
        expect(page.locator(".import-why")).to_have_count(1)
        expect(page.locator(".import-own")).to_have_count(2)

    page.locator("#take-similar").press("Enter")

    expect(page.locator("main").get_by_text("2 строки проверены снова. Ошибочных строк больше нет.")).to_be_visible()
    expect(page.locator("#effects")).to_contain_text("Иван Иванов 00071")
    expect(page.locator("#effects")).to_contain_text("Иван Иванов 00072")
    page.locator("#import-start").press("Enter")
