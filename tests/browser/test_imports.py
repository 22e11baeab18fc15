"""An import in the browser: from the file of another program to the report, the wrong rows, and back."""

import io
import re
import zipfile

from openpyxl import Workbook
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Site, Window, press_and_reload, soon
from tests.support.captures import FACE

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REASON = "Введите ID: латинские буквы и цифры, до 32 знаков."


def table(*rows: str) -> FilePayload:
    """A table of a program that calls its columns as no other does, in Windows-1251."""
    lines = ["Код кадров;Как зовут;Где трудится;Премия", *rows, ""]
    return {"name": "кадры.csv", "mimeType": CSV, "buffer": "\r\n".join(lines).encode("cp1251")}


def workbook(*rows: tuple[str, ...]) -> FilePayload:
    book, content = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (("Табельный номер", "ФИО", "Подразделение"), *rows):
        sheet.append(row)
    book.save(content)
    return {"name": "люди.xlsx", "mimeType": XLSX, "buffer": content.getvalue()}


def photos(*names: str) -> FilePayload:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, FACE)
    return {"name": "фото.zip", "mimeType": "application/zip", "buffer": content.getvalue()}


def choose_files(page: Page, people: FilePayload, pictures: FilePayload | None = None) -> None:
    page.set_input_files("#table", people)
    if pictures:
        page.set_input_files("#photos", pictures)
    page.locator("main .btn-save").click()


def start(page: Page) -> None:
    """Have the file checked, and import it once every row is shown."""
    with soon(page):
        page.locator("main .btn-save").click()
        expect(page.locator("#import-start")).to_be_visible()
    page.locator("#import-start").click()


def undo(page: Page) -> None:
    page.locator("#more summary").click()
    page.locator("#import-undo").click()
    page.locator("main .btn-danger").click()


def wait_until_done(page: Page) -> None:
    with soon(page):
        expect(page.locator("#import .head .status-good")).to_have_text("Готово")


def shown(page: Page, number: str) -> str:
    """The row of a number, as the dry run shows it."""
    its_number = page.locator(".import-number", has_text=re.compile(rf"^\s*{number}\s*$"))
    return re.sub(r"\s+", " ", page.locator(".import-rows tr", has=its_number).inner_text())


def test_columns_are_assigned_by_hand_and_wrong_rows_are_corrected_in_place(russian: Window) -> None:
    page = russian.page
    page.goto("/employees/")
    page.locator("#more summary").click()
    page.locator("#more").get_by_role("link", name="Импорт списка").click()
    choose_files(page, table("IMP1;Иван Иванов;Охрана;5", "IMP2!;Анна Петрова;=2+2;6", "IMP3;Ольга Кузнецова;;"))

    expect(page.get_by_text("Не все столбцы распознаны. Выберите, где ID сотрудника и ФИО.")).to_be_visible()
    page.locator("#number").select_option("Код кадров")
    page.locator("#name").select_option("Код кадров")
    page.locator("main .btn-save").click()
    expect(page.locator("#name-error")).to_be_visible()
    # Chromium's console tells of each answer that is a refusal.
    russian.complaints = [one for one in russian.complaints if "status of 422" not in one]
    page.locator("#name").select_option("Как зовут")
    page.locator("#department").select_option("Где трудится")
    page.locator("main .btn-save").click()

    with soon(page):
        expect(page.locator(".import-plan")).to_have_text("Новых: 2, изменений нет.")
    expect(page.locator(".import-why")).to_have_count(1)
    expect(page.locator(".import-why")).to_contain_text(f"ID сотрудника: {REASON}")
    page.locator("[name^=cell-]").first.fill("IMP2")
    page.locator("#check-corrections").press("Enter")
    expect(page.locator("main").get_by_text("1 строка проверена снова. Осталось ошибочных строк: 1.")).to_be_visible()
    page.get_by_label("Где трудится, строка 3").fill("Склад")
    page.locator("#check-corrections").press("Enter")
    expect(page.locator(".import-plan")).to_have_text("Новых: 3, изменений нет.")
    assert "новый Отдел: Склад" in shown(page, "IMP2")

    page.locator("#import-start").click()
    wait_until_done(page)
    page.reload()
    expect(page.locator(".job-counts")).to_have_text("Выполнено: 3 из 3")
    undo(page)
    expect(page.locator("#import h1")).to_have_text("Отмена импорта")
    wait_until_done(page)
    page.goto("/employees/?q=IMP")
    expect(page.get_by_role("heading", name="Сотрудников не найдено")).to_be_visible()


