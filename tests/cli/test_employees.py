"""The command line: people out to a table."""

from flask import Flask

from tests.cli.test_operators import run
from tests.support.jobs import add_people
from tests.support.retention import entries

HEAD = '"Employee ID";"Full name";"Department";"Active";"Added"\r\n'


def test_everybody_goes_to_standard_output_as_csv(app: Flask) -> None:
    with app.app_context():
        add_people("1", "2", department="=1+1")

    result = run(app, "employees", "export")

    assert result.exit_code == 0
    head, *lines = result.stdout_bytes.decode().splitlines(keepends=True)
    assert head == HEAD
    assert [line.split(";")[:4] for line in lines] == [
        ['"1"', '"Иван Иванов 1"', '"\'=1+1"', '"yes"'],
        ['"2"', '"Иван Иванов 2"', '"\'=1+1"', '"yes"'],
    ]
    with app.app_context():
        assert [(entry.actor, entry.after) for entry in entries("employees.exported")] == [
            ("command line", {"people": 2})
        ]
