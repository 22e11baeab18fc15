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
