"""Undoing a taking-over by the pages: offered at its report, asked about, and started once."""

import re

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.accounts import VIEWER
from tests.support.compared import PAGE, ComparisonDesk, add_strangers
from tests.support.desk import ENGLISH
from tests.support.filled_forms import Filled, form_to
from tests.support.signed_in import client_of

PLAN = f"{PAGE}/plan"


@pytest.fixture
def job(at: ComparisonDesk) -> str:
    """The address of a job that took two people over."""
    add_strangers(at.simulator, "7", "8")
    at.compare()
    at.choose("only_there", "take_over")
    address = form_to(at.english(PLAN), PLAN).send(at.client).location
    at.run_jobs()
    return address


def test_undo_is_found_by_the_list_of_jobs_too(app: Flask, at: ComparisonDesk, job: str) -> None:
    assert f'href="{job}"' in at.client.get("/jobs/").text
    assert f'href="{PAGE}{job}/undo"' in at.client.get(job).text
    assert f'href="{PAGE}{job}/undo"' not in client_of(app, VIEWER).get(job).text


def numbers(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.execute(db.select(Employee.number).order_by(Employee.number)).scalars())


def test_taking_over_is_undone_once_after_a_question(app: Flask, at: ComparisonDesk, job: str) -> None:
    assert f'href="{PAGE}{job}/undo"> ' in re.sub("<svg.*?</svg>", "", at.english(job))
    english, russian = at.english(f"{PAGE}{job}/undo"), at.client.get(f"{PAGE}{job}/undo").text
    for page, sentences in (
        (
            english,
            (
                "Taking over will be undone: 2 people. Employees who came in by it are deleted here, others get "
                "back name, days and photo.",
                "Nothing is done at the terminal: these people can still open its doors, with their cards and "
                "fingerprints, too. Its comparison shows them as people who are only there.",
            ),
        ),
        (
            russian,
            (
                "Приём отменится: 2 человека. Добавленные при этом сотрудники удаляются здесь, остальным возвращаются "
                "имя, срок и фото.",
                "На терминале ничего не меняется: эти люди по-прежнему могут открывать его двери, в том числе картой и "
                "пальцем. Сверка покажет, что они есть только там.",
            ),
        ),
    ):
        assert [sentence in page for sentence in sentences] == [True, True]
        assert "so they stay as they are" not in page

    form = form_to(english, f"{PAGE}{job}/undo")
    answers = [form.send(at.client) for _ in range(2)]
    at.run_jobs()

    assert [answer.location for answer in answers] == ["/jobs/4", "/jobs/4"]
    assert "Undoing of a taking-over from “Вход”" in at.client.get("/jobs/4", headers=ENGLISH).text
    assert numbers(app) == []
    assert list(at.simulator.people) == ["7", "8"]
    assert f"{PAGE}{job}/undo" not in at.english(job)
    assert at.client.get(f"{PAGE}{job}/undo").location == job
    form.send(at.client, ENGLISH)
    assert "Nobody is left to undo: nobody was taken over, or all of it is undone already." in at.english(job)


def test_question_says_who_stays_and_others_than_were_shown_are_not_undone(
    app: Flask, at: ComparisonDesk, job: str
) -> None:
    with app.app_context():
        db.session.execute(db.update(Employee).where(Employee.number == "7").values(name="Анна Ким"))
        db.session.commit()
    page = at.english(f"{PAGE}{job}/undo")
    assert (
        "Somebody changed these since, or they cannot be undone, so they stay as they are: 1 person. "
        "The report says why."
    ) in page
    form = form_to(page, f"{PAGE}{job}/undo")

    late = Filled(form.action, form.fields.copy()).send(at.client, ENGLISH, people="3")
    assert late.location == f"{PAGE}{job}/undo"
    assert "This has changed since it was shown. Nothing is done: check it again." in at.english(f"{PAGE}{job}/undo")
    form.send(at.client)
    at.run_jobs()

    assert numbers(app) == ["7"]
    report = at.client.get("/jobs/4", headers=ENGLISH).text
    assert "The employee was changed meanwhile, so nothing was done." in report


def test_only_the_job_of_a_plan_at_its_own_terminal_is_undone(app: Flask, at: ComparisonDesk, job: str) -> None:
    assert at.client.get(f"{PAGE}/jobs/1/undo").status_code == 404
    assert at.client.post(f"{PAGE}/jobs/9/undo").status_code == 404
    assert client_of(app, VIEWER, "Ольга").get(f"{PAGE}{job}/undo").status_code == 403
