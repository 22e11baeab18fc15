"""From the dry run to the import and back: started once, by whom it may be, stopped, undone, or given up."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee, ImportBatch, ImportRow, Job, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.models.columns import database_now
from hikflask.models.import_batch import APPLIED, OPEN
from hikflask.models.job import FAILED
from hikflask.services.captures.drafts import Draft
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as SimulatedTerminal
from tests.support.desk import ENGLISH
from tests.support.enrolments import enrol
from tests.support.filled_forms import form_to
from tests.support.import_batches import add_import, table, upload
from tests.support.imports import apply, checked
from tests.support.jobs import add_people
from tests.support.refusals import refusal
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

RunJobs = Callable[[], int]
PAGE = "/imports/1"


@pytest.fixture
def check(client: FlaskClient, run_jobs: RunJobs, worker_alive: None) -> Callable[..., None]:  # noqa: ARG001
    """Upload a table of these rows, and have it checked."""

    def checked(*rows: str) -> None:
        upload(client, table(*rows))
        form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)
        run_jobs()

    return checked


def people(app: Flask) -> dict[str, tuple[str, bool]]:
    with app.app_context():
        found = db.session.execute(db.select(Employee)).scalars()
        return {employee.number: (employee.name, employee.is_active) for employee in found}


def kinds(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(job.kind, job.state) for job in db.session.execute(db.select(Job).order_by(Job.id)).scalars()]


def test_import_is_started_once_and_undone_once(
    app: Flask, client: FlaskClient, check: Callable[..., None], run_jobs: RunJobs
) -> None:
    with app.app_context():
        add_people("2")
    check("1;Иван Петров;Охрана;", "2;Анна Петрова;;", "3!;Пётр;;")
    dry_run = client.get(PAGE, headers=ENGLISH).text
    assert 'href="/help/en/imports.html#the-dry-run"' in dry_run
    form = form_to(dry_run, f"{PAGE}/start")

    answers = [form.send(client) for _ in range(2)]
    run_jobs()
    answers.append(form.send(client))

    assert [(one.status_code, one.location) for one in answers] == [(303, PAGE)] * 3
    assert people(app) == {"1": ("Иван Петров", True), "2": ("Анна Петрова", True)}
    report = client.get(PAGE, headers=ENGLISH).text
    assert "The job is done." in report
    assert 'href="/help/en/imports.html#after-the-import"' in report
    assert f'href="{PAGE}/undo"' in report
    assert f'href="{PAGE}/wrong"' in report

    question = client.get(f"{PAGE}/undo", headers=ENGLISH).text
    assert "2 rows will be undone." in question
    undo = form_to(question, f"{PAGE}/undo")
    answers = [undo.send(client) for _ in range(2)]
    run_jobs()
    answers.append(undo.send(client))

    assert [(one.status_code, one.location) for one in answers] == [(303, PAGE)] * 3
    assert people(app) == {"2": ("Иван Иванов 2", True)}
    assert kinds(app) == [("import_check", "done"), ("import", "done"), ("import_undo", "done")]
    assert "Undoing of an import" in client.get(PAGE, headers=ENGLISH).text


def test_question_of_the_dry_run_leads_to_the_columns_and_not_to_the_same_question(
    app: Flask, client: FlaskClient, check: Callable[..., None]
) -> None:
    check("1;Иван Петров;Охрана;")
    with app.app_context():
        params = {"batch": 1, "refusal": refusal("column_unclear", columns="“Left”")}
        db.session.execute(db.update(Job).values(state=FAILED, params=params))
        db.session.execute(db.update(ImportBatch).values(checked_at=None))
        db.session.commit()

    page = client.get(PAGE, headers=ENGLISH).text

    assert "Check again" not in page
    assert 'class="btn btn-primary" id="import-reopen" type="submit">Back to the columns<' in page


def test_way_back_leads_to_the_columns_as_they_were_chosen(
    app: Flask, client: FlaskClient, check: Callable[..., None], run_jobs: RunJobs
) -> None:
    check("1;Иван Петров;Охрана;")
    client.post(f"{PAGE}/reopen")
    columns = form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns")
    columns.send(client, department="")
    run_jobs()
    page = client.get(PAGE, headers=ENGLISH).text

    assert "Back to the columns" in page
    answers = [form_to(page, f"{PAGE}/reopen").send(client) for _ in range(2)]
    assert [(one.status_code, one.location) for one in answers] == [(303, PAGE)] * 2
    assert client.get(PAGE).location == f"{PAGE}/columns"
    fields = form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").fields
    assert [fields[name] for name in ("number", "name", "department", "left")] == ["0", "1", "", "3"]
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch.new)).scalar_one() == 0


def test_way_back_says_that_the_file_is_gone(app: Flask, client: FlaskClient, check: Callable[..., None]) -> None:
    check("1;Иван Петров;Охрана;")
    with app.app_context():
        db.session.execute(db.update(ImportBatch).values(table_file=""))
        db.session.commit()

    page = client.post(f"{PAGE}/reopen", headers=ENGLISH, follow_redirects=True).text

    assert "The uploaded file is not kept any more. Upload it again." in page
    assert form_to(page, f"{PAGE}/start").action == f"{PAGE}/start"


def test_question_says_who_was_changed_since_and_stays(
    app: Flask, client: FlaskClient, check: Callable[..., None], run_jobs: RunJobs
) -> None:
    check("1;Иван Петров;Охрана;", "2;Анна Петрова;;")
    client.post(f"{PAGE}/start")
    run_jobs()
    with app.app_context():
        db.session.execute(db.update(Employee).where(Employee.number == "2").values(name="Анна Сидорова"))
        db.session.commit()

    english, russian = client.get(f"{PAGE}/undo", headers=ENGLISH).text, client.get(f"{PAGE}/undo").text

    assert "1 row will be undone. New employees are deleted again" in english
    assert "Somebody changed these employees since the import, so they stay as they are: 1 row." in english
    assert "После импорта этих сотрудников меняли, поэтому они останутся как есть: 1 строка." in russian
    form_to(english, f"{PAGE}/undo").send(client)
    run_jobs()
    assert people(app) == {"2": ("Анна Сидорова", True)}


def test_rows_that_were_imported_after_the_question_are_not_undone(
    app: Flask, client: FlaskClient, check: Callable[..., None], run_jobs: RunJobs
) -> None:
    check("1;Иван Петров;Охрана;", "2;Анна Петрова;;")
    client.post(f"{PAGE}/start")
    run_jobs()

    def set_state(number: str, state: str) -> None:
        with app.app_context():
            db.session.execute(db.update(ImportRow).where(ImportRow.number == number).values(state=state))
            db.session.commit()

    set_state("2", OPEN)
    question = client.get(f"{PAGE}/undo", headers=ENGLISH).text
    assert "1 row will be undone." in question
    set_state("2", APPLIED)

    void = form_to(question, f"{PAGE}/undo").send(client, ENGLISH)
    assert void.location == f"{PAGE}/undo"
    changed = "This has changed since it was shown. Nothing is done: check it again."
    assert changed in client.get(f"{PAGE}/undo", headers=ENGLISH).text
    run_jobs()
    assert sorted(people(app)) == ["1", "2"]


class TestLeavers:
    """An import that deactivates people is an administrator's, who gives the password again."""

    @pytest.fixture(autouse=True)
    def two_leave(self, app: Flask, check: Callable[..., None]) -> None:
        with app.app_context():
            add_people("1", "2", "3")
        check("1;Иван Иванов 1;;да", "2;Иван Иванов 2;;уволен")

    def test_how_many_is_said_and_an_operator_is_refused(self, app: Flask) -> None:
        operator = client_of(app, OPERATOR)
        page = operator.get(PAGE, headers=ENGLISH).text

        assert "To be deactivated and removed from all terminals: 2 employees." in page
        assert "Only an administrator can import this." in page
        assert "import-start" not in page
        assert operator.post(f"{PAGE}/start").status_code == 403
        assert operator.post(f"{PAGE}/deactivate").status_code == 403
        assert {active for _, active in people(app).values()} == {True}

    def test_password_is_asked_for_first(self, app: Flask, run_jobs: RunJobs) -> None:
        client = client_of(app, ADMIN, confirmed=False)
        asked = form_to(client.get(PAGE).text, f"{PAGE}/deactivate").send(client)
        assert (asked.status_code, kinds(app)) == (403, [("import_check", "done")])

        answer = form_to(asked.text, f"{PAGE}/deactivate").send(client, own_password=OPERATOR_PASSWORD)
        run_jobs()

        assert (answer.status_code, answer.location) == (303, PAGE)
        assert {number: active for number, (_, active) in people(app).items()} == {"1": False, "2": False, "3": True}


