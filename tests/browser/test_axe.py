"""axe finds nothing on any page, in light and dark, on a desk and a phone; and the policy of scripts stays silent."""

import re
from datetime import UTC, datetime

import pytest
import requests
from playwright.sync_api import Browser, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Employee, ImportRow, Terminal, TerminalPrivacy
from hikflask.models.columns import database_now
from hikflask.models.comparison import KINDS, ONLY_THERE
from hikflask.models.event import UNKNOWN_PERSON
from hikflask.models.import_batch import CHANGED, NEW, UNCHANGED, WRONG
from hikflask.models.terminal import WAY_IN
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.changes.kinds import DEPARTMENT
from hikflask.services.comparisons import plan_choices
from hikflask.services.comparisons.plan import REMOVE, TAKE_OVER
from hikflask.services.core.db import transaction
from hikflask.services.departments import queries as departments
from hikflask.services.employees import search
from hikflask.services.employees.erasure import erase_employee, has_data_of
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.selection import make_draft
from hikflask.services.groups import queries
from hikflask.services.privacy import certificates
from hikflask.services.webhooks import registry as webhooks
from tests.browser.axe import give_axe, violations, wrong_in_each_look
from tests.browser.conftest import Site, Window, environment_of, gunicorn
from tests.http.permissions_table import NOBODY, PAGES
from tests.processes.processes import until
from tests.support.apps import close
from tests.support.captures import FACE
from tests.support.compared import add_comparison
from tests.support.events import event_row
from tests.support.groups import make_group
from tests.support.import_batches import add_import
from tests.support.migrated import migrate
from tests.support.refusals import refusal
from tests.support.signed_in import let_in

# What answers a part of a page, or no page at all.
NO_PAGES = {
    "GET /static/<path:filename>",
    "GET /health",
    "GET /health/ready",
    "GET /",
    # Of a cause and a terminal: tests/browser/test_axe_states.py.
    "GET /attention/people",
    "GET /employees/<int:employee_id>/enrolments",
    "GET /captures/<int:capture_id>",
    "GET /terminals/file-warning",
    "GET /terminals/<int:terminal_id>/state",
    # Of two terminals that are one device: tests/browser/test_new_terminal.py.
    "GET /terminals/<int:terminal_id>/same-device",
    # After a restore: tests/browser/test_axe_states.py.
    "GET /terminals/<int:terminal_id>/after-restore",
    "GET /terminals/<int:terminal_id>/queue/state",
    "GET /jobs/state",
    "GET /erasures/<int:erasure_id>/state",
    "GET /jobs/<int:job_id>/state",
    "GET /jobs/<int:job_id>/file",
    # Of a job that was stopped: tests/browser/test_axe_states.py.
    "GET /jobs/<int:job_id>/retry",
    "GET /photo-drafts/<token>",
    "GET /imports/sample",
    "GET /imports/<int:batch_id>/state",
    "GET /imports/<int:batch_id>/start",
    "GET /imports/<int:batch_id>/deactivate",
    "GET /imports/<int:batch_id>/correct",
    "GET /imports/<int:batch_id>/undo/remove",
    "GET /imports/<int:batch_id>/wrong",
    "GET /imports/<int:batch_id>/photos/<int:row_id>",
    # Before the dry run, and after the import: tests/browser/test_axe_states.py.
    "GET /imports/<int:batch_id>/columns",
    "GET /imports/<int:batch_id>/undo",
    "GET /employees/latest",
    "GET /terminals/<int:terminal_id>/comparison/state",
    # Once people are taken over; it is the page of GET /imports/<int:batch_id>/undo with other words.
    "GET /terminals/<int:terminal_id>/comparison/jobs/<int:job_id>/undo",
    "GET /terminals/<int:terminal_id>/comparison/face",
    # It leads to the page of the job.
    "GET /terminals/<int:terminal_id>/comparison/jobs/<int:job_id>",
    "GET /removals/state",
    "GET /presence/state",
    "GET /passages/state",
    "GET /passages/<int:event_id>/picture",
    # Swagger UI draws it: tests/browser/test_api_reference.py.
    "GET /api-reference",
    # The built guides, where there are any.
    "GET /help/",
    "GET /help/<language>/",
    "GET /help/<language>/<path:path>",
    "GET /first-run",  # there is none any more; a test of its own has it
}
# What these pages are asked.
ASKED = {
    "/administration/settings/PASSAGES/ask": "?choice=poll",
    "/erasures/number": "?number=AXE3",
    "/passages/why": "?employee=AXE1",
}
SIGNED_IN = sorted(
    entry.partition(" ")[2]
    for entry, who in PAGES.items()
    if entry.startswith("GET ") and entry not in NO_PAGES and who != NOBODY
)


