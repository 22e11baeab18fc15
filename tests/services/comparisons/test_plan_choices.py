"""What is chosen for the differences of a comparison: kept until its plan is started, the last choice counting."""

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Job, JobItem, Terminal
from hikflask.models.comparison import NAME, ONLY_HERE, ONLY_THERE, VALIDITY
from hikflask.services.changes import lifecycle
from hikflask.services.comparisons import plan_choices
from hikflask.services.comparisons.plan import LEAVE, REMOVE, SEND, TAKE_OVER, Choices
from hikflask.services.comparisons.plan_choices import FACE_THERE, NAME_HERE, NAME_THERE, NOTHING
from hikflask.services.core.errors import ServiceError
from tests.support.compared import add_comparison

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def comparison(terminal: Terminal) -> Comparison:
    return add_comparison(terminal.id, {NAME: ["1", "2"], ONLY_THERE: ["7", "8", "9"], VALIDITY: ["2"]})


def test_nothing_is_chosen_at_first(comparison: Comparison) -> None:
    assert plan_choices.of(comparison) == Choices()


def test_number_and_kind_are_kept_and_the_last_choice_counts(comparison: Comparison) -> None:
    plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER)
    plan_choices.choose(comparison, ONLY_THERE, REMOVE, ["8", "2", "nobody"])
    plan_choices.choose(comparison, NAME, SEND, ["1"])
    plan_choices.choose(comparison, NAME, TAKE_OVER, ["1"])

    assert plan_choices.of(comparison) == Choices({"8": REMOVE, "1": TAKE_OVER}, {ONLY_THERE: TAKE_OVER})


def test_choice_for_a_whole_kind_ends_those_for_its_numbers(comparison: Comparison) -> None:
    plan_choices.choose(comparison, ONLY_THERE, REMOVE, ["8"])
    plan_choices.choose(comparison, NAME, SEND, ["1"])

    plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER)

    assert plan_choices.of(comparison) == Choices({"1": SEND}, {ONLY_THERE: TAKE_OVER})


def test_choice_is_taken_back_for_a_number_and_for_a_kind(comparison: Comparison) -> None:
    plan_choices.choose(comparison, NAME, SEND, ["1"])
    plan_choices.choose(comparison, NAME, NOTHING, ["1"])
    assert plan_choices.of(comparison) == Choices()

    plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER)
    plan_choices.choose(comparison, ONLY_THERE, NOTHING, ["8"])
    assert plan_choices.of(comparison) == Choices({"8": LEAVE}, {ONLY_THERE: TAKE_OVER})

    plan_choices.choose(comparison, ONLY_THERE, NOTHING)
    assert plan_choices.of(comparison) == Choices()


@pytest.mark.parametrize(
    ("kind", "action"), [(ONLY_HERE, TAKE_OVER), (NAME, LEAVE), (NAME, "open the door"), ("", SEND)]
)
def test_what_is_not_possible_for_a_kind_is_not_chosen(comparison: Comparison, kind: str, action: str) -> None:
    assert plan_choices.choose(comparison, kind, action) is False
    assert plan_choices.of(comparison) == Choices()


def test_answer_says_that_it_is_the_same_person_and_whose_name_counts(comparison: Comparison) -> None:
    plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER)

    plan_choices.answer(comparison, {"7": NAME_THERE, "8": LEAVE, "9": NAME_HERE, "nobody": NAME_THERE})

    numbers = {"7": TAKE_OVER, "8": LEAVE, "9": SEND}
    assert plan_choices.of(comparison) == Choices(numbers, {ONLY_THERE: TAKE_OVER}, frozenset({"7", "9"}))
    plan_choices.answer(comparison, {"7": FACE_THERE})
    assert plan_choices.of(comparison).same_face == {"7"}


def test_everything_is_taken_back_at_once(comparison: Comparison) -> None:
    plan_choices.choose(comparison, NAME, SEND, ["1"])
    plan_choices.choose(comparison, ONLY_THERE, TAKE_OVER)

    plan_choices.discard(comparison)
    plan_choices.discard(comparison)

    assert plan_choices.of(comparison) == Choices()
    assert db.session.execute(db.select(Job.id)).all() == []
    assert db.session.execute(db.select(JobItem.id)).all() == []


def test_another_comparison_has_choices_of_its_own(comparison: Comparison, terminal: Terminal) -> None:
    plan_choices.choose(comparison, NAME, SEND)

    assert plan_choices.of(add_comparison(terminal.id, {NAME: ["1"]})) == Choices()


def test_second_start_waits_for_the_same_comparison(terminal: Terminal) -> None:
    first, second = plan_choices.start_compare(terminal.id), plan_choices.start_compare(terminal.id)

    assert (first is None, second is None) == (False, True)
    assert db.session.execute(db.select(Job.params["terminal"].as_string())).scalars().all() == ["Вход"]


def test_comparison_whose_job_was_stopped_goes_on_in_another_one(terminal: Terminal) -> None:
    first = plan_choices.start_compare(terminal.id)
    assert first is not None
    lifecycle.stop_job(first.job_id)

    second = plan_choices.start_compare(terminal.id)

    assert second is not None
    assert second.job_id != first.job_id
    assert len(db.session.execute(db.select(Comparison.id)).all()) == 1


def test_terminal_that_is_not_there_is_not_compared() -> None:
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        plan_choices.start_compare(9)
