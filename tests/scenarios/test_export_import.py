"""A list that was exported comes back unchanged, in each language and kind of file."""

import json
from datetime import date
from pathlib import Path

from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.employees.lifecycle import set_active
from tests.cli.test_operators import run
from tests.support.jobs import add_people

ODD = ("О'Нил «Младший»; Иван", 'Ёлкина "Анна", мл.', "Иван\u00a0Иванов", "'Апостроф Иван", "Zoë O’Brien | Ltd")


def test_exported_list_changes_nothing_when_it_is_imported(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        people = add_people("001", "A2", "3", "4", "5", department="Цех №1; дальний")
        for employee_id, name in zip(people, ODD, strict=True):
            db.session.get_one(Employee, employee_id).name = name
        limited = db.session.get_one(Employee, people[1])
        limited.valid_from, limited.valid_to = date(2026, 3, 4), date(2037, 12, 11)
        db.session.commit()
        set_active(people[2], active=False)

    for name, language in (("a.csv", "en"), ("b.csv", "ru"), ("c.xlsx", "en"), ("d.xlsx", "ru")):
        file = str(tmp_path / name)
        assert run(app, "employees", "export", file, "--language", language).exit_code == 0
        again = run(app, "employees", "import", file, "--dry-run", "--json")

        told = {"batch": None, "new": 0, "changed": 0, "unchanged": 5, "wrong": 0}
        found = json.loads(again.stdout.splitlines()[-1])
        assert {key: found[key] for key in told} == told, (name, again.stderr)
