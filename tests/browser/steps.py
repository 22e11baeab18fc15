"""The steps of an enrolment, for tests that are about something else on the way or need somebody enrolled.

Buttons are pressed by keyboard: for half a second nobody can click one that has just appeared under the mouse.
"""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site, soon
from tests.support.captures import FACE


def called(number: str) -> str:
    """A name that nobody else has, so that no hint about namesakes moves the buttons while somebody presses them."""
    return f"Иван Иванов {number}"


def fill(page: Page, number: str, name: str = "", department: str = "Охрана") -> None:
    page.locator("#hikvision_id").fill(number)
    page.locator("#full_name").fill(name or called(number))
    page.locator("#department").fill(department)


def panel(page: Page) -> Locator:
    """The capture panel; what it says is in the region for those who hear the page, too."""
    return page.locator("#capture")


def take(page: Page) -> None:
    """Press the button of the capture, whether it is the first one or another, and wait until it runs."""
    page.locator("#capture-take").press("Enter")
    expect(page.locator("#capture-cancel")).to_be_visible()


def show(site: Site, page: Page, face: bytes) -> None:
    """Show a face to the terminal, and wait for it on the page."""
    with soon(page):
        site.simulator.present_alone(face)
        expect(page.locator("#capture[data-state=captured]")).to_be_visible()


def save(page: Page) -> None:
    """Save, and wait until the terminal has confirmed it."""
    with soon(page):
        page.locator("#save").press("Enter")
        expect(page.locator("[data-state=confirmed]")).to_be_visible()


def confirmed(page: Page) -> Locator:
    """The rows of the employee's terminals that have confirmed person and face."""
    return page.locator("#enrolments [data-state=confirmed]").filter(
        has_text=re.compile("сотрудник и лицо|person and face")
    )


def deactivate(page: Page) -> None:
    """Deactivate the employee whose page is shown, and answer the question."""
    page.locator("#more summary").click()
    page.get_by_role("link", name="Деактивировать").click()
    page.get_by_role("button", name="Деактивировать").click()


def enrol(site: Site, page: Page, number: str) -> str:
    """Save an employee with a face and return the address of the page."""
    page.goto("/employees/new")
    fill(page, number)
    take(page)
    show(site, page, FACE)
    save(page)
    return page.url


def assert_enrolled(site: Site, number: str, name: str, face: bytes) -> None:
    assert site.simulator.people[number]["name"] == name
    assert site.simulator.faces[number].jpeg == face
