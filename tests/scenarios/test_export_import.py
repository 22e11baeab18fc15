"""A list that was exported comes back unchanged, in each language and kind of file."""

import json
from datetime import date
from pathlib import Path

from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.departments.registry import resolve
from hikflask.services.employees.lifecycle import set_active
from tests.cli.test_operators import run
from tests.support.jobs import add_people

NAMES = [
    "О'Нил «Младший»; Иван", 'Ёлкина "Анна", мл.', "Иван\u00a0Иванов", "'Апостроф Иван", "Zoë O’Brien | Ltd", "=Иван",
    "+Пётр", "-Анна", "@Ольга", "'=Иван", "=1+2", '"Мария"', "Итого Иван", "- Олег", "+", "да",
]  # fmt: skip
DEPARTMENTS = [
    "Цех №1; дальний", "Завод/Цех 1/Смена Б", "Завод/Цех 2", "Завод\\Цех 3", "Все отделы/Склад",
    "Завод", "1/2", "2-3", "=Цех", "+1 этаж", "-1 этаж",
    "@склад", '"Ромашка" ООО', '"Лютик"', "-", "01.02.2026",
]  # fmt: skip
# An export with IDs of six digits and the department 1/2, as LibreOffice 26.8 saves it after it was opened there.
SAVED_BY_LIBRE_OFFICE = (
    "\ufeffID сотрудника;ФИО;Отдел;Активен;Добавлен;Действует с;Действует по\n"
    "12;Иванов Иван Иванович;Цех 1;да;2026-12-02 19:24:09;;\n"
    '13;"Ёлкина ""Анна"", мл.";01/02/26;да;2026-12-02 19:24:09;;\n'
    "100;О'Нил Пётр;;да;2026-12-02 19:24:09;2026-03-04;2037-12-11\n"
    "A7;'=Иван;Завод/Цех 1;нет;2026-12-02 19:24:09;;\n"
).encode()


def test_exported_list_changes_nothing_when_it_is_imported(app: Flask, tmp_path: Path) -> None:
    width = len(NAMES)
    with app.app_context():
        people = add_people("A2", *(f"{n:05}" for n in range(1, width)))
        for at, employee_id in enumerate(people):
            employee = db.session.get_one(Employee, employee_id)
            employee.name, employee.department = NAMES[at], resolve(DEPARTMENTS[at % len(DEPARTMENTS)])
        limited = db.session.get_one(Employee, people[1])
        limited.valid_from, limited.valid_to = date(2026, 3, 4), date(2037, 12, 11)
        db.session.commit()
        set_active(people[2], active=False)

    for name, language in (("a.csv", "en"), ("b.csv", "ru"), ("c.xlsx", "en"), ("d.xlsx", "ru")):
        file = str(tmp_path / name)
        assert run(app, "employees", "export", file, "--language", language).exit_code == 0
        again = run(app, "employees", "import", file, "--dry-run", "--json")

        told = {"batch": None, "new": 0, "changed": 0, "unchanged": width, "wrong": 0}
        found = json.loads(again.stdout.splitlines()[-1])
        assert {key: found[key] for key in told} == told, (name, again.stderr, again.stdout)


def test_zeros_that_a_spreadsheet_took_from_an_exported_list_are_said_once(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        people = add_people("000012", "000013", "000100", "A7")
        told = [("Иванов Иван Иванович", "Цех 1"), ('Ёлкина "Анна", мл.', "1/2"), ("О'Нил Пётр", "")]
        for employee_id, (name, department) in zip(people, [*told, ("=Иван", "Завод/Цех 1")], strict=True):
            employee = db.session.get_one(Employee, employee_id)
            employee.name, employee.department = name, resolve(department)
        employee = db.session.get_one(Employee, people[2])
        employee.valid_from, employee.valid_to = date(2026, 3, 4), date(2037, 12, 11)
        db.session.commit()
        set_active(people[3], active=False)
    file = tmp_path / "a.csv"
    file.write_bytes(SAVED_BY_LIBRE_OFFICE)

    again = run(app, "employees", "import", str(file), "--dry-run")
    padded = run(app, "employees", "import", str(file), "--dry-run", "--pad-to", "6")

    assert "New: 2, changed: 0, unchanged: 1, wrong: 1." in again.stdout
    said = "IDs are here with zeros in front, which the file lost: --pad-to 6 puts them back."
    assert again.stderr.splitlines().count(said) == 1
    assert "New: 0, changed: 0, unchanged: 3, wrong: 1." in padded.stdout
    wrong = (
        "Row 3: department: This is a day. A spreadsheet may have made it of a department such as 1/2: write its name."
    )
    assert padded.stderr.splitlines() == [wrong]
