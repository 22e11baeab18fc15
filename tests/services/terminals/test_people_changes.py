"""A change at a terminal is noticed without reading its whole list."""

import pytest

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, connection, people_changes
from hikflask.services.terminals.checks import ask_status
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from tests.support.comparisons import compare, strangers
from tests.support.enrolments import enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

Found = list[tuple[str, str, str, str]]


def noticed(terminal: Terminal) -> Found:
    return [(one.kind, one.number, one.expected, one.found) for one in people_changes.changes_at(terminal.id)]


def looked(terminal: Terminal) -> Found:
    ask_status(terminal.id, "Анна")
    return noticed(terminal)


def test_nothing_is_noticed_where_nothing_changed(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    strangers(simulator, ["900"])
    compare(terminal)

    assert looked(terminal) == []
    assert people_changes.terminals_with_changes() == []


def test_stranger_is_noticed_by_the_count_until_the_next_comparison(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    compare(terminal)
    strangers(simulator, ["900", "901"])

    assert looked(terminal) == [("count", "", "1", "3")]
    assert [(found.name, count) for found, count in people_changes.terminals_with_changes()] == [("Вход", 1)]
    compare(terminal)
    assert looked(terminal) == []


def test_stranger_who_leaves_is_noticed_by_the_count(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    compare(terminal)
    simulator.store.remove(["901"])

    assert looked(terminal) == [("count", "", "2", "1")]
    strangers(simulator, ["901"])
    assert looked(terminal) == []


def test_count_says_nothing_before_the_first_comparison(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])

    assert looked(terminal) == []


def test_somebody_renamed_is_noticed_and_not_green_any_longer(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"

    assert looked(terminal) == [("name", "100222", "Иван Иванов", "Пётр Петров")]
    doubted = queries.get_one(enrolment.id)
    assert (doubted.person, doubted.face, doubted.next_attempt_at is not None) == (PENDING, PENDING, True)
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "Анна")
    assert queries.get_one(enrolment.id).person == REFUSED
    assert looked(terminal) == [("name", "100222", "Иван Иванов", "Пётр Петров")]


def test_somebody_gone_is_noticed_while_a_stranger_keeps_the_count(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.remove(["100222"])
    strangers(simulator, ["900"], [draw(NAMES[4])])

    assert looked(terminal) == [("only_here", "100222", "Иван Иванов", "")]
    assert queries.get_one(enrolment.id).person == PENDING
    reconcile(enrolment.id, "Анна")
    assert "100222" in simulator.people
    assert looked(terminal) == []


def test_lost_face_is_noticed_while_a_face_of_a_stranger_keeps_the_count(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.faces.pop("100222")
    strangers(simulator, ["900"], [draw(NAMES[4])])

    looked(terminal)
    doubted = queries.get_one(enrolment.id)
    assert (doubted.person, doubted.face, doubted.is_green) == (CONFIRMED, PENDING, False)
    assert doubted.next_attempt_at is not None


def test_looks_go_round(simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_changes, "MAX_NUMBERS", 1)
    for number, name in (("101", "Иван"), ("102", "Олег")):
        enrol(simulator, terminal, Draft(number, name), draw(NAMES[int(number) - 101]))
    simulator.people["102"]["name"] = "Другой"

    assert [looked(terminal), looked(terminal)] == [[], [("name", "102", "Олег", "Другой")]]


def test_firmware_that_ignores_the_numbers_proves_nothing(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.remove(["100222"])
    strangers(simulator, ["900"], [draw(NAMES[4])])
    monkeypatch.setattr("hikflask.simulator.isapi.persons.numbers", lambda *_: None)

    assert looked(terminal) == []
    assert queries.get_one(enrolment.id).is_confirmed


def test_check_looks_too(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"

    checks.check(terminal.id, "Анна")

    assert [kind for kind, *_ in noticed(terminal)] == ["name"]


def looked_at(seconds_ago: float) -> None:
    db.session.execute(db.update(Terminal).values(drift_looked_at=database_now(-seconds_ago)))
    db.session.commit()


def test_idle_terminal_is_claimed_once_in_an_interval(terminal: Terminal) -> None:
    looked_at(299)
    assert people_changes.claim_due() == []
    looked_at(301)
    assert [people_changes.claim_due(), people_changes.claim_due()] == [[terminal.id], []]
    looked_at(301)
    with connection.converse(terminal.id, "Анна", "save"):
        assert people_changes.claim_due() == []
    db.session.execute(db.update(Terminal).values(is_active=False))
    db.session.commit()
    assert people_changes.claim_due() == []


def test_terminal_that_is_away_is_claimed_after_its_back_off(terminal: Terminal) -> None:
    for seconds, claimed in [(60, []), (-1, [terminal.id])]:
        looked_at(301)
        off = {"reachable": False, "offline_since": database_now(-600), "backoff_until": database_now(seconds)}
        db.session.execute(db.update(Terminal).values(**off))
        db.session.commit()
        assert people_changes.claim_due() == claimed
