"""Groups as lists and pages show them."""

import io
import json
from zipfile import ZipFile

import pytest

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.personal_data_export import export_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import queries
from hikflask.services.groups.queries import Belongs
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


def test_groups_of_a_single_employee_are_given_to_the_person() -> None:
    alone = make_group("Двор", [])
    make_group("Офис", [], "Охрана")
    saved = save_employee(Draft("1", "Анна", "Охрана", groups=(alone,))).row

    with ZipFile(io.BytesIO(export_employee(saved.id))) as archive:
        assert json.loads(archive.read("data.json"))["groups"] == ["Двор"]
