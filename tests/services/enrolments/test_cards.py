"""Cards are brought to a terminal, proven there and taken off, and are never somebody else's."""

from itertools import groupby

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.models import CardThere, Employee, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, REFUSED, REMOVED, WAITING
from hikflask.services.captures.drafts import Draft
from hikflask.services.cards import registry
from hikflask.services.core.errors import CardTakenThere, ServiceError
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import OTHER_FACE
from tests.support.enrolments import employee_of, enrol
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]
ANNA = Draft("5", "Анна Ким")


@pytest.fixture
def ivan(context: None, simulator: Simulated, terminal: Terminal) -> Enrolment:  # noqa: ARG001
    """ID 100222, with a face."""
    return enrol(simulator, terminal)


@pytest.fixture
def anna(context: None, simulator: Simulated, terminal: Terminal) -> Enrolment:  # noqa: ARG001
    """ID 5, with a face."""
    return enrol(simulator, terminal, ANNA, OTHER_FACE)


def there(simulator: Simulated) -> dict[str, str]:
    """Whose each card is on the terminal."""
    return {card.number: card.employee_no for card in simulator.cards.values()}


def known() -> list[tuple[str, str, bool]]:
    """The cards that may be on the terminal, whose they are, and whether the terminal confirmed it."""
    rows = db.session.execute(db.select(CardThere).order_by(CardThere.number)).scalars()
    return [(row.number, row.owner, row.confirmed_at is not None) for row in rows]


def calls(simulator: Simulated) -> list[str]:
    """What was asked of the terminal; the pages of one list count once."""
    paths = [entry.plain_path.partition("/AccessControl/")[2] for entry in simulator.log]
    return [path for path, _ in groupby(paths)]


def fails(enrolment: Enrolment, code: str) -> None:
    with pytest.raises(ServiceError, match=f"^{code}$"):
        reconcile(enrolment.id, "worker")


def test_card_is_given_proven_and_taken_away(simulator: Simulated, ivan: Enrolment) -> None:
    given = registry.give(employee_of(ivan), "00aB12")
    assert given.due == (ivan.id,)
    assert (queries.get_one(ivan.id).state, known()) == (WAITING, [])

    assert reconcile(ivan.id, "worker").state == CONFIRMED
    assert (there(simulator), known()) == ({"00aB12": "100222"}, [("00aB12", "100222", True)])
    assert [entry.after for entry in entries("card.given")] == [{"card": "00aB12"}]

    taken = registry.take_away(employee_of(ivan), given.row.id)
    assert (taken.due, queries.get_one(ivan.id).state) == ((ivan.id,), WAITING)
    assert reconcile(ivan.id, "worker").state == CONFIRMED
    assert (there(simulator), known()) == ({}, [])
    assert [entry.before for entry in entries("card.taken_away")] == [{"card": "00aB12"}]


def test_face_stays_confirmed_while_a_card_is_brought(ivan: Enrolment) -> None:
    registry.give(employee_of(ivan), "7")
    assert queries.get_one(ivan.id).face == CONFIRMED


def test_new_card_is_proven_before_the_old_one_is_taken_off(simulator: Simulated, ivan: Enrolment) -> None:
    old = registry.give(employee_of(ivan), "1").row
    reconcile(ivan.id, "worker")
    registry.take_away(employee_of(ivan), old.id)
    registry.give(employee_of(ivan), "2")
    simulator.log.clear()

    assert reconcile(ivan.id, "worker").state == CONFIRMED
    of_cards = [path.partition("CardInfo/")[2] for path in calls(simulator)]
    assert [call for call in of_cards if call] == ["Search", "Record", "Search", "Delete", "Search"]
    assert there(simulator) == {"2": "100222"}


def test_lost_card_is_taken_off_before_all_else(simulator: Simulated, ivan: Enrolment) -> None:
    lost = registry.give(employee_of(ivan), "1").row
    reconcile(ivan.id, "worker")
    registry.take_away(employee_of(ivan), lost.id, lost=True)
    registry.give(employee_of(ivan), "2")
    simulator.log.clear()

    assert reconcile(ivan.id, "worker").state == CONFIRMED
    assert calls(simulator)[:4] == ["CardInfo/Search", "CardInfo/Delete", "CardInfo/Search", "UserInfo/Search"]
    assert there(simulator) == {"2": "100222"}
    assert [entry.before for entry in entries("card.lost")] == [{"card": "1"}]


