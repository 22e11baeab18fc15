"""What pages and programs read of an import."""

import pytest
from sqlalchemy import delete, inspect

from hikflask.extensions import db
from hikflask.models import Enrolment, ImportRow, Terminal
from hikflask.models.terminal import BY_URL
from hikflask.services.core.db import transaction
from hikflask.services.core.keyset import PagePosition
from hikflask.services.departments import registry as departments
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.imports import batches, queries
from hikflask.services.imports.queries import Absent, Undoable
from tests.support.captures import FACE
from tests.support.groups import add_terminals, make_group
from tests.support.import_batches import add_import
from tests.support.imports import apply, check, checked, made
from tests.support.jobs import add_people
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.both_databases
def test_rows_are_paged_by_verdict_in_the_order_of_the_file() -> None:
    found = checked(*(f"{number};{'Иван' if number % 2 else ''};" for number in range(1, 8)))

    page, total = queries.rows_page(found, "wrong", limit=2)
    last, _ = queries.rows_page(found, "wrong", 2, PagePosition(after=page.after))
    everything, count = queries.rows_page(found, "", limit=100)

    assert ([row.number for row in page.rows], total) == (["2", "4"], 3)
    assert ([row.number for row in last.rows], last.after) == (["6"], "")
    assert ([row.line for row in everything.rows], count) == (list(range(2, 9)), 7)


@pytest.mark.both_databases
def test_it_is_foreseen_whom_groups_send_to_which_terminals_and_with_a_face(terminal: Terminal) -> None:
    ids = {
        **add_terminals("Двор"),
        **add_terminals("Склад", face_mode=BY_URL),
        **add_terminals("Цех", face_mode=None),
        **add_terminals("Старый", is_active=False),
    }
    with transaction():
        for name in ("Склад", "Охрана"):
            departments.resolve(name)
    add_people("1", "2", "3", "4", department="Охрана")
    _, inactive = add_people("5", "6", department="Склад")
    set_active(inactive, active=False)
    make_group("Склад", [*ids.values(), terminal.id], "Склад")
    make_group("Ночь", [ids["Двор"]], added=["2"])
    with transaction():
        db.session.execute(delete(Enrolment).where(Enrolment.number == "2"))

    header = "ID;ФИО;Отдел;Уволен"
    people = (
        "1;Иван Иванов 1;Склад;",
        "2;Иван Иванов 2;Охрана;",
        "3;Иван Иванов 3;Склад;да",
        "4;Иван Иванов 4;Охрана;",
        "5;Иван Петров 5;Склад;",
        "6;Иван Петров 6;Склад;",
        "7;Новый Человек;Склад;",
    )
    rows = made(*people, header=header, pictures={"7.jpg": FACE}, terminal_id=terminal.id, groups=True)
    check(rows)

    # 1 moves there, 2 is to be there alone, 7 is new; 3 leaves, 4 has no group, 5 is there, and 6 is inactive.
    found = [(where.name, *counts) for where, *counts in queries.sent_by_groups(batches.get_one(rows))]
    assert found == [("Двор", 3, 1), ("Склад", 2, 0), ("Цех", 2, 1)]
    assert queries.sent_by_groups(batches.get_one(checked(*people, header=header))) == []


@pytest.mark.both_databases
def test_who_is_active_here_and_not_in_the_table_is_counted_and_the_first_are_named() -> None:
    _, inactive, *_ = add_people("1", "2", "3", "4")
    set_active(inactive, active=False)
    db.session.commit()
    batch = batches.get_one(checked("1;Иван;", "9;Ольга;", pictures={"4.jpg": FACE}))

    absent = queries.absent(batch, limit=1)

    assert (absent.people, [employee.number for employee in absent.first]) == (2, ["3"])
    assert queries.absent(batches.get_one(checked(pictures={"4.jpg": FACE}))) == Absent()


