"""The page of a comparison: not begun, started once, read with its progress, failed, or shown by kind."""

import re

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Comparison, Job, Terminal
from hikflask.models.accounts import VIEWER
from hikflask.models.comparison import FAILED, READING
from hikflask.services.captures.drafts import Draft
from tests.support.compared import PAGE, ComparisonDesk, add_comparison, add_strangers
from tests.support.comparisons import show_numbers_otherwise
from tests.support.desk import HTMX
from tests.support.enrolments import enrol
from tests.support.filled_forms import form_to, words
from tests.support.refusals import refusal
from tests.support.signed_in import client_of
from tests.support.wire import InProcess


def rows(page: str) -> list[str]:
    """The numbers of the rows that a page shows."""
    return re.findall(r'name="number" value="([^"]*)"', page)


def test_terminal_that_was_not_compared_says_what_a_comparison_is(at: ComparisonDesk) -> None:
    assert "This terminal was not compared yet" in at.english()
    russian = at.client.get(PAGE).text
    assert "Программа прочитает весь список терминала и сверит его со списком здесь." in russian


def test_comparison_is_started_once_and_shows_its_progress(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7")
    form = form_to(at.english(), PAGE)

    assert [(one.status_code, one.location) for one in (form.send(at.client), form.send(at.client))] == [
        (303, PAGE)
    ] * 2

    running = at.english()
    assert 'hx-trigger="every 1s"' in running
    assert '<meta http-equiv="refresh" content="2">' in running
    assert "The terminal is being compared." in at.english("/terminals/1")
    at.run_jobs()
    assert rows(at.english(f"{PAGE}/state")) == ["7"]
    with app.app_context():
        assert db.session.execute(db.select(Job.kind, Job.state)).all() == [("compare", "done")]


def test_differences_are_counted_by_kind_and_shown_with_both_sides(
    app: Flask, at: ComparisonDesk, terminal: Terminal
) -> None:
    with app.app_context():
        enrol(at.simulator, terminal)
    at.simulator.store.people["100222"]["name"] = "Пётр Петров"
    add_strangers(
        at.simulator, "7", Valid={"enable": True, "beginTime": "2025-01-01T00:00:00", "endTime": "2027-12-31T23:59:59"}
    )

    page = at.compare()

    assert "Found: 2 differences." in page
    counts = dict(re.findall(r'id="kind-(\w+)".*?class="count">(\d+)<', page))
    assert {kind for kind, count in counts.items() if count == "1"} == {"name", "only_there"}
    assert list(counts) == ["name", "face_missing", "face_other", "only_here", "only_there", "validity"]
    assert rows(page) == ["100222"]
    assert '<a href="/employees/1"><bdi>Иван Иванов</bdi></a>' in page
    assert "<bdi>Пётр Петров</bdi>" in page
    stranger = re.sub(r"\s+", " ", at.english(f"{PAGE}?kind=only_there"))
    assert rows(stranger) == ["7"]
    assert "nobody has this ID" in stranger
    assert "no face · 1 card · validity: 1 January 2025 – 31 December 2027" in stranger


def test_all_is_said_to_be_the_same(app: Flask, at: ComparisonDesk, terminal: Terminal) -> None:
    with app.app_context():
        enrol(at.simulator, terminal)

    page = at.compare()

    assert "Everything is the same: 1 person." in page
    assert "Nothing differs: the terminal has exactly who should be there." in page


def test_rows_that_follow_are_added_by_htmx_and_are_a_page_without_it(at: ComparisonDesk) -> None:
    add_strangers(at.simulator, *(f"{number:03}" for number in range(60)))
    page = at.compare()
    (more,) = re.findall(r'hx-get="([^"]*)"', page)
    address = more.replace("&amp;", "&")

    added = at.client.get(address, headers=HTMX).text
    whole = at.english(address)

    assert rows(page) == [f"{number:03}" for number in range(50)]
    assert rows(added) == rows(whole) == [f"{number:03}" for number in range(50, 60)]
    assert added.lstrip().startswith("<tr")
    assert "hx-get" not in added


def test_comparison_of_a_list_without_end_says_so(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        db.session.add(Comparison(terminal_id=1, state=FAILED, refusal=refusal("list_too_long")))
        db.session.commit()

    assert "The terminal lists more people or faces than it can hold, so nothing is concluded." in at.english()
    page = at.client.get(PAGE, headers={"Accept-Language": "ru"}).text
    assert "В списке терминала больше людей или лиц, чем он вмещает, поэтому выводов нет." in page


def test_comparison_that_failed_says_why_and_can_be_started_again(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        db.session.add(Comparison(terminal_id=1, state=FAILED, refusal=refusal("list_incomplete")))
        db.session.commit()

    page = at.english()

    assert "The terminal does not give its whole list, so nothing is concluded." in page
    assert form_to(page, PAGE).send(at.client).location == PAGE


def test_comparison_whose_job_was_stopped_goes_on(app: Flask, at: ComparisonDesk) -> None:
    at.client.post(PAGE)
    at.client.post("/jobs/1/stop")

    page = at.english()
    form_to(page, PAGE).send(at.client)
    at.run_jobs()

    assert "Go on comparing" in page
    with app.app_context():
        assert db.session.execute(db.select(Comparison.state)).scalars().all() == ["done"]


def test_terminal_out_of_service_is_not_compared(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        db.session.execute(
            db.update(Terminal).values(is_active=False, retired_at=db.func.current_timestamp(), retired_note="сгорел")
        )
        db.session.commit()

    at.client.post(PAGE)

    with app.app_context():
        assert db.session.execute(db.select(Comparison.id)).all() == []
    assert "comparison-start" not in at.english("/terminals/1")


def test_viewer_is_told_no_names_of_a_terminal(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7")
    at.compare()

    viewer = client_of(app, VIEWER, "Ольга")

    assert viewer.get(PAGE).status_code == 403
    assert "comparison" not in viewer.get("/terminals/1").text


def test_reading_that_has_no_job_can_be_gone_on_with(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        db.session.add(Comparison(terminal_id=1, state=READING))
        db.session.commit()

    assert "Go on comparing" in at.english()


def test_page_says_that_the_list_leaves_people_out(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        add_comparison(1, {"only_there": ["7"]}).people = None
        db.session.commit()

    english, russian = at.english(), at.client.get(PAGE).text

    assert "Employees were asked for by ID, others may be on it, too." in english
    assert (
        "Терминал, возможно, показывает в списке не всех. Сотрудники проверены по ID, но на нём могут быть и другие"
        in russian
    )
    assert "on the terminal." not in english.partition('class="lead"')[2].partition("</p>")[0]


def test_ids_that_the_terminal_shows_otherwise_are_said_and_stay(
    app: Flask, at: ComparisonDesk, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        enrol(at.simulator, terminal, Draft("007", "Ольга Орлова"))
    show_numbers_otherwise(wire, monkeypatch)

    english, russian = at.compare(), at.client.get(PAGE).text
    at.choose("only_there", "remove")
    plan = words(at.client.get(f"{PAGE}/plan"))

    assert (
        "The terminal shows IDs without leading zeros or in upper case, so it shows employees as others. "
        "These are not removed." in english
    )
    assert (
        "Терминал показывает ID без нулей впереди или заглавными буквами и выдаёт сотрудников за посторонних. "
        "Их записи не удаляются." in russian
    )
    assert "Терминал показывает ID 007 как 7: это запись самого сотрудника, поэтому она остаётся." in plan
    assert "plan-start" not in plan
    assert "007" in at.simulator.people