@pytest.fixture(scope="module")
def rows(served: Site) -> dict[str, object]:
    """An enrolled employee, and what else the addresses of pages ask for."""
    let_us_in = let_in(served.folder)
    with requests.Session() as http:
        http.trust_env = False
        http.auth = let_us_in
        api = f"{served.url}/api"
        known = [user for user in http.get(f"{api}/users/?q=AXE1", timeout=60).json()]
        if not known:
            served.simulator.present_alone(FACE, 60)
            taken = http.post(f"{api}/devices/1/start-face-capture", json={"hikvision_id": "AXE1"}, timeout=60)
            assert taken.status_code == 200, taken.text
            user = {"hikvision_id": "AXE1", "full_name": "Анна Иванова", "department": "Охрана"}
            known = [http.post(f"{api}/users/", json=user, timeout=60).json()]
            http.post(f"{api}/users/{known[0]['id']}/sync-to-device", timeout=60)
        compared(served)
        passed(served, known[0]["id"])
        return {
            "employee_id": known[0]["id"],
            "terminal_id": 1,
            "slot": sent_elsewhere(served),
            "department_id": department_of(served),
            "group_id": grouped(served),
            "operator_id": 1,
            "job_id": drafted(served),
            "batch_id": checked(served),
            "erasure_id": erased(served),
            "webhook_id": told(served),
            "name": "PHOTO_RETENTION",
        }


def drafted(site: Site) -> int:
    """Return the id of the preview of a job for one."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        draft = make_draft(DEPARTMENT, EmployeeFilter(q="AXE1"))
    close(app)
    return draft.id


def checked(site: Site) -> int:
    """Return the id of an import with a row of each verdict, after its dry run."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        before = {"name": "Анна Иванова", "left": False}
        batch_id = add_import(
            ImportRow(number="AXE8", verdict=NEW, values={"name": "Ольга Иванова", "department": "Охрана"}),
            ImportRow(number="AXE1", verdict=CHANGED, values={"name": "Анна Петрова"}, before=before),
            ImportRow(number="AXE9", verdict=NEW, photo="9.jpg", warnings={"photo": refusal("photo_dark")}),
            ImportRow(number="", verdict=WRONG, photo="IMG.jpg", errors={"photo": refusal("photo_not_named")}),
            ImportRow(number="AXE7", verdict=UNCHANGED),
            ImportRow(number="AXE!", verdict=WRONG, errors={"number": refusal("number_invalid")}),
            terminal_id=1,
            photos_name="photos.zip",
            photos_file="photos",
        )
    close(app)
    return batch_id


def compared(site: Site) -> None:
    """Leave a comparison with differences of each kind, of which some are chosen."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        comparison = add_comparison(1, {kind: ["AXE1", "AXE6", "AXE7"] for kind in KINDS})
        plan_choices.choose(comparison, ONLY_THERE, REMOVE, ["AXE7"])
        plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER, ["AXE1", "AXE6"])
    close(app)


def passed(site: Site, employee_id: int) -> None:
    """Let an employee come in at an entrance, where a stranger was not recognised."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context(), transaction():
        terminal = db.session.get_one(Terminal, 1)
        terminal.direction = WAY_IN
        employee, now = db.session.get_one(Employee, employee_id), datetime.now(UTC)
        db.session.add(event_row(terminal, employee=employee, at=now))
        db.session.add(event_row(terminal, kind=UNKNOWN_PERSON, code=(5, 76), at=now))
    close(app)


def sent_elsewhere(site: Site) -> int:
    """Let the terminal send events to a stranger, and keep pictures that it is not to keep; return the slot of that."""
    host = {"slot": 2, "address": "203.0.113.7", "port": 8080, "url": "/in/1", "protocol": "HTTP", "is_ours": False}
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context(), transaction():
        db.session.execute(db.delete(TerminalPrivacy))
        facts = {
            "hosts": [host | {"tells": False}],
            "foreign_hosts": 1,
            "access": {"saveCapPic": True},
            "storage_mode": "regular",
        }
        later = database_now(86400.0)
        db.session.add(TerminalPrivacy(terminal_id=1, read_at=database_now(), next_at=later, **facts))
    close(app)
    return 2


