"""The eight steps of enrolling an employee, and what may happen on the way."""

import re

from playwright.sync_api import Page, expect

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from tests.browser.conftest import TERMINAL_NAME, Site, Window, press_and_reload, settled, soon
from tests.browser.steps import assert_enrolled, called, confirmed, fill, panel, save, show, take
from tests.support.captures import FACE, OTHER_FACE


def test_eight_steps_in_russian(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/")
    page.get_by_role("link", name="Сотрудники", exact=True).first.click()
    page.get_by_role("link", name="Добавить сотрудника").first.click()
    page.get_by_label("ID сотрудника").fill("100222")
    page.get_by_label("ФИО").fill(called("100222"))
    page.get_by_label("Отдел").fill("Охрана")
    page.get_by_role("button", name="Захватить фото с терминала").click()
    expect(panel(page).get_by_text(f"Посмотрите в камеру терминала «{TERMINAL_NAME}».")).to_be_visible()
    site.simulator.present_alone(FACE)
    expect(panel(page).get_by_text(f"✅ Фото успешно захвачено! Это {called('100222')}?")).to_be_visible()
    page.get_by_role("button", name="Сохранить", exact=True).click()
    expect(confirmed(page)).to_contain_text(TERMINAL_NAME)
    assert_enrolled(site, "100222", called("100222"), FACE)


def test_eight_steps_in_english_without_javascript(site: Site, english_without_javascript: Window) -> None:
    page = english_without_javascript.page
    page.goto("/")
    page.get_by_role("link", name="Employees", exact=True).first.click()
    page.get_by_role("link", name="Add employee").first.click()
    page.get_by_label("Employee ID").fill("E100333")
    page.get_by_label("Full name").fill("Anna Smith")
    page.get_by_label("Department").fill("Front desk")
    page.get_by_role("button", name="Capture from terminal").press("Enter")
    expect(panel(page).get_by_text(f"Look into the camera of “{TERMINAL_NAME}”.")).to_be_visible()
    site.simulator.present_alone(OTHER_FACE)
    page.set_viewport_size({"width": 720, "height": 450})  # A desk screen of 1440x900 at a zoom of 200 %.
    expect(panel(page).get_by_text("✅ Photo captured! Is this Anna Smith?")).to_be_visible()
    face, bar = settled(page.locator(".capture-frame")), settled(page.locator(".enrol-bar"))
    assert face["y"] + face["height"] <= bar["y"]
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(confirmed(page)).to_contain_text(TERMINAL_NAME)
    assert_enrolled(site, "E100333", "Anna Smith", OTHER_FACE)


def test_running_capture_survives_a_reload_and_typing_goes_on_while_the_panel_asks(site: Site, russian: Window) -> None:
    page = russian.page
    field, seconds = page.get_by_label("ФИО"), page.locator("#capture-seconds")
    page.goto("/employees/new")
    field.fill("Мария")
    take(page)
    expect(page).to_have_url(re.compile(r"/employees/new\?capture=\d+$"))
    expect(seconds).to_be_visible()

    page.reload()
    expect(field).to_have_value("Мария")
    expect(seconds).to_be_visible()
    field.press("End")
    field.press_sequentially(" Пет", delay=20)
    before = seconds.inner_text()
    expect(seconds).not_to_have_text(before)
    expect(field).to_be_focused()
    field.press_sequentially("рова", delay=20)
    page.get_by_label("ID сотрудника").fill("T1")
    show(site, page, FACE)
    expect(field).to_have_value("Мария Петрова")
    save(page)
    assert_enrolled(site, "T1", "Мария Петрова", FACE)


def press_and_wait(page: Page, name: str) -> None:
    """Press a button with the mouse, and let go once an answer has come."""
    seconds = page.locator("#capture-seconds")
    expect(seconds).to_be_visible()
    box = settled(page.get_by_role("button", name=name))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    expect(seconds).not_to_have_text(seconds.inner_text())
    page.mouse.up()


def test_slow_click_on_cancel_ends_the_capture_and_the_last_of_those_that_follow_is_bound(
    site: Site, russian: Window
) -> None:
    page = russian.page
    page.goto("/employees/new")
    fill(page, "C1")
    take(page)
    press_and_wait(page, "Отмена")
    expect(panel(page).get_by_text("Съёмка отменена. Ничего не сохранено.")).to_be_visible()
    expect(page.get_by_label("ID сотрудника")).to_have_value("C1")
    expect(page.get_by_role("button", name="Повторить")).to_be_visible()
    take(page)
    with soon(page):  # Until then, the window of the cancelled capture may be open still.
        expect(page.locator("#capture-seconds")).to_be_visible()
    show(site, page, FACE)

    expect(page.get_by_role("button", name="Сфотографировать заново")).to_be_visible()
    take(page)
    show(site, page, OTHER_FACE)
    save(page)
    assert_enrolled(site, "C1", called("C1"), OTHER_FACE)


def test_cancel_works_without_javascript(english_without_javascript: Window) -> None:
    page = english_without_javascript.page
    page.goto("/employees/new")
    fill(page, "N1", "Anna Smith")
    press_and_reload(page.get_by_role("button", name="Capture from terminal"), page.locator("#capture-seconds"))
    expect(page.locator("#full_name")).to_be_hidden()
    expect(page.locator(".typed-text").get_by_text("Anna Smith")).to_be_visible()
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(panel(page).get_by_text("Capture cancelled. Nothing was saved.")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Anna Smith")


def test_double_click_on_capture_does_not_cancel_it_and_a_cancelled_retake_brings_the_earlier_face_back(
    site: Site, russian: Window
) -> None:
    page = russian.page
    page.goto("/employees/new")
    fill(page, "K1")
    page.locator("#capture-take").click(trial=True)
    button = settled(page.locator("#capture-take"))
    x, y = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    page.mouse.click(x, y)
    expect(page.locator("#capture-cancel")).to_be_attached()
    page.mouse.click(x, y)
    expect(page.locator("#capture-seconds")).to_be_visible()
    show(site, page, FACE)

    take(page)
    with soon(page):
        expect(page.locator("#capture-seconds")).to_be_visible()
    page.get_by_role("button", name="Отмена").press("Enter")
    expect(panel(page).get_by_text("Новая съёмка отменена. Прежний снимок остаётся.")).to_be_visible()
    expect(page.get_by_alt_text("Снимок с терминала")).to_be_visible()
    save(page)
    assert_enrolled(site, "K1", called("K1"), FACE)


def test_enter_in_a_field_neither_captures_nor_saves_without_a_face_but_asks(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    fill(page, "S1")
    site.simulator.log.clear()
    page.get_by_label("ФИО").press("Enter")
    expect(page.get_by_role("alert").get_by_text("Сохранить без фото?")).to_be_visible()
    expect(page.get_by_role("button", name="Захватить фото с терминала")).to_be_focused()
    expect(page.get_by_label("ФИО")).to_have_value(called("S1"))
    page.get_by_role("button", name="Сохранить без фото").click()
    expect(page).to_have_url(re.compile(r"/employees/\d+$"))
    assert not [entry for entry in site.simulator.log if "CaptureFaceData" in entry.path]
    russian.complaints.clear()  # The console tells of the status 422.


def test_the_search_answers_while_typing(site: Site, russian: Window) -> None:
    page = russian.page
    with site.app.app_context():
        save_employee(Draft("F1", "Фёдор Орлов"))
        save_employee(Draft("F2", "Фаина Зимина"))
    page.goto("/employees/")
    expect(page.get_by_text("Фаина Зимина")).to_be_visible()
    page.get_by_label("Поиск").press_sequentially("орлов", delay=30)
    expect(page.get_by_text("Фаина Зимина")).to_be_hidden()
    expect(page.get_by_text("Фёдор Орлов")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/employees/\?q="))


def test_another_language_loses_neither_typed_fields_nor_the_face(site: Site, russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    fill(page, "G1", "Анна Громова")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Full name")).to_have_value("Анна Громова")
    take(page)
    show(site, page, FACE)
    page.get_by_label("Department").fill("Архив")
    page.get_by_role("button", name="Русский").click()
    expect(panel(page).get_by_text("✅ Фото успешно захвачено! Это Анна Громова?")).to_be_visible()
    expect(page.get_by_label("Отдел")).to_have_value("Архив")
    save(page)
    assert_enrolled(site, "G1", "Анна Громова", FACE)


def test_what_was_wrong_with_a_number_goes_away_when_it_is_typed_anew(russian: Window) -> None:
    page = russian.page
    page.goto("/employees/new")
    fill(page, "A-1")
    page.get_by_role("button", name="Сохранить", exact=True).press("Enter")
    expect(page.locator("#hikvision_id-error")).to_be_visible()
    page.wait_for_load_state()  # The sentence is there before the script is.
    russian.complaints.clear()  # The console tells of the status 422.
    number = page.get_by_label("ID сотрудника")
    number.fill("A1")
    expect(page.locator("#hikvision_id-error")).to_have_count(0)
    expect(number).not_to_have_attribute("aria-invalid", "true")
    expect(number).not_to_have_class(re.compile("is-invalid"))
    number.fill("A-2")
    page.get_by_role("button", name="Захватить фото с терминала").press("Enter")
    expect(page.locator("#hikvision_id-error")).to_have_text("Введите ID: латинские буквы и цифры, до 32 знаков.")
    expect(number).to_be_focused()
    expect(page.locator("#capture[data-state=idle]")).to_be_visible()
    russian.complaints.clear()
