"""The words for what was noticed at a terminal: whole sentences with names, and a summary without any."""

from flask import Flask
from flask_babel import force_locale

from hikflask.models.comparison import COUNT, NAME, ONLY_HERE, Drift
from hikflask.web.support.words import differences

FOUND = [
    Drift(kind=COUNT, expected="12", found="13"),
    Drift(kind=NAME, number="1", expected="Иван Иванов", found="Пётр Петров"),
    Drift(kind=ONLY_HERE, number="2", expected="Анна Петрова"),
    Drift(kind=ONLY_HERE, number="3", expected="Ольга Ёлкина"),
]


def test_each_finding_is_a_sentence_in_both_languages(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        assert [differences.sentence(one) for one in FOUND[:3]] == [
            "There should be 12 people on the terminal, and there are 13.",
            "ID 1 has another name on the terminal: Пётр Петров instead of Иван Иванов.",
            "Not on the terminal any more: Анна Петрова, ID 2.",
        ]
    with app.test_request_context(), force_locale("ru"):
        assert [differences.sentence(one) for one in FOUND[:3]] == [
            "На терминале должно быть людей: 12, а их 13.",
            "У ID 1 на терминале другое имя: Пётр Петров вместо Иван Иванов.",
            "Пропал с терминала: Анна Петрова, ID 2.",
        ]


def test_summary_names_nobody(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        assert differences.summary(FOUND) == (
            "There should be 12 people on the terminal, and there are 13. 1 person has another name. 2 people are gone."
        )
    with app.test_request_context(), force_locale("ru"):
        assert differences.summary(FOUND) == (
            "На терминале должно быть людей: 12, а их 13. У 1 человека другое имя. Пропали 2 человека."
        )