@pytest.mark.both_databases
def test_wrong_rows_come_and_are_counted_by_their_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked("1!;Анна;", "2;;", "3!;Яна;", "4;;", "5!;;")
    batch = batches.get_one(found)

    page, _ = queries.rows_page(found, "wrong", limit=2)
    rest, _ = queries.rows_page(found, "wrong", 9, PagePosition(after=page.after))

    nameless, odd = (("name", "text_empty"),), (("number", "number_invalid"),)
    in_order = [queries.reason_of(row.errors) for row in (*page.rows, *rest.rows)]
    assert in_order[:2] == [nameless] * 2
    assert in_order.count(odd) == 2
    assert queries.count_by_reason(batch) == {nameless: 2, odd: 2, (*odd, *nameless): 1}
    monkeypatch.setattr(queries, "MAX_SORTED", 4)
    page, _ = queries.rows_page(found, "wrong", limit=9)
    assert ([row.line for row in page.rows], queries.count_by_reason(batch)) == ([2, 3, 4, 5, 6], {})


def test_wrong_rows_are_read_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "BATCH", 2)
    found = checked(*(f"{number};;" for number in range(1, 6)))

    assert [row.cells[0] for row in queries.wrong_rows(found) if row.cells] == ["1", "2", "3", "4", "5"]


@pytest.mark.both_databases
def test_rows_whose_photos_are_refused_are_paged_and_among_the_wrong_ones() -> None:
    found = checked("1;Анна;", "2;;", "3;Яна;", "4;Ольга;", pictures={"1.jpg": b"none", "3.jpg": b"none"})

    page, total = queries.rows_page(found, queries.WITHOUT_PHOTO, limit=100)

    assert ([row.number for row in page.rows], total, queries.without_photo(found)) == (["1", "3"], 2, 2)
    assert [row.number for row in queries.wrong_rows(found)] == ["1", "2", "3"]


def test_leavers_are_counted() -> None:
    add_people("1", "2", "3")
    set_active(add_people("4")[0], active=False)

    assert queries.leavers(checked("1;да", "2;нет", "3;уволен", "4;да", "5;да", header="ID;Уволен")) == 2


def test_preview_of_an_undo_counts_who_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "BATCH", 2)
    found = checked(*(f"{number};Иван Иванов {number};" for number in range(1, 6)))
    assert queries.undo_preview(found) == Undoable(0, 0)
    apply(found)

    assert queries.applied(found) == 5
    assert queries.undo_preview(found) == Undoable(5, 0)


@pytest.mark.both_databases
def test_newest_import_comes_first_in_pages() -> None:
    made = [add_import() for _ in range(3)]

    first, total = queries.list_page(2)
    second, _ = queries.list_page(2, 2)

    assert [batch.id for batch in [*first, *second]] == made[::-1]
    assert total == 3
    assert inspect(first[0]).unloaded == {"layout"}


@pytest.mark.both_databases
def test_people_are_named_as_they_are_called_now() -> None:
    (ivan,) = add_people("1")
    add_import(ImportRow(number="1", verdict="unchanged", employee_id=ivan), ImportRow(number="2", verdict="new"))
    rows = db.session.execute(db.select(ImportRow)).scalars().all()

    assert queries.names(rows) == {ivan: "Иван Иванов 1"}
    assert queries.names([]) == {}


@pytest.mark.both_databases
def test_photos_are_paged_with_the_odd_ones_first() -> None:
    refused, warned = {"photo": refusal("photo_unreadable")}, {"photo": refusal("photo_dark")}
    found = add_import(
        ImportRow(number="1", verdict="new", photo="1.jpg"),
        ImportRow(number="2", verdict="new", photo="2.jpg", warnings=warned),
        ImportRow(number="3", verdict="new"),
        ImportRow(number="4", verdict="wrong", photo="4.jpg", errors={"name": refusal("text_empty")}),
        ImportRow(number="5", verdict="new", photo="5.jpg", errors=refused),
    )

    assert [row.number for row in queries.photos_page(found, 10)[0]] == ["5", "2", "1", "4"]
    page, total = queries.photos_page(found, 2, 1)
    assert ([row.photo for row in page], total) == (["2.jpg", "1.jpg"], 4)
    assert queries.find_row(found, page[0].id) == page[0]
    assert queries.find_row(found + 1, page[0].id) is None
