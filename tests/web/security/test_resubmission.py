"""No typed form is lost: when the session ended, its token is another one, or the password must be changed."""

import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from hikflask.extensions import db
from hikflask.models import Consent, Employee, ImportRow, Operator
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.comparison import NAME, ONLY_THERE
from hikflask.models.import_batch import APPLIED
from hikflask.services.accounts import operators
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEACTIVATE, DEPARTMENT
from hikflask.services.comparisons import plan_choices
from hikflask.services.comparisons.plan import REMOVE
from hikflask.services.core.shown import digest
from hikflask.services.departments import registry
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.selection import make_draft
from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import DEFAULT
from tests.support.captures import FACE
from tests.support.compared import add_comparison
from tests.support.desk import ENGLISH, HTMX, typed
from tests.support.filled_forms import Filled, form_to, forms, present_entries
from tests.support.groups import make_group
from tests.support.import_batches import add_import
from tests.support.jobs import started
from tests.support.refusals import refusal
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, add_operator, client_of

pytestmark = pytest.mark.long

NEW_PASSWORD = "четыре слова без связи"
FILE_AGAIN = "Choose the photo file again, please: a browser does not keep it."
TERMINAL = {"name": "Склад 7", "url": "http://10.0.0.7", "username": "admin7", "password": "Typed-secret-7"}
OLGA, IVAN = 1, 1
COMPARISON = "/terminals/1/comparison"
PLAN = digest(1, [[number, None, "", f"Гость {number}", True, REMOVE, False, False, ""] for number in "789"])
# Where a form goes → what is typed into it, and the form that shows it again.
FORMS: dict[str, tuple[dict[str, str], str]] = {
    "/employees/": (typed(), "/employees/"),
    f"/employees/{IVAN}": (typed(full_name="Пётр Петров"), f"/employees/{IVAN}"),
    "/captures": (typed(), "/employees/"),
    f"/employees/{IVAN}/consent": (
        {"given_on": "2026-01-15", "basis": "law", "note": "папка 7"},
        f"/employees/{IVAN}/consent",
    ),
    "/terminals/": (TERMINAL, "/terminals/"),
    "/terminals/1": (TERMINAL, "/terminals/1"),
    "/terminals/fingerprint": (TERMINAL, "/terminals/"),
    "/operators/": ({"name": "Борис", "role": ADMIN}, "/operators/"),
    f"/operators/{OLGA}": ({"role": VIEWER}, f"/operators/{OLGA}"),
    "/administration/settings/CAPTURE_HOLD": ({"value": "60"}, "/administration/settings/CAPTURE_HOLD"),
    "/tokens/": ({"name": "HR", "role": VIEWER, "expires_on": "2027-03-04"}, "/tokens/"),
    "/webhooks/": ({"url": "https://hr.example/told", "enrolled": "y"}, "/webhooks/"),
    "/removals/bulk": ({"numbers": "77001\n77002"}, "/removals/bulk"),
    "/jobs/preview": ({"action": "send", "employee": "1", "q": "Иван"}, "/jobs/preview"),
    "/jobs/1/start": ({"department": "Склад 7"}, "/jobs/1/start"),
    "/jobs/1/remove": ({"department": "Склад 7"}, "/jobs/1/start"),
    "/jobs/1/deactivate": ({"department": "Склад 7"}, "/jobs/1/start"),
    "/jobs/3/retry/remove": ({"confirm": "7"}, "/jobs/3/retry/remove"),
    "/imports/": ({"terminal_id": "1", "groups": "y"}, "/imports/"),
    "/imports/1/columns": (
        {"number": "1", "name": "0", "terminal_id": "1", "groups": "y", "mode": "new", "pad_to": "5"},
        "/imports/1/columns",
    ),
    "/imports/4/correct": ({"cell-3-0": "77002", "cell-3-2": "Двор"}, "/imports/4/correct"),
    "/imports/mappings/1": ({"name": "Кадры"}, "/imports/mappings/1"),
    "/imports/2/deactivate": ({"confirm": "7"}, "/imports/2/deactivate"),
    "/imports/3/undo/remove": ({"confirm": "7"}, "/imports/3/undo/remove"),
    f"{COMPARISON}/choose": ({"kind": "name", "action": "send", "number": "1"}, f"{COMPARISON}/choose"),
    f"{COMPARISON}/leave": ({"kind": "name", "number": "1", "reason": "гости"}, f"{COMPARISON}/leave"),
    f"{COMPARISON}/plan/answer": ({"answer-1": "leave"}, f"{COMPARISON}/plan/answer"),
    f"{COMPARISON}/plan/remove": ({"confirm": "3", "shown": PLAN}, f"{COMPARISON}/plan/remove"),
    "/erasures/": ({"number": "77001"}, "/erasures/number"),
    "/erasures/check": ({"certificate": "7", "number": "77001", "name": "Пётр Петров"}, "/erasures/check"),
    "/employees/new": (typed(), "/employees/"),
    f"/employees/{IVAN}/edit": (typed(full_name="Пётр Петров"), f"/employees/{IVAN}"),
    f"/employees/{IVAN}/cards": ({"number": "00aB12"}, f"/employees/{IVAN}/cards"),
    "/terminals/1/open-door": ({"reason": "курьер"}, "/terminals/1/open-door"),
    "/terminals/1/retire": ({"note": "сгорел в июле"}, "/terminals/1/retire"),
    "/groups/": ({"name": "Склад 7", "terminals": "1", "departments": "1", "added": "1"}, "/groups/"),
    "/groups/1": ({"name": "Склад 7", "terminals": "1", "department": "Новый"}, "/groups/1"),
    "/groups/draft": ({"name": "Склад 7", "terminals": "1", "find": "Иван"}, "/groups/"),
    "/groups/1/draft": ({"name": "Склад 7", "terminals": "1", "find": "Иван"}, "/groups/1"),
    "/groups/1/delete": ({"confirm": "1"}, "/groups/1/delete"),
    "/departments/": ({"name": "Склад 7"}, "/departments/"),
    "/departments/1": ({"name": "Склад 7"}, "/departments/1"),
    "/departments/merge/remove": ({"department": "2", "into": "1", "confirm": "7"}, "/departments/merge/remove"),
    "/captures/9/cancel": (typed(), "/employees/"),
    "/captures/dismiss": (typed(), "/employees/"),
    "/terminals/1/round/skip": (typed(), "/employees/"),
    "/terminals/1/round/pause": (typed(), "/employees/"),
    "/photo-drafts": (typed(), "/employees/"),
    "/photo-drafts/left": (typed(), "/employees/"),
    "/photo-drafts/drop": (typed(), "/employees/"),
}
# Buttons, and pages that are no form of somebody signed in, or carry another form themselves.
NOTHING_TYPED = {
    "account.change_password", "account.end_session", "account.sign_out_everywhere",
    "attention.mark_seen", "attention.retry", "audit.export",
    "terminals.allow_after_restore",
    "comparisons.discard", "comparisons.start", "comparisons.start_plan", "comparisons.start_undo",
    "comparisons.take_back",
    "captures.keep_draft", "captures.start_for", "confirmation.confirm", "consents.withdraw",
    "employees.delete", "employees.known", "employees.send",
    "employees.report_card_lost", "employees.take_card_away",
    "days.export", "departments.delete", "departments.merge", "employees.set_active", "enrolments.by_hand",
    "enrolments.replace",
    "enrolments.retry", "enrolments.somebody_else",
    "erasures.erase", "employees.export", "first_run.create",
    "imports.check", "imports.confirm", "imports.correct_from_file", "imports.delete_mapping", "imports.discard",
    "imports.fix", "imports.reopen", "imports.start", "imports.undo",
    "jobs.retry", "jobs.stop",
    "language.choose", "language.choose_in_form", "operators.reset_password",
    "operators.remove_factor", "passages.read_schedules",
    "second_factor.check", "second_factor.enrol", "second_factor.go_on",
    "second_factor.new_codes", "second_factor.switch_off",
    "push.receive", "settings.delete_passages", "settings.reset", "settings.send_test_mail",
    "sign_in.sign_in", "sign_in.sign_out", "terminals.check",
    "terminals.apply_decisions", "terminals.clear_destination", "terminals.delete", "terminals.read_privacy",
    "terminals.enrol_everybody", "terminals.put_right", "terminals.restore_people", "terminals.set_clock",
    "terminals.try_once",
    "tokens.revoke", "webhooks.delete", "webhooks.send_again", "webhooks.send_given_up", "webhooks.switch",
    "webhooks.test",
}  # fmt: skip


