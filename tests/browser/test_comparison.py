"""A terminal compared in the browser: all kinds of differences mended, people taken over, many not removed."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from flask import Flask
from playwright.sync_api import Page, expect
from requests.auth import HTTPDigestAuth

from hikflask import create_app
from hikflask.services.captures.drafts import Draft
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator.profiles import PROFILES
from tests.browser.axe import violations
from tests.browser.conftest import Site, Window, press_and_reload, serving, soon
from tests.browser.steps import confirmed
from tests.conftest import PASSWORD
from tests.support.apps import close
from tests.support.captures import FACE, OTHER_FACE
from tests.support.compared import add_strangers
from tests.support.employees import save_with_file

PAGE = "/terminals/1/comparison"
# So many that their progress is seen. This comes last: what follows would compare them all, too.
PEERS = 60
# Somebody of each kind that is mended by sending.
MENDED = {"name": "C1", "face_missing": "C2", "face_other": "C3", "only_here": "C4", "validity": "C5"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own, whose terminal takes pictures of faces and gives them."""
    profile = replace(PROFILES["K1T342MX-E1"], capacity=2 * PEERS)
    with serving(tmp_path_factory.mktemp("comparison"), profile) as site:
        yield site


@pytest.fixture(scope="module")
def app(served: Site) -> Iterator[Flask]:
    """The served app's database."""
    app = create_app({"INSTANCE_PATH": str(served.folder), "TESTING": True})
    yield app
    close(app)


def by_isapi(site: Site, method: str, path: str, body: object) -> None:
    """Change something at the terminal, as other software does."""
    address = f"{site.server.url}/ISAPI/AccessControl/{path}?format=json"
    with requests.Session() as http:
        http.trust_env = False
        answer = http.request(method, address, json=body, auth=HTTPDigestAuth("admin", PASSWORD), timeout=60)
    assert answer.json()["statusCode"] == 1, answer.text


def enrol(app: Flask, *numbers: str) -> None:
    """Bring people to the terminal with their faces."""
    with app.app_context():
        for number in numbers:
            save_with_file(Draft(number, f"Иван Иванов {number}"), 1, FACE)
            enrolment = queries.find(1, number)
            assert enrolment is not None
            assert reconcile(enrolment.id, "test").is_confirmed


def compare(page: Page) -> None:
    page.goto(PAGE)
    # A click does not wait for the page that answers it.
    with page.expect_navigation():
        page.locator("#compare").click()
    with soon(page):
        expect(page.locator(".compare-kinds")).to_be_visible(timeout=30_000)


def choose(page: Page, kind: str, action: str, number: str) -> None:
    """Choose the same for all of a kind, of whom this is one."""
    page.goto(f"{PAGE}?kind={kind}")
    expect(page.locator(".compare-rows tbody tr", has_text=number)).to_be_visible()
    page.locator("#select-all").check()
    page.locator(f"#actions button[value={action}]").click()
    expect(page.locator("#chosen-title")).to_be_visible()


def start(page: Page) -> None:
    """Look at the plan, and start it."""
    page.locator("#to-plan").click()
    page.locator("#plan-start").click()


def ended(page: Page) -> None:
    with soon(page):
        expect(page.locator("#job .status")).to_contain_text("Готово", timeout=400_000)


def counts(page: Page) -> dict[str, str]:
    """How many differences of each kind the page shows."""
    found = page.locator(".compare-kinds a").all()
    return {(one.get_attribute("id") or "").removeprefix("kind-"): one.locator(".count").inner_text() for one in found}


