"""The employee form on a small screen and on a phone: what is in sight, what asks first, and the keyboard alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from tests.browser.conftest import IMPATIENT, Site, Window, eventually, serving, settled, soon
from tests.browser.steps import fill, panel, save, show, take
from tests.support.apps import close
from tests.support.captures import FACE, OTHER_FACE
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD

SIZES = {"desk": (1366, 650), "phone": (390, 844)}
# A desk screen of 1366x650 at a zoom of 200 %, and ones of 1440x900 and 1920x940.
ZOOMED = ((683, 325), (720, 450), (960, 470))
AWAY = "Склад у дальних ворот"
LONG_NAME = ("Константинопольская-Римская Александра-Виктория " * 3)[:128].strip()
MAX_TABS = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a second terminal, which does not answer: everybody else's has one."""
    with serving(tmp_path_factory.mktemp("form")) as site:
        app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
        with app.app_context():
            first = db.session.get_one(Terminal, 1)
            away = Terminal(name=AWAY, url="http://127.0.0.1:9", username="admin")
            away.password_encrypted = first.password_encrypted
            db.session.add(away)
            db.session.commit()
        close(app)
        yield site


@dataclass
class Sight:
    """A page in a window of one size."""

    page: Page
    height: int

    def has(self, *selectors: str) -> None:
        """Everything is in the window, and nothing but the bar's own buttons is under the bar."""
        bar = settled(self.page.locator(".enrol-bar"))
        for selector in selectors:
            found = self.page.locator(selector)
            expect(found).to_be_visible()
            box = settled(found)
            own = self.page.locator(f".enrol-bar {selector}, {selector}.capture-seconds").count()
            lowest = self.height if own else bar["y"]
            assert box["y"] >= 0, selector
            assert box["y"] + box["height"] <= lowest + 1, selector


@pytest.fixture(params=SIZES)
def sight(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Sight]:
    """A desk screen or a phone; Chromium's console tells of each refusal."""
    width, height = SIZES[request.param]
    window = Window(browser, site, viewport={"width": width, "height": height})
    yield Sight(window.page, height)
    window.context.close()
    assert [one for one in window.complaints if "status of 4" not in one] == []


def in_sight(page: Page, *selectors: str, sizes: Iterable[tuple[int, int]] = SIZES.values()) -> None:
    """Everything is in sight in windows of these sizes; unscrolled, as if the page had been opened in each of them."""
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("scrollY") == 0
        Sight(page, height).has(*selectors)


def capture(site: Site, page: Page, face: bytes) -> None:
    """Press the button of the capture and show a face."""
    take(page)
    show(site, page, face)


def open_and_close_large(page: Page) -> None:
    """Look at the captured face in its full size, by keyboard."""
    picture = page.get_by_alt_text("Снимок с терминала")
    small = settled(picture)
    page.locator("#photo-new button").press("Enter")
    expect(page.locator("#photo-new:popover-open")).to_be_visible()
    large = settled(picture)
    page.keyboard.press("Escape")
    expect(page.locator("#photo-new:popover-open")).to_have_count(0)
    assert large["height"] > small["height"] * 1.5
    eventually(page, lambda: picture.bounding_box() == small)


