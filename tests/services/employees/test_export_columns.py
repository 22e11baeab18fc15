"""Employees as the rows of a table."""

from datetime import UTC, date, datetime

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.services.employees import export_columns, search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import send_to_terminal
from tests.support.jobs import add_people
from tests.test_docs import DOCS

SPRING = {"valid_from": date(2036, 3, 1), "valid_to": date(2036, 6, 30)}

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def rows(language: str, wanted: EmployeeFilter) -> list[list[str]]:
    parts = export_columns.PeopleTable(language).parts(export_columns.batches(search.ids(wanted)))
    return [row for part in parts for row in part]


def test_table_has_a_row_for_each_and_a_column_for_each_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_columns, "BATCH", 1)
    added = datetime(2026, 5, 4, 12, 0, 1, tzinfo=UTC)
    first, second, _third = add_people("1", "2", "3", department="Охрана", created_at=added)
    send_to_terminal(first, terminal.id)
    db.session.execute(db.update(Employee).where(Employee.id == second).values(is_active=False, **SPRING))
    db.session.commit()

    russian = rows("ru", EmployeeFilter(sort="number"))
    english = rows("en", EmployeeFilter(q="Иванов 2"))

    assert russian[0] == ["ID сотрудника", "ФИО", "Отдел", "Активен", "Добавлен", "Действует с", "Действует по", "Вход"]
    assert [row[:4] + row[7:] for row in russian[1:]] == [
        ["1", "Иван Иванов 1", "Охрана", "да", "выполняется"],
        ["2", "Иван Иванов 2", "Охрана", "нет", ""],
        ["3", "Иван Иванов 3", "Охрана", "да", ""],
    ]
    assert english == [
        ["Employee ID", "Full name", "Department", "Active", "Added", "Valid from", "Valid to", "Вход"],
        ["2", "Иван Иванов 2", "Охрана", "no", local_text(added), "2036-03-01", "2036-06-30", ""],
    ]


@pytest.mark.parametrize(("language", "begins"), [("en", "The columns, in the"), ("ru", "Столбцы, на языке")])
def test_guide_names_the_columns_in_their_order(language: str, begins: str) -> None:
    _, _, behind = (DOCS / language / "employees.md").read_text(encoding="utf-8").partition(begins)
    named = behind.partition("\n\n")[0].partition(":")[2]
    columns = next(iter(rows(language, EmployeeFilter())))

    assert [column for column in sorted(columns, key=named.index)] == columns


def local_text(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")
