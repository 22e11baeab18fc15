"""axe finds nothing on pages that no address alone leads to: what is shown once, asked, running, failed or waiting."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Enrolment, Job, JobItem, Terminal
from hikflask.models.accounts import OPERATOR
from hikflask.models.columns import database_now
from hikflask.models.comparison import NAME, ONLY_THERE
from hikflask.models.enrolment import CONFIRMED, PRESENT
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEACTIVATE, SEND
from hikflask.services.changes.run import run_slice
from hikflask.services.comparisons import plan_choices
from hikflask.services.comparisons.plan import TAKE_OVER
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.state.enrolment import CHANGED_SINCE_BACKUP
from tests.browser.axe import give_axe, wrong_in_each_look
from tests.browser.conftest import LOOKS, Site, Window, opened, serving, soon
from tests.support.apps import close
from tests.support.captures import FACE
from tests.support.compared import add_comparison
from tests.support.jobs import add_people, started
from tests.support.refusals import refusal
from tests.support.signed_in import add_operator, client_of, let_in

NOWHERE = "http://127.0.0.1:9"
TAKEN_SECONDS = 60


@dataclass(frozen=True)
class Known:
    """What the states are about: ids, and the session of somebody whose password must be changed."""

    operator_id: int
    away_id: int
    held_id: int
    retired_id: int
    erasure_id: int
    cookie: str
    url: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own: its further terminals and open removals would show on everybody's pages."""
    with serving(tmp_path_factory.mktemp("states")) as site:
        yield site


@pytest.fixture(scope="module")
def known(served: Site) -> Iterator[Known]:
    """The rows behind the states."""
    app = create_app({"INSTANCE_PATH": str(served.folder), "TESTING": True})
    with app.app_context():
        add_operator("Ольга", OPERATOR, must_change_password=True)
    cookie = client_of(app, OPERATOR, "Ольга").get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    with app.app_context():
        save_employee(Draft("AXE7", "Мария Иванова"))
        away = terminal("Склад", NOWHERE)
        yield Known(
            operator_id=add_operator("Борис", OPERATOR).id,
            away_id=away,
            held_id=held(served),
            retired_id=retired(),
            erasure_id=open_erasure(away),
            cookie=cookie.value,
            url=served.url,
        )
    close(app)


@pytest.fixture(scope="module")
def window(browser: Browser, served: Site) -> Iterator[Window]:
    """One window for all states."""
    with opened(browser, served) as window:
        give_axe(window.context)
        yield window


def terminal(name: str, url: str = "") -> int:
    """Add a terminal with the account of the first one."""
    first = db.session.get_one(Terminal, 1)
    added = Terminal(name=name, url=url or first.url, username="admin", password_encrypted=first.password_encrypted)
    db.session.add(added)
    db.session.commit()
    return added.id


def held(site: Site) -> int:
    """A terminal that an unsaved picture of somebody else is held at."""
    terminal_id = terminal("Зал")
    site.simulator.present_alone(FACE, TAKEN_SECONDS)
    with requests.Session() as http:
        http.trust_env = False
        http.auth = let_in(site.folder)
        address = f"{site.url}/api/devices/{terminal_id}/start-face-capture"
        taken = http.post(address, json={"hikvision_id": "AXE9"}, timeout=TAKEN_SECONDS)
    assert taken.status_code == 200, taken.text
    return terminal_id


def retired() -> int:
    """A terminal that is out of service for good."""
    terminal_id = terminal("Ворота")
    retire_terminal(terminal_id, "украден, заявление в полиции", "test")
    return terminal_id


def open_erasure(away: int) -> int:
    """The erasure of somebody who is on a terminal that does not answer."""
    employee = save_employee(Draft("AXE8", "Анна Иванова")).row
    row = Enrolment(terminal_id=away, number="AXE8", employee_id=employee.id, desired=PRESENT, person=CONFIRMED)
    db.session.add(row)
    db.session.commit()
    return erase_employee(employee.id).row.id


