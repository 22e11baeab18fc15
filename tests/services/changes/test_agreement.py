"""Who may let a job go on: by what it would do now, and by what is left of it."""

from unittest.mock import Mock

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Job, JobItem, Terminal
from hikflask.models.comparison import ONLY_THERE
from hikflask.models.job import DONE, SENT, NewItem
from hikflask.models.terminal import UNKNOWN
from hikflask.services.changes import agreement, lifecycle
from hikflask.services.changes.kinds import APPLY, DEACTIVATE, GROUPS, LOSES, LOSSES
from hikflask.services.comparisons import plan_choices
from hikflask.services.comparisons.plan import REMOVE, SEND, TAKE_OVER, Choices, make
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import AdministratorNeeded, PlanChanged
from hikflask.services.departments import merging
from hikflask.services.departments import registry as departments
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses
from hikflask.services.groups import changing
from hikflask.services.groups.registry import Wanted
from hikflask.services.imports import jobs as import_jobs
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import OTHER_FACE
from tests.support.compared import add_comparison
from tests.support.comparisons import compare, desire_with_photo, strangers
from tests.support.groups import add_terminals, make_group
from tests.support.imports import checked
from tests.support.jobs import add_people, job, run, started
from tests.support.removals import AGREED, BY_OPERATOR

pytestmark = pytest.mark.usefixtures("context")


def test_plan_takes_access_by_the_steps_that_are_left_and_take_it(terminal: Terminal) -> None:
    comparison = add_comparison(terminal.id, {ONLY_THERE: [str(number) for number in range(30)]})
    items = [
        NewItem("0", None, SEND),
        NewItem("1", None, SEND, {"replaces": True}),
        NewItem("2", None, TAKE_OVER),
        NewItem("3", None, TAKE_OVER, {"comes_in_inactive": True}),
        NewItem("4", None, REMOVE),
    ]

    def lose(count: int) -> Losses:
        return Losses((Loss(terminal.id, "Вход", count, 30),), count)

    claim = lifecycle.begin(APPLY, {"comparison": comparison.id}, terminal_id=terminal.id, items=items)
    plan = job(claim.job_id)
    assert agreement.of_rest(plan) == lose(3)
    lifecycle.stop_job(plan.id)
    with pytest.raises(AdministratorNeeded):
        lifecycle.retry(plan.id, BY_OPERATOR)
    with transaction():
        db.session.execute(db.update(JobItem).where(JobItem.action == REMOVE).values(state=DONE))
    assert agreement.of_rest(plan) == lose(2)
    assert lifecycle.retry(plan.id, BY_OPERATOR) is not None
    with transaction():
        db.session.execute(db.delete(Comparison))
    assert agreement.of_rest(plan) == Losses()


@pytest.mark.usefixtures("one_is_many")
def test_new_face_takes_access_wherever_it_is_sent(simulator: Simulated, terminal: Terminal) -> None:
    ivan = desire_with_photo(terminal)
    assert ivan.employee_id is not None
    yard = add_terminals("Двор")["Двор"]
    send_to_terminal(ivan.employee_id, yard)
    camera = add_terminals("Склад", face_mode=UNKNOWN)["Склад"]
    send_to_terminal(ivan.employee_id, camera)
    strangers(simulator, [ivan.number, *map(str, range(900, 920))], [OTHER_FACE])
    simulator.people[ivan.number]["name"] = "Иван Иванов"
    comparison = compare(terminal)
    # The days there end in 2035: they take access at the third terminal, which has no face of Ivan's.
    at_all = (Loss(terminal.id, "Вход", 1, 21), Loss(yard, "Двор", 1, 1), Loss(camera, "Склад", 1, 1))
    lost = Losses(at_all, 1)

    not_chosen = make(comparison, Choices({ivan.number: TAKE_OVER}))
    chosen = make(comparison, Choices({ivan.number: TAKE_OVER}, same_face=frozenset({ivan.number})))

    assert not not_chosen.losses
    assert chosen.losses == lost
    with pytest.raises(AdministratorNeeded):
        plan_choices.begin(chosen, BY_OPERATOR)
    claim = plan_choices.begin(chosen, Confirmation(1, by_admin=True))
    assert agreement.of_rest(job(claim.job_id)) == lost


