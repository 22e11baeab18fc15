"""The plan: a dry run of what was chosen, started once, by whom it may be, and not by mistake."""

import json
import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, Photo, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.job import DRAFT
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.kinds import APPLY
from hikflask.services.comparisons import plan as plans
from hikflask.services.comparisons import plan_choices, queries
from hikflask.services.employees.save import save_employee
from hikflask.services.photos import storage
from hikflask.services.photos.jpeg import small
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from tests.support.between import Between
from tests.support.captures import FACE, OTHER_FACE
from tests.support.compared import PAGE, ComparisonDesk, add_strangers
from tests.support.comparisons import limit_there
from tests.support.desk import ENGLISH
from tests.support.employees import by_number
from tests.support.enrolments import enrol
from tests.support.filled_forms import Filled, form_to, words
from tests.support.jobs import add_people
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of
from tests.support.trail import entries
from tests.support.wire import InProcess

PLAN = f"{PAGE}/plan"
REMOVE = f"{PLAN}/remove"
CHANGED = "This has changed since it was shown. Nothing is done: check it again."
CHANGED_IN_RUSSIAN = "С тех пор это изменилось. Ничего не сделано, проверьте ещё раз."
ISOLATES = re.compile("[\u2068\u2069]")


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
    assert "1 card · validity: 1 January 2025 – 31 December 2035 · no picture: take a photo later" in page
    assert people(app) == {}
    form = form_to(page, PLAN)

    answers = [form.send(at.client) for _ in range(2)]
    at.run_jobs()

    assert [one.location for one in answers] == ["/jobs/3"] * 2
    assert jobs(app) == ["done"]
    assert people(app) == {"7": "Гость 7", "8": "Гость 8"}
    assert "A plan of this comparison was started" in at.english()
    assert [card.employee_no for card in at.simulator.store.cards.values()] == ["7", "8"]


