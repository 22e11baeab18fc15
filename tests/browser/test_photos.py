"""A photo from a file or the webcam on its way to a terminal that takes pictures: looked at, mended, sent."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Dialog, FilePayload, FloatRect, Page, Playwright, expect

from hikflask.simulator.profiles import profile_named
from tests.browser.axe import give_axe, violations
from tests.browser.conftest import (
    CHROMIUM,
    FLAGS,
    TERMINAL_NAME,
    Site,
    Window,
    press_and_reload,
    serving,
    settled,
    wait_until,
)
from tests.browser.steps import called, confirmed, fill, panel, save
from tests.support.drawn_faces import FAIR, jpeg, landscape, place, portrait

SIZES: dict[str, tuple[Any, int, int]] = {"desk": ("light", 1366, 650), "phone": ("dark", 390, 844)}
INSECURE = "photos.test"
# Every stream that the page opens, so that a test can ask whether its camera is still on.
REMEMBER_STREAMS = """
    window.streams = [];
    const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (open) navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await open(wanted);
        window.streams.push(stream);
        return stream;
    };
"""
CAMERA_IS_ON = "streams.some((one) => one.getTracks().some((track) => track.readyState === 'live'))"
needs_face_detection = pytest.mark.skipif(find_spec("cv2") is None, reason="requirements-faces.txt is not installed")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose terminal takes pictures."""
    with serving(tmp_path_factory.mktemp("photos"), profile_named("K1T341CMFW")) as site:
        yield site