def job_with_failures(*numbers: str) -> int:
    """A job that a worker which was killed claimed a moment ago: one of its two items failed."""
    claim = started(DEACTIVATE, add_people(*numbers))
    db.session.execute(db.update(JobItem).where(JobItem.number == numbers[0]).values(employee_id=None))
    db.session.commit()
    run_slice(claim, seconds=0.0)
    db.session.execute(db.update(Job).values(claimed_until=None))
    db.session.commit()
    return claim.job_id


def temporary_password(page: Page, known: Known) -> None:
    page.goto(f"/operators/{known.operator_id}")
    page.locator("form[action$='/password'] button").click()
    expect(page.locator("#secret")).to_be_visible()


def token_shown_once(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/tokens/")
    page.locator("#add summary").click()
    page.locator("#name").fill("AXE")
    page.locator("#expires_on").fill((date.today() + timedelta(days=30)).isoformat())  # noqa: DTZ011
    page.locator("main .btn-save").click()
    expect(page.locator("#secret")).to_be_visible()


def preview_of_many(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/removals/bulk")
    page.locator("#numbers").fill("AXE7 AXE77")
    page.locator("main .btn-save").click()
    expect(page.locator("main .btn-danger")).to_be_visible()


def erasure_that_waits(page: Page, known: Known) -> None:
    page.goto(f"/erasures/{known.erasure_id}")
    expect(page.locator("main .line-removal")).to_be_visible()


def what_needs_attention(page: Page, known: Known) -> None:
    page.goto("/attention")
    expect(page.locator(".attention-bad").first).to_be_visible()
    expect(page.locator(f"#attention-terminals a[href='/terminals/{known.away_id}']").first).to_be_visible()


def people_of_a_row(page: Page, known: Known) -> None:
    page.goto(f"/attention/people?cause=leaving&terminal={known.away_id}")
    expect(page.locator("#person-1")).to_be_visible()


def list_of_terminals(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/terminals/")
    expect(page.locator(".list .status-bad").first).to_be_visible()


def owner_of_a_typed_id(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/employees/new")
    page.locator("#hikvision_id").press_sequentially("AXE7")
    expect(page.locator("#known a")).to_have_text("Мария Иванова")


def menus_of_an_employee(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/employees/1")
    page.locator("#more summary").click()
    expect(page.locator("#more a[href$='/erase']")).to_be_visible()
    assert wrong_in_each_look(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#more a[href$='/erase']")).to_be_hidden()
    page.locator("#enrolments .more summary").first.click()
    expect(page.locator("#enrolments .more button").first).to_be_visible()


def preview_of_a_job(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/employees/")
    page.locator("#selection input[name=employee]").first.check()
    page.locator("#actions button[value=send]").click()
    expect(page.locator("#terminal_id")).to_be_visible()


def photos_of_employees(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto("/employees/?view=photos")
    page.locator("#selection input[name=employee]").first.check()
    page.locator("#more-actions summary").click()
    expect(page.locator("#actions button[value=print]")).to_be_visible()


def job_that_runs(page: Page, known: Known) -> None:  # noqa: ARG001
    page.goto(f"/jobs/{job_with_failures('AXE4', 'AXE5')}")
    expect(page.locator("#job-stop")).to_be_visible()
    expect(page.locator("#failed")).to_be_visible()


def job_that_ended(page: Page, known: Known) -> None:
    """Four failed for one reason, which is opened, and one is mended."""
    people = add_people("AXE51", "AXE52", "AXE53", "AXE54")
    claim = started(SEND, people, terminal_id=known.away_id, terminal="Склад")
    while run_slice(claim):
        pass
    refused = {"state": "failed", "refusal": refusal("name_bytes", t="Склад")}
    items = db.update(JobItem).where(JobItem.job_id == claim.job_id)
    db.session.execute(items.values(**refused))
    db.session.execute(db.update(Job).where(Job.id == claim.job_id).values(state="done", done=4, failed=4))
    gone = {"desired": "absent", "person": "confirmed", "next_attempt_at": None}
    db.session.execute(db.update(Enrolment).where(Enrolment.number == "AXE54").values(**gone))
    db.session.execute(items.where(JobItem.number == "AXE54").values(desired="absent"))
    db.session.commit()
    page.goto(f"/jobs/{claim.job_id}")
    page.locator(".job-who summary").press("Enter")
    expect(page.locator(".job-reasons .face")).to_have_count(3)
    expect(page.locator(".job-mended")).to_be_visible()


def question_before_a_retry(page: Page, known: Known) -> None:
    numbers = ["AXE12", "AXE13", "AXE14"]
    ids = add_people(*numbers)
    for number, employee_id in zip(numbers, ids, strict=True):
        db.session.add(Enrolment(terminal_id=known.away_id, number=number, employee_id=employee_id, desired=PRESENT))
    db.session.commit()
    job_id = started(DEACTIVATE, ids).job_id
    lifecycle.stop_job(job_id)
    page.goto(f"/jobs/{job_id}/retry")
    expect(page.locator("#confirm")).to_be_visible()


def list_of_jobs(page: Page, known: Known) -> None:  # noqa: ARG001
    job_with_failures("AXE10", "AXE11")
    page.goto("/jobs/")
    expect(page.locator("main .rows")).to_be_visible()


def retired_terminal(page: Page, known: Known) -> None:
    page.goto(f"/terminals/{known.retired_id}")
    expect(page.get_by_text("украден, заявление в полиции")).to_be_visible()


def door_that_stands_open(page: Page, known: Known) -> None:  # noqa: ARG001
    """Before the press and after one without a reason."""
    of_first = db.update(Terminal).where(Terminal.id == 1)
    db.session.execute(of_first.values(door_mode="free", door_lock="unlocked"))
    db.session.commit()
    page.goto("/terminals/1")
    expect(page.locator("#terminal-door")).to_be_visible()
    expect(page.locator("#door-state .status-bad")).to_be_visible()
    assert wrong_in_each_look(page) == []
    page.locator("#open-door").click()
    expect(page.locator("#reason-error")).to_be_visible()
    db.session.execute(of_first.values(door_mode="normal", door_lock="locked"))
    db.session.commit()


def password_to_change(page: Page, known: Known) -> None:
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "hikflask", "value": known.cookie, "url": known.url}])
    page.goto("/")
    expect(page.locator("#new_password")).to_be_visible()


def capture_at(page: Page, terminal_id: int) -> None:
    page.goto("/employees/new")
    page.locator("#hikvision_id").fill("AXE6")
    page.locator("#full_name").fill("Иван Иванов")
    page.locator("#terminal_id").select_option(str(terminal_id))
    page.locator("#capture-take").press("Enter")


def capture_that_runs(page: Page, known: Known) -> None:  # noqa: ARG001
    capture_at(page, 1)
    with soon(page):
        expect(page.locator("#capture-seconds")).to_be_visible()


def capture_that_failed(page: Page, known: Known) -> None:
    capture_at(page, known.away_id)
    with soon(page):
        expect(page.locator("#capture[data-state=failed]")).to_be_visible()


def question_of_a_held_terminal(page: Page, known: Known) -> None:
    capture_at(page, known.held_id)
    expect(page.locator("#capture-take-over")).to_be_visible()


def restored_terminal(page: Page, known: Known) -> None:
    """The data came from a backup: before the comparison, and after it with somebody of each kind."""
    marked = db.update(Terminal).where(Terminal.id == known.away_id)
    db.session.execute(marked.values(restored_from=database_now(-3600)))
    db.session.commit()
    page.goto(f"/terminals/{known.away_id}")
    assert wrong_in_each_look(page) == []
    page.locator("#allow-writing").click()
    expect(page.locator("#compare")).to_be_visible()
    assert wrong_in_each_look(page) == []
    rests = {"refusal": refusal(CHANGED_SINCE_BACKUP), "next_attempt_at": None}
    db.session.execute(db.insert(Enrolment).values(terminal_id=known.away_id, number="AXE5", **rests))
    add_comparison(known.away_id, {NAME: ["AXE8"]})
    page.reload()
    expect(page.locator("#held")).to_be_visible()
    expect(page.locator("#removals")).to_be_visible()
    db.session.execute(marked.values(restored_from=None))
    db.session.commit()


def plan_that_asks(page: Page, known: Known) -> None:
    """The same ID under similar names and under others, and somebody who may be here under another ID."""
    for number, name in (("AXE31", "Гость А."), ("AXE32", "Анна Ким"), ("12345", "Олег Юн")):
        save_employee(Draft(number, name))
    comparison = add_comparison(known.away_id, {ONLY_THERE: ["AXE31", "AXE32", "0012345"]})
    plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER)
    page.goto(f"/terminals/{known.away_id}/comparison/plan")
    for part in ("#answers-similar", "#answers-leave", "#namesakes-leave"):
        expect(page.locator(part)).to_be_visible()


STATES: list[Callable[[Page, Known], None]] = [
    temporary_password,
    token_shown_once,
    preview_of_many,
    erasure_that_waits,
    what_needs_attention,
    people_of_a_row,
    list_of_terminals,
    owner_of_a_typed_id,
    menus_of_an_employee,
    preview_of_a_job,
    photos_of_employees,
    job_that_runs,
    job_that_ended,
    question_before_a_retry,
    list_of_jobs,
    retired_terminal,
    capture_that_runs,
    capture_that_failed,
    question_of_a_held_terminal,
    restored_terminal,
    plan_that_asks,
    door_that_stands_open,
    password_to_change,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(window: Window, known: Known, state: Callable[[Page, Known], None]) -> None:
    page = window.page
    page.set_viewport_size({"width": LOOKS["desk"][1], "height": 800})
    state(page, known)

    assert wrong_in_each_look(page) == []
    if state is capture_that_runs:
        page.locator("#capture-cancel").press("Enter")
        expect(page.locator("#capture[data-state=cancelled]")).to_be_visible()
    # Chromium's console tells of each answer that is a refusal.
    window.complaints = [one for one in window.complaints if not re.search(r"status of 4\d\d", one)]
    assert window.complaints == []


def test_axe_finds_nothing_on_the_way_of_an_import(russian: Window) -> None:
    give_axe(russian.context)
    page = russian.page
    page.goto("/imports/new")
    page.locator("main .btn-save").click()
    expect(page.locator("#table-error")).to_be_visible()
    assert wrong_in_each_look(page) == []
    rows = "ID;ФИО;Контроль\r\nAXE20;Анна Иванова;31.12.2036\r\nAXE20!;Ольга Иванова;\r\n".encode()
    page.set_input_files("#table", {"name": "люди.csv", "mimeType": "text/csv", "buffer": rows})
    page.locator("main .btn-save").click()
    expect(page.locator("#sample")).to_be_visible()
    page.locator(".import-rules summary").click()
    assert wrong_in_each_look(page) == []
    page.locator("#unused_days input").check()
    page.locator("#mapping_name").fill("Отдел кадров")
    page.locator("#number").select_option("")
    page.locator("main .btn-save").click()
    expect(page.locator("#number-error")).to_be_visible()
    assert wrong_in_each_look(page) == []
    page.locator("#number").select_option("ID")
    with soon(page):
        page.locator("main .btn-save").click()
        expect(page.locator(".import-why")).to_be_visible()
        assert wrong_in_each_look(page) == []
        page.locator("#import-start").click()
        expect(page.locator("#import .head .status-good")).to_be_visible()
    page.locator("#more summary").click()
    page.locator("#import-undo").click()
    assert wrong_in_each_look(page) == []
    with soon(page):
        page.locator("main .btn-danger").click()
        expect(page.locator("#import .head .status-good")).to_be_visible()
    assert wrong_in_each_look(page) == []
    page.goto("/imports/mappings")
    expect(page.locator("#name-1")).to_have_value("Отдел кадров")
    assert wrong_in_each_look(page) == []
    russian.complaints = [one for one in russian.complaints if "status of 422" not in one]
