"""A job for many in the browser: it shows by itself how far it is, can be stopped, and ends in a report."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from tests.browser.axe import violations
from tests.browser.conftest import Site, Window, soon
from tests.support.apps import close
from tests.support.jobs import add_people
from tests.support.refusals import refusal

MANY = 120
# Each item takes a while, as on a slow machine, so that no job is done before somebody can stop it.
SLOW = """CREATE TRIGGER slow AFTER UPDATE ON job_item BEGIN
    SELECT (WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM row WHERE n < 250000) SELECT max(n) FROM row);
    END"""
DEPARTMENT = "Временные"


@pytest.fixture
def app(site: Site) -> Iterator[Flask]:
    """The served app's database."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    yield app
    close(app)


@pytest.fixture
def many(app: Flask) -> None:
    """Many are to leave; three of them are on the terminal."""
    with app.app_context():
        ids = add_people(*(f"J{number:03}" for number in range(MANY)), department=DEPARTMENT)
        for employee_id in ids[-3:]:
            send_to_terminal(employee_id, 1)


def preview(page: Page, count: int) -> None:
    """Select everybody of the department, and look at what would be done, to how many."""
    page.goto(f"/employees/?department={DEPARTMENT}&sort=number")
    page.locator("#selection input[name=employee]").first.check()
    page.locator("#select-all").check()
    page.locator("#more-actions summary").click()
    page.locator("#actions button[value=deactivate]").click()
    expect(page.locator("main .lead")).to_contain_text(f"Деактивация и удаление со всех терминалов: {count} сотрудник")


def execute(statement: str) -> None:
    db.session.execute(db.text(statement))
    db.session.commit()


def confirm(page: Page) -> None:
    """Type how many lose access, and go on."""
    asked = page.locator("label[for=confirm]").inner_text()
    page.locator("#confirm").fill(asked.rpartition(" ")[2])
    page.locator("main .btn-danger").click()


def done(page: Page) -> int:
    """How many are done or failed, as the page shows it."""
    words = page.locator("#job .job-bar").get_attribute("aria-label") or ""
    return sum(map(int, re.findall(r"(?:Выполнено|с ошибкой): (\d+)", words)))


@pytest.mark.usefixtures("many")
def test_many_are_deactivated_with_progress_stop_and_report(app: Flask, russian: Window) -> None:
    page = russian.page
    preview(page, MANY)
    with app.app_context():
        for number in ("J000", "J001", "J002"):
            somebody = search.by_number(number)
            assert somebody is not None
            delete_employee(somebody.id)
        execute(SLOW)
    page.reload()
    confirm(page)

    expect(page.locator("#job .job-bar")).to_have_attribute("aria-label", re.compile("Выполнено: [1-9]"))
    page.locator("#job .job-who summary").press("Enter")
    polled = page.locator("#job .job-count").first.inner_text()
    expect(page.locator("#job .job-count").first).not_to_have_text(polled)
    expect(page.locator("#job .job-people")).to_be_visible()
    page.locator("#job-stop").focus()
    assert page.evaluate("document.activeElement.id") == "job-stop"
    page.keyboard.press("Enter")

    expect(page.locator("#job .head .status")).to_have_text("Остановлено")
    stopped = done(page)
    assert 0 < stopped < MANY
    report = page.locator("#job .job-reasons")
    expect(report.locator(".job-people li")).to_have_text(["J000", "J001", "J002"])
    expect(report).to_contain_text("Этого сотрудника больше нет: тем временем его удалили.")
    page.reload()
    assert done(page) == stopped

    with app.app_context():
        execute("DROP TRIGGER slow")
    page.locator("#job-retry").click()
    confirm(page)
    with soon(page):
        expect(page.locator("#job .head .status")).to_have_text("Выполнено частично", timeout=30_000)
        assert done(page) == MANY
        expect(page.get_by_text("Открытых удалений с терминалов не осталось.")).to_be_visible(timeout=30_000)
    expect(page.locator("#job")).not_to_have_attribute("hx-get", re.compile("."))
    page.goto("/jobs/")
    expect(page.locator("main .rows > li", has_text="Деактивация")).to_have_count(1)
    page.locator("#jobs-open").click()
    expect(page.locator("#jobs")).to_contain_text("Таких заданий нет.")


def test_queue_of_a_terminal_brings_itself_up_to_date_and_keeps_the_focus(app: Flask, russian: Window) -> None:
    page = russian.page
    with app.app_context():
        first, second = add_people("U1", "U2")
        wait_for_long(first, in_bulk=False)
    page.goto("/terminals/1")
    expect(page.locator("#queue")).to_contain_text("Иван Иванов U1")
    page.locator("#queue-all").click()
    page.wait_for_url("**/terminals/1/queue")
    expect(page.locator("#queue .queue-counts")).to_contain_text("Отдельные сотрудники: 1")
    page.locator("#queue .row-name a").focus()
    focused = page.evaluate("document.activeElement.id")

    with app.app_context():
        wait_for_long(second, in_bulk=True)

    expect(page.locator("#queue")).to_contain_text("В массовых заданиях: 1")
    expect(page.locator("#queue")).to_contain_text("Иван Иванов U2")
    assert page.evaluate("document.activeElement.id") == focused
    assert violations(page) == []
    with app.app_context():
        execute("DELETE FROM enrolment WHERE number IN ('U1', 'U2')")


def wait_for_long(employee_id: int, *, in_bulk: bool) -> None:
    """Desire somebody on the terminal, which is not tried again soon.

    Not later than anything may wait: that would be taken for a jump of the clock (state/clock_jump.py).
    """
    later = {"next_attempt_at": database_now(1800.0), "refusal": refusal("unreachable"), "in_bulk": in_bulk}
    # At once, or a worker would take it in between.
    with transaction():
        row = send_to_terminal(employee_id, 1).row
        db.session.execute(db.update(Enrolment).where(Enrolment.id == row.id).values(**later))
