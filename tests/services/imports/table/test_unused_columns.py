"""What columns that are not read say, where it may be a status."""

from hikflask.services.imports.table.unused_columns import UnusedColumns


def told(*cells: str) -> dict[str, list[str]]:
    """What is told of a column with these cells, beside an ID."""
    unused = UnusedColumns(["ID", "Движение"], {"number": 0})
    for at, cell in enumerate(cells):
        unused.add([str(at), cell])
    return unused.told()


def test_words_are_told_where_they_are_few_and_say_nobody() -> None:
    assert told("учится", "отчислен", "учится", "учится") == {"Движение": ["отчислен", "учится"]}
    assert told("", "выбыл", "") == {"Движение": ["выбыл"]}
    for cells in (
        ["a", "b", "c"],
        ["ivanov@example.com", ""],
        ["+7 900 1234567", "", ""],
        [str(at) for at in range(20)],
    ):
        assert told(*cells) == {"Движение": []}
    assert told("", "") == {}


def test_columns_of_one_name_are_told_by_their_places_and_names_of_people_are_not() -> None:
    unused = UnusedColumns(["ID", "Mark", "Mark", "Chief"], {"number": 0})
    for at in range(4):
        unused.add([str(at), "on" if at else "off", "green", "Анна Ли" if at else "Лев Петрович Иванов"])

    assert unused.told() == {"Mark (2)": ["off", "on"], "Mark (3)": ["green"], "Chief": []}


def test_column_without_a_name_is_told_by_its_place_and_a_long_word_is_cut() -> None:
    unused = UnusedColumns(["ID", "", "ФИО"], {"number": 0, "name": 2})
    for at in range(2):
        unused.add([str(at), "я" * 100, "Иван Иванов", "в отпуске" if at else ""])

    assert unused.told() == {"2": ["я" * 64], "4": ["в отпуске"]}