def test_workbook_with_photos_adds_and_changes_people(site: Site, russian: Window) -> None:
    assert site
    page = russian.page
    page.goto("/imports/new")
    choose_files(page, workbook(("IMP5", "Пётр Сидоров", "Склад")), photos("IMP5.jpg", "somebody.txt"))
    expect(page.get_by_text("Столбцы распознаны.")).to_be_visible()
    start(page)
    wait_until_done(page)
    page.goto("/employees/?q=IMP5")
    expect(page.locator(".people-name img")).to_have_count(1)

    page.goto("/imports/new")
    choose_files(page, workbook(("IMP5", "Пётр Петрович Сидоров", "Склад"), ("IMP6", "Мария Сидорова", "")))
    page.locator("main .btn-save").click()
    with soon(page):
        expect(page.locator(".import-plan")).to_have_text("Новых: 1, изменений: 1.")
    assert "изменится ФИО: Пётр Сидоров → Пётр Петрович Сидоров" in shown(page, "IMP5")
    page.locator("#import-start").click()
    wait_until_done(page)
    undo(page)
    expect(page.locator("#import h1")).to_have_text("Отмена импорта")
    wait_until_done(page)
    page.goto("/employees/?q=IMP")
    expect(page.locator("tbody .people-name a")).to_have_text(["Пётр Сидоров"])


def test_main_path_without_javascript(english_without_javascript: Window) -> None:
    page = english_without_javascript.page
    done = page.locator("#import .head .status-good", has_text="Done")
    page.goto("/imports/new")
    choose_files(page, workbook(("IMP7", "Anna Brown", "Security")))
    expect(page.get_by_text("The columns are recognised.")).to_be_visible()
    press_and_reload(page.locator("main .btn-save"), page.locator("#import-start"))
    press_and_reload(page.locator("#import-start"), done)
    expect(page.locator("noscript")).to_have_count(0)

    page.locator("#more summary").click()
    page.locator("#import-undo").click()
    press_and_reload(page.locator("main .btn-danger"), done)

    expect(page.locator("#import h1")).to_have_text("Undoing of an import")
    page.goto("/employees/?q=IMP7")
    expect(page.get_by_text("Nobody matches")).to_be_visible()


def test_file_that_is_too_large_is_told_before_it_is_sent(russian: Window) -> None:
    page = russian.page
    page.goto("/imports/new")
    # As if the limit was 0 MB: twenty take long to get into the browser.
    page.locator("#table").evaluate("(input) => { input.dataset.most = 0; }")
    page.set_input_files("#table", table("IMP8;Иван Иванов;;"))

    expect(page.locator("#table-error")).to_have_text("Файл слишком большой: не более 20 МБ.")
    page.locator("main .btn-save").click()

    expect(page.locator("#table")).to_be_focused()
    assert page.url.endswith("/imports/new")


def test_photos_are_shown_before_they_come_in(site: Site, russian: Window) -> None:
    assert site
    page = russian.page
    page.goto("/imports/new")
    people = workbook(("IMP21", "Фаина Дождева", ""), ("IMP22", "Глеб Снегов", ""))
    choose_files(page, people, photos("фаина_дождева.jpg", "IMP22.JPG", "IMG_0001.jpg"))
    with soon(page):
        page.locator("main .btn-save").click()
        expect(page.locator("#photos")).to_contain_text("Фото в ZIP")

    expect(page.locator(".import-thumbnails .import-file")).to_have_text(
        ["IMG_0001.jpg", "фаина_дождева.jpg", "IMP22.JPG"]
    )
    pictures = page.locator(".import-thumbnails img")
    expect(pictures).to_have_count(3)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("(image) => image.naturalWidth") > 0
    expect(page.get_by_alt_text("Фото: Фаина Дождева")).to_be_visible()