def test_lost_card_is_taken_off_though_the_person_cannot_be_sent(simulator: Simulated, ivan: Enrolment) -> None:
    lost = registry.give(employee_of(ivan), "1").row
    reconcile(ivan.id, "worker")
    simulator.people["100222"]["name"] = "Чужой Человек"
    registry.take_away(employee_of(ivan), lost.id, lost=True)

    fails(ivan, "employeenoalreadyexist")
    assert (there(simulator), known()) == ({}, [])


@pytest.mark.parametrize("how", ["lost-before", "lost-after"])
@pytest.mark.parametrize("path", ["CardInfo/Record", "CardInfo/Delete", "CardInfo/Search"])
def test_nothing_is_forgotten_by_a_lost_answer(simulator: Simulated, ivan: Enrolment, how: str, path: str) -> None:
    old = registry.give(employee_of(ivan), "1").row
    reconcile(ivan.id, "worker")
    registry.take_away(employee_of(ivan), old.id, lost=path == "CardInfo/Search")
    registry.give(employee_of(ivan), "2")
    simulator.faults.add(how, path=path, times=1)

    with pytest.raises(NoAnswer):
        reconcile(ivan.id, "worker")
    assert queries.get_one(ivan.id).state == WAITING
    assert {*there(simulator)} <= {number for number, _, _ in known()}

    assert reconcile(ivan.id, "worker").state == CONFIRMED
    assert (there(simulator), known()) == ({"2": "100222"}, [("2", "100222", True)])


def test_card_that_a_terminal_does_not_show_is_not_green(simulator: Simulated, ivan: Enrolment) -> None:
    registry.give(employee_of(ivan), "1")
    simulator.faults.add("ok-without-effect", path="CardInfo/Record", times=1)

    fails(ivan, "card_not_verified")
    left = queries.get_one(ivan.id)
    assert (left.state, left.face, left.next_attempt_at is not None) == (WAITING, CONFIRMED, True)
    assert reconcile(ivan.id, "worker").state == CONFIRMED


def test_card_that_stays_is_not_forgotten(simulator: Simulated, ivan: Enrolment) -> None:
    given = registry.give(employee_of(ivan), "1").row
    reconcile(ivan.id, "worker")
    registry.take_away(employee_of(ivan), given.id)
    simulator.faults.add("ok-without-effect", path="CardInfo/Delete", times=1)

    fails(ivan, "card_not_removed")
    assert (queries.get_one(ivan.id).state, known()) == (WAITING, [("1", "100222", True)])
    assert reconcile(ivan.id, "worker").state == CONFIRMED
    assert known() == []


def test_card_that_was_taken_off_at_the_terminal_is_given_again_only_by_a_person(
    simulator: Simulated, ivan: Enrolment
) -> None:
    registry.give(employee_of(ivan), "1")
    reconcile(ivan.id, "worker")
    simulator.store.remove_cards(["1"], None)

    with pytest.raises(ServiceError, match=r"^card_gone_there$"):
        reconcile(ivan.id, "worker", prove_again=True)
    row = queries.get_one(ivan.id)
    assert (row.refusal_code, row.next_attempt_at, there(simulator)) == ("card_gone_there", None, {})

    desired.retry(ivan.id)
    assert reconcile(ivan.id, "worker").state == CONFIRMED
    assert there(simulator) == {"1": "100222"}


def test_terminal_that_lost_the_person_gets_the_card_again_with_the_person(
    simulator: Simulated, ivan: Enrolment
) -> None:
    registry.give(employee_of(ivan), "1")
    reconcile(ivan.id, "worker")
    simulator.store.remove(["100222"])

    reconcile(ivan.id, "worker", prove_again=True)

    assert there(simulator) == {"1": "100222"}


