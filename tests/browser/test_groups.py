"""Groups in the browser: one is made, somebody saved into it is on its terminals, and is moved after a preview."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from hikflask import create_app
from hikflask.services.captures.drafts import Draft
from hikflask.services.departments import registry as departments
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from tests.browser.axe import give_axe, violations, wrong_in_each_look
from tests.browser.conftest import Site, Window, serving
from tests.conftest import PASSWORD
from tests.support.apps import close

STORE = "Склад"


@pytest.fixture(scope="module")
def store() -> Simulated:
    """A second terminal."""
    return Simulated(PASSWORD)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, store: Simulated) -> Iterator[Site]:
    """A site with both terminals and two departments."""
    with serving(tmp_path_factory.mktemp("groups")) as site, SimulatorServer(store) as server:
        app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
        with app.app_context():
            checks.check(registry.add(Access(STORE, server.url, "admin", PASSWORD)).id, "test")
            departments.add("Офис")
            save_employee(Draft("G0", "Олег Ли", "Кладовая"))
            save_employee(Draft("V1", "Вера Ким"))
        close(app)
        yield site


def wait_for(numbers: dict[str, int], *terminals: Simulated) -> None:
    """Wait until a number is on so many of the terminals."""
    give_up = time.monotonic() + 60
    while any(sum(number in one.people for one in terminals) != count for number, count in numbers.items()):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_group_is_made_filled_and_left(russian: Window, site: Site, store: Simulated) -> None:
    page = russian.page
    give_axe(russian.context)
    page.goto("/terminals/")
    page.get_by_role("link", name="Группы терминалов").click()
    page.get_by_role("link", name="Добавить группу").click()
    page.get_by_label("Название").fill("Всюду")
    for box in ("Вход", STORE):
        page.get_by_role("group", name="Терминалы").get_by_text(box).click()
    page.get_by_label("Добавить отдел в группу").fill("кладовая")
    page.get_by_label("Добавить отдел в группу").press("Tab")
    expect(
        page.get_by_role("group", name="Отделы").get_by_role("checkbox", name="Кладовая 1 сотрудник")
    ).to_be_checked()
    expect(page.locator("#preview")).to_contain_text("Вход: будет записан 1 сотрудник")
    expect(page.locator("#add-department")).to_be_focused()
    page.get_by_label("Найти сотрудника").press_sequentially("вера")
    page.get_by_role("button", name="Добавить: Вера Ким").press("Enter")
    expect(
        page.get_by_role("group", name="Отдельные сотрудники").get_by_role("checkbox", name="Вера Ким")
    ).to_be_checked()
    expect(page.locator("#preview")).to_contain_text("Вход: будут записаны 2 сотрудника")
    expect(page.get_by_role("button", name="В группе")).to_be_focused()
    assert wrong_in_each_look(page) == []
    page.get_by_role("group", name="Отдельные сотрудники").get_by_text("Вера Ким", exact=True).first.click()
    expect(page.locator("#preview")).to_contain_text("Вход: будет записан 1 сотрудник")
    page.get_by_label("Найти сотрудника").press("Enter")
    expect(page.get_by_role("button", name="Добавить: Вера Ким")).to_be_visible()
    page.get_by_role("button", name="Сохранить", exact=True).last.click()
    expect(page.get_by_role("heading", name="Терминалы группы «Всюду»")).to_be_visible()
    wait_for({"G0": 2, "V1": 0}, site.simulator, store)
    page.goto("/groups/")
    page.get_by_role("link", name="Всюду").click()
    expect(page.locator(".group-terminals")).to_contain_text("Вход")
    expect(page.locator(".faces")).to_contain_text("Олег Ли")

    page.goto("/employees/new")
    page.get_by_label("ID сотрудника").fill("G1")
    page.get_by_label("ФИО").fill("Анна Иванова")
    page.get_by_label("Отдел", exact=True).fill("Кладовая")
    page.locator("#save").press("Enter")
    page.get_by_role("button", name="Сохранить без фото").press("Enter")
    expect(page.locator(".facts")).to_contain_text("Всюду по отделу")
    wait_for({"G1": 2}, site.simulator, store)

    page.get_by_role("link", name="Изменить").click()
    page.get_by_label("Отдел", exact=True).fill("Офис")
    page.locator("#save").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Будет")).to_contain_text("Будет удалён с: Вход, Склад.")
    assert violations(page) == []
    page.get_by_role("button", name="Сохранить и применить").click()
    expect(page.locator(".facts")).to_contain_text("Офис")
    wait_for({"G1": 0}, site.simulator, store)
    # Chromium tells of each question, whose status is that of a form that is not saved yet.
    russian.complaints = [one for one in russian.complaints if "status of 422" not in one]
