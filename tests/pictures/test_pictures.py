"""Draws the pictures of the guides, in both languages and themes, and says which of them are not as the pages are.

`make pictures` (--renew) writes those anew.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.isapi.errors import WrongPassword
from hikflask.models import Employee, Enrolment, EventCoverage, EventLog, ReachabilityChange, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.models.columns import database_now
from hikflask.models.event import OUTSIDE_HOURS, UNKNOWN_PERSON
from hikflask.services.core.db import transaction
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
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
from tests.pictures.gallery import SCALE, WIDE, Gallery
from tests.processes.processes import until
from tests.support import removals
from tests.support.apps import close
from tests.support.employees import save_with_face
from tests.support.events import event_row
from tests.support.migrated import migrate
from tests.support.signed_in import add_operator, client_of

# A day that is over, so that nothing on its page depends on today.
DAY = datetime(2025, 11, 27, 8, 41, 5, tzinfo=UTC)
HOUR = 3600.0
# No terminal is asked again while pictures are drawn.
SETTINGS = {
    "HIKFLASK_DRIFT_INTERVAL": "86400",
    "HIKFLASK_RETRY_BASE": "3600",
    "HIKFLASK_RETRY_MAX": "3600",
    "HIKFLASK_PASSAGES_KEEP": "3650",
}


@pytest.fixture(autouse=True)
def greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of this machine is that of every other machine."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("language", COMPANIES)
def test_pictures_are_as_the_pages(
    language: str, browser: Browser, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    company = COMPANIES[language]
    gallery = Gallery(language, renew=pytestconfig.getoption("--renew"))
    with serving(tmp_path, company) as site:
        first_run(gallery, browser, site, company)
        first_day(gallery, browser, site, company)
        with page_of(browser, site, company, ADMIN) as page:
            forms(gallery, page, company)
            passages(gallery, page, site)
            imports(gallery, page, company)
            what_goes_wrong(gallery, page, site, company)
            comparison(gallery, page, site, company)
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
            now, tomorrow = database_now(), database_now(86400.0)
            about = {"device_serial": terminal.serial, "read_at": now, "complete_to": now, "next_at": tomorrow}
            with transaction():
                db.session.add(EventLog(terminal_id=terminal.id, **about))
            let_hours_pass()
        with gunicorn(environment_of(folder) | SETTINGS, folder / "server.log") as url:
            yield Site(url, simulator, server, folder, app)
    close(app)


@contextmanager
def page_of(browser: Browser, site: Site, company: Company, role: str | None) -> Iterator[Page]:
    """A window in which the receptionist, the administrator or nobody is signed in."""
    context = browser.new_context(
        base_url=site.url,
        locale=company.locale,
        viewport={"width": WIDE, "height": 640},
        device_scale_factor=SCALE,
        reduced_motion="reduce",
        timezone_id="UTC",
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
        gallery.draw(page, "first-run", ".card-page", height=760)


def first_day(gallery: Gallery, browser: Browser, site: Site, company: Company) -> None:
    """A receptionist signs in and enrols somebody."""
    newcomer = company.newcomer
    with site.app.app_context():
        add_operator(company.receptionist, OPERATOR)
    with page_of(browser, site, company, None) as page:
        page.goto("/sign-in")
        page.locator("#name").fill(company.receptionist)
        page.locator("#password").fill("************")
        gallery.draw(page, "sign-in", ".card-page")
    with page_of(browser, site, company, OPERATOR) as page:
        page.goto("/")
        gallery.draw(page, "start", "body", width=WIDE, height=500)
        page.goto("/employees/")
        gallery.draw(page, "employees", "body", width=WIDE, height=680)
        page.goto("/employees/new")
        gallery.draw(page, "add", height=712)
        page.locator("#hikvision_id").fill(newcomer.number)
        page.locator("#full_name").fill(newcomer.name)
        page.locator("#department").fill(newcomer.department)
        page.locator("input[name=consent]").check()
        gallery.draw(page, "filled", height=712)
        gallery.draw(page, "buttons", "#next-step")
        page.locator("#capture-take").press("Enter")
        expect(page.locator("#capture-seconds")).to_be_visible()
        gallery.draw(page, "looks", height=712)
        with soon(page):
            site.simulator.present_alone(NEWCOMERS_FACE)
            expect(page.locator("#capture[data-state=captured]")).to_be_visible()
        gallery.draw(page, "enrolment", height=712)
        gallery.draw(page, "save", "#next-step")
        page.locator("#save").press("Enter")
        with soon(page):
            expect(page.locator("[data-state=confirmed]")).to_be_visible()
        gallery.draw(page, "green", width=1100, height=560)


def passages(gallery: Gallery, page: Page, site: Site) -> None:
    """A day at the entrance, and why somebody was turned away."""
    with site.app.app_context(), transaction():
        terminal = db.session.get_one(Terminal, 1)
        people = dict(enumerate(db.session.query(Employee).order_by(Employee.number)))
        whole = {"from_at": DAY - timedelta(days=9), "to_at": datetime.now(UTC), "is_complete": True}
        db.session.add(EventCoverage(terminal_id=terminal.id, **whole))
        for minutes, index in ((0, 2), (3, 1), (4, 6), (11, 3), (19, 0), (26, 5)):
            db.session.add(event_row(terminal, at=DAY + timedelta(minutes=minutes), employee=people[index]))
        stranger = event_row(terminal, at=DAY + timedelta(minutes=13), kind=UNKNOWN_PERSON, code=(5, 76))
        late = event_row(terminal, at=DAY + timedelta(hours=13), employee=people[8], kind=OUTSIDE_HOURS, code=(5, 7))
        db.session.add_all([stranger, late])
        number = people[8].number
    page.goto(f"/passages/?day={DAY:%Y-%m-%d}")
    gallery.draw(page, "passages", height=810)
    page.goto(f"/passages/why?employee={number}&at={DAY + timedelta(hours=13):%Y-%m-%dT%H:%M}&terminal=1")
    gallery.draw(page, "why")


def forms(gallery: Gallery, page: Page, company: Company) -> None:
    """A terminal and an operator are added."""
    page.goto("/terminals/1")
    gallery.draw(page, "terminal", height=760)
    page.goto("/terminals/new")
    page.locator("#name").fill(company.entrance)
    page.locator("#url").fill("https://192.168.1.67")
    page.locator("#username").fill("admin")
    page.locator("#password").fill("********")
    gallery.draw(page, "new-terminal", ".narrow", height=760)
    page.goto("/operators/")
    page.locator("#add summary").click()
    page.locator("#name").fill(company.receptionist)
    gallery.draw(page, "new-operator", height=560)


def imports(gallery: Gallery, page: Page, company: Company) -> None:
    """A table of people is checked before anything changes."""
    table = "\r\n".join([company.headers, *company.to_import, ""]).encode()
    page.goto("/imports/new")
    page.set_input_files("#table", {"name": "people.csv", "mimeType": "text/csv", "buffer": table})
    page.locator("main .btn-save").press("Enter")
    page.wait_for_url("**/columns")
    page.locator("main .btn-save").press("Enter")
    with soon(page):
        expect(page.locator(".import-plan")).to_be_visible()
    gallery.draw(page, "import", height=900)


def what_goes_wrong(gallery: Gallery, page: Page, site: Site, company: Company) -> None:
    """A terminal is away, another one has a new password, and somebody left meanwhile."""
    with site.app.app_context():
        leaver, other = (search.by_number(draft.number) for draft in company.drafts()[2:4])
        newcomer = search.by_number(company.newcomer.number)
        assert leaver
        assert other
        assert newcomer
        with SimulatorServer(Simulated(PASSWORD, profile=profile_named("K1T341CMFW"), serial="2")) as server:
            away = added(company.warehouse, server)
            for employee in (leaver, other):
                send_to_terminal(employee.id, away)
            until(lambda: confirmed_at(away) == 2)
        send_to_terminal(newcomer.id, away)
    page.goto(f"/employees/{newcomer.id}")
    with soon(page):
        # The first attempt is made only if nothing else has found the terminal away.
        page.locator("[data-state=waiting] button").press("Enter")
        expect(page.locator("[data-state=waiting]")).to_contain_text("127.0.0.1")
    with site.app.app_context(), transaction():
        # No further attempt comes while the picture is drawn.
        later = db.update(Enrolment).where(Enrolment.terminal_id == away, Enrolment.next_attempt_at.is_not(None))
        db.session.execute(later.values(next_attempt_at=database_now(600.0)))
    page.reload()
    with soon(page):
        expect(page.locator("[data-state=waiting]")).to_contain_text("127.0.0.1")
    gallery.draw(page, "not-green", width=1100, height=560)
    simulator = Simulated(PASSWORD, profile=profile_named("K1T341CMFW"), serial="3")
    with SimulatorServer(simulator) as server, site.app.app_context():
        set_active(leaver.id, False)
        until(lambda: open_removals() == [away])
        changed = added(company.office, server)
        simulator.login.password = "Xyz98765"
        with suppress(WrongPassword):
            checks.check(changed, "test")
        let_hours_pass(away)
    page.goto("/attention")
    gallery.draw(page, "attention", "body", width=WIDE, height=440)
    page.goto("/terminals/")
    gallery.draw(page, "terminals", height=400)


def added(name: str, server: SimulatorServer) -> int:
    """Add a terminal, check it, and return its id."""
    return checks.check(registry.add(Access(name, server.url, "admin", PASSWORD)).id, "test").id


def confirmed_at(terminal_id: int) -> int:
    """How many people a terminal has confirmed."""
    count = sum(row.is_green for row in db.session.query(Enrolment).filter_by(terminal_id=terminal_id))
    db.session.commit()
    return count


def open_removals() -> list[int]:
    """The terminals that have not confirmed a removal."""
    terminals = [row.terminal_id for row in removals.open_removals()]
    db.session.commit()
    return terminals


def let_hours_pass(away: int | None = None) -> None:
    """Let the terminals have answered since the day before yesterday, and one of them no more."""
    with transaction():
        db.session.execute(db.delete(ReachabilityChange))
        for terminal in db.session.query(Terminal):
            db.session.add(ReachabilityChange(terminal_id=terminal.id, at=database_now(-30 * HOUR), is_reachable=True))
        if away:
            db.session.add(ReachabilityChange(terminal_id=away, at=database_now(-3 * HOUR), is_reachable=False))


def comparison(gallery: Gallery, page: Page, site: Site, company: Company) -> None:
    """Others have added people at the terminal, changed one and removed the face of another."""
    store, drafts = site.simulator.store, company.drafts()
    for index, name in enumerate(company.visitors):
        store.add(str(900 + index), {"name": name})
    store.unbind([drafts[5].number])
    store.people[drafts[7].number]["name"] = drafts[7].name.upper()
    page.goto("/terminals/1/comparison")
    with page.expect_navigation():
        page.locator("#compare").click()
    with soon(page):
        expect(page.locator(".compare-kinds")).to_be_visible()
    page.goto("/terminals/1/comparison?kind=only_there")
    gallery.draw(page, "comparison", width=1200, height=700)
