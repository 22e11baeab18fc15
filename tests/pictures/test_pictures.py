"""Draws the pictures of the guides, in both languages and themes, and says which of them are not as the pages are.

`make pictures` (--renew) writes those anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.operator import OPERATOR
from hikflask.services.core.db import transaction
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SEED, SimulatorServer
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.browser.conftest import IMPATIENT, Site, environment_of, gunicorn, soon
from tests.conftest import PASSWORD
from tests.pictures.company import ADDED, COMPANIES, FACES, NEWCOMERS_FACE, Company
from tests.pictures.gallery import SCALE, WIDTH, Gallery
from tests.support.apps import close
from tests.support.employees import save_with_face
from tests.support.enrolments import let_fail
from tests.support.migrated import migrate
from tests.support.signed_in import add_operator, client_of

# No terminal is asked again while pictures are drawn.
SELDOM = {"HIKFLASK_DRIFT_INTERVAL": "86400", "HIKFLASK_RETRY_BASE": "3600", "HIKFLASK_RETRY_MAX": "3600"}


@pytest.mark.parametrize("language", COMPANIES)
def test_pictures_are_as_the_pages(
    language: str, browser: Browser, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    company = COMPANIES[language]
    gallery = Gallery(language, renew=pytestconfig.getoption("--renew"))
    with serving(tmp_path, company) as site:
        # first_run(gallery, browser, site, company)
        first_day(gallery, browser, site, company)
    gallery.finish()

    if gallery.wrong:
        pytest.fail("\n".join(["Run `make pictures`, and look at what it changed:", *gallery.wrong]), pytrace=False)


@contextmanager
def serving(folder: Path, company: Company) -> Iterator[Site]:
    """The company's database, terminal, and the pages with the worker."""
    migrate(folder)
    simulator = Simulated(PASSWORD, profile=replace(SEED, refuse_after_success=0))
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True})
    with SimulatorServer(simulator) as server:
        with app.app_context():
            terminal = checks.check(registry.add(Access(company.entrance, server.url, "admin", PASSWORD)).id, "test")
            for index, draft in enumerate(company.drafts()):
                employee = save_with_face(simulator, terminal, draft, FACES[index])
                enrolment = queries.find(terminal.id, draft.number)
                assert enrolment is not None
                reconcile(enrolment.id, "test")
                consents.record(employee.id, Given((ADDED + timedelta(days=index)).date()))
                with transaction():
                    db.session.get_one(Employee, employee.id).created_at = ADDED + timedelta(days=index)
            checks.check(terminal.id, "test")
        with gunicorn(environment_of(folder) | SELDOM, folder / "server.log") as url:
            yield Site(url, simulator, server, folder, app)
    close(app)


@contextmanager
def page_of(browser: Browser, site: Site, company: Company, role: str | None) -> Iterator[Page]:
    """A window in which the receptionist, the administrator or nobody is signed in."""
    context = browser.new_context(
        base_url=site.url,
        locale=company.locale,
        viewport={"width": WIDTH, "height": 640},
        device_scale_factor=SCALE,
        reduced_motion="reduce",
    )
    context.add_init_script(IMPATIENT)
    if role:
        name = company.receptionist if role == OPERATOR else company.administrator
        cookie = client_of(site.app, role, name).get_cookie(site.app.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        context.add_cookies([{"name": "hikflask", "value": cookie.value, "url": site.url}])
    yield context.new_page()
    context.close()


def first_run(gallery: Gallery, browser: Browser, site: Site, company: Company) -> None:
    """Nobody can sign in yet."""
    with page_of(browser, site, company, None) as page:
        page.goto("/")
        gallery.draw(page, "first-run", height=680)


def first_day(gallery: Gallery, browser: Browser, site: Site, company: Company) -> None:
    """A receptionist signs in and enrols somebody."""
    newcomer = company.newcomer
    with site.app.app_context():
        add_operator(company.receptionist, OPERATOR)
    with page_of(browser, site, company, None) as page:
        page.goto("/sign-in")
        page.locator("#name").fill(company.receptionist)
        page.locator("#password").fill("************")
        gallery.draw(page, "sign-in", height=480)
    with page_of(browser, site, company, OPERATOR) as page:
        page.goto("/")
        gallery.draw(page, "start", height=560)
        page.goto("/employees/")
        gallery.draw(page, "employees", height=680)
        page.goto("/employees/new")
        gallery.draw(page, "add")
        page.locator("#hikvision_id").fill(newcomer.number)
        page.locator("#full_name").fill(newcomer.name)
        page.locator("#department").fill(newcomer.department)
        page.locator("input[name=consent]").check()
        gallery.draw(page, "filled")
        gallery.draw(page, "buttons", "#next-step")
        page.locator("#capture-take").press("Enter")
        expect(page.locator("#capture-seconds")).to_be_visible()
        gallery.draw(page, "looks")
        with soon(page):
            site.simulator.present_alone(NEWCOMERS_FACE)
            expect(page.locator("#capture[data-state=captured]")).to_be_visible()
        gallery.draw(page, "enrolment")
        gallery.draw(page, "save", "#next-step")
        page.locator("#save").press("Enter")
        with soon(page):
            expect(page.locator("[data-state=confirmed]")).to_be_visible()
        gallery.draw(page, "green", height=560)
        send_to_a_terminal_that_is_away(site, company)
        page.reload()
        expect(page.locator("[data-state=waiting]")).to_be_visible()
        gallery.draw(page, "not-green", height=560)


def send_to_a_terminal_that_is_away(site: Site, company: Company) -> None:
    """Add a terminal that answered until a moment ago, and want the newcomer there."""
    simulator = Simulated(PASSWORD, profile=profile_named("K1T341CMFW"), serial="2")
    with site.app.app_context():
        with SimulatorServer(simulator) as server:
            terminal = checks.check(registry.add(Access(company.warehouse, server.url, "admin", PASSWORD)).id, "test")
        employee = search.by_number(company.newcomer.number)
        assert employee is not None
        send_to_terminal(employee.id, terminal.id)
        enrolment = queries.find(terminal.id, employee.number)
        assert enrolment is not None
        let_fail(enrolment)