def test_all_kinds_of_differences_are_mended_and_many_are_not_removed_by_mistake(
    app: Flask, site: Site, russian: Window
) -> None:
    page, store = russian.page, site.simulator.store
    store.deletion_polls = 0
    enrol(app, *(f"C{number}" for number in range(6)))
    compare(page)
    same = page.locator(".compare-same .count")
    known = int(re.sub(r"\D", "", same.inner_text()))
    by_isapi(site, "PUT", "UserInfo/Modify", {"UserInfo": {"employeeNo": "C1", "name": "Пётр Чужой"}})
    store.unbind(["C2"])
    store.bind("C3", OTHER_FACE)
    store.remove(["C4"])
    valid = {"enable": True, "beginTime": "2026-01-01T00:00:00", "endTime": "2026-03-31T23:59:59", "timeType": "local"}
    by_isapi(site, "PUT", "UserInfo/Modify", {"UserInfo": {"employeeNo": "C5", "Valid": valid}})
    by_isapi(site, "POST", "UserInfo/Record", {"UserInfo": {"employeeNo": "C7", "name": "Ольга Гостева"}})
    by_isapi(site, "POST", "CardInfo/Record", {"CardInfo": {"employeeNo": "C7", "cardNo": "777"}})
    add_strangers(site.simulator, *(f"R{number:02}" for number in range(25)))

    compare(page)

    assert same.inner_text() == str(known - 5)
    assert violations(page) == []
    choose(page, "only_there", "remove", "R00")
    page.goto(f"{PAGE}?kind=only_there")
    page.locator("input[value=C7]").check()
    page.locator("#actions button[value=take_over]").click()
    for kind, number in MENDED.items():
        choose(page, kind, "send", number)
    start(page)

    expect(page.locator("#confirm-error")).to_have_text(
        "Из-за этого многие потеряют доступ. Для подтверждения введите, сколько человек: 25."
    )
    assert violations(page) == []
    # Chromium's console tells of each answer that is a refusal.
    russian.complaints = [one for one in russian.complaints if "status of 409" not in one]
    assert sum(number.startswith("R") for number in store.people) == 25
    page.locator("#confirm").fill("25")
    page.locator("#plan-start").click()
    ended(page)
    assert not [number for number in store.people if number.startswith("R")]

    compare(page)
    assert set(counts(page).values()) == {"0"}
    expect(page.locator(".lead")).to_contain_text("Всё совпадает")
    assert store.people["C1"]["name"] == "Иван Иванов C1"
    assert [store.faces[number].jpeg for number in ("C2", "C3", "C4")] == [store.faces["C0"].jpeg] * 3
    assert [card.number for card in store.cards.values() if card.employee_no == "C7"] == ["777"]


def test_main_path_without_javascript(site: Site, english_without_javascript: Window) -> None:
    page = english_without_javascript.page
    add_strangers(site.simulator, "N1", "N2")
    page.goto(PAGE)
    press_and_reload(page.locator("#compare"), page.locator(".compare-kinds"))
    page.locator("#kind-only_there").click()
    page.locator("input[value=N1]").check()
    page.locator("#actions button[value=take_over]").click()
    page.locator("input[value=N2]").check()
    page.locator("#actions button[value=leave]").click()
    page.locator("#reason").fill("Guests")
    page.locator("main .btn-save").click()
    expect(page.locator("#kind-left .count")).to_have_text("1")

    page.locator("#to-plan").click()
    press_and_reload(page.locator("#plan-start"), page.locator("#job .status", has_text="Done"))

    expect(page.locator("#done-take_over")).to_have_text("Taken from the terminal: 1 person")


def test_people_of_other_software_are_taken_over_with_progress(site: Site, russian: Window) -> None:
    page, store = russian.page, site.simulator.store
    add_strangers(site.simulator, *(f"P{number:03}" for number in range(1, PEERS)))
    person = {"employeeNo": "P000", "name": "Мария Соседова", "userType": "normal", "doorRight": "1"}
    valid = {"enable": True, "beginTime": "2026-01-01T00:00:00", "endTime": "2027-12-31T23:59:59", "timeType": "local"}
    by_isapi(site, "POST", "UserInfo/Record", {"UserInfo": {**person, "Valid": valid}})
    by_isapi(site, "POST", "CardInfo/Record", {"CardInfo": {"employeeNo": "P000", "cardNo": "1234567890"}})
    store.bind("P000", OTHER_FACE)
    cards = dict(store.cards)

    page.goto("/terminals/1")
    page.locator("#take-people").click()
    with soon(page):
        expect(page.locator("#take-all")).to_be_visible(timeout=30_000)
    page.locator("#take-all").click()
    expect(page.locator("main .plan-steps")).to_contain_text(f"Взять с терминала: {PEERS} человек")
    first = page.locator("#step-P000")
    expect(first).to_contain_text("Мария Соседова")
    expect(first).to_contain_text("1 карта · срок: 1 января 2026 – 31 декабря 2027 · снимок есть")
    expect(page.locator("#step-P001")).to_contain_text("снимка нет, сфотографируйте позже")
    page.locator("#plan-start").click()

    expect(page.locator(".job-bar")).to_have_attribute("aria-label", re.compile("^Выполнено: [1-9]"))
    page.reload()
    ended(page)
    expect(page.locator("#done-take_over")).to_have_text(f"Взято с терминала: {PEERS} человек")
    assert violations(page) == []
    page.get_by_role("link", name="Мария Соседова").click()
    expect(page.locator(".person img").first).to_be_visible()
    expect(confirmed(page)).to_contain_text("Вход")
    assert (store.cards, store.faces["P000"].jpeg) == (cards, OTHER_FACE)
    assert store.people["P000"]["Valid"] == valid
    compare(page)
    assert {number for kind, number in counts(page).items() if kind != "left"} == {"0"}
