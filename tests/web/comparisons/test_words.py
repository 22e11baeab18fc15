"""The words of a comparison."""

from flask import Flask
from flask_babel import force_locale

from hikflask.web.comparisons import words


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
            assert words.validity_there(shown) == english
        with app.test_request_context(), force_locale("ru"):
            assert words.validity_there(shown) == russian