def test_plan_says_what_becomes_of_the_days_on_the_terminal(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7", "8", "9", "10")
    limit_there(at.simulator, "7", "2026-03-01T18:00:00")
    limit_there(at.simulator, "8", "2036-07-01T18:00:00")
    limit_there(at.simulator, "9", "2036-06-30T23:59:59")
    limit_there(at.simulator, "10", "2045-12-31T23:59:59", "2040-01-01T00:00:00")
    with app.app_context():
        save_employee(Draft("9", "Гость 9", valid_to="2030-12-31"))
    at.compare()
    at.choose("only_there", "take_over")

    english, russian = (ISOLATES.sub("", page) for page in (at.english(PLAN), at.client.get(PLAN).text))

    for sentence in (
        "Their validity is over, so they come in as inactive and are removed from the terminal: 1 person.",
        "The validity ended on 28 February 2026: comes in as inactive, and is removed from the terminal.",
        "Only whole days count here, so it is until 28 February 2026. On the terminal: until 1 March 2026, 18:00.",
        "Only whole days count here, so it is until 30 June 2036. On the terminal: until 1 July 2036, 18:00.",
        "So far it was here: until 31 December 2030.",
        "The validity on the terminal is not within 2000 to 2037. Correct it there, then compare again.",
    ):
        assert sentence in english
    for sentence in (
        "У них истёк срок доступа: они будут добавлены неактивными и удалены с терминала: 1 человек.",
        "Срок доступа истёк 28 февраля 2026: сотрудник будет добавлен неактивным и удалён с терминала.",
        "Учитываются только целые дни: по 28 февраля 2026. На терминале: по 1 марта 2026, 18:00.",
        "Учитываются только целые дни: по 30 июня 2036. На терминале: по 1 июля 2036, 18:00.",
        "До сих пор здесь было: по 31 декабря 2030.",
        "Срок доступа на терминале выходит за 2000–2037 годы. Исправьте его там и сверьте снова.",
    ):
        assert sentence in russian


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
    assert "The same ID with another name or face: 2" in page
    assert "The same person, with the name on the terminal: Гость 7" in page

    answers = {"answer-7": "name_there", "answer-8": "leave", "answer-9": "name_there"}
    form = Filled(f"{PLAN}/answer", MultiDict({"comparison": "1", **answers}))
    assert form.send(at.client).location == PLAN

    page = at.english(PLAN)
    assert "The same ID with another name" not in page
    assert "To be taken from the terminal: 1 person." in page
    form_to(page, PLAN).send(at.client)
    at.run_jobs()
    assert people(app) == {"7": "Гость 7", "8": "Иван Иванов 8"}


def side_by_side(page: str, kind: str) -> list[tuple[str, ...]]:
    """Of each row: the ID there, the name here, what is said about it, and the name on the terminal."""
    rows = re.findall(rf'<tr id="{kind}-(\d+)">(.*?)</tr>', page, re.DOTALL)
    cells = [(number, *re.findall(r'compare-(?:name|more)">(.*?)</div>', row, re.DOTALL)[:3]) for number, row in rows]
    return [tuple(" ".join(re.sub(r"<[^>]*>", "", cell).split()) for cell in row) for row in cells]


def test_same_ids_stand_side_by_side_and_one_button_answers_for_similar_names(app: Flask, at: ComparisonDesk) -> None:
    for number, name in (("7", "ИВАНОВ И."), ("8", "Гость 8"), ("9", "Петров Пётр")):
        at.simulator.store.add(number, {"name": name})
    at.simulator.store.save_card("97", {"employeeNo": "7"})
    with app.app_context():
        for number, name in (("7", "Иванов Иван"), ("8", "Кто-то Другой"), ("9", "Сидоров Пётр")):
            save_employee(Draft(number, name))
    at.compare()
    at.choose("only_there", "take_over")
    page, russian = at.english(PLAN), at.client.get(PLAN).text

    assert side_by_side(page, "asked") == [
        ("7", "Иванов Иван", "similar names", "ИВАНОВ И."),
        ("8", "Кто-то Другой", "quite another name", "Гость 8"),
        ("9", "Сидоров Пётр", "quite another name", "Петров Пётр"),
    ]
    others = ["имена похожи", "совсем другое имя", "совсем другое имя"]
    assert [about for *_, about, _ in side_by_side(russian, "asked")] == others
    assert "The same person. Both names stay: here Иванов Иван, on the terminal ИВАНОВ И." in page
    assert "All with similar names are the same people, both names stay: 1" in page
    assert "Все с похожими именами — те же люди, оба имени остаются: 1" in russian

    form_to(page, f"{PLAN}/answer").send(at.client, all="similar")

    page = at.english(PLAN)
    assert "To be taken from the terminal: 1 person." in page
    assert "The same ID with another name or face: 2" in page
    assert 'id="answers-similar"' not in page
    form_to(page, f"{PLAN}/answer").send(at.client, **{"all": "leave", "answer-9": "name_there"})
    page = at.english(PLAN)
    assert "The same ID with another name or face" not in page
    form_to(page, PLAN).send(at.client)
    at.run_jobs()
    assert people(app) == {"7": "Иванов Иван", "8": "Кто-то Другой", "9": "Петров Пётр"}
    assert at.simulator.people["7"]["name"] == "ИВАНОВ И."
    assert [card.employee_no for card in at.simulator.store.cards.values()] == ["7"]
    with app.app_context():
        states = db.session.execute(db.select(Enrolment.number, Enrolment.person).order_by(Enrolment.number))
        assert states.all() == [("7", "confirmed"), ("9", "confirmed")]
    assert 'id="kind-name"' in (after := at.compare())
    assert '<a class="compare-none" id="kind-name"' in after


def test_one_button_answers_for_no_face(
    app: Flask, at: ComparisonDesk, simulator: Simulated, terminal: Terminal
) -> None:
    with app.app_context():
        enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    simulator.people["100222"]["name"] = "ИВАНОВ И."
    at.compare()
    at.choose("name", "take_over")
    at.choose("face_other", "take_over")
    page = at.english(PLAN)
    assert 'id="answers-similar"' not in page

    form_to(page, f"{PLAN}/answer").send(at.client, all="similar")

    assert "The same ID with another name or face: 1" in at.english(PLAN)


def test_button_answers_only_for_those_whom_the_page_shows(app: Flask, at: ComparisonDesk) -> None:
    for number in "78":
        at.simulator.store.add(number, {"name": "ИВАНОВ И."})
    with app.app_context():
        add_people("7", "8")
    at.compare()
    at.choose("only_there", "take_over")

    sent = {"comparison": "1", "all": "similar", "shown": "8"}
    at.client.post(f"{PLAN}/answer", data=sent)

    page = at.english(PLAN)
    assert 'id="asked-7"' in page
    assert 'id="step-8"' in page


def test_who_may_be_here_under_another_id_is_pointed_out_and_left_out(app: Flask, at: ComparisonDesk) -> None:
    for number, name in (("0012", "Гость"), ("77", "ольга  ёлкина"), ("78", "Анна Ким")):
        at.simulator.store.add(number, {"name": name})
    with app.app_context():
        save_employee(Draft("12", "Иван Иванов"))
        save_employee(Draft("13", "Ольга Елкина"))
        db.session.execute(db.update(Employee).where(Employee.number == "13").values(is_active=False))
        db.session.commit()
    at.compare()
    at.choose("only_there", "take_over")
    page, russian = at.english(PLAN), at.client.get(PLAN).text

    assert "Perhaps here already under another ID: 2" in page
    assert "Возможно, уже есть здесь под другим ID: 2" in russian
    assert side_by_side(page, "namesake") == [
        ("0012", "Иван Иванов", "12 · only leading zeros of the IDs differ", "Гость"),
        ("77", "Ольга Елкина", "13 · inactive · the same name, another ID", "ольга ёлкина"),
    ]
    assert [about for *_, about, _ in side_by_side(russian, "namesake")] == [
        "12 · ID отличаются только нулями в начале", "13 · неактивен · то же имя, другой ID",
    ]  # fmt: skip

    form_to(page, f"{PLAN}/answer").send(at.client, **{"answer-77": "leave"})
    page = at.english(PLAN)
    assert "Perhaps here already under another ID: 1" in page
    form_to(page, f"{PLAN}/answer").send(at.client, all="leave")
    page = at.english(PLAN)
    assert "Perhaps here already under another ID" not in page
    form_to(page, PLAN).send(at.client)
    at.run_jobs()
    assert sorted(people(app)) == ["12", "13", "78"]


QUESTIONS = {
    "en": ("The same person, with the face on the terminal: it comes to the other terminals, too",
           "The same person, with the face here: it is sent to this terminal",
           "The face on the terminal replaces the one here, at the other terminals, too",
           "The face they have now will no longer open doors, so they count as losing access: 1 person."),
    "ru": ("Тот же человек, лицо с терминала: оно придёт и на другие терминалы",
           "Тот же человек, лицо отсюда: оно уйдёт на этот терминал",
           "Лицо с терминала заменит здешнее, и на других терминалах тоже",
           "С прежним лицом они больше не войдут, поэтому считаются теряющими доступ: 1 человек."),
}  # fmt: skip


BOTH_IN_ONE = {
    "en": "The same person, with the name and the face on the terminal: Пётр Петров."
    " The face comes to the other terminals, too",
    "ru": "Это один человек, имя и лицо с терминала: Пётр Петров. Лицо придёт и на другие терминалы",
}


def sees(page: str, client: FlaskClient, *faces: bytes) -> None:
    """Make sure that a page shows just these faces, small, in this order; the browser keeps those from here alone."""
    shown = re.findall(r'<img src="([^"]+)" alt="[^"]*" loading="lazy">', page)
    answers = [client.get(unescape(address)) for address in shown]
    assert [answer.data for answer in answers] == [small(face) for face in faces]
    kept = [answer.headers["Cache-Control"] != "private, no-store" for answer in answers]
    assert kept == [address.startswith("/uploads/") for address in shown]


@pytest.mark.usefixtures("one_is_many")
def test_another_face_is_taken_only_by_whoever_saw_both(
    app: Flask, at: ComparisonDesk, simulator: Simulated, terminal: Terminal
) -> None:
    with app.app_context():
        enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    sees(at.compare(), at.client, FACE, OTHER_FACE)
    at.choose("face_other", "take_over")

    asked = at.english(PLAN)
    in_russian = at.client.get(PLAN, headers={"Accept-Language": "ru"}).text

    assert "Nothing to do." in asked
    sees(asked, at.client, FACE, OTHER_FACE)
    for page, language in ((asked, "en"), (in_russian, "ru")):
        assert [words in page for words in QUESTIONS[language]] == [True, True, False, False]
    Filled(f"{PLAN}/answer", MultiDict({"comparison": "1", "answer-100222": "face_there"})).send(at.client)
    page = at.english(PLAN)
    in_russian = at.client.get(PLAN, headers={"Accept-Language": "ru"}).text
    for text, language in ((page, "en"), (in_russian, "ru")):
        assert [words in text for words in QUESTIONS[language]] == [False, False, True, True]
    sees(page, at.client, FACE, OTHER_FACE)
    form_to(page, REMOVE).send(at.client, confirm="1")
    at.run_jobs()
    with app.app_context():
        employee = by_number("100222")
        assert employee.picture is not None
        assert employee.picture.sha256 == storage.sha256(OTHER_FACE)


def test_answer_about_the_name_takes_no_other_face_unless_it_names_it(
    app: Flask, at: ComparisonDesk, simulator: Simulated, terminal: Terminal
) -> None:
    with app.app_context():
        enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    simulator.people["100222"]["name"] = "Пётр Петров"
    at.compare()
    at.choose("name", "take_over")
    at.choose("face_other", "take_over")

    Filled(f"{PLAN}/answer", MultiDict({"comparison": "1", "answer-100222": "name_there"})).send(at.client)

    assert QUESTIONS["en"][0] in at.english(PLAN)
    at.choose("name", "nothing")
    for language, sentence in BOTH_IN_ONE.items():
        assert sentence in at.client.get(PLAN, headers={"Accept-Language": language}).text
    Filled(f"{PLAN}/answer", MultiDict({"comparison": "1", "answer-100222": "face_there"})).send(at.client)
    assert QUESTIONS["en"][2] in at.english(PLAN)


@pytest.mark.usefixtures("one_is_many")
def test_plan_with_another_face_is_not_the_one_that_was_shown(
    app: Flask, at: ComparisonDesk, simulator: Simulated, terminal: Terminal
) -> None:
    with app.app_context():
        enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    at.compare()
    at.choose("face_other", "take_over")
    Filled(f"{PLAN}/answer", MultiDict({"comparison": "1", "answer-100222": "face_there"})).send(at.client)
    form = form_to(at.english(PLAN), REMOVE)
    with app.app_context():
        db.session.execute(db.update(Photo).values(sha256="0" * 64))
        db.session.commit()

    answer = form.send(at.client)

    assert (answer.status_code, CHANGED_IN_RUSSIAN in answer.text, jobs(app)) == (409, True, [])


def test_face_on_the_terminal_is_shown_as_it_was_read_to_operators_alone(
    app: Flask, at: ComparisonDesk, simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    with app.app_context():
        enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    at.compare()
    address = f"{PAGE}/face?number=100222"
    assert at.client.get(address).data == at.client.get(address).data == OTHER_FACE
    with app.app_context():
        assert [(one.employee, one.subject) for one in entries("photo.viewed")] == [("100222", "Вход")]

    assert client_of(app, VIEWER, "Ольга").get(address).status_code == 403
    assert app.test_client().get(address).status_code == 303
    assert at.client.get(f"{PAGE}/face?number=100333").status_code == 404
    wire.away.add("terminal.test")
    assert at.client.get(address).status_code == 503
    wire.away.clear()
    # Whoever chooses is not shown a face that came after the comparison.
    simulator.store.bind("100222", draw(NAMES[2]))
    assert at.client.get(address).status_code == 404


def test_answer_to_an_earlier_comparison_counts_no_more(app: Flask, at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7")
    with app.app_context():
        add_people("7")
    at.compare()
    at.choose("only_there", "take_over")
    assert "The same ID with another name or face: 1" in at.english(PLAN)
    at.simulator.store.people["7"]["name"] = "Кто-то другой"
    at.compare()
    at.choose("only_there", "take_over")

    late = {"comparison": "1", "answer-7": "name_there"}
    at.client.post(f"{PLAN}/answer", data=late, headers=ENGLISH)

    page = at.english(PLAN)
    assert CHANGED in page
    assert "The same ID with another name or face: 1" in page


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


def digest(app: Flask) -> str:
    """The digest of the plan as it is now."""
    with app.app_context():
        comparison = queries.finished(1)
        assert comparison is not None
        return plans.make(comparison, plan_choices.of(comparison)).digest


def choose_another() -> None:
    """Choose to remove 11, too."""
    comparison = queries.finished(1)
    assert comparison is not None
    plan_choices.choose(comparison, "only_there", "remove", ["11"])


class TestRemovals:
    """A plan that removes people is an administrator's, who gives the password again."""

    @pytest.fixture(autouse=True)
    def one_is_removed(self, at: ComparisonDesk) -> None:
        add_strangers(at.simulator, *(str(number) for number in range(10, 30)))
        at.compare()
        at.choose("only_there", "remove", "10")

    def test_operator_is_told_who_can_start_it(self, app: Flask, at: ComparisonDesk) -> None:
        operator = client_of(app, OPERATOR, "Ольга")

        answer = operator.get(PLAN, headers=ENGLISH)
        page = answer.text

        assert "Вход : lose access: 1 of 20" in words(answer)
        assert (
            "Only an administrator can start this plan. Send the address of this page, or choose something else."
        ) in page
        assert (
            "Начать этот план может только администратор. Отправьте ему адрес этой страницы или выберите другое."
        ) in operator.get(PLAN).text
        assert "plan-start" not in page
        shown = {"shown": digest(app)}
        assert [operator.post(path, data=shown).status_code for path in (PLAN, REMOVE)] == [403, 403]
        assert at.client.post(PLAN, data=shown).status_code == 403
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
        assert "Access is taken from many. To confirm, enter how many: 3" in page

        for wrong in ("", "2", "three"):
            refused = form_to(page, REMOVE).send(at.client, ENGLISH, confirm=wrong)
            assert (refused.status_code, jobs(app)) == (409, [])
            assert "By this, many people lose access. To confirm, enter how many: 3." in refused.text
            assert form_to(refused.text, REMOVE).fields["confirm"] == wrong

        russian = form_to(page, REMOVE).send(at.client, confirm="4").text
        assert "Из-за этого многие потеряют доступ. Для подтверждения введите, сколько человек: 3." in russian
        form_to(page, REMOVE).send(at.client, confirm=" 3 ")
        at.run_jobs()
        assert len(at.simulator.store.people) == 17

    @pytest.mark.both_databases
    def test_plan_is_void_once_something_else_is_chosen(self, app: Flask, at: ComparisonDesk) -> None:
        form = form_to(at.english(PLAN), REMOVE)
        at.choose("only_there", "nothing", "10")
        at.choose("only_there", "remove", "11")

        void = form.send(at.client, ENGLISH)
        assert (void.status_code, jobs(app)) == (409, [])
        assert CHANGED in void.text
        assert ("step-11" in void.text, "step-10" in void.text) == (True, False)
        form_to(void.text, REMOVE).send(at.client)
        at.run_jobs()
        assert ("10" in at.simulator.store.people, "11" in at.simulator.store.people) == (True, False)

    def test_password_and_number_are_typed_for_the_plan_that_was_shown(self, app: Flask, at: ComparisonDesk) -> None:
        at.choose("only_there", "remove", "11", "12")
        client = client_of(app, ADMIN, confirmed=False)
        asked = form_to(client.get(PLAN).text, REMOVE).send(client, confirm="3")
        at.choose("only_there", "nothing", "12")
        at.choose("only_there", "remove", "13")

        void = form_to(asked.text, REMOVE).send(client, ENGLISH, own_password=OPERATOR_PASSWORD)

        assert (void.status_code, jobs(app)) == (409, [])
        assert CHANGED in void.text
        assert form_to(void.text, REMOVE).fields["confirm"] == ""

    def test_number_typed_for_another_plan_is_not_kept_when_the_page_is_shown_again(
        self, app: Flask, at: ComparisonDesk
    ) -> None:
        at.choose("only_there", "remove", "11", "12")
        form = form_to(at.english(PLAN), REMOVE)
        at.choose("only_there", "nothing", "12")
        at.choose("only_there", "remove", "13")
        typed = {"kept_path": REMOVE, "kept": json.dumps([*form.fields.items(), ["confirm", "3"]])}

        who = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD}
        again = app.test_client().post("/sign-in", data=who | typed, headers=ENGLISH)

        assert again.status_code == 200
        assert CHANGED in again.text
        assert form_to(again.text, REMOVE).fields["confirm"] == ""

    @pytest.mark.both_databases
    def test_choice_of_the_same_moment_is_not_lost(self, app: Flask, at: ComparisonDesk, between: Between) -> None:
        form = form_to(at.english(PLAN), REMOVE)
        other = between(plans, "make", choose_another)

        void = form.send(at.client, ENGLISH)

        other.finish()
        assert (void.status_code, jobs(app)) == (409, [])
        assert CHANGED in void.text
        assert "To be removed from the terminal: 2 people." in void.text

    def test_second_click_shows_the_job_and_another_administrators_page_is_void(
        self, app: Flask, at: ComparisonDesk
    ) -> None:
        pages = [form_to(at.english(PLAN), REMOVE)]
        at.choose("only_there", "remove", "11")
        pages += [form_to(at.english(PLAN), REMOVE)] * 2

        first, second, others = [pages[number].send(at.client, ENGLISH) for number in (1, 2, 0)]

        assert first.status_code == 303
        assert second.location == first.location
        assert others.status_code == 409
        assert CHANGED in others.text
        assert len(jobs(app)) == 1