@pytest.mark.both_databases
def test_job_of_a_group_that_only_waits_for_its_terminal_allows_no_other_job_to_take_more(terminal: Terminal) -> None:
    ids = add_people(*map(str, range(10)))
    people = [NewItem(str(at), employee_id, confirmed={LOSES: [terminal.id]}) for at, employee_id in enumerate(ids)]
    first = lifecycle.begin(GROUPS, {LOSSES: Losses().as_json}, items=people).job_id
    second = lifecycle.begin(GROUPS, {LOSSES: Losses().as_json}, items=people).job_id

    def take() -> None:
        with transaction():
            agreement.take(db.session.get_one(Job, second), [(employee_id, terminal.id) for employee_id in ids])

    take()
    with transaction():
        db.session.execute(db.update(JobItem).where(JobItem.job_id == first).values(state=SENT))
    with pytest.raises(PlanChanged):
        take()


def test_deactivation_is_an_administrators_even_where_nobody_loses_access() -> None:
    claim = started(DEACTIVATE, add_people("1"))
    lifecycle.stop_job(claim.job_id)

    with pytest.raises(AdministratorNeeded):
        lifecycle.retry(claim.job_id, BY_OPERATOR)
    assert lifecycle.retry(claim.job_id, AGREED) is not None


@pytest.mark.both_databases
def test_what_jobs_take_beyond_their_agreement_counts_among_what_the_requester_took_within_a_day() -> None:
    terminal_id = add_terminals("Склад")["Склад"]
    departments.resolve("Цех")
    departments.resolve("Контора")
    people = [str(1000 + at) for at in range(60)]
    add_people(*people, department="Цех")
    make_group("Склад", [terminal_id], "Цех", "Контора")

    def move(part: list[str]) -> Job:
        """Move people to a department by an import that takes nothing, and put another one in its place meanwhile."""
        moved = checked(*(f"{number};Иван Иванов {number};Контора" for number in part))
        claim = import_jobs.start_import(moved, BY_OPERATOR)
        merging.rename(departments.id_of("Контора") or 0, "Другая")
        departments.add("Контора")
        done = run(claim)
        merging.rename(departments.id_of("Контора") or 0, f"Прежняя {moved}")
        merging.rename(departments.id_of("Другая") or 0, "Контора")
        return done

    first, second = move(people[:15]), move(people[15:30])

    # A tenth of those on the terminal.
    assert (first.failed, second.failed) == (9, 15)
    assert mass_removals.count_present(terminal_id) == 54


@pytest.mark.both_databases
def test_people_who_only_gain_by_a_job_of_groups_lend_no_other_job_a_loss() -> None:
    """The workshop keeps the entrance by another group; only the office loses it by the administrator's change."""
    terminals = add_terminals("Вход", "Склад")
    departments.resolve("Контора")
    people = [str(1000 + at) for at in range(60)]
    add_people(*people, department="Цех")
    add_people(*(str(2000 + at) for at in range(40)), department="Офис")
    make_group("Проходная", [terminals["Вход"]], "Цех", "Контора")
    group = make_group("Все", [terminals["Вход"]], "Цех", "Офис")
    moved = checked(*(f"{number};Иван Иванов {number};Контора" for number in people))
    claim = import_jobs.start_import(moved, BY_OPERATOR)
    changing.change(group, Wanted("Все", [terminals["Склад"]], ["Цех", "Офис"]), Mock(), AGREED)
    merging.rename(departments.id_of("Контора") or 0, "Другая")
    departments.add("Контора")

    done = run(claim)

    # A tenth of those at the entrance.
    assert (done.done, done.failed) == (60, 50)
    assert mass_removals.count_present(terminals["Вход"]) == 90
