"""A command that imports and is interrupted: it stops, says how to undo what is done, and that undoes exactly that."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.processes.processes import ROOT, Served, until
from tests.support.migrated import migrate

PEOPLE = 4000


def numbers(folder: Path) -> tuple[int, int]:
    """How many rows the import has done, and how many employees there are."""
    with closing(sqlite3.connect(folder / "hikflask.sqlite3")) as database:
        imports = "SELECT coalesce(max(done), 0) FROM job WHERE kind = 'import' AND state != 'waiting'"
        done = database.execute(imports).fetchone()[0]
        return done, database.execute("SELECT count(*) FROM employee").fetchone()[0]


def test_interrupted_import_stops_and_is_undone(tmp_path: Path) -> None:
    served = Served(tmp_path)
    migrate(tmp_path)
    table = tmp_path / "people.csv"
    table.write_text("ID;ФИО\n" + "".join(f"{at};Иванов {at}\n" for at in range(PEOPLE)), encoding="utf-8")
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "employees", "import", str(table)]
    environment = {**os.environ, "HIKFLASK_INSTANCE_PATH": str(tmp_path)}

    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as importing:
        until(lambda: numbers(tmp_path)[1] > 5, seconds=60)
        importing.send_signal(signal.SIGINT)
        _, said = importing.communicate(timeout=60)

    done, employees = numbers(tmp_path)
    assert importing.returncode == 1
    assert said == (f"Error: Stopped after {done} of {PEOPLE}. What is done stays; undo it by `employees undo 1`.\n")
    assert 0 < done == employees < PEOPLE
    assert served.flask("employees", "undo", "1") == f"Undone: {done}, not undone: 0.\n"
    assert numbers(tmp_path)[1] == 0