@pytest.fixture
def rows(app: Flask, terminal: object) -> None:  # noqa: ARG001
    """Ольга, who may sign in, Иван, a terminal with a comparison, the preview of a job, a job that was stopped, an
    import whose columns are chosen, and one with a wrong row. Doors may be opened.
    """
    app.config["DOOR"] = "operator"
    with app.app_context():
        add_operator("Ольга", OPERATOR)
        save_employee(Draft("1", "Иван"))
        registry.add("Склад")
        make_draft(DEPARTMENT, EmployeeFilter())
        add_import()
        mappings.save("Цех", ["ID"], {"number": 0}, DEFAULT)
        make_group("Склад", [1], added=["1"])
        save_employee(Draft("2", "Пётр", "Охрана"))
        make_group("Двор", [1], "Охрана")
        pyotr: dict[str, Any] = {"number": "2", "employee_id": 2, "verdict": "changed"}
        add_import(ImportRow(before={"left": False}, **pyotr))
        given = {"enrolments": [[1, None, True]], "former_enrolments": []}
        add_import(ImportRow(written=given, state=APPLIED, **pyotr))
        wrong = ImportRow(number="77!", verdict="wrong", cells=["77!", "Анна", "", ""])
        wrong.errors = {"number": refusal("number_invalid")}
        add_import(wrong)
        plan_choices.choose(add_comparison(1, {NAME: ["1"], ONLY_THERE: ["7", "8", "9"]}), ONLY_THERE, REMOVE)
        lifecycle.stop_job(started(DEACTIVATE, [2]).job_id)


