"""A terminal gets the longest form of a name that it takes, and never half a letter."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikflask.models import Terminal
from hikflask.services.core.errors import NameTooLong
from hikflask.services.core.terminal_name import fits, name_for

FAMILY = "👩‍👩‍👧"
LETTERS = "АБЁйщ-'’ azZĄ́\u0301\u0308 \u200d🇷🇺🏽👩👧中"
names = st.text(st.one_of(st.sampled_from(LETTERS), st.characters(codec="utf-8", exclude_categories=["C", "Z"])))
full_names = names.map(lambda name: f"А{name}".strip())
limits = st.one_of(st.none(), st.integers(2, 300))


def limited(limit: int | None) -> Terminal:
    return Terminal(name="Вход", name_bytes=limit)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Петров Пётр", "Петров Пётр"),
        ("Петров Пётр Иванович", "Петров П. И."),
        ("Петров  Пётр   Иванович ", "Петров П. И."),
        ("Петров Пётр-Павел Иванович", "Петров П. И."),
        ("Мамедов Али Гасан оглы", "Мамедов А. Г. о."),
        ("Константинопольский Константин", "Константинопольс"),
        ("Константинопольс", "Константинопольс"),
        ("Константинополь-Невский Пётр", "Константинополь"),
        ("Иванов" * 5, "ИвановИвановИван"),
        ("Hubert Blaine Wolfeschlegelsteinhausen", "Hubert B. W."),
        ("Wolfeschlegelsteinhausenbergerdorff", "Wolfeschlegelsteinhausenbergerdo"),
        ("欧阳" * 8, "欧阳" * 5),
        ("عبد الرحمن بن عبد العزيز", "عبد ا. ب. ع. ا."),
    ],
)
def test_32_bytes_get_the_longest_form_that_fits(name: str, shown: str) -> None:
    assert name_for(limited(32), name) == shown


def test_letters_stay_whole_with_their_marks() -> None:
    marked = "Е\u0308"
    assert name_for(limited(32), f"Петров {marked}лкин Иванович") == f"Петров {marked}. И."
    assert name_for(limited(11), marked * 8) == marked * 2
    assert name_for(limited(len(FAMILY.encode()) + 3), FAMILY * 8) == FAMILY
    assert name_for(limited(9), "🇷🇺🇩🇪🇫🇷") == "🇷🇺"
    assert name_for(limited(9), "👍🏽👍🏽") == "👍🏽"


def test_own_name_comes_first_where_it_fits() -> None:
    assert name_for(limited(32), "Петров Пётр Иванович", "Петров П. (охр.)") == "Петров П. (охр.)"
    assert name_for(limited(None), "Петров Пётр Иванович", "Петров-старший, начальник") == "Петров-старший, начальник"
    assert name_for(limited(32), "Петров Пётр Иванович", "Петров-старший, начальник") == "Петров П. И."


@pytest.mark.parametrize("limit", [None, 0])
def test_unknown_limit_means_the_full_name(limit: int | None) -> None:
    assert name_for(limited(limit), "Ё" * 128) == "Ё" * 128


def test_name_of_which_not_one_letter_fits_is_refused() -> None:
    with pytest.raises(NameTooLong) as refused:
        name_for(limited(3), f"{FAMILY} Пётр")

    assert refused.value.params == {"limit": 3, "length": 27, "letters": 10, "t": "Вход"}


@settings(deadline=None)
@given(full_names, names.map(str.strip), limits)
def test_every_name_has_a_form_that_fits(name: str, own: str, limit: int | None) -> None:
    terminal = limited(limit)
    try:
        shown = name_for(terminal, name, own)
    except NameTooLong:
        # Only where the first letter has so many marks.
        assert limit is not None
        assert len(name.split(maxsplit=1)[0].encode()) > limit
        return

    assert fits(terminal, shown)
    assert shown
    assert shown == shown.strip()
    assert shown == name_for(terminal, name, own)
    assert name_for(terminal, shown) == shown
    if own and fits(terminal, own):
        assert shown == own
    elif fits(terminal, name):
        assert shown == name
    else:
        assert name.split(maxsplit=1)[0].startswith(shown) or shown.startswith(f"{name.split(maxsplit=1)[0]} ")


@settings(deadline=None)
@given(full_names, st.integers(2, 60))
def test_no_cut_comes_before_a_mark(name: str, limit: int) -> None:
    surname = "".join(letter for letter in name.split(maxsplit=1)[0] if letter not in "-'’")
    try:
        shown = name_for(limited(limit), surname)
    except NameTooLong:
        return

    after = surname.removeprefix(shown)
    assert not after or unicodedata.category(after[0]) not in {"Mn", "Mc", "Me", "Cf"}
    assert not after or not shown.endswith("\u200d")
