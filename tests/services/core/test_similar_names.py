"""Names that may be the same person's, and names that are another's."""

import pytest

from hikflask.services.core.similar_names import are_similar, are_wholly_other, has_initials_of, have_other_given_names


def either_way(*pairs: tuple[str, str]) -> pytest.MarkDecorator:
    """Run a test with each pair of names in either order."""
    return pytest.mark.parametrize(("one", "other"), [*pairs, *(pair[::-1] for pair in pairs)])


@either_way(
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
    ("Oʻktamov Gʻani", "O'KTAMOV G‘ANI"),
)
def test_same_name_in_another_spelling(one: str, other: str) -> None:
    assert are_similar(one, other)


@either_way(
    ("Иванов Иван", "Петров Пётр"),
    ("Иванов Иван", "Иванова Ирина"),
    ("Иванов Иван", "Сидоров Иван"),
    ("Иванов Иван", "Иванов Пётр"),
    ("Иванов И.", "Петров И."),
    ("Иванов Иван", "И. И."),
    ("Иванов Иван", ""),
    ("", ""),
    ("—", "-"),
)
def test_name_of_somebody_else(one: str, other: str) -> None:
    assert not are_similar(one, other)


@either_way(
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
)
def test_other_spelling_and_another_surname_make_no_other_person(one: str, other: str) -> None:
    assert not are_wholly_other(one, other)


@either_way(
    ("Иванов Иван Иванович", "Сидоров Пётр Петрович"),
    ("Иванов И. И.", "Игнатьев Илья Иванович"),
    ("Иванов И. И.", "Сидоров И. И."),
    ("Иванов Иван", "Иванов Пётр"),
    ("Иванов Иван Петрович", "Иванов Сергей Петрович"),
    ("Иванов Иван Петрович", "Пётр Иванович Иванов"),
    ("Иванова Анна", "Петрова Анна"),
    ("Ким Ён", "Ли Мэй"),
    ("王伟", "李伟"),
)
def test_names_of_which_hardly_a_word_is_the_same_are_wholly_other(one: str, other: str) -> None:
    assert are_wholly_other(one, other)


@either_way(
    ("Иванова Анна", "Иванова Инна"),
    ("Иванов Иван", "Иванов Ивана"),
    ("Иван Петров", "Ивана Петров"),
    ("Иванова Анна Петровна", "Иванова Инна Петровна"),
    ("Иванов Иван Петрович", "Иванов Ивана Петровна"),
    ("Иванов Александр Петрович", "Иванова Александра Петровна"),
    ("Иванова Мария Ивановна", "Иванова Марина Ивановна"),
    ("Ахметов Марат", "Ахметов Мурат"),
    ("Цой Валерий", "Цой Валерия"),
    ("Иванов Иван Николаевич", "Иванов Иван Михайлович"),
    ("Иванов Иван Петрович", "Иванов Иван Павлович"),
    ("Иванов Иван Иванович", "Иванов Пётр И."),
    ("Иванов Иван Петрович", "Иванов Ивана"),
    ("Oʻktamov Akmal", "Oʻktamov Akbar"),
    ("Алиев Вели Гасан оглы", "Алиев Вали Гасан оглы"),
)
def test_another_first_name_or_patronymic_however_close_is_another(one: str, other: str) -> None:
    assert have_other_given_names(one, other)


@either_way(
    ("Иванова Наталья Ильинична", "Иванова Наталия Ильинична"),
    ("Иванова Наталья", "ИВАНОВА НАТАЛИЯ"),
    ("Иванов Алексей", "Иванов Алекcей"),
    ("Гасанова Лейла Ариф кызы", "Гасанова Лейла Арифкызы"),
    ("Королёва Алёна", "Королева Алена"),
    ("Цой Геннадий Даниилович", "Цой Генадий Данилович"),
    ("Иванов Иван", "Иван Иванов"),
    ("Иванов Иван", "Иванов Иван Петрович"),
    ("Иванов Иван Иванович", "Иванов И. И."),
    ("Иванов", "Иванов Иван"),
    ("Иванова Анна Сергеевна", "Петрова Анна Сергеевна"),
    ("Иванов Иван", "Ивонов Иван"),
    ("Шевченко Олег", "Шевчeнко Олег"),
    ("Сергеев Юрий Дмитриевич", "Sergeev Yury Dmitrievich"),
    ("Александр Ксенофонтов", "Alexander Xenofontov"),
    ("Oʻktamov Gʻani", "O'ktamov G‘ani"),
    ("Иванов Иван 2", "Иванов Иван 17"),
    ("100222", "Иванов Иван"),
)
def test_spelling_initial_order_and_surname_make_no_other_first_name(one: str, other: str) -> None:
    assert not have_other_given_names(one, other)


@pytest.mark.parametrize("short", ["Иванов И.И.", "Иванов И. И", "И.И. Иванов", "иванов и.", "Иванов И. Иванович"])
def test_initials_in_place_of_words_are_told(short: str) -> None:
    assert has_initials_of(short, "Иванов Иван Иванович")


@pytest.mark.parametrize(
    "other",
    ["Иванов Иван", "Иванов", "Иванов П.И.", "Иванов И.И., бухгалтер", "Иванова И.И.", "Иванов И.И.И.", ""],
)
def test_other_name_and_a_shorter_one_have_no_initials_of_it(other: str) -> None:
    assert not has_initials_of(other, "Иванов Иван Иванович")
    assert not has_initials_of("Иванов И.И.", "Иванов И. И.")