def test_stopped_import_goes_on(app: Flask, client: FlaskClient, check: Callable[..., None], run_jobs: RunJobs) -> None:
    check("1;Иван Петров;Охрана;", "2;Анна Петрова;;")
    client.post(f"{PAGE}/start")
    client.post("/jobs/2/stop")
    page = client.get(PAGE, headers=ENGLISH).text
    assert "Go on with the import" in page
    assert "Not finished" in client.get("/imports/", headers=ENGLISH).text

    form_to(page, f"{PAGE}/start").send(client)
    run_jobs()

    assert sorted(people(app)) == ["1", "2"]


@pytest.mark.parametrize(("done", "failed", "applied", "offered"), [(1, 0, "", False), (1, 1, "applied", True)])
def test_undo_is_offered_where_something_is_imported_whatever_the_last_job_counted(
    app: Flask, client: FlaskClient, done: int, failed: int, applied: str, offered: bool
) -> None:
    with app.app_context():
        counts = {"done": done, "failed": failed, "total": 2, "started_at": database_now(), "ended_at": database_now()}
        job = Job(kind="import", state="failed", params={"batch": 1}, **counts)
        db.session.add(job)
        db.session.flush()
        add_import(ImportRow(number="1", verdict="new", state=applied), import_job_id=job.id)

    page, question = client.get(PAGE, headers=ENGLISH).text, client.get(f"{PAGE}/undo")

    assert ("Undo the import" in page) is offered
    assert question.status_code == (200 if offered else 303)


