"""The filtered list as a file: exported in the background, and downloaded from the job's page."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Employee
from tests.browser.conftest import LOOKS, Site, Window, press_and_reload, settled, soon
from tests.support.apps import close
from tests.support.jobs import add_people

DEPARTMENT = "=Экспорт"
OTHERS = "Другие"


@pytest.fixture(autouse=True)
def people(site: Site) -> Iterator[Flask]:
    """Sixty in one department, which is more than a page shows, and one in another."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        add_people(*(f"0{number:02}" for number in range(60)), department=DEPARTMENT)
        add_people("X1", department=OTHERS)
    yield app
    with app.app_context():
        db.session.execute(db.delete(Employee).where(Employee.department.in_([DEPARTMENT, OTHERS])))
        db.session.commit()
    close(app)


def downloaded(page: Page, folder: Path) -> Path:
    """Press the link of the file on a job's page."""
    with page.expect_download() as download:
        page.locator("#job-file").click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_filtered_list_comes_as_xlsx(russian: Window, tmp_path: Path) -> None:
    page = russian.page
    page.goto("/employees/")
    page.locator("#department").select_option(DEPARTMENT)
    expect(page.locator("#count")).to_have_text("Найдено: 60")

    page.locator("#export-list").click()
    expect(page.locator("main .lead")).to_contain_text("60 сотрудников")
    page.get_by_role("button", name="Выгрузить для Excel (XLSX)").click()
    with soon(page):
        expect(page.locator("#job-file")).to_be_visible()
    file = downloaded(page, tmp_path)

    assert file.suffix == ".xlsx"
    head, *rows = load_workbook(file)["Сотрудники"].iter_rows()
    assert [cell.value for cell in head][:3] == ["ID сотрудника", "ФИО", "Отдел"]
    assert len(rows) == 60
    assert [cell.value for cell in rows[0]][:3] == ["000", "Иван Иванов 000", DEPARTMENT]
    assert {cell.data_type for row in rows for cell in row if cell.value} == {"s"}
    page.reload()
    expect(page.get_by_role("link", name="Скачать (XLSX)")).to_be_visible()


def test_list_comes_as_csv_without_javascript(english_without_javascript: Window, tmp_path: Path) -> None:
    page = english_without_javascript.page
    page.goto(f"/employees/?department={OTHERS}")

    page.get_by_role("button", name="Export list").click()
    expect(page.locator("main .lead")).to_have_text("To be exported: 1 employee.")
    press_and_reload(page.get_by_role("button", name="Export as CSV"), page.locator("#job-file"))
    file = downloaded(page, tmp_path)

    rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    assert rows[0][:4] == ["Employee ID", "Full name", "Department", "Active"]
    assert [row[:4] for row in rows[1:]] == [["X1", "Иван Иванов X1", OTHERS, "yes"]]


def test_buttons_fit_in_each_look(russian: Window) -> None:
    page = russian.page
    page.goto(f"/employees/?department={DEPARTMENT}&sort=number")
    for scheme, width in LOOKS.values():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        room = page.evaluate("document.documentElement.clientWidth")
        button = settled(page.locator("#export-list"))

        assert button["x"] + button["width"] <= room
        assert button["height"] >= (44 if width < 600 else 36)
        assert page.evaluate("document.documentElement.scrollWidth") <= room
