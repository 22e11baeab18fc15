"""The command line: cards are listed, and given by a table that says which lines are refused."""

from pathlib import Path

import pytest
from flask import Flask

from hikflask.services.captures.drafts import Draft
from hikflask.services.cards import registry
from hikflask.services.employees.save import save_employee
from tests.cli.test_operators import run
from tests.support.trail import entries


@pytest.fixture
def people(app: Flask) -> dict[str, int]:
    """Ids of two employees by number."""
    with app.app_context():
        return {number: save_employee(Draft(number, name)).row.id for number, name in (("1", "Анна"), ("2", "Пётр"))}


def table(folder: Path, text: str) -> str:
    file = folder / "cards.csv"
    file.write_bytes(text.encode())
    return str(file)


def test_cards_are_given_listed_and_given_once(app: Flask, people: dict[str, int], tmp_path: Path) -> None:
    file = table(tmp_path, "\ufeffnumber;card\r\n1;00aB12\r\n 1 ; 8 \n\n2;7\n")
    given = run(app, "cards", "import", file)
    assert (given.exit_code, given.stdout, given.stderr) == (0, "Cards given: 3\n", "")

    listed = run(app, "cards", "list")
    assert listed.stdout == "number;card\n1;00aB12\n1;8\n2;7\n"
    assert run(app, "cards", "import", table(tmp_path, listed.stdout)).stdout == "Cards given: 0\n"
    with app.app_context():
        assert [card.given_by for card in registry.of_employee(people["1"])] == ["command line"] * 2
        assert [entry.after for entry in entries("cards.exported")] == [{"people": 2}]


@pytest.mark.usefixtures("people")
def test_refused_lines_are_said_and_the_others_done(app: Flask, tmp_path: Path) -> None:
    file = table(tmp_path, "1;7\n2;7\n9;8\n2\n2;7;8\n2;Ж\n2;9\n")

    result = run(app, "cards", "import", file)

    assert (result.exit_code, result.stdout) == (1, "Cards given: 2\n")
    assert result.stderr.splitlines() == [
        "line 2: Card 7 is Анна's, ID 1. Take it away there first.",
        "line 3: No employee has ID 9.",
        "line 4: An employee ID and a card are expected, with a semicolon between them.",
        "line 5: An employee ID and a card are expected, with a semicolon between them.",
        "line 6: A card's number has 1 to 32 Latin letters and digits, as the terminal shows it.",
        "Error: Lines refused: 5",
    ]


def test_file_in_another_encoding_is_refused(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "cards.csv"
    file.write_bytes("1;Ж".encode("cp1251"))
    result = run(app, "cards", "import", str(file))
    assert result.exit_code == 2
    assert "the file is not UTF-8." in result.stderr
