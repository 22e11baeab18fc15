"""The page of a job: how far it is, the stop, and the report of who failed and why; and the list of all jobs."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Enrolment, Job, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.models.job import FAILED, NewItem
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEACTIVATE, DEPARTMENT, GROUPS, SEND
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from hikflask.web.jobs import jobs
from tests.support.desk import ENGLISH, HTMX
from tests.support.jobs import add_people, confirm, looked_again, run, started
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

EVERY = re.compile(r'hx-trigger="every (\d+)s"')


@pytest.fixture
def claim(app: Flask, worker_alive: None) -> Claim:  # noqa: ARG001
    """A job for two, started."""
    with app.app_context():
        return started(DEPARTMENT, add_people("1", "2"), department="Охрана")


def page(client: FlaskClient, claim: Claim, **headers: str) -> str:
    return client.get(f"/jobs/{claim.job_id}", headers=headers or ENGLISH).text


def test_page_shows_how_far_it_is_and_asks_again_by_itself(app: Flask, client: FlaskClient, claim: Claim) -> None:
    with app.app_context():
        run_slice(claim, seconds=0.0)

    shown = page(client, claim)

    assert 'role="img" aria-label="Done: 1 of 2, waiting: 1">' in shown
    assert '<rect class="job-part-none" x="50.0" y="0" width="50.0" height="10"/>' in shown
    assert "The job is running. You may leave this page: it goes on." in shown
    assert "Задание выполняется. Страницу можно закрыть: оно продолжится." in page(client, claim, Host="localhost")
    assert EVERY.findall(shown) == ["1"]
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in shown
    fragment = client.get(f"/jobs/{claim.job_id}/state", headers={**HTMX, **ENGLISH}).text
    assert fragment.lstrip().startswith('<section id="job"')
    assert 'id="job-stop"' in fragment


def test_page_of_a_job_that_ended_asks_no_more_and_cannot_be_stopped(
    app: Flask, client: FlaskClient, claim: Claim
) -> None:
    with app.app_context():
        run(claim)

    shown = page(client, claim)

    assert "The job is done." in shown
    assert (EVERY.findall(shown), "noscript" in shown, "job-stop" in shown) == ([], False, False)


@pytest.mark.parametrize(
    ("people", "gone", "english", "russian"),
    [
        (8, 8, "Failed for all 8", "Не выполнено: ошибки у всех 8"),
        (1, 1, "Failed", "Не выполнено"),
        (3, 1, "Partly done", "Выполнено частично"),
        (2, 0, "Done", "Готово"),
    ],
)
def test_page_and_list_say_for_how_many_it_failed(
    app: Flask, client: FlaskClient, people: int, gone: int, english: str, russian: str
) -> None:
    with app.app_context():
        ids = add_people(*(str(number) for number in range(people)))
        claim = started(DEPARTMENT, ids, department="Охрана")
        for employee_id in ids[:gone]:
            delete_employee(employee_id)
        run(claim)

    for headers, state in ((ENGLISH, english), ({"Accept-Language": "ru"}, russian)):
        for address in (f"/jobs/{claim.job_id}", "/jobs/"):
            shown = client.get(address, headers=headers).text
            assert f"</svg> {state}</span>" in shown
            failed = "failed: " if headers == ENGLISH else "с ошибкой: "
            assert re.findall(f"{failed}([0-9]+)</span>", shown) == [str(gone)] * (gone > 0)
    assert (f'id="job-{claim.job_id}"' in client.get("/jobs/?state=failed").text) is (0 < gone == people)
    report = page(client, claim)
    assert (f"Done: {people - gone} of {people}" in report) is (gone < people)
    assert ("The job is done." in report, "The job has ended." in report) == (gone == 0, gone > 0)


def test_stop_ends_the_job(app: Flask, client: FlaskClient, claim: Claim) -> None:
    with app.app_context():
        run_slice(claim, seconds=0.0)

    answer = client.post(f"/jobs/{claim.job_id}/stop")
    again = client.post(f"/jobs/{claim.job_id}/stop")

    assert (answer.status_code, answer.location, again.status_code) == (303, f"/jobs/{claim.job_id}", 303)
    shown = page(client, claim)
    assert "The job was stopped. What is done stays." in shown
    assert 'aria-label="Done: 1 of 2, not done: 1"' in shown


def test_viewer_sees_the_job_without_the_button(app: Flask, claim: Claim) -> None:
    viewer = client_of(app, VIEWER)

    assert "job-stop" not in page(viewer, claim)
    assert viewer.post(f"/jobs/{claim.job_id}/stop").status_code == 403


def test_only_administrators_stop_and_retry_a_deactivation(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        claim = started(DEACTIVATE, add_people("1"))
    operator = client_of(app, OPERATOR)

    assert "job-stop" not in page(operator, claim)
    assert operator.post(f"/jobs/{claim.job_id}/stop").status_code == 403
    assert client.post(f"/jobs/{claim.job_id}/stop").status_code == 303
    assert "job-retry" not in page(operator, claim)
    assert operator.post(f"/jobs/{claim.job_id}/retry").status_code == 403
    assert 'id="job-retry"' in page(client, claim)


def test_job_of_a_group_is_not_stopped_and_goes_on_when_it_failed(app: Flask, client: FlaskClient) -> None:
    """Nobody would see whom the group does not ask for any more and who is on the terminal still."""
    with app.app_context():
        people = [NewItem("1", add_people("1")[0])]
        claim = lifecycle.begin(GROUPS, {"group": "Офис"}, items=people)

    assert "job-stop" not in page(client, claim)
    assert client.post(f"/jobs/{claim.job_id}/stop").status_code == 303
    with app.app_context():
        assert db.session.get_one(Job, claim.job_id).is_open
        db.session.execute(db.update(Job).values(state=FAILED))
        db.session.commit()
    client.post(f"/jobs/{claim.job_id}/stop")
    shown = page(client, claim)
    assert ('id="job-retry"' in shown, "job-leave" in shown) == (True, False)


def test_retry_goes_on_with_what_is_left(
    app: Flask, client: FlaskClient, claim: Claim, run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        run_slice(claim, seconds=0.0)
    client.post(f"/jobs/{claim.job_id}/stop")
    assert f'formaction="/jobs/{claim.job_id}/retry"' in page(client, claim)

    answers = [client.post(f"/jobs/{claim.job_id}/retry", data={"next": "/jobs/?state=failed"}) for _ in range(2)]
    run_jobs()

    assert [(answer.status_code, answer.location) for answer in answers] == [(303, "/jobs/?state=failed")] * 2
    shown = page(client, claim)
    assert ("The job is done." in shown, "2 of 2" in shown, "job-retry" in shown) == (True, True, False)


def test_failed_job_says_why_and_can_be_left_as_it_is(app: Flask, client: FlaskClient, claim: Claim) -> None:
    with app.app_context():
        lifecycle.fail(claim, refusal("table_not_written"))

    shown = page(client, claim)
    assert "The file could not be written. Perhaps the server's disk is full; the server's log says why." in unescape(
        shown
    )
    assert ('id="job-retry"' in shown, 'id="job-leave"' in shown, "Failed</span>" in shown) == (True, True, True)
    client.post(f"/jobs/{claim.job_id}/stop")

    left = page(client, claim)
    assert ("Stopped</span>" in left, 'id="job-leave"' in left, 'id="job-retry"' in left) == (True, False, True)


def test_job_that_waits_for_its_terminal_says_for_which_and_until_when(
    app: Flask, client: FlaskClient, claim: Claim
) -> None:
    with app.app_context():
        lifecycle.take(claim)
        about = {"t": "Вход", "address": "http://x.test"}
        lifecycle.pause(claim, 600.0, {"refusal": refusal("unreachable", **about), "tries": 1})

    english, russian = page(client, claim), page(client, claim, Host="localhost")

    assert "“Вход” does not answer at http://x.test. Check power and network." in english
    assert "Waits for its terminal</span>" in english
    assert "Ждёт терминал</span>" in russian
    assert "The next try is <time " in english
    assert EVERY.findall(english) == ["5"]


def test_sent_people_are_waited_for_in_sight(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    with app.app_context():
        claim = started(SEND, add_people("1", "2"), terminal_id=terminal.id, terminal="Вход")
        run(claim)
        assert "offline" not in page(client, claim)
        off = {"offline_since": database_now(-60.0), "backoff_until": database_now(60.0)}
        db.session.execute(db.update(Terminal).values(**off))
        db.session.commit()

    shown = page(client, claim)

    assert "Not confirmed by a terminal yet: 2 employees." in shown
    assert f'<a id="job-waits-1" href="/terminals/{terminal.id}/queue"><bdi>Вход</bdi></a>: no answer since ' in shown
    assert 'aria-label="waiting: 2"' in shown
    assert f'id="job-terminal" href="/terminals/{terminal.id}"' in shown
    assert client.get(f"/api/jobs/{claim.job_id}").get_json() == {
        "state": "running", "done": 0, "total": 2, "failed": []
    }  # fmt: skip


def test_report_says_what_the_terminal_said(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    with app.app_context():
        claim = started(SEND, add_people("1", "2"), terminal_id=terminal.id, terminal="Вход")
        run(claim)
        refused = {"person": "refused", "next_attempt_at": None}
        taken = refusal("employeenoalreadyexist", n="1", name="Пётр")
        for number, why in (("1", taken), ("2", refusal("files_not_taken"))):
            mine = db.update(Enrolment).where(Enrolment.number == number)
            db.session.execute(mine.values(**refused, refusal=why))
        db.session.commit()
        looked_again(claim)

    shown = page(client, claim)

    assert "ID 1 is taken there by Пётр. Replace it or choose another ID?" in shown
    assert "<b>1</b> No photo on the terminal “Вход”" in re.sub("[\u2068\u2069]", "", shown)
    assert client.get(f"/api/jobs/{claim.job_id}").get_json()["failed"] == [
        {"number": "1", "error": "employeeNoAlreadyExist"}, {"number": "2", "error": "files_not_taken"}
    ]  # fmt: skip


def test_report_names_who_failed_and_why_in_the_readers_language(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people = add_people("1", "2", "3")
        claim = started(SEND, people, terminal_id=1, terminal="Вход")
        delete_employee(people[0])
        set_active(people[1], active=False)
        run(claim)

    english, russian = page(client, claim), page(client, claim, Host="localhost")

    assert "Failed: 3 employees" in english
    assert "Не выполнено: 3 сотрудника" in russian
    assert "This employee is not there any more. Somebody deleted the record meanwhile." in english
    assert "Этого сотрудника больше нет: тем временем его удалили." in russian
    assert f'href="/employees/{people[1]}"><bdi>Иван Иванов 2</bdi></a>' in english
    assert "There is no such terminal, or it is switched off here. Choose another terminal." in english


def test_reason_is_said_once_with_the_first_of_its_people_and_all_by_pages(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        claim = started(SEND, add_people(*map(str, range(100, 160))), terminal_id=9, terminal="Вход")
        run(claim)

    first = client.get(f"/jobs/{claim.job_id}", headers=ENGLISH).text
    (everybody,) = re.findall(r'<a href="([^"]+)">and 36 more</a>', first)
    listed = client.get(everybody).text
    (address,) = re.findall(r'rel="next" href="([^"]+)"', listed)
    second = client.get(unescape(address)).text

    assert first.count("There is no such terminal, or it is switched off here. Choose another terminal.</span>") == 1
    assert "<b>60</b> There is no such terminal" in first
    assert [shown.count('id="failed-') for shown in (first, listed, second)] == [24, 50, 10]
    assert f'rel="prev" href="/jobs/{claim.job_id}?before=' in second
    assert client.get(f"{unescape(everybody)}&after=x").text.count('id="failed-') == 50
    assert client.get(f"/jobs/{claim.job_id}?reason=x").text.count('id="failed-') == 24


@pytest.fixture
def without_photo(app: Flask, client: FlaskClient, terminal: Terminal) -> Claim:  # noqa: ARG001
    """A job that sent four to a terminal, of which three got no photo there."""
    with app.app_context():
        claim = started(SEND, add_people("1", "2", "3", "4"), terminal_id=terminal.id, terminal="Вход")
        run(claim)
        confirm("1")
        given_up = {"person": "confirmed", "next_attempt_at": None, "refusal": refusal("files_not_taken")}
        db.session.execute(db.update(Enrolment).where(Enrolment.number != "1").values(**given_up))
        db.session.execute(db.update(Terminal).values(capture_mode="url", face_mode="url", reachable=True))
        db.session.commit()
        looked_again(claim)
    return claim


def test_who_needs_a_photo_is_led_to_a_round_where_one_can_be_held(
    app: Flask, client: FlaskClient, without_photo: Claim
) -> None:
    shown, listed = page(client, without_photo), client.get("/jobs/", headers=ENGLISH).text
    with app.app_context():
        db.session.execute(db.update(Terminal).values(reachable=False, offline_since=database_now()))
        db.session.commit()

    assert "<b>3</b> No photo on the terminal “Вход”" in re.sub("[\u2068\u2069]", "", shown)
    assert ('id="job-round-1" href="/terminals/1/round"' in shown, "job-retry" in shown) == (True, False)
    assert all('aria-label="Done: 1 of 4, need a photo: 3"' in one for one in (shown, listed))
    assert "job-round" not in page(client, without_photo)
    assert "job-round" not in page(client_of(app, VIEWER), without_photo)


def test_who_was_enrolled_later_is_shown_as_mended(app: Flask, client: FlaskClient, without_photo: Claim) -> None:
    with app.app_context():
        confirm("2", "3")
    partly = page(client, without_photo)
    with app.app_context():
        confirm("4")

    mended, listed = page(client, without_photo), client.get("/jobs/").text

    assert 'aria-label="Done: 1 of 4, mended later: 2, need a photo: 1"' in partly
    assert re.search(r'id="job-round-1" href="/employees/\d+/edit">.+ Take a photo</a>', partly)
    assert ("Failed: 1 employee</h2>" in partly, "<b>2</b> Mended later" in partly) == (True, True)
    assert ("Done, mended later</span>" in mended, 'id="failed"' in mended) == (True, False)
    assert "Готово, исправлено позже</span>" in listed
    assert "исправлено позже: 3" in listed
    assert client.get(f"/api/jobs/{without_photo.job_id}").get_json()["failed"] != []


@pytest.mark.parametrize(("terminal_now", "code", "offered"), [
    ({"refused_since": database_now()}, "wrong_password", 'href="/terminals/1/edit?focus=password"'),
    ({}, "wrong_password", 'id="job-retry"'),
    ({"last_error_code": "certificate_changed"}, "certificate_changed", 'class="btn btn-primary" href="/terminals/1"'),
    ({"faces": 9, "face_capacity": 9}, "devicefacefull", 'href="/employees/?terminal=1"'),
    ({}, "devicefacefull", 'id="job-retry"'),
    ({}, "name_bytes", ""),
])  # fmt: skip
def test_reason_has_the_button_that_helps(
    app: Flask, client: FlaskClient, terminal: Terminal, terminal_now: dict[str, Any], code: str, offered: str
) -> None:
    with app.app_context():
        claim = started(SEND, add_people("1"), terminal_id=terminal.id, terminal="Вход")
        run(claim)
        refused = {"person": "refused", "next_attempt_at": None, "refusal": refusal(code)}
        db.session.execute(db.update(Enrolment).values(**refused))
        db.session.commit()
        looked_again(claim)
        if terminal_now:
            db.session.execute(db.update(Terminal).values(**terminal_now))
            db.session.commit()

    report = page(client, claim).partition('class="job-reasons"')[2]

    assert offered in report
    assert report.count("btn-primary") == bool(offered)


def test_job_that_was_given_up_says_so(app: Flask, client: FlaskClient, claim: Claim) -> None:
    with app.app_context():
        db.session.execute(db.update(Job).values(state=FAILED))
        db.session.commit()

    assert "The job was interrupted several times and given up." in page(client, claim)


def test_leavers_count_as_leaving_until_their_terminal_confirmed(
    app: Flask, client: FlaskClient, terminal: Terminal, simulator: Simulated
) -> None:
    with app.app_context():
        people = add_people("1", "2")
        wanted = [send_to_terminal(one, terminal.id).row.id for one in people]
        for one in wanted:
            reconcile(one, "test")
        claim = started(DEACTIVATE, people)
        run(claim)

    waiting = page(client, claim)

    assert "“Вход” has not confirmed the removal yet of: 2 employees." in waiting
    assert f'href="/employees/?state=leaving&amp;terminal={terminal.id}"' in waiting
    assert EVERY.findall(waiting) == ["5"]
    assert "No removal from a terminal is open any more." not in waiting
    with app.app_context():
        for one in wanted:
            reconcile(one, "test")
    assert simulator.people == {}
    gone = page(client, claim)
    assert "No removal from a terminal is open any more." in gone
    assert EVERY.findall(gone) == []


def test_job_of_somebody_who_was_erased_claims_nothing_of_the_terminals(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    with app.app_context():
        people = add_people("1")
        reconcile(send_to_terminal(people[0], terminal.id).row.id, "test")
        claim = started(DEACTIVATE, people)
        run(claim)
        erase_employee(people[0])

    assert "No removal from a terminal is open any more." not in page(client, claim)


def test_list_shows_who_started_what_and_how_it_ended(app: Flask, client: FlaskClient, claim: Claim) -> None:
    assert "Change of department to “Охрана”: 2 employees" in client.get("/jobs/", headers=ENGLISH).text
    with app.app_context():
        run(claim)

    shown = client.get("/jobs/").text

    assert "Смена отдела на «Охрана»: 2 сотрудника" in shown
    assert "<bdi>Анна</bdi>" in shown
    assert f'href="/jobs/{claim.job_id}"' in shown


def test_list_is_narrowed_by_state_and_polls_while_something_is_open(
    app: Flask, client: FlaskClient, claim: Claim
) -> None:
    with app.app_context():
        failed = started(DEPARTMENT, add_people("3"), department="Склад")
        lifecycle.fail(failed, refusal("table_not_written"))

    everything, opened, broken = (
        client.get(f"/jobs/?state={one}", headers=ENGLISH).text for one in ("", "open", "failed")
    )

    rows = re.compile(r'id="job-(\d+)"')
    assert rows.findall(everything) == [str(failed.job_id), str(claim.job_id)]
    assert (rows.findall(opened), rows.findall(broken)) == ([str(claim.job_id)], [str(failed.job_id)])
    assert "The file could not be written." in broken
    assert (EVERY.findall(opened), EVERY.findall(broken)) == (["5"], [])
    assert 'href="/jobs/?state=open" aria-current="true"' in opened
    assert "There are no such jobs." in client.get("/jobs/?state=partly", headers=ENGLISH).text
    fragment = client.get("/jobs/state?state=open", headers={**HTMX, **ENGLISH}).text
    assert fragment.lstrip().startswith('<section id="jobs"')


def test_list_goes_on_from_page_to_page(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ROWS", 2)
    with app.app_context():
        people = add_people("1")
        ids = [started(DEPARTMENT, people, department="").job_id for _ in range(3)]

    first = client.get("/jobs/", headers=ENGLISH).text
    second = client.get(f"/jobs/?before={ids[1]}", headers=ENGLISH).text

    assert f'rel="next" href="/jobs/?before={ids[1]}"' in first
    assert (f'href="/jobs/{ids[0]}"' in first, f'href="/jobs/{ids[0]}"' in second) == (False, True)
    assert 'rel="first" href="/jobs/"' in second
    assert client.get("/jobs/?before=x").status_code == 200


def test_empty_list_says_where_jobs_come_from_to_who_may_start_them(app: Flask, client: FlaskClient) -> None:
    hint = "To do something for many people at once, tick them in the list of employees."

    assert hint in client.get("/jobs/", headers=ENGLISH).text
    assert hint not in client_of(app, VIEWER).get("/jobs/", headers=ENGLISH).text
