"""The plan: a dry run of what was chosen, started once, by whom it may be, and not by mistake."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee, Job, Terminal
from hikflask.models.job import DRAFT
from hikflask.models.operator import ADMIN, OPERATOR
from hikflask.services.jobs.kinds import APPLY
from tests.support.captures import OTHER_FACE
from tests.support.compared import PAGE, ComparisonDesk, add_strangers
from tests.support.desk import ENGLISH
from tests.support.enrolments import enrol
from tests.support.filled_forms import form_to
from tests.support.jobs import add_people
from tests.support.signed_in import OPERATOR_PASSWORD, client_of

PLAN = f"{PAGE}/plan"
REMOVE = f"{PLAN}/remove"


def jobs(app: Flask) -> list[str]:
    """The states of the plans that were started."""
    with app.app_context():
        started = db.select(Job.state).where(Job.kind == APPLY, Job.state != DRAFT)
        return list(db.session.execute(started).scalars())


def people(app: Flask) -> dict[str, str]:
    with app.app_context():
        return {one.number: one.name for one in db.session.execute(db.select(Employee)).scalars()}


def test_plan_shows_whom_it_takes_over_and_starts_once(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7", "8")
    at.compare()
    at.choose("only_there", "take_over")
    page = at.english(PLAN)
    assert "To be taken from the terminal: 2 people." in page
    assert "1 card · validity: not limited · picture: no, photograph them later" in page
    assert people(app) == {}
    form = form_to(page, PLAN)

    answers = [form.send(at.client) for _ in range(2)]
    at.run_jobs()

    assert [one.location for one in answers] == [f"{PAGE}/jobs/3"] * 2
    assert jobs(app) == ["done"]
    assert people(app) == {"7": "Гость 7", "8": "Гость 8"}
    assert "A plan of this comparison was started" in at.english()
    assert [card.employee_no for card in at.simulator.store.cards.values()] == ["7", "8"]


def test_row_that_is_not_possible_says_why(app: Flask, at: ComparisonDesk, terminal: Terminal) -> None:
    with app.app_context():
        enrol(at.simulator, terminal)
        db.session.execute(db.update(Employee).values(is_active=False))
        db.session.commit()
    at.simulator.store.people["100222"]["name"] = "Пётр Петров"
    at.compare()
    at.choose("name", "send")

    english, russian = at.english(PLAN), at.client.get(PLAN).text

    assert "Not possible: 1 person" in english
    assert "Nothing to do." in english
    assert "plan-start" not in english
    assert "Невозможно: 1 человек" in russian


def test_same_id_with_another_name_asks_whose_name_counts(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7", "8")
    with app.app_context():
        add_people("7", "8")
    at.compare()
    at.choose("only_there", "take_over")
    page = at.english(PLAN)
    assert "The same ID with another name: 2" in page
    assert "The same person, with the name on the terminal: Гость 7" in page

    answers = {"answer-7": "name_there", "answer-8": "leave", "answer-9": "name_there"}
    assert at.client.post(f"{PLAN}/answer", data=answers).location == PLAN

    page = at.english(PLAN)
    assert "The same ID with another name" not in page
    assert "To be taken from the terminal: 1 person." in page
    form_to(page, PLAN).send(at.client)
    at.run_jobs()
    assert people(app) == {"7": "Гость 7", "8": "Иван Иванов 8"}


def test_sending_another_name_says_that_cards_are_lost(app: Flask, at: ComparisonDesk, terminal: Terminal) -> None:
    with app.app_context():
        enrol(at.simulator, terminal)
    at.simulator.store.people["100222"]["name"] = "Пётр Петров"
    at.simulator.store.save_card("77", {"employeeNo": "100222"})
    at.compare()
    at.choose("name", "send")
    renamed = at.english(PLAN)
    at.simulator.store.bind("100222", OTHER_FACE)
    at.compare()
    at.choose("name", "send")

    assert "its cards and fingerprints are lost" not in renamed
    assert "replaces the record there, and its cards and fingerprints are lost" in at.english(PLAN)


class TestRemovals:
    """A plan that removes people is an administrator's, who gives the password again."""

    @pytest.fixture(autouse=True)
    def one_is_removed(self, at: ComparisonDesk) -> None:
        add_strangers(at.simulator, *(str(number) for number in range(10, 30)))
        at.compare()
        at.choose("only_there", "remove", "10")

    def test_operator_is_told_who_can_start_it(self, app: Flask, at: ComparisonDesk) -> None:
        operator = client_of(app, OPERATOR, "Ольга")

        page = operator.get(PLAN, headers=ENGLISH).text

        assert "Whoever is removed cannot enter at this terminal any more: 1 of 20 people." in page
        assert "Only an administrator can start this plan." in page
        assert "plan-start" not in page
        assert [operator.post(path).status_code for path in (PLAN, REMOVE)] == [403, 403]
        assert at.client.post(PLAN).status_code == 403
        assert jobs(app) == []

    def test_password_is_asked_for_first(self, app: Flask, at: ComparisonDesk) -> None:
        client = client_of(app, ADMIN, confirmed=False)
        asked = form_to(client.get(PLAN).text, REMOVE).send(client)
        assert (asked.status_code, jobs(app)) == (403, [])

        form_to(asked.text, REMOVE).send(client, own_password=OPERATOR_PASSWORD)
        at.run_jobs()

        assert jobs(app) == ["running"]
        assert "10" not in at.simulator.store.people
        assert len(at.simulator.store.people) == 19

    def test_unusually_many_are_removed_only_when_their_number_is_typed(self, app: Flask, at: ComparisonDesk) -> None:
        at.choose("only_there", "remove", "11", "12")
        page = at.english(PLAN)
        assert "These are unusually many. Type how many, 3, so that it is no mistake." in page

        for wrong, sentence in (
            ("", "Type 3 here to remove so many people."),
            ("2", "Type 3 here to remove so many people."),
            ("three", "“How many are removed” must be given in digits."),
        ):
            refused = form_to(page, REMOVE).send(at.client, ENGLISH, confirm=wrong)
            assert (refused.status_code, jobs(app)) == (422, [])
            assert sentence in refused.text
            assert form_to(refused.text, REMOVE).fields["confirm"] == wrong

        assert "Чтобы удалить столько людей, введите здесь 3." in at.client.post(REMOVE, data={"confirm": "4"}).text
        form_to(page, REMOVE).send(at.client, confirm=" 3 ")
        at.run_jobs()
        assert len(at.simulator.store.people) == 17