def shows(page: str, path: str) -> bool:
    """True when the form shows what was typed, but for a secret, which it asks for again."""
    sent, action = FORMS[path]
    form = form_to(page, action)
    shown = {name: form.fields.get(name, "").replace("\r", "") for name in sent if name != "password"}
    asks = "password" not in sent or (form.fields["password"] == "" and 'id="password-error"' in page)
    return asks and shown == {name: value for name, value in sent.items() if name != "password"}


def entry_of(path: str) -> str:
    """The entry of the menu that the form of this path belongs to."""
    if path.startswith(("/employees/", "/captures", "/photo-drafts", "/departments/", "/imports/")):
        return "/employees/"
    if path.startswith("/jobs/"):
        return "/jobs/"
    return "/terminals/" if path.startswith(("/terminals/", "/groups/")) else "/administration"


def sign_in(browser: FlaskClient, asked: TestResponse, name: str = OPERATOR_NAME) -> TestResponse:
    """Sign in on the page that asks who is there."""
    return form_to(asked.text, "/sign-in").send(browser, ENGLISH, name=name, password=OPERATOR_PASSWORD)


@pytest.mark.usefixtures("rows")
@pytest.mark.usefixtures("one_is_many")
def test_form_that_comes_when_nobody_is_signed_in_is_shown_again(app: Flask) -> None:
    client_of(app)
    for path, (sent, _) in FORMS.items():
        browser = app.test_client()
        asked = browser.post(path, data=sent, headers=ENGLISH)

        shown = sign_in(browser, asked)

        assert (asked.status_code, shown.status_code) == (401, 200), path
        assert TERMINAL["password"] not in asked.text + shown.text
        assert "You are signed in again." in shown.text
        assert shows(shown.text, path), path
        assert present_entries(shown.text) == [entry_of(path)]


