"""Names that may be the same person's, and names that are another's."""

import pytest

from hikflask.services.core.similar_names import are_similar, are_wholly_other


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Иванов Иван Иванович", "Иванов И. И."),
        ("Иванов Иван Иванович", "ИВАН ИВАНОВ"),
        ("Иванова Анна Сергеевна", "Петрова Анна Сергеевна"),
        ("Рабинович Анна Петровна", "Анна Петровна Кац"),
        ("Рабинович Иван Петрович", "Иван Петрович Рабинович"),
        ("Иванова Наталия Ильинична", "Иванова Наталья Ильинична"),
        ("Иванов Иван Петрович", "Иванов И. Петрович"),
        ("Пётр Петров", "Pyotr Petrov"),
        ("Алёна Щукина", "Alena Shchukina"),
        ("Сергеев Юрий Дмитриевич", "Sergeev Yury Dmitrievich"),
        ("Хрущёв Никита", "Khrushchev Nikita"),
        ("Александр Ксенофонтов", "Alexander Xenofontov"),
        ("Mустафин Oлег", "Мустафин Олег"),
        ("Zoë Müller", "Zoe Muller"),
        ("100222", "Иванов Иван"),
    ],
)
def test_other_spelling_and_another_surname_make_no_other_person(one: str, other: str) -> None:
    assert not are_wholly_other(one, other)
    assert not are_wholly_other(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Иванов Иван Иванович", "Сидоров Пётр Петрович"),
        ("Иванов И. И.", "Игнатьев Илья Иванович"),
        ("Иванов И. И.", "Сидоров И. И."),
        ("Иванов Иван", "Иванов Пётр"),
        ("Иванов Иван Петрович", "Иванов Сергей Петрович"),
        ("Иванов Иван Петрович", "Пётр Иванович Иванов"),
        ("Иванова Анна", "Петрова Анна"),
        ("Ким Ён", "Ли Мэй"),
        ("王伟", "李伟"),
    ],
)
def test_names_of_which_hardly_a_word_is_the_same_are_wholly_other(one: str, other: str) -> None:
    assert are_wholly_other(one, other)
    assert are_wholly_other(other, one)
