"""A job for many in the browser: it shows by itself how far it is, can be stopped, and ends in a report."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from tests.browser.conftest import Site, Window
from tests.conftest import close
from tests.support.jobs import add_people

MANY = 300
# Each item takes a while, as on a slow machine, so that no job is done before somebody can stop it.
SLOW = """CREATE TRIGGER slow AFTER UPDATE ON job_item BEGIN
    SELECT (WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 90000) SELECT max(n) FROM row);
    END"""
DEPARTMENT = "Временные"


@pytest.fixture
def app(site: Site) -> Iterator[Flask]:
    """The served app's database, where three hundred are to leave; three of them are on the terminal."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        ids = add_people(*(f"J{number:03}" for number in range(MANY)), department=DEPARTMENT)
        for employee_id in ids[-3:]:
            send_to_terminal(employee_id, 1)
    yield app
    close(app)


def preview(page: Page, count: int) -> None:
    """Select everybody of the department, and look at what would be done, to how many."""
    page.goto(f"/employees/?department={DEPARTMENT}&sort=number")
    page.locator("#selection input[name=employee]").first.check()
    page.locator("#select-all").check()
    page.locator("#actions button[value=deactivate]").click()
    expect(page.locator("main .lead")).to_contain_text(f"Деактивация и удаление со всех терминалов: {count} сотрудник")


def execute(statement: str) -> None:
    db.session.execute(db.text(statement))
    db.session.commit()


def done(page: Page) -> int:
    """How many are done, as the page shows it."""
    return int(page.locator("#job-progress").get_attribute("value") or 0)


def test_many_are_deactivated_with_progress_stop_and_report(app: Flask, russian: Window) -> None:
    page = russian.page
    preview(page, MANY)
    with app.app_context():
        somebody = search.by_number("J000")
        assert somebody is not None
        delete_employee(somebody.id)
        execute(SLOW)
    page.locator("main .btn-danger").click()

    page.locator("#job-stop").focus()
    expect(page.locator("#job-progress")).not_to_have_attribute("value", "0")
    assert page.evaluate("document.activeElement.id") == "job-stop"
    page.keyboard.press("Enter")

    expect(page.locator("#job .job-state")).to_contain_text("Остановлено")
    stopped = done(page)
    assert 0 < stopped < MANY
    report = page.locator("#job .rows")
    expect(report).to_contain_text("J000")
    expect(report).to_contain_text("Этого сотрудника больше нет: тем временем его удалили.")
    page.reload()
    assert done(page) == stopped

    with app.app_context():
        execute("DROP TRIGGER slow")
    preview(page, MANY - stopped)
    page.locator("main .btn-danger").click()
    expect(page.locator("#job .job-state")).to_contain_text("Готово")
    assert done(page) == MANY - stopped
    expect(page.get_by_text("Открытых удалений с терминалов не осталось.")).to_be_visible(timeout=30_000)
    expect(page.locator("#job")).not_to_have_attribute("hx-get", re.compile("."))
    page.goto("/jobs/")
    expect(page.locator("main .rows > li", has_text="Деактивация")).to_have_count(2)