def test_import_is_given_up_before_it_is_started_and_not_after(
    app: Flask, client: FlaskClient, check: Callable[..., None]
) -> None:
    check("1;Иван Петров;Охрана;")
    page = client.get(PAGE).text

    answer = form_to(page, f"{PAGE}/discard").send(client, ENGLISH)

    assert (answer.status_code, answer.location) == (303, "/employees/")
    assert "Nothing was imported. The files are deleted." in client.get("/employees/", headers=ENGLISH).text
    assert client.get(PAGE).status_code == 404
    assert people(app) == {}
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).scalars().all() == []


def test_dry_run_that_is_given_up_stops(app: Flask, client: FlaskClient, run_jobs: RunJobs) -> None:
    upload(client, table("1;Иван Петров;Охрана;"))
    form_to(client.get(f"{PAGE}/columns").text, f"{PAGE}/columns").send(client)

    client.post(f"{PAGE}/discard")
    run_jobs()

    assert kinds(app) == [("import_check", "stopped")]


def test_faces_that_an_undo_does_not_bring_back_are_said_first(
    app: Flask, client: FlaskClient, simulator: SimulatedTerminal, terminal: Terminal
) -> None:
    with app.app_context():
        enrol(simulator, terminal, Draft("1", "Анна Ким"))
        reconcile(enrol(simulator, terminal, Draft("2", "Олег Юн")).id, "Анна")
        apply(checked("1;да", "2;да", header="ID;Уволен"))

    english, russian = client.get(f"{PAGE}/undo", headers=ENGLISH).text, client.get(f"{PAGE}/undo").text

    assert (
        "The undo cannot bring back these faces: the terminals take no photo files. "
        "Take the photos of these people there again."
    ) in english
    assert (
        "<li>“Вход”: 2 employees (Анна Ким, Олег Юн). Not removed there yet: 2. "
        "If the undo is faster, their faces may stay.</li>"
    ) in english
    assert (
        "Эти лица отмена не вернёт: терминалы не принимают фото из файла. "
        "Сфотографируйте этих людей на терминалах заново."
    ) in russian
    assert (
        "<li>«Вход»: 2 сотрудника (Анна Ким, Олег Юн). Ещё не удалены оттуда: 2. "
        "Если отмена успеет раньше, их лица могут остаться.</li>"
    ) in russian