def test_next_step_is_in_sight_in_each_state_and_the_captured_face_opens_large(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    in_sight(page, "#hikvision_id", "#full_name", "#department", "#terminal_id", "#capture-take", "#save")
    page.get_by_label("Терминал", exact=True).select_option(label=AWAY)
    with soon(page):
        page.locator("#capture-take").press("Enter")
        expect(page.locator("#capture[data-state=failed]")).to_be_visible()
    in_sight(page, ".capture-frame", ".capture-text", "#capture-take", "#save")

    fill(page, "W1", LONG_NAME)
    page.get_by_label("Терминал", exact=True).select_option(label="Вход")
    take(page)
    with soon(page):
        expect(page.locator("#capture-seconds")).to_be_visible()
    in_sight(page, ".capture-frame", "#capture-says", "#capture-seconds", "#capture-cancel")
    show(site, page, FACE)
    expect(panel(page)).to_contain_text("Это Константинопольская-Римская")
    in_sight(page, "#photo-new", ".capture-text", "#save", "#capture-take")
    page.get_by_label("ФИО").fill("Иван Иванов")  # The terminal takes 64 Russian letters.
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    in_sight(page, ".capture-frame", ".capture-text", "#save", "#save-next", "#capture-take", sizes=ZOOMED)
    open_and_close_large(page)
    save(page)

    page.goto(f"{page.url}/edit")
    in_sight(page, "#full_name", "#photo-new", "#save", "#capture-take")
    in_sight(page, ".capture-frame", "#save", "#capture-take", sizes=ZOOMED)
    capture(site, page, OTHER_FACE)
    in_sight(
        page,
        "#photo-old",
        ".capture-frame",
        ".capture-text",
        "#save",
        "#capture-take",
        sizes=[*SIZES.values(), *ZOOMED],
    )
    save(page)


def test_what_is_wrong_and_what_asks_are_in_sight(sight: Sight) -> None:
    page = sight.page
    page.goto("/employees/new")
    fill(page, "A-1")
    page.locator("#save").press("Enter")
    expect(page.locator("#hikvision_id-error")).to_be_visible()
    page.wait_for_load_state()  # The sentence is there before its style is.
    sight.has("#hikvision_id-error", "#full_name", "#department", "#capture-take", "#save")
    expect(page.get_by_label("ID сотрудника")).to_be_focused()

    page.get_by_label("ID сотрудника").fill("A1")
    page.get_by_label("ID сотрудника").press("Enter")
    expect(page.locator(".ask-without_face")).to_be_visible()
    page.wait_for_load_state()
    sight.has(".ask-without_face", "#hikvision_id", "#full_name", "#capture-take", "#save")


def test_leaving_asks_as_soon_as_something_is_typed(site: Site, russian: Window) -> None:
    page = russian.page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto("/employees/new")
    page.get_by_role("link", name="К списку").click()
    expect(page).to_have_url(f"{site.url}/employees/")
    assert asked == []

    page.goto("/employees/new")
    fill(page, "Q1", "Вера Павлова")
    page.get_by_role("link", name="К списку").click()
    assert asked == ["beforeunload"]
    expect(page.get_by_label("ФИО")).to_have_value("Вера Павлова")

    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Full name")).to_have_value("Вера Павлова")
    page.get_by_role("button", name="Русский").click()
    capture(site, page, FACE)
    assert asked == ["beforeunload"]
    page.get_by_role("link", name="К списку").click()
    assert asked == ["beforeunload"] * 2
    save(page)
    assert asked == ["beforeunload"] * 2


def test_known_id_and_name_are_told_while_they_are_typed_and_move_nothing(site: Site, russian: Window) -> None:
    page = russian.page
    with site.app.app_context():
        employee_id = save_employee(Draft("Q2", "Глеб Успенский", "Охрана")).row.id
    page.goto("/employees/new")
    below = page.locator("#department, .enrol-bar .btn")
    before = [settled(one) for one in below.all()]
    take = settled(page.locator("#capture-take"))
    page.get_by_label("ID сотрудника").press_sequentially("Q2", delay=20)
    expect(page.locator("#known")).to_contain_text("ID Q2 занят: Глеб Успенский")
    expect(page.get_by_label("ID сотрудника")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("ID Q2 занят: Глеб Успенский")
    page.get_by_label("ID сотрудника").fill("Q3")
    page.get_by_label("ФИО").press_sequentially("глеб успенский", delay=20)
    expect(page.locator("#known")).to_contain_text("Сотрудник с таким именем уже есть: Глеб Успенский, Q2, Охрана")
    page.get_by_label("ID сотрудника").fill("Q2")
    expect(page.locator("#known p")).to_have_count(2)
    # Whoever reaches for the next field or a button at this moment does not miss it.
    eventually(page, lambda: [one.bounding_box() for one in below.all()] == before)
    page.locator("#capture-take").press("Enter")
    expect(page.locator("#hikvision_id-error")).to_have_text("ID сотрудника Q2 уже занят другим сотрудником.")
    eventually(page, lambda: abs(settled(page.locator("#capture-take"))["y"] - take["y"]) < 1)
    expect(page.get_by_label("ID сотрудника")).to_be_focused()
    expect(page.locator("#capture[data-state=idle]")).to_be_visible()
    russian.complaints.clear()  # The console tells of the status 409.
    page.locator("#known").get_by_role("link").last.click()
    expect(page).to_have_url(f"{site.url}/employees/{employee_id}/edit")


def test_question_follows_the_name_in_the_field(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    fill(page, "Q5", "Осип Мандельштам")
    warning, box = page.locator(".consent-says"), page.locator(".consent-box")
    expect(warning).to_be_hidden()
    before = settled(box)
    # What is typed in the last half second is not stored with the capture yet.
    page.route("**/captures/draft", lambda route: route.fulfill(status=204))
    take(page)
    page.get_by_label("ФИО").fill("Анна Ахматова")
    show(site, page, FACE)
    question, announcer = page.locator("#capture .capture-good"), page.locator("#announcer")
    expect(page.get_by_label("ФИО")).to_be_focused()
    expect(warning).to_be_visible()
    page.get_by_label("Согласие на фото дано сегодня").check()
    expect(warning).to_be_hidden()
    eventually(page, lambda: box.bounding_box() == before)
    expect(question).to_have_text("✅ Фото успешно захвачено! Это \u2068Анна Ахматова\u2069?")
    expect(announcer).to_have_text("✅ Фото успешно захвачено! Это \u2068Анна Ахматова\u2069?")
    page.get_by_label("ФИО").fill(" ")
    expect(question).to_have_text("✅ Фото успешно захвачено!")
    page.get_by_label("ФИО").fill("Белла $& Ахмадулина")
    expect(question).to_have_text("✅ Фото успешно захвачено! Это \u2068Белла $& Ахмадулина\u2069?")
    save(page)
    assert site.simulator.people["Q5"]["name"] == "Белла $& Ахмадулина"


def tab_to(page: Page, wanted: Locator, most: int = MAX_TABS) -> None:
    """Press Tab until this has the focus."""
    for _ in range(most + 1):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {wanted}")


def test_keyboard_alone_leads_from_the_sign_in_to_green(browser: Browser, site: Site, russian: Window) -> None:  # noqa: ARG001
    context = browser.new_context(locale="ru-RU", base_url=site.url)
    context.add_init_script(IMPATIENT)
    page = context.new_page()
    page.goto("/")
    tab_to(page, page.locator("[name=name]"))
    page.keyboard.type(OPERATOR_NAME)
    tab_to(page, page.locator("[name=password]"))
    page.keyboard.type(OPERATOR_PASSWORD)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Сотрудники", exact=True).first)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Добавить сотрудника").first)
    page.keyboard.press("Enter")
    expect(page.get_by_label("ID сотрудника")).to_be_focused()
    for text in ("K9", "Нина Заречная", "Театр"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    tab_to(page, page.locator("#capture-take"))
    page.keyboard.down("Enter")
    with soon(page):
        expect(page.locator("#capture-seconds")).to_be_visible()
    show(site, page, FACE)
    expect(page.locator("#save")).to_be_focused()
    # Still held down, the key saves nobody.
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    assert "K9" not in site.simulator.people
    expect(page.locator("#save")).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    with soon(page):
        page.keyboard.press("Enter")
        expect(page.locator("[data-state=confirmed]")).to_be_visible()
    context.close()
