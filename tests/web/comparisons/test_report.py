"""The page of a plan's job: for whom what was done, and for whom not and why."""

import re

from flask import Flask

from hikflask.extensions import db
from hikflask.models import JobItem
from hikflask.models.accounts import VIEWER
from hikflask.models.job import DONE
from tests.support.compared import PAGE, ComparisonDesk, add_strangers
from tests.support.filled_forms import form_to
from tests.support.jobs import add_people
from tests.support.signed_in import client_of


def test_report_names_who_was_taken_over_and_who_was_not_and_why(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "1", "2", "3")
    with app.app_context():
        add_people("3")
    at.compare()
    at.choose("only_there", "take_over")
    job = form_to(at.english(f"{PAGE}/plan"), f"{PAGE}/plan").send(at.client).location
    assert 'hx-trigger="every 1s"' in at.english(job)

    at.run_jobs()

    page = at.english(job)
    assert "Taken from the terminal: 2 people" in page
    assert '<a id="done-1" href="/employees/2"><bdi>Гость 1</bdi></a>' in page
    assert "ID 3 is “Гость 3” on the terminal and “Иван Иванов 3” here. Confirm the choice." in page
    assert 'id="done-1"' in at.english(f"{job}/state")
    page_of_before = at.client.get(f"{PAGE}{job}")
    assert (page_of_before.status_code, page_of_before.location) == (303, job)
    viewer = client_of(app, VIEWER).get(job).text
    assert [words in viewer for words in ("Взято с терминала", "Гость", 'id="compare"', "/undo")] == [False] * 4


def test_report_of_very_many_goes_on_page_by_page(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "1")
    at.compare()
    at.choose("only_there", "take_over")
    job = form_to(at.english(f"{PAGE}/plan"), f"{PAGE}/plan").send(at.client).location
    at.run_jobs()
    with app.app_context():
        more = {"job_id": int(job.rpartition("/")[2]), "action": "take_over", "state": DONE}
        db.session.add_all(JobItem(number=f"M{number}", **more) for number in range(60))
        db.session.commit()

    page = at.english(job)
    (follows,) = re.findall(r'id="more-take_over" href="([^"#]*)', page)

    assert "Taken from the terminal: 61 people" in page
    assert page.count('id="item-') == 50
    assert at.english(follows.replace("&amp;", "&")).count('id="item-') == 11


def test_job_of_something_else_is_no_plan(at: ComparisonDesk) -> None:
    at.compare()

    assert at.client.get(f"{PAGE}/jobs/1").status_code == 404
    assert at.client.get(f"{PAGE}/jobs/99").status_code == 404
