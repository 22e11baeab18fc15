"""Letters that were lost on their way are told from those of names and departments."""

import re
from pathlib import Path

import pytest
from flask_babel import force_locale

import hikflask
from hikflask import messages
from hikflask.services.imports.table import broken_letters

pytestmark = pytest.mark.usefixtures("context")

CATALOGUE = Path(hikflask.__file__).parent / "translations/ru/LC_MESSAGES/messages.po"
IVAN = "Иванов Иван"


@pytest.mark.parametrize(
    "text",
    [
        "?асымов Н?рлан", "O?ktamov Sherzod", "Бала?", "Ив\ufffdнов", "&eacute;lan", "&#1234567;", "╚трэют",
        "Èâàíîâ Èâàí", "Öåõ 1", IVAN.encode().decode("latin-1"), "Ð˜Ð²Ð°Ð½Ð¾Ð² Ð˜Ð²Ð°Ð½", "LÃ©a MÃ¼ller",
        "РђРЅРЅР° РџРµС‚СЂРѕРІР°", "ТљР°СЃС‹РјРѕРІ",
    ],
)  # fmt: skip
def test_broken_letters_are_told_in_any_text(text: str) -> None:
    assert broken_letters.are_in(text)


@pytest.mark.parametrize("name", ["хБЮМНБ хБЮМ", "€ў ­®ў", "Иванов ± Иван", "Ив\ue000нов"])
def test_signs_that_a_department_may_have_are_in_no_name(name: str) -> None:
    assert broken_letters.are_in(name, name=True)
    assert not broken_letters.are_in("Цех №5 «С» ™ 3 €")


@pytest.mark.parametrize(
    "text",
    [
        IVAN, "Ёлкин-Їжак Їй", "Oʻktamov Gʻani", "Қасымов Нұрлан Серікұлы", "Léa Brontë", "Zoë", "Ås", "João Ñuñez",
        "Ромашка С»", "“Группа Р”", "R&D; QA", "Цех 1? 2", "?", "СЕРІК", "БОРИС", "Straße ”", "Nguyễn Thị Ánh", "№5",
        "ООО «Р»", "Д’Артаньян", "可口",
    ],
)  # fmt: skip
def test_usual_letters_are_not_broken(text: str) -> None:
    assert not broken_letters.are_in(text, name=True)


def test_no_word_of_our_texts_is_broken() -> None:
    words = set(re.findall(r"[^\s\"\\?]+", CATALOGUE.read_text(encoding="utf-8")))

    assert [word for word in words if broken_letters.are_in(word)] == []


def test_sentence_says_what_to_do() -> None:
    assert messages.english("letters_broken") == (
        "Letters are broken here: a program lacks them, or took the encoding for another one. Write this anew, or save "
        "the file as “CSV UTF-8” or .xlsx where it is right."
    )
    with force_locale("ru"):
        assert messages.sentence("letters_broken") == (
            "Здесь испорчены буквы: программа их не знает или ошиблась кодировкой. Впишите текст заново или сохраните "
            "файл как «CSV UTF-8» или .xlsx там, где он ещё верный."
        )
