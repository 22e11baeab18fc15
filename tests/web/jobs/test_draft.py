"""From the selection on the list to a started job: shown first, fixed with the preview, started once."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Consent, Employee, Job, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.job import DONE, DRAFT, WAITING
from hikflask.services.core.dates import today
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.simulator import Terminal as Simulated
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.jobs import add_people
from tests.support.signed_in import client_of

RunJobs = Callable[[], int]


@pytest.fixture
def people(app: Flask) -> list[int]:
    """Four in one department."""
    with app.app_context():
        return add_people("1", "2", "3", "4", department="Охрана")


def preview(client: FlaskClient, action: str, **form: object) -> str:
    """Press a button of the selection and return the address of the preview."""
    answer = client.post("/jobs/preview", data={"action": action, **form})
    assert answer.status_code == 303, answer.text
    return answer.location


def jobs(app: Flask) -> list[Job]:
    with app.app_context():
        return list(db.session.execute(db.select(Job).order_by(Job.id)).scalars())


def active(app: Flask) -> list[str]:
    with app.app_context():
        statement = db.select(Employee.number).where(Employee.is_active).order_by(Employee.number)
        return list(db.session.execute(statement).scalars())


def test_preview_says_what_would_be_done_to_whom_and_changes_nothing(
    app: Flask, client: FlaskClient, people: list[int]
) -> None:
    page = preview(client, "deactivate", employee=people[:2])

    english, russian = client.get(page, headers=ENGLISH).text, client.get(page).text

    assert "To be deactivated and removed from all terminals: 2 employees." in english
    assert "Деактивация и удаление со всех терминалов: 2 сотрудника." in russian
    assert "Иван Иванов 1" in russian
    assert "Иван Иванов 3" not in russian
    assert [job.state for job in jobs(app)] == [DRAFT]
    assert active(app) == ["1", "2", "3", "4"]


def test_all_that_match_are_meant_as_they_were_when_they_were_counted(
    app: Flask, client: FlaskClient, people: list[int], run_jobs: RunJobs
) -> None:
    page = preview(client, "deactivate", all="1", department="Охрана", employee=people[:1])
    assert "4 employees" in client.get(page, headers=ENGLISH).text
    with app.app_context():
        add_people("5", department="Охрана")

    client.post(f"{page}/deactivate")
    run_jobs()

    assert active(app) == ["5"]


def test_more_than_fifty_are_counted_instead_of_named(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_people(*(f"{number:03}" for number in range(52)))

    page = preview(client, "department", all="1")

    assert "and 2 employees more" in client.get(page, headers=ENGLISH).text
    assert client.get(page).text.count('class="row-link"') == 50


@pytest.mark.parametrize(("language", "sentence"), [
    ("en", "Nobody is selected. Tick the employees first."),
    ("ru", "Никто не выбран. Сначала отметьте сотрудников."),
])  # fmt: skip
def test_nobody_selected_leads_back_to_the_list_as_it_was_filtered(
    client: FlaskClient, people: list[int], language: str, sentence: str
) -> None:
    assert people
    spoken = {"Accept-Language": language}
    form = {"action": "send", "department": "Охрана", "employee": "x"}

    answer = client.post("/jobs/preview", data=form, headers=spoken)

    assert (answer.status_code, answer.location) == (303, "/employees/?department=%D0%9E%D1%85%D1%80%D0%B0%D0%BD%D0%B0")
    assert sentence in client.get("/employees/", headers=spoken).text


@pytest.mark.parametrize("form", [{"action": "erase"}, {}, {"action": "department", "state": "odd", "all": "1"}])
def test_unknown_action_and_wrong_filter_are_refused(
    app: Flask, client: FlaskClient, people: list[int], form: dict[str, str]
) -> None:
    assert client.post("/jobs/preview", data={"employee": people, **form}).status_code == 422
    assert jobs(app) == []


def test_employees_who_are_gone_are_nobody_to_do_it_for(client: FlaskClient) -> None:
    page = preview(client, "deactivate", employee=["999"])

    assert "There is nobody to do this for." in client.get(page, headers=ENGLISH).text
    assert client.post(f"{page}/deactivate").status_code == 409


def test_department_is_typed_in_the_preview(
    app: Flask, client: FlaskClient, people: list[int], run_jobs: RunJobs
) -> None:
    page = preview(client, "department", employee=people[:3])
    assert '<option value="Охрана">' in client.get(page).text
    refused = client.post(f"{page}/start", data={"department": "x" * 129}, headers=ENGLISH)
    assert refused.status_code == 422
    assert "“Department” is too long: at most 128 characters." in refused.text

    client.post(f"{page}/start", data={"department": " Склад "})
    run_jobs()

    with app.app_context():
        found = db.session.execute(db.select(Employee.department).order_by(Employee.id)).scalars().all()
    assert found == ["Склад", "Склад", "Склад", "Охрана"]
    assert "Change of department to “Склад”" in client.get(page, headers=ENGLISH).text


def test_department_typed_in_another_spelling_is_the_known_one(
    app: Flask, client: FlaskClient, people: list[int], run_jobs: RunJobs
) -> None:
    with app.app_context():
        add_people("5", department="Склад")
    page = preview(client, "department", employee=people[:1])

    told = client.post(f"{page}/start", data={"department": "склад"}, headers=ENGLISH, follow_redirects=True).text
    run_jobs()

    assert "The department is saved as “Склад”." in re.sub("[\u2068\u2069]", "", told)
    assert "Change of department to “Склад”" in told
    assert [one["department"] for one in client.get("/api/users/?department=СКЛАД").get_json()] == ["Склад", "Склад"]


def test_terminal_is_chosen_in_the_preview_which_says_what_a_terminal_without_files_gets(
    app: Flask, client: FlaskClient, people: list[int], terminal: Terminal, simulator: Simulated, run_jobs: RunJobs
) -> None:
    page = preview(client, "send", employee=people[:1])
    shown = client.get(page, headers=ENGLISH).text
    assert "without a face: it takes no photo files. Take a photo there." in shown
    refused = client.post(f"{page}/start", data={"terminal_id": "99"}, headers=ENGLISH)
    assert (refused.status_code, "“Terminal” must be one of the list." in refused.text) == (422, True)

    client.post(f"{page}/start", data={"terminal_id": str(terminal.id)})
    run_jobs()

    assert [job.params["terminal"] for job in jobs(app)] == ["Вход"]
    assert list(simulator.people) == ["1"]


def test_without_a_terminal_nothing_can_be_sent(client: FlaskClient, people: list[int]) -> None:
    page = preview(client, "send", employee=people)

    assert "There is no terminal in use to send anybody to." in client.get(page, headers=ENGLISH).text


def test_operator_records_the_consent_of_many_and_the_page_says_of_how_many(
    app: Flask, people: list[int], run_jobs: RunJobs
) -> None:
    client = client_of(app, OPERATOR)
    with app.app_context():
        consents.record(people[0], Given(date(2026, 1, 5)))
        set_active(people[3], active=False)

    page = preview(client, "consent", employee=people)

    english, russian = client.get(page, headers=ENGLISH).text, client.get(page).text
    assert (
        "To be recorded, as consent given today: 2 employees. Inactive, so nothing is done for them: 1 employee. "
        "Their consent is recorded already, and stays: 1 employee."
    ) in english
    assert (
        "Согласие с сегодняшней датой: 2 сотрудника. Неактивны и не будут затронуты: 1 сотрудник. "
        "Согласие уже записано и остаётся как есть: 1 сотрудник."
    ) in russian
    assert client_of(app, VIEWER).post(f"{page}/start").status_code == 403
    client.post(f"{page}/start")
    run_jobs()

    with app.app_context():
        days = {row.employee_id: row.given_on for row in db.session.execute(db.select(Consent)).scalars()}
        assert days == {people[0]: date(2026, 1, 5), people[1]: today(), people[2]: today()}
    assert [(job.state, job.done, job.failed) for job in jobs(app)] == [(DONE, 2, 0)]


def test_operators_deactivate_nobody_in_bulk(app: Flask, people: list[int]) -> None:
    admin, operator = client_of(app), client_of(app, OPERATOR)
    page = preview(admin, "deactivate", employee=people)

    answers = [
        operator.post("/jobs/preview", data={"action": "deactivate", "employee": people}),
        operator.post(f"{page}/deactivate"),
        operator.post(f"{page}/start"),
        admin.post(f"{page}/start"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert operator.get(page).status_code == 404
    assert [job.state for job in jobs(app)] == [DRAFT]


def test_only_a_deactivation_is_started_as_one(app: Flask, client: FlaskClient, people: list[int]) -> None:
    page = preview(client, "department", employee=people)

    assert client.post(f"{page}/deactivate").status_code == 404
    assert [job.state for job in jobs(app)] == [DRAFT]


def test_what_is_only_looked_at_is_not_started(app: Flask, client: FlaskClient, people: list[int]) -> None:
    page = preview(client, "print", employee=people).removesuffix("/print")

    assert client.post(f"{page}/start").status_code == 409
    assert [job.state for job in jobs(app)] == [DRAFT]


def test_password_question_keeps_the_selection(app: Flask, people: list[int]) -> None:
    client = client_of(app, confirmed=False)
    page = preview(client, "deactivate", employee=people)

    asked = client.post(f"{page}/deactivate")

    assert asked.status_code == 403
    assert form_to(asked.text, f"{page}/deactivate")
    assert [job.state for job in jobs(app)] == [DRAFT]


def test_selection_sent_after_the_session_ended_is_shown_to_be_sent_again(app: Flask, people: list[int]) -> None:
    client_of(app)
    stranger = app.test_client()
    many = [*map(str, people), *(str(number) for number in range(1000, 1046))]

    asked = stranger.post("/jobs/preview", data={"action": "send", "employee": many, "q": "Иван"}, headers=ENGLISH)
    fields = form_to(asked.text, "/sign-in").fields
    shown = stranger.post(
        "/sign-in", data={**fields, "name": "Анна", "password": "лодка под синим мостом"}, headers=ENGLISH
    )

    again = form_to(shown.text, "/jobs/preview")
    assert "50 employees" in shown.text
    assert again.fields["q"] == "Иван"
    assert shown.text.count('name="employee"') == 50
    assert jobs(app) == []


def test_started_job_waits_for_its_worker(app: Flask, client: FlaskClient, people: list[int]) -> None:
    page = preview(client, "department", employee=people)
    client.post(f"{page}/start", data={"department": ""})

    assert [job.state for job in jobs(app)] == [WAITING]
    assert "No worker is running on the server, so the job waits." in client.get(page, headers=ENGLISH).text
