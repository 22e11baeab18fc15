"""Names that may be the same person's, and names that are another's."""

import pytest

from hikflask.services.core.similar_names import are_similar


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Иванов Иван Иванович", "Иванов Иван Иванович"),
        ("Иванов Иван Иванович", "ИВАНОВ ИВАН"),
        ("Иванов Иван Иванович", "Иван Иванов"),
        ("Иванов Иван Иванович", "Иванов И. И."),
        ("Иванов Иван", "Иванов  И.И"),
        ("Королёва Алёна", "Королева Алена"),
        ("Иванов Иван", "Иваноа Иван"),
        ("Константинопольский Пётр", "Константиноп"),
        ("Oтто Ким", "Отто Ким"),
        ("Ли Анна", "Ли А."),
    ],
)
def test_same_name_in_another_spelling(one: str, other: str) -> None:
    assert are_similar(one, other)
    assert are_similar(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Иванов Иван", "Петров Пётр"),
        ("Иванов Иван", "Иванова Ирина"),
        ("Иванов Иван", "Сидоров Иван"),
        ("Иванов Иван", "Иванов Пётр"),
        ("Иванов И.", "Петров И."),
        ("Иванов Иван", "И. И."),
        ("Иванов Иван", ""),
        ("", ""),
        ("—", "-"),
    ],
)
def test_name_of_somebody_else(one: str, other: str) -> None:
    assert not are_similar(one, other)
    assert not are_similar(other, one)