def test_every_form_is_among_these_or_known_to_hold_nothing_typed(app: Flask) -> None:
    posted = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())}
    pages = {endpoint for endpoint in posted if not endpoint.startswith("api")}
    shown = {app.url_map.bind("localhost").match(path, "POST")[0] for path in FORMS}

    assert shown | NOTHING_TYPED == pages
    assert shown & NOTHING_TYPED == set()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("path", ["/terminals/", "/operators/"])
def test_what_is_said_is_true_of_a_secret(app: Flask, path: str) -> None:
    client_of(app)
    browser = app.test_client()
    asked = browser.post(path, data=FORMS[path][0], headers=ENGLISH)
    pages = asked.text + sign_in(browser, asked).text

    assert ("Nothing typed is lost" in pages) is (path == "/operators/")
    assert ("everything else typed is kept" in pages) is (path == "/terminals/")
    assert ("type the terminal&#39;s password again, then press the button once more" in pages) is (
        path == "/terminals/"
    )


def test_password_that_was_not_typed_is_not_asked_for(app: Flask, rows: None) -> None:  # noqa: ARG001
    client_of(app)
    browser = app.test_client()
    asked = browser.post("/terminals/1", data={**TERMINAL, "password": ""}, headers=ENGLISH)

    assert 'id="password-error"' not in sign_in(browser, asked).text


def test_button_says_that_nothing_was_done(app: Flask, rows: None) -> None:  # noqa: ARG001
    client_of(app)
    headers = {**ENGLISH, "Referer": "http://localhost/audit/?actor=x"}

    asked = app.test_client().post("/audit/export", data={"actor": "x"}, headers=headers)

    assert "Press the button again." in asked.text
    assert form_to(asked.text, "/sign-in").fields["next"] == "/audit/?actor=x"


def test_form_about_somebody_deleted_meanwhile_leads_to_the_page_that_says_so(app: Flask, rows: None) -> None:  # noqa: ARG001
    client_of(app)
    browser, page = app.test_client(), "/employees/9/consent"
    headers = {**ENGLISH, "Referer": f"http://localhost{page}"}
    asked = browser.post(page, data=FORMS["/employees/1/consent"][0], headers=headers)

    answer = sign_in(browser, asked)

    assert answer.location == page
    gone = browser.get(page, headers=ENGLISH)
    assert gone.status_code == 404
    assert "Nothing typed is lost" not in gone.text


@pytest.mark.parametrize(("before", "after"), [
    ("/terminals/fingerprint", "/"), ("/jobs/preview", "/"), ("/nothing", "/"),
    ("/operators/1?x=1", "/operators/1?x=1"), ("/employees", "/employees"),
])  # fmt: skip
def test_what_only_takes_forms_is_no_page_to_go_on_to(app: Flask, before: str, after: str) -> None:
    client_of(app)

    asked = app.test_client().post("/audit/export", headers={"Referer": f"http://localhost{before}"})

    assert form_to(asked.text, "/sign-in").fields["next"] == after


def with_file(browser: FlaskClient, path: str, chosen: str, **also: str) -> TestResponse:
    """Press the button of an employee form, with a file of this name or without any."""
    data = {**typed(), "photo": FileStorage(io.BytesIO(FACE if chosen else b""), chosen, "photo"), **also}
    boundary, body = encode_multipart(data)
    return browser.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}", headers=ENGLISH)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("path", ["/employees/", f"/employees/{IVAN}"])
@pytest.mark.parametrize("chosen", ["face.jpg", ""])
def test_file_that_a_page_cannot_carry_is_asked_for_again(app: Flask, path: str, chosen: str) -> None:
    client_of(app)
    browser = app.test_client()
    asked = with_file(browser, path, chosen)

    shown = sign_in(browser, asked)

    assert form_to(shown.text, path).fields["full_name"] == typed()["full_name"]
    assert "Nothing typed is lost" in shown.text
    assert (FILE_AGAIN in shown.text) is bool(chosen)
    assert FILE_AGAIN not in browser.get("/employees/", headers=ENGLISH).text


