"""The words for a comparison, and for what was noticed at a terminal: whole sentences, and a summary without names."""

from flask import Flask
from flask_babel import force_locale

from hikflask.labels import comparisons
from hikflask.models.comparison import COUNT, NAME, ONLY_HERE, Drift


def test_validity_there_is_said_in_days_or_with_its_time_and_zone(app: Flask) -> None:
    first = "2000-01-01T00:00:00"
    for shown, english, russian in (
        ("", "", ""),
        ("off", "not limited", "без срока"),
        ("unreadable", "not readable", "не читается"),
        (f"{first}/2037-12-31T23:59:59", "not limited", "без срока"),
        (f"{first}/2036-06-30T23:59:59", "until 30 June 2036", "по 30 июня 2036"),
        (f"{first}/2036-06-30T18:00:00", "until 30 June 2036, 18:00", "по 30 июня 2036, 18:00"),
        (f"{first}/2036-06-30T23:59:59+05:00", "until 30 June 2036, 23:59 UTC+5", "по 30 июня 2036, 23:59 UTC+5"),
    ):
        with app.test_request_context(), force_locale("en"):
            assert comparisons.validity_there(shown) == english
        with app.test_request_context(), force_locale("ru"):
            assert comparisons.validity_there(shown) == russian


DRIFTS = [
    Drift(kind=COUNT, expected="12", found="13"),
    Drift(kind=NAME, number="1", expected="Иван Иванов", found="Пётр Петров"),
    Drift(kind=ONLY_HERE, number="2", expected="Анна Петрова"),
    Drift(kind=ONLY_HERE, number="3", expected="Ольга Ёлкина"),
]


def test_each_drift_is_a_sentence_in_both_languages(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        assert [comparisons.drift_sentence(drift) for drift in DRIFTS[:3]] == [
            "There should be 12 people on the terminal, and there are 13.",
            "ID 1 has another name on the terminal: Пётр Петров instead of Иван Иванов.",
            "Not on the terminal any more: Анна Петрова, ID 2.",
        ]
    with app.test_request_context(), force_locale("ru"):
        assert [comparisons.drift_sentence(drift) for drift in DRIFTS[:3]] == [
            "На терминале должно быть людей: 12, а их 13.",
            "У ID 1 на терминале другое имя: Пётр Петров вместо Иван Иванов.",
            "Пропал с терминала: Анна Петрова, ID 2.",
        ]


def test_summary_of_drift_names_nobody(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        assert comparisons.drift_summary(DRIFTS) == (
            "There should be 12 people on the terminal, and there are 13. 1 person has another name. 2 people are gone."
        )
    with app.test_request_context(), force_locale("ru"):
        assert comparisons.drift_summary(DRIFTS) == (
            "На терминале должно быть людей: 12, а их 13. У 1 человека другое имя. Пропали 2 человека."
        )
