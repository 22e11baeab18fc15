"""A new terminal: the round that brings faces to it, one click each, and what was on the device before it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from hikflask import create_app
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.browser.axe import violations
from tests.browser.conftest import Site, Window, serving, soon
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.captures import FACE, OTHER_FACE, THIRD_FACE
from tests.support.employees import save_with_file

NAMES = {"R1": "Анна Ёлкина", "R2": "Борис Жуков", "R3": "Вера Зимина"}
TAKES_PICTURES = profile_named("K1T341CMFW")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own: who needs a capture would show on everybody's pages."""
    with serving(tmp_path_factory.mktemp("new")) as site:
        yield site


@contextmanager
def services(site: Site) -> Iterator[None]:
    """The services of the site, as its worker calls them."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True, "WORKER": "external"})
    with app.app_context():
        yield
    close(app)


def wait_until_known(simulator: Simulated, people: set[str]) -> None:
    give_up = time.monotonic() + 60
    while not simulator.people.keys() >= people:
        assert time.monotonic() < give_up, simulator.people.keys()
        time.sleep(0.1)


def add_terminal(site: Site, name: str, url: str) -> int:
    with services(site):
        terminal_id = registry.add(Access(name, url, "admin", PASSWORD)).id
        checks.check(terminal_id, "test")
    return terminal_id


def confirm_face(site: Site, page: Page, name: str, face: bytes) -> None:
    """Show the face, and press Enter: the button that saves and goes on has the focus."""
    expect(page.locator("h1")).to_contain_text(name)
    site.simulator.present_alone(face)
    expect_face(page, name)


def expect_face(page: Page, name: str) -> None:
    """Wait for the question whether this is the face, with the focus on the button."""
    with soon(page):
        expect(page.locator("#capture").get_by_text(f"✅ Фото сделано. Это {name}?")).to_be_visible()
    expect(page.locator("#save")).to_have_text("Сохранить и дальше")
    expect(page.locator("#save")).to_be_focused()


def test_round_of_three_takes_one_press_each(site: Site, russian: Window) -> None:
    page = russian.page
    with services(site):
        for number, name in NAMES.items():
            send_to_terminal(save_employee(Draft(number, name, "Склад")).row.id, 1)
    wait_until_known(site.simulator, set(NAMES))
    page.goto("/terminals/1")
    page.get_by_role("link", name="Съёмка по списку").click()
    expect(page.locator("#round-people li")).to_have_count(3)
    assert violations(page) == []
    page.get_by_role("button", name="Начать съёмку").click()

    confirm_face(site, page, "Анна Ёлкина", FACE)
    assert violations(page) == []
    page.keyboard.press("Enter")
    confirm_face(site, page, "Борис Жуков", OTHER_FACE)
    expect(page.locator(".round-bar")).to_contain_text("1 из 3")
    page.reload()
    expect_face(page, "Борис Жуков")
    page.keyboard.press("Enter")
    confirm_face(site, page, "Вера Зимина", THIRD_FACE)
    page.keyboard.press("Enter")

    expect(page.get_by_text("Фотографировать на этом терминале некого.")).to_be_visible()
    expect(page.locator("main")).to_contain_text("3 из 3")
    give_up = time.monotonic() + 60
    while len(site.simulator.faces) < 3:
        assert time.monotonic() < give_up
        page.wait_for_timeout(100)
    bound = {number: face.jpeg for number, face in site.simulator.faces.items()}
    assert bound == {"R1": FACE, "R2": OTHER_FACE, "R3": THIRD_FACE}


def test_replaced_terminal_is_restored_and_a_moved_one_keeps_its_people(site: Site, russian: Window) -> None:
    page, old = russian.page, Simulated(PASSWORD, profile=TAKES_PICTURES)
    new = Simulated(PASSWORD, profile=TAKES_PICTURES, serial="0000007")
    with SimulatorServer(old) as server:
        port, terminal_id = server.port, add_terminal(site, "Склад", server.url)
        with services(site):
            save_with_file(Draft("N1", "Иван Иванов"), terminal_id, FACE)
            send_to_terminal(save_employee(Draft("N2", "Ольга Ёлкина")).row.id, terminal_id)
        wait_until_known(old, {"N1", "N2"})
    with SimulatorServer(new, port=port):
        page.goto(f"/terminals/{terminal_id}")
        page.get_by_role("button", name="Проверить").click()
        expect(page.locator("#other-device")).to_contain_text("здесь отвечает другое устройство")
        assert violations(page) == []
        assert new.people == {}
        page.locator("#restore").click()
        expect(page.get_by_text("1 сотрудник будет записан с лицом.")).to_be_visible()
        assert violations(page) == []
        page.locator("#restore").click()
        expect(page.locator("#job")).to_be_visible()
        wait_until_known(new, {"N1", "N2"})
    with SimulatorServer(new) as moved:
        second = add_terminal(site, "Новый", moved.url)
        page.goto(f"/terminals/{second}")
        page.locator("#moved").click()
        expect(page.locator("h1")).to_have_text("Одно устройство, две записи")
        assert violations(page) == []
        page.get_by_role("button", name="Дать терминалу «Склад» новый адрес").click()
        expect(page.locator("h1")).to_have_text("Склад")
        expect(page.locator("main")).to_contain_text(moved.url)
        expect(page.locator("#same-device")).to_have_count(0)
    assert new.faces.keys() == {"N1"}
