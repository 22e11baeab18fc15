"""Groups as lists and pages show them."""

import io
import json
from zipfile import ZipFile

import pytest

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import queries
from hikflask.services.groups.queries import Belongs
from tests.support.employees import by_number
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group

pytestmark = [pytest.mark.usefixtures("context", "worker_alive")]


def test_group_is_told_with_all_that_belongs_to_it() -> None:
    ids = add_terminals(STORE, ENTRANCE)
    save_employee(Draft("1", "Яна"))
    save_employee(Draft("2", "Анна"))
    store = make_group("Склад", list(ids.values()), "Кладовая", added=["1", "2"])
    office = make_group("Офис", [ids[ENTRANCE]])

    first, second = queries.list_all()

    assert (first.id, first.name, first.departments, first.alone) == (office, "Офис", (), 0)
    assert (second.name, second.departments, second.alone) == ("Склад", ("Кладовая",), 2)
    assert [one.name for one in second.terminals] == [ENTRANCE, STORE]
    assert queries.names() == [(office, "Офис"), (store, "Склад")]
    assert [one.name for one in queries.people(store, 1)] == ["Анна"]
    assert queries.ids(queries.TERMINALS, store) == sorted(ids.values())
    assert queries.get(99) is None


def test_employee_belongs_alone_by_the_department_or_both() -> None:
    alone, both, shared = make_group("А", []), make_group("Б", [], "Охрана"), make_group("В", [], "Охрана")
    make_group("Г", [], "Склад")

    saved = save_employee(Draft("1", "Анна", "Охрана", groups=(alone, both))).row

    assert queries.of_employee(saved) == [
        Belongs(alone, "А", alone=True, by_department=False),
        Belongs(both, "Б", alone=True, by_department=True),
        Belongs(shared, "В", alone=False, by_department=True),
    ]


@pytest.mark.both_databases
def test_members_are_the_first_by_name_and_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    people = {"1": ("Яна", "Охрана"), "2": ("Борис", "Склад"), "3": ("Анна", "Охрана"), "4": ("Вера", "Цех")}
    for number, (name, department) in people.items():
        save_employee(Draft(number, name, department))
    group_id = make_group("А", [], "Охрана", "Склад", added=["3", "4"])

    def members(limit: int) -> tuple[list[str], int]:
        group = queries.get(group_id)
        assert group is not None
        employees, count = queries.members(group, limit)
        return [employee.name for employee in employees], count

    assert members(3) == (["Анна", "Борис", "Вера"], 4)
    set_active(by_number("2").id, active=False)
    assert members(3) == (["Анна", "Вера", "Яна"], 3)

    monkeypatch.setattr(queries, "MAX_COUNTED", 1)
    assert members(1) == (["Анна"], 2)


def test_groups_of_a_single_employee_are_given_to_the_person() -> None:
    alone = make_group("Двор", [])
    make_group("Офис", [], "Охрана")
    saved = save_employee(Draft("1", "Анна", "Охрана", groups=(alone,))).row

    with ZipFile(io.BytesIO(export_employee(saved.id))) as archive:
        assert json.loads(archive.read("data.json"))["groups"] == ["Двор"]