@pytest.fixture(scope="module")
def browser_with_webcam(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose webcam shows a face, red at the left and blue at the right."""
    seen = portrait((480, 480))
    seen.paste("red", (65, 0, 100, 480))
    seen.paste("blue", (380, 0, 415, 480))
    wide = Image.new("RGB", (640, 480), "white")
    wide.paste(seen, (80, 0))
    film = tmp_path_factory.mktemp("webcam") / "face.mjpeg"
    film.write_bytes(jpeg(wide))
    webcam = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *webcam])
    yield started
    started.close()


@contextmanager
def opened(browser: Browser, site: Site, **given: Any) -> Iterator[Window]:
    """A Russian window at the desk whose console must stay silent."""
    _, width, height = SIZES["desk"]
    found = Window(browser, site, viewport={"width": width, "height": height}, **given)
    give_axe(found.context)
    found.page.add_init_script(REMEMBER_STREAMS)
    yield found
    found.context.close()
    # Chromium tells of each answer that is a refusal.
    assert [one for one in found.complaints if "status of 4" not in one] == []


def file(content: bytes) -> FilePayload:
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": content}


def open_form(page: Page, number: str) -> None:
    """Fill in the form, and open the part for a file."""
    page.goto("/employees/new")
    fill(page, number)
    page.locator("#by-file summary").click()


def wait_for_photo(page: Page) -> None:
    expect(page.locator("#capture[data-state=file]")).to_be_visible()
    wait_until(page, "document.querySelector('#photo-new img')?.naturalWidth > 0")


def sent(site: Site, number: str) -> Image.Image:
    """The picture on the terminal."""
    return Image.open(io.BytesIO(site.simulator.faces[number].jpeg)).convert("RGB")


def box(page: Page, selector: str) -> FloatRect:
    """Where something stands that is shown."""
    return settled(page.locator(selector))


def each_look(page: Page) -> Iterator[str]:
    """Show the page on a phone, and again at the desk, where it was opened."""
    for look, (scheme, width, height) in reversed(SIZES.items()):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        yield look


def save_until_green(page: Page) -> None:
    save(page)
    expect(confirmed(page)).to_contain_text(TERMINAL_NAME)


@needs_face_detection
def test_photo_is_turned_cropped_and_sent(browser: Browser, site: Site) -> None:
    wide = landscape((1600, 1200))
    place(wide, FAIR, (400, 600), 260)
    with opened(browser, site) as window:
        page = window.page

        def frames() -> dict[str, FloatRect]:
            return {look: settled(page.locator(".capture-frame")) for look in each_look(page)}

        open_form(page, "P1")
        page.locator("#photo").set_input_files(file(jpeg(wide.rotate(90, expand=True))))
        wait_for_photo(page)
        expect(panel(page)).to_contain_text("Фото повёрнуто.")
        expect(page.locator("#announcer")).to_contain_text("Фото повёрнуто.")
        before = frames()
        for look in each_look(page):
            assert (look, violations(page)) == (look, [])
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            frame, question, found = (box(page, one) for one in (".capture-frame", ".capture-whose", ".findings"))
            assert question["y"] >= frame["y"] + frame["height"]
            assert found["y"] >= frame["y"] + frame["height"] or found["x"] >= frame["x"] + frame["width"]
        page.locator("#photo-upright").press("Enter")
        expect(page.locator("#photo-upright")).to_have_count(0)
        expect(page.locator("#photo-left")).to_be_focused()
        wait_for_photo(page)
        assert frames() == before
        page.locator("#photo-crop").click()
        expect(panel(page)).to_contain_text("Фото подходит.")
        assert frames() == before
        for look in each_look(page):
            expect(page.locator("#save")).to_be_in_viewport(ratio=1)
            assert (look, violations(page)) == (look, [])
        save_until_green(page)

    picture = sent(site, "P1")
    assert picture.width < picture.height


@needs_face_detection
def test_save_asks_once_about_a_photo_that_a_terminal_would_refuse(browser: Browser, site: Site) -> None:
    with opened(browser, site) as window:
        page = window.page
        open_form(page, "P3")
        page.locator("#photo").set_input_files(file(jpeg(landscape())))
        wait_for_photo(page)

        page.locator("#save").press("Enter")
        question = page.get_by_role("alert").filter(has_text="Всё равно сохранить?")
        expect(question).to_be_visible()
        expect(page.get_by_label("ФИО")).to_have_value(called("P3"))
        assert violations(page) == []
        page.locator("#photo").set_input_files(file(jpeg(portrait())))
        expect(question).to_be_hidden()
        save_until_green(page)


def test_photo_survives_another_language_and_leaving_asks(browser: Browser, site: Site) -> None:
    asked: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    with opened(browser, site) as window:
        page = window.page
        page.on("dialog", dismiss)
        page.goto("/employees/new")
        page.locator("#by-file summary").click()
        page.locator("#photo").set_input_files(file(jpeg(portrait())))
        wait_for_photo(page)

        page.get_by_role("link", name="К списку").click()
        assert asked == ["beforeunload"]
        page.get_by_role("button", name="English").click()
        expect(page.get_by_alt_text("The chosen photo")).to_be_visible()
        page.get_by_role("button", name="Another photo").click()
        expect(page.locator("#capture[data-state=idle]")).to_be_visible()
        expect(page.locator("#photo")).to_be_focused()


def test_look_turn_and_save_without_javascript(site: Site, english_without_javascript: Window) -> None:
    page = english_without_javascript.page
    page.goto("/employees/new")
    fill(page, "P4", "Anna Smith")
    page.locator("#by-file summary").click()
    expect(page.locator("#webcam-open")).to_be_hidden()
    page.locator("#photo").set_input_files(file(jpeg(portrait((450, 600)).rotate(90, expand=True))))
    page.get_by_role("button", name="Check the photo").click()
    expect(page.get_by_alt_text("The chosen photo")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Anna Smith")
    with page.expect_navigation():
        page.get_by_role("button", name="Turn right").press("Enter")
    expect(page.get_by_alt_text("The chosen photo")).to_be_visible()
    press_and_reload(page.get_by_role("button", name="Save", exact=True), confirmed(page))
    assert sent(site, "P4").size == (450, 600)


def test_webcam_takes_the_photo_that_the_frame_shows(browser_with_webcam: Browser, site: Site) -> None:
    with opened(browser_with_webcam, site, permissions=["camera"]) as window:
        page = window.page
        open_form(page, "W1")

        page.get_by_role("button", name="Сфотографировать веб-камерой").press("Enter")
        take = page.get_by_role("button", name="Сфотографировать", exact=True)
        expect(take).to_be_enabled()
        expect(take).to_be_focused()
        for look in each_look(page):
            expect(take).to_be_in_viewport(ratio=1)
            assert (look, violations(page)) == (look, [])
        mirrored = page.locator("#webcam-live").evaluate("one => getComputedStyle(one).transform")
        take.press("Enter")
        wait_for_photo(page)
        expect(page.locator("#webcam")).to_be_hidden()
        wait_until(page, f"!({CAMERA_IS_ON})")
        save_until_green(page)

    assert mirrored == "matrix(-1, 0, 0, 1, 0, 0)"
    picture = sent(site, "W1")
    assert picture.width / picture.height == pytest.approx(3 / 4, abs=0.01)
    middle = picture.height // 2
    left, right = (picture.getpixel((int(picture.width * share), middle)) for share in (0.05, 0.95))
    assert left[0] > 180 > left[2], left  # type: ignore[index]
    assert right[2] > 180 > right[0], right  # type: ignore[index]


def test_camera_is_off_on_every_way_out(browser_with_webcam: Browser, site: Site) -> None:
    with opened(browser_with_webcam, site, permissions=["camera"]) as window:
        page = window.page
        open_form(page, "W3")
        ways_out: tuple[Callable[[], None], ...] = (
            lambda: page.get_by_role("button", name="Отмена").click(),
            lambda: page.keyboard.press("Escape"),
        )
        for way_out in ways_out:
            page.locator("#webcam-open").click()
            expect(page.locator("#webcam-take")).to_be_enabled()
            assert page.evaluate(CAMERA_IS_ON)
            way_out()
            expect(page.locator("#webcam")).to_be_hidden()
            wait_until(page, f"!({CAMERA_IS_ON})")
            expect(page.locator("#webcam-open")).to_be_focused()
        expect(page.locator("#capture[data-state=idle]")).to_be_attached()


def problem(page: Page, number: str) -> str:
    """What the window of the webcam says."""
    open_form(page, number)
    page.locator("#webcam-open").click()
    said = page.locator("#webcam-problem")
    expect(said).to_be_visible()
    expect(page.locator("#webcam-take")).to_be_disabled()
    assert violations(page) == []
    return said.inner_text()


def test_refused_permission_and_no_webcam_are_said(browser_with_webcam: Browser, browser: Browser, site: Site) -> None:
    with opened(browser_with_webcam, site) as window:
        refused = problem(window.page, "W4")
    with opened(browser, site, locale="en-US", permissions=["camera"]) as window:
        none = problem(window.page, "W5")

    assert refused == (
        "Браузеру не разрешили пользоваться веб-камерой. Разрешите это в настройках страницы и повторите."
    )
    assert none == "No webcam was found. Connect one and try again, or choose a file."


def test_page_without_https_says_why_the_webcam_stays_off(browser_with_webcam: Browser, site: Site) -> None:
    insecure = replace(site, url=site.url.replace("127.0.0.1", INSECURE))
    window = Window(browser_with_webcam, insecure)

    said = problem(window.page, "W6")

    window.context.close()
    assert said == (
        "Браузер включает веб-камеру только на страницах с https или на самом сервере (localhost). "
        "Выберите файл или откройте эту страницу по https."
    )