@pytest.mark.usefixtures("one_is_many")
class TestOtherToken:
    """Signing in again in another tab makes the tokens of this one worthless."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"WTF_CSRF_ENABLED": True}

    @pytest.mark.usefixtures("rows")
    def test_form_is_shown_again_with_a_fresh_one(self, app: Flask) -> None:
        client = client_of(app)
        forms_again = []
        for path, (sent, action) in FORMS.items():
            shown = client.post(path, data={**sent, "csrf_token": "another"}, headers=ENGLISH)

            assert shown.status_code == 400, path
            assert "The page was open for too long, or cookies are off." in shown.text
            assert TERMINAL["password"] not in shown.text
            assert shows(shown.text, path), path
            forms_again.append(form_to(shown.text, action))

        assert 400 not in [form.send(client).status_code for form in forms_again]

    @pytest.mark.usefixtures("rows")
    @pytest.mark.parametrize("chosen", ["face.jpg", ""])
    def test_file_is_asked_for_again(self, app: Flask, chosen: str) -> None:
        shown = with_file(client_of(app), "/employees/", chosen, csrf_token="another")

        assert shown.status_code == 400
        assert (FILE_AGAIN in shown.text) is bool(chosen)

    @pytest.mark.usefixtures("rows")
    def test_it_shows_no_page_that_the_password_is_asked_for_first(self, app: Flask) -> None:
        client = client_of(app, confirmed=False)

        asked = client.post("/operators/", data={"name": "Борис", "role": ADMIN, "csrf_token": "x"}, headers=ENGLISH)

        assert asked.status_code == 400
        assert "Ольга" not in asked.text
        shown = form_to(asked.text, "/confirm").send(client, ENGLISH, password=OPERATOR_PASSWORD)
        assert "Your password is confirmed. Nothing typed is lost" in shown.text
        assert shows(shown.text, "/operators/")

    @pytest.mark.usefixtures("rows")
    def test_both_tabs_in_turn(self, app: Flask) -> None:
        client_of(app)
        browser = app.test_client()
        form_to(browser.get("/sign-in").text, "/sign-in").send(browser, name=OPERATOR_NAME, password=OPERATOR_PASSWORD)
        first = form_to(browser.get(f"/employees/{IVAN}/consent").text, f"/employees/{IVAN}/consent")
        browser.post("/sign-out", data={"csrf_token": first.fields["csrf_token"]})
        form_to(browser.get("/sign-in").text, "/sign-in").send(browser, name=OPERATOR_NAME, password=OPERATOR_PASSWORD)

        shown = first.send(browser, ENGLISH, note="папка 7", given_on="2026-01-15")
        form_to(shown.text, f"/employees/{IVAN}/consent").send(browser)

        with app.app_context():
            assert db.session.execute(db.select(Consent.note)).scalar_one() == "папка 7"


class TestChangeFirst:
    """An administrator gave another password in the middle of a form."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"WTF_CSRF_ENABLED": True}

    @pytest.fixture
    def client(self, app: Flask, rows: None) -> FlaskClient:  # noqa: ARG002
        """An operator who is signed in with a password that must be changed."""
        client = client_of(app, OPERATOR, "Ольга")
        with app.app_context():
            db.session.execute(db.update(Operator).values(must_change_password=True))
            db.session.commit()
        return client

    def change(self, form: Filled, client: FlaskClient, **changed: str) -> TestResponse:
        fields = {"password": OPERATOR_PASSWORD, "new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD, **changed}
        return form.send(client, ENGLISH, **fields)

    def asked(self, page: str) -> Filled:
        return form_to(page, "/account/password")

    def test_form_goes_through_the_question_and_is_shown_again(self, client: FlaskClient) -> None:
        page = client.post("/employees/", data=typed(), headers=ENGLISH)
        assert page.status_code == 403
        wrong = self.change(self.asked(page.text), client, password="wrong")
        stale = self.change(self.asked(wrong.text), client, csrf_token="another")
        assert (wrong.status_code, stale.status_code) == (422, 400)

        shown = self.change(self.asked(stale.text), client)

        assert "The password is changed. All other sessions have ended." in shown.text
        assert "Nothing typed is lost" in shown.text
        assert shows(shown.text, "/employees/")
        assert form_to(shown.text, "/employees/").send(client, without_face="1").location == "/employees/3"

    @pytest.mark.parametrize("chosen", ["face.jpg", ""])
    def test_file_is_asked_for_again(self, client: FlaskClient, chosen: str) -> None:
        page = with_file(client, "/employees/", chosen)

        assert (FILE_AGAIN in self.change(self.asked(page.text), client).text) is bool(chosen)

    def test_form_that_came_when_signed_out_goes_through_both_questions(self, app: Flask, client: FlaskClient) -> None:
        client.delete_cookie("hikflask")
        asked = client.post("/employees/", data=typed(), headers=ENGLISH)

        page = sign_in(client, asked, "Ольга")

        assert shows(self.change(self.asked(page.text), client).text, "/employees/")
        with app.app_context():
            assert not operators.by_name("Ольга").must_change_password  # type: ignore[union-attr]

    @pytest.mark.parametrize("page", ["/employees/?q=%D0%98&page=2", "/removals/", "/"])
    def test_change_leads_on_to_the_page_that_was_asked_for(self, client: FlaskClient, page: str) -> None:
        form = self.asked(client.get(page, follow_redirects=True).text)

        assert self.change(form, client).location == page

    def test_change_by_choice_leads_back_to_the_account(self, app: Flask) -> None:
        client = client_of(app, OPERATOR)

        assert self.change(self.asked(client.get("/account/password").text), client).location == "/account/"

    def test_change_leads_to_no_other_site(self, client: FlaskClient) -> None:
        form = self.asked(client.get("/account/password?next=//evil.example").text)

        assert self.change(form, client, next="//evil.example").location == "/"

    def test_button_says_that_nothing_was_done(self, client: FlaskClient) -> None:
        headers = {**ENGLISH, "Referer": f"http://localhost/employees/{IVAN}"}
        page = client.post(f"/employees/{IVAN}/active", data={"active": "0"}, headers=headers)

        assert "Nothing is done yet: choose your password, then press the button again." in page.text
        assert self.change(self.asked(page.text), client).location == f"/employees/{IVAN}"

    def test_page_has_no_links_that_only_lead_back(self, client: FlaskClient) -> None:
        page = client.get("/account/password").text.partition("<body>")[2]

        assert re.findall(r"<a [^>]*href=\"([^\"]*)", page) == ["#main"]
        assert [form.action for form in forms(page)] == ["/account/password", "/sign-out"]

    def test_capture_button_asks_in_place(self, client: FlaskClient) -> None:
        page = client.post("/captures", data=typed(), headers={**HTMX, **ENGLISH})

        assert (page.status_code, page.headers["HX-Retarget"]) == (403, "#main")
        assert "<html" not in page.text
        assert shows(self.change(self.asked(page.text), client).text, "/captures")

    def test_page_that_asks_by_itself_goes_to_the_question_and_comes_back(self, client: FlaskClient) -> None:
        headers = {**HTMX, "HX-Current-URL": "http://localhost/employees/new?capture=7"}

        answer = client.get("/captures/7", headers=headers)

        assert answer.headers["HX-Redirect"] == "/account/password?next=/employees/new?capture%3D7"
        assert answer.text == ""

    @pytest.mark.parametrize("way", [("POST", "/captures/draft"), ("GET", "/employees/?q=x")])
    def test_anything_else_by_htmx_leaves_the_page_alone(self, client: FlaskClient, way: tuple[str, str]) -> None:
        answer = client.open(way[1], method=way[0], headers={**HTMX, **ENGLISH})

        assert (answer.status_code, answer.headers["HX-Retarget"]) == (403, "#problem")
        assert "Your password must be changed first." in answer.text
        assert 'target="_blank"' in answer.text

    def test_nothing_is_done_meanwhile(self, app: Flask, client: FlaskClient) -> None:
        client.post("/employees/", data=typed())

        with app.app_context():
            assert db.session.execute(db.select(Employee.number)).scalars().all() == ["1", "2"]