def department_of(site: Site) -> int:
    """Return the id of the department that somebody is in."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        found = next(one for one in departments.list_all() if one.people)
    close(app)
    return found.id


def grouped(site: Site) -> int:
    """Return the id of a group with the terminal, a department and somebody alone."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        known = queries.names()
        group_id = known[0][0] if known else make_group("Офис", [1], "Касса", added=["AXE1"])
    close(app)
    return group_id


def told(site: Site) -> int:
    """Return the id of a webhook with a message that is on its way."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        webhook, _ = webhooks.add("http://127.0.0.1:9/hook", frozenset({"enrolled"}))
        webhooks.test(webhook.id)
    close(app)
    return webhook.id


def erased(site: Site) -> int:
    """Erase somebody who was on no terminal, and return the erasure's id; of another number a capture is left."""
    app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
    with app.app_context():
        if not has_data_of("AXE3"):
            cancel_capture(start_capture(1, Draft("AXE3"), "test").id)
        employee = search.by_number("AXE2") or save_employee(Draft("AXE2", "Ольга Иванова")).row
        erasure = erase_employee(employee.id).row
        # It waits for whoever reads from the database just now.
        until(lambda: certificates.complete(erasure.id).completed_at is not None)
    close(app)
    return erasure.id


def test_axe_finds_nothing(russian: Window, rows: dict[str, object]) -> None:
    give_axe(russian.context)
    page, wrong = russian.page, {}
    for rule in SIGNED_IN:
        address = re.sub(r"<(?:int:)?(\w+)>", lambda found: str(rows[found[1]]), rule)
        address += ASKED.get(rule, "")
        answer = page.goto(address)
        assert answer is not None
        seen = (answer.status, page.url.endswith(address), wrong_in_each_look(page))
        if seen != (200, True, []):
            wrong[address] = seen

    assert len(SIGNED_IN) > 50
    assert wrong == {}


@pytest.mark.parametrize("address", ["/sign-in", "/sign-in?lang=en"])
def test_axe_finds_nothing_before_signing_in(russian: Window, address: str) -> None:
    russian.context.clear_cookies()
    russian.page.goto(address)

    assert wrong_in_each_look(russian.page) == []


def test_axe_finds_nothing_beside_refusals(russian: Window) -> None:
    give_axe(russian.context)
    page = russian.page
    for address in ("/employees/new", "/tokens/"):
        page.goto(address)
        for button in page.locator("#add summary").all():
            button.click()
        # A click does not wait for the page that answers it.
        with page.expect_response(lambda answer: answer.request.method == "POST") as refusal:
            page.locator("main .btn-save").click()
        expect(page.locator("main [aria-invalid]").first).to_be_visible()
        assert (refusal.value.status, wrong_in_each_look(page)) == (422, [])
    page.goto("/no-such-page")
    assert wrong_in_each_look(page) == []
    page.goto("/employees/?q=nobody-has-this-name")
    assert wrong_in_each_look(page) == []
    # Chromium's console tells of each answer that is a refusal.
    russian.complaints = [one for one in russian.complaints if not re.search(r"status of (404|422)", one)]


def test_axe_finds_nothing_on_the_page_of_the_first_run(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("first")
    environment = environment_of(folder)
    migrate(folder)
    with gunicorn(environment, folder / "server.log") as url:
        page = browser.new_page(base_url=url)
        page.goto("/")
        assert page.url == f"{url}/first-run"
        assert wrong_in_each_look(page) == []
        page.close()
    assert re.search(r"give the code [A-Z2-7]{4}(-[A-Z2-7]{4}){3}", (folder / "server.log").read_text())


def test_axe_finds_what_is_wrong(russian: Window) -> None:
    russian.page.goto("/employees/")
    russian.page.evaluate("document.querySelector('main').innerHTML += '<img src=\"/static/icon.svg\"><input>'")

    assert {one.partition(":")[0] for one in violations(russian.page)} >= {"image-alt", "label"}


def test_policy_that_is_broken_would_be_heard_of(russian: Window) -> None:
    russian.page.goto("/employees/")
    russian.page.evaluate("document.body.appendChild(document.createElement('p')).setAttribute('style', 'color: red')")
    russian.page.evaluate(
        "document.body.appendChild(document.createElement('script')).textContent = 'window.intruder = true'"
    )

    assert russian.page.evaluate("window.intruder") is None
    assert len([one for one in russian.complaints if "Content Security Policy" in one]) == 2
    russian.complaints.clear()