class TestOthers:
    """A card is one person's on each terminal."""

    def test_card_of_a_stranger_there_stays_and_a_person_decides(self, simulator: Simulated, ivan: Enrolment) -> None:
        simulator.store.add("88", {"name": "Гость"})
        simulator.store.save_card("7", {"employeeNo": "88"})
        registry.give(employee_of(ivan), "7")

        with pytest.raises(CardTakenThere) as refused:
            reconcile(ivan.id, "worker")

        row = queries.get_one(ivan.id)
        assert refused.value.params == {"n": "7", "number": "88"}
        assert (row.state, row.face, row.refusal_code) == (REFUSED, CONFIRMED, "card_taken_there")
        assert (there(simulator), known()) == ({"7": "88"}, [])
        simulator.store.remove_cards(["7"], None)
        desired.retry(ivan.id)
        assert reconcile(ivan.id, "worker").state == CONFIRMED

    def test_moved_card_waits_until_it_is_proven_to_be_gone(
        self, simulator: Simulated, ivan: Enrolment, anna: Enrolment
    ) -> None:
        card = registry.give(employee_of(ivan), "7").row
        reconcile(ivan.id, "worker")
        registry.take_away(employee_of(ivan), card.id)
        registry.give(employee_of(anna), "7")

        fails(anna, "card_waits")
        assert there(simulator) == {"7": "100222"}
        assert reconcile(ivan.id, "worker").state == CONFIRMED
        assert there(simulator) == {}
        assert reconcile(anna.id, "worker").state == CONFIRMED
        assert there(simulator) == {"7": "5"}

    def test_cards_that_we_did_not_give_stay(self, simulator: Simulated, ivan: Enrolment) -> None:
        simulator.store.save_card("999", {"employeeNo": "100222"})
        card = registry.give(employee_of(ivan), "1").row
        reconcile(ivan.id, "worker")
        registry.take_away(employee_of(ivan), card.id)
        reconcile(ivan.id, "worker")
        assert there(simulator) == {"999": "100222"}

    def test_card_that_somebody_entered_there_becomes_ours(self, simulator: Simulated, ivan: Enrolment) -> None:
        simulator.store.save_card("7", {"employeeNo": "100222"})
        registry.give(employee_of(ivan), "7")
        simulator.log.clear()
        assert reconcile(ivan.id, "worker").state == CONFIRMED
        assert [path for path in calls(simulator) if "CardInfo" in path] == ["CardInfo/Search"]
        assert known() == [("7", "100222", True)]


class TestLeaving:
    """Who leaves takes the cards along."""

    @pytest.fixture
    def card(self, ivan: Enrolment) -> int:
        given = registry.give(employee_of(ivan), "7").row
        reconcile(ivan.id, "worker")
        return given.id

    @pytest.mark.usefixtures("card")
    def test_whoever_comes_back_gets_the_card_again(self, simulator: Simulated, ivan: Enrolment) -> None:
        set_active(employee_of(ivan), active=False)
        assert reconcile(ivan.id, "worker").state == REMOVED
        assert (there(simulator), known()) == ({}, [])

        set_active(employee_of(ivan), active=True)
        reconcile(ivan.id, "worker")
        assert (there(simulator), known()) == ({"7": "100222"}, [("7", "100222", True)])

    @pytest.mark.usefixtures("card")
    def test_card_of_somebody_deleted_is_free_and_not_forgotten(
        self, simulator: Simulated, ivan: Enrolment, anna: Enrolment
    ) -> None:
        delete_employee(employee_of(ivan))
        assert db.session.execute(db.select(Employee.number)).scalars().all() == ["5"]
        registry.give(employee_of(anna), "7")
        fails(anna, "card_waits")
        reconcile(ivan.id, "worker")
        assert reconcile(anna.id, "worker").state == CONFIRMED
        assert there(simulator) == {"7": "5"}


def test_terminal_without_cards_is_green_all_the_same(simulator: Simulated, ivan: Enrolment) -> None:
    simulator.faults.add("refuse", "notSupport", path="CardInfo/Search", status=404)
    registry.give(employee_of(ivan), "7")
    assert (reconcile(ivan.id, "worker").state, known()) == (CONFIRMED, [])
