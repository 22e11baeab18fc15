"""A change of a group and its job are one; a preview changes nothing."""

from unittest.mock import Mock

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.errors import AdministratorNeeded, ServiceError, UnsafePlan
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.groups import changing, queries
from hikflask.services.groups.changing import Done
from hikflask.services.groups.differences import Differences
from hikflask.services.groups.registry import Wanted
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group, wishes
from tests.support.jobs import items, job
from tests.support.removals import AGREED, BY_OPERATOR

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


class Started:
    """Notes what jobs are started for."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, list[str]]] = []

    def __call__(self, claim: Claim) -> None:
        self.jobs.append((job(claim.job_id).params["group"], [number for number, *_ in items(claim.job_id)]))


@pytest.fixture
def ids(context: None) -> dict[str, int]:  # noqa: ARG001
    """Two guards; «Офис» has the entrance for them."""
    ids = add_terminals(ENTRANCE, STORE)
    for number in ("1", "2"):
        save_employee(Draft(number, "Анна", "Охрана"))
    return ids


def told(found: Differences) -> list[tuple[str, int, int]]:
    return [(one.terminal.name, one.gets, one.loses) for one in found.terminals]


@pytest.mark.both_databases
def test_preview_tells_what_the_change_does_and_changes_nothing(ids: dict[str, int]) -> None:
    group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана")
    wanted = Wanted("Офисы", [ids[STORE]], ["Охрана", "Новый"])

    assert told(changing.preview(group_id, wanted)) == [(ENTRANCE, 0, 2), (STORE, 2, 0)]
    assert told(changing.preview(None, Wanted("Склад", [ids[STORE]], ["Охрана"]))) == [(STORE, 2, 0)]
    assert told(changing.preview(group_id, None)) == [(ENTRANCE, 0, 2)]

    (group,) = queries.list_all()
    assert (group.name, group.departments) == ("Офис", ("Охрана",))
    assert db.session.execute(select(Department.name)).scalars().all() == ["Охрана"]
    assert wishes("1") == {ENTRANCE: True}


def test_change_starts_a_job_for_those_it_changes_something_for(ids: dict[str, int]) -> None:
    start = Started()
    save_employee(Draft("3", "Олег", "Склад"))

    wanted = Wanted("Офис", [ids[ENTRANCE]], ["Охрана"])
    added = changing.change(None, wanted, start, BY_OPERATOR, digest=changing.preview(None, wanted).digest)
    renamed = changing.change(added.group_id, Wanted("Офисы", [], ["Склад"]), start, BY_OPERATOR)

    assert added.job_id
    assert renamed == Done(added.group_id, None)
    assert start.jobs == [("Офис", ["1", "2"])]
    assert [one.name for one in queries.list_all()] == ["Офисы"]


def test_many_who_lose_a_terminal_are_confirmed_by_their_number(ids: dict[str, int]) -> None:
    save_employee(Draft("3", "Олег", "Охрана"))
    group_id, start = make_group("Офис", [ids[ENTRANCE]], "Охрана"), Started()
    digest = changing.preview(group_id, None).digest

    for confirm in (None, 2):
        with pytest.raises(UnsafePlan) as refused:
            changing.change(group_id, None, start, Confirmation(confirm, by_admin=True), digest=digest)
        assert refused.value.count == 3
    with pytest.raises(AdministratorNeeded):
        changing.change(group_id, None, start, Confirmation(3, by_admin=False), digest=digest)
    assert queries.get(group_id) is not None
    assert changing.change(group_id, None, start, Confirmation(3, by_admin=True), digest=digest).group_id == group_id

    assert start.jobs == [("Офис", ["1", "2", "3"])]
    assert queries.list_all() == []
    with pytest.raises(ServiceError, match=r"^group_unknown$"):
        changing.change(group_id, None, start, AGREED)


def test_job_that_cannot_be_started_leaves_the_group_as_it_was(
    ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "begin", Mock(side_effect=TypeError))

    with pytest.raises(TypeError):
        changing.change(None, Wanted("Офис", [ids[ENTRANCE]], ["Охрана"]), run_to_end, AGREED)

    assert queries.list_all() == []


@pytest.mark.both_databases
def test_merged_departments_give_their_people_the_terminals_of_the_other_one(ids: dict[str, int]) -> None:
    save_employee(Draft("3", "Олег", "Охрана"))
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    make_group("Склад", [ids[STORE]], "Кладовая")
    by_name = {one.name: one.id for one in db.session.execute(select(Department)).scalars()}
    everybody = select(Employee.id)
    assert told(changing.preview_of_department(everybody, by_name["Кладовая"])) == [(ENTRANCE, 0, 3), (STORE, 3, 0)]
    assert told(changing.preview_of_department(everybody, None)) == [(ENTRANCE, 0, 3)]

    merge = changing.preview_of_merge([by_name["Охрана"]], by_name["Кладовая"])
    for agreed, refusal in ((BY_OPERATOR, AdministratorNeeded), (Confirmation(1, by_admin=True), UnsafePlan)):
        with pytest.raises(refusal):
            changing.merge_departments([by_name["Охрана"]], by_name["Кладовая"], run_to_end, agreed, merge.digest)
    assert wishes("1") == {ENTRANCE: True}
    assert (merge.people, told(merge.differences)) == (3, [(ENTRANCE, 0, 3), (STORE, 3, 0)])

    assert changing.merge_departments([by_name["Охрана"]], by_name["Кладовая"], run_to_end, AGREED, merge.digest) == 3

    assert (wishes("1"), wishes("2")) == ({STORE: True}, {STORE: True})


def test_terminal_that_is_in_use_again_gets_those_whom_groups_ask_for(ids: dict[str, int]) -> None:
    terminal = db.session.get_one(Terminal, ids[STORE])
    terminal.is_active = False
    db.session.commit()
    make_group("Офис", list(ids.values()), "Охрана")
    assert wishes("1") == {ENTRANCE: True}
    terminal.is_active = True
    db.session.commit()

    assert changing.bring_to(terminal, run_to_end) is not None
    assert changing.bring_to(terminal, run_to_end) is None

    assert wishes("1") == {ENTRANCE: True, STORE: True}
